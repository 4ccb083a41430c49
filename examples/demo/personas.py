"""Seeded users: what each does with an answer, knowing what is true and nothing else.

Users see answers only, never an arm or a revision. Shares and rates give about 30 % down-votes while a
quarter of the answers is stale, and about 10 % when none is.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from examples.demo.world import Question, World


class Persona(StrEnum):
    HONEST = "honest"
    HARSH = "harsh"
    LENIENT = "lenient"
    SPAM = "spam"
    CHATTY = "chatty"
    """Honest, and leaves personal data in comments."""


SHARES = {Persona.HONEST: 0.74, Persona.HARSH: 0.08, Persona.LENIENT: 0.08, Persona.SPAM: 0.05, Persona.CHATTY: 0.05}
NO_CONSENT = 0.08
DOWN_WHEN_RIGHT = {
    Persona.HONEST: 0.03,
    Persona.HARSH: 0.5,
    Persona.LENIENT: 0.0,
    Persona.SPAM: 0.5,
    Persona.CHATTY: 0.03,
}
DOWN_WHEN_WRONG = {
    Persona.HONEST: 0.97,
    Persona.HARSH: 1.0,
    Persona.LENIENT: 0.4,
    Persona.SPAM: 0.5,
    Persona.CHATTY: 0.97,
}
CORRECTS = {Persona.HONEST: 0.9, Persona.HARSH: 0.9, Persona.LENIENT: 0.5, Persona.SPAM: 0.0, Persona.CHATTY: 0.9}
TYPO = 0.1
RESOLVED, GRADED = 0.15, 0.15

SPAM_TEXTS = (
    "BUY CHEAP WATCHES NOW",
    "asdf asdf asdf",
    "first!!!",
    "this bot is run by lizards",
    "free coins at example dot test",
)
PRIVATE_COMMENTS = (
    "You can reach me at {name}.canary@example.org if you need details.",
    "Call me back on +44 20 7946 0{number:03d}, I am home after six.",
    "My card 4111 1111 1111 1111 was charged twice, please check.",
    "Refund it to GB82 WEST 1234 5698 7654 32 as always.",
    "It failed from my machine at 203.0.113.{small}, if that helps.",
)
"""Every value here is a documented test value: nobody's address, number, card or account."""


@dataclass(frozen=True)
class User:
    subject: str
    persona: Persona
    consents: bool


@dataclass(frozen=True)
class Signal:
    """One piece of feedback before it has an event id."""

    signal: str
    value: object


def population(size: int, rng: random.Random) -> list[User]:
    """`size` users with the declared shares, in a seeded order."""
    personas = rng.choices(list(SHARES), weights=list(SHARES.values()), k=size)
    return [User(f"user-{i:05d}", persona, rng.random() >= NO_CONSENT) for i, persona in enumerate(personas)]


def react(user: User, question: Question, answer: str, world: World, rng: random.Random) -> list[Signal]:
    """What the user sends about an answer: one vote always, and perhaps a reason, a correction, a comment, a grade."""
    truth = world.truth(question.fact)
    right = world.right(question.fact, answer)
    down = rng.random() < (DOWN_WHEN_RIGHT if right else DOWN_WHEN_WRONG)[user.persona]
    signals = [Signal("shown", None), Signal("helpful", not down)]
    if user.persona is Persona.SPAM:
        return signals + _spam(rng)
    if down and not right:
        signals.append(Signal("why", "inaccurate"))
        if rng.random() < CORRECTS[user.persona]:
            signals.append(Signal("fix", _typed(truth, rng)))
    if user.persona is Persona.CHATTY:
        signals.append(Signal("note", _private(user, rng)))
    return signals + _asked(right, down, rng)


def _asked(right: bool, down: bool, rng: random.Random) -> list[Signal]:
    """Answers to what only some users are asked: whether it helped, and how many stars it deserves."""
    asked = rng.random()
    if asked < RESOLVED:
        return [Signal("resolved", "yes" if right else "no")]
    if asked < RESOLVED + GRADED:
        return [Signal("grade", rng.choice((1, 2)) if down else rng.choice((4, 5)))]
    return []


def _spam(rng: random.Random) -> list[Signal]:
    return [Signal("fix", rng.choice(SPAM_TEXTS))] if rng.random() < 0.5 else [Signal("note", rng.choice(SPAM_TEXTS))]


def _typed(text: str, rng: random.Random) -> str:
    """The text as a person types it: sometimes with two letters swapped."""
    if rng.random() >= TYPO or len(text) < 8:
        return text
    at = rng.randrange(1, len(text) - 3)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _private(user: User, rng: random.Random) -> str:
    name = user.subject.replace("-", ".")
    return rng.choice(PRIVATE_COMMENTS).format(name=name, number=rng.randrange(1000), small=rng.randrange(1, 255))
