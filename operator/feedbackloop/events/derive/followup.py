"""What a user's next message says of the answer before it: rules over words, the same result every time.

Four classes: `thanks` (content), `refine` (builds on the answer), `rephrase` (asks the same again, so the answer did
not serve) and `new_task`. The cues are English, German, French and Spanish; thanks are known in more languages.
Without cues a message is a rephrase when it looks like the question before, and a new task otherwise: a rough
measure for monitoring, not for training.
"""

from __future__ import annotations

from enum import StrEnum

from feedbackloop.events.derive.phrases import CONTENT, POINTING, REFINING, REFUSING, STOP, THANKS
from feedbackloop.events.derive.words import likeness, plain, words_of

CLASSIFIER_VERSION = "follow-up/1"
"""Counts up whenever the same messages could get another class."""
SAME_QUESTION = 0.55
SHORT, MOSTLY = 6, 0.5


class FollowUp(StrEnum):
    """What the next message does."""

    REFINE = "refine"
    REPHRASE = "rephrase"
    NEW_TASK = "new_task"
    THANKS = "thanks"


def classify(question: str, answer: str, following: str) -> FollowUp:
    """The class of the message that follows an answer to a question."""
    text = plain(following)
    rest = _without_thanks(text)
    if rest is not None and not _asks(rest):
        return FollowUp.THANKS
    text = text if rest is None else rest
    if _says(text, REFUSING) or likeness(text, plain(question)) >= SAME_QUESTION:
        return FollowUp.REFINE if _starts(text, REFINING) else FollowUp.REPHRASE
    if _starts(text, REFINING) or _points_back(text) or _speaks_of(text, plain(f"{question} {answer}")):
        return FollowUp.REFINE
    return FollowUp.NEW_TASK


def _without_thanks(text: str) -> str | None:
    """What is left of a message that gives thanks, None of one that does not."""
    padded, thanked = f" {' '.join(words_of(text))} ", False
    for phrase in THANKS:
        spaced = f" {phrase} "
        if spaced in padded or (not phrase.isascii() and phrase in padded):
            padded, thanked = padded.replace(spaced if spaced in padded else phrase, " "), True
    return padded.strip() if thanked else None


def _asks(rest: str) -> bool:
    """Whether there is more than praise beside the thanks."""
    return any(word not in CONTENT and word not in STOP for word in words_of(rest))


def _says(text: str, phrases: frozenset[str]) -> bool:
    padded = f" {' '.join(words_of(text))} "
    return any(f" {phrase} " in padded for phrase in phrases)


def _starts(text: str, phrases: frozenset[str]) -> bool:
    words = words_of(text)
    return any(" ".join(words[:length]) in phrases for length in (1, 2, 3))


def _points_back(text: str) -> bool:
    """Short, and about `that` or `it`: nothing of its own to look up."""
    words = words_of(text)
    return len(words) <= SHORT and any(word in POINTING for word in words)


def _speaks_of(text: str, before: str) -> bool:
    """Most of its own words were there before."""
    own = [word for word in words_of(text) if word not in STOP and len(word) > 2]
    known = set(words_of(before))
    return bool(own) and sum(word in known for word in own) / len(own) >= MOSTLY
