"""Human verdicts: one labelled pair a line, `{"id", "messages", "champion", "candidate", "verdict"}`.

`champion` is the answer of the model that was served, `candidate` that of the one which was to replace it, and
`verdict` is `candidate`, `champion` or `tie`, as people said without knowing which was which. The pairs should be a
random sample of the pairs that the judge will compare: that is what the corrected win rate rests on.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from feedbackloop.events.records import Message
from feedbackloop.jobs.declared import fetched, parsed
from feedbackloop.jobs.judging.comparing import Pair, Preference
from feedbackloop.jobs.storage import Store

FEWEST = 30
"""Labels below which a judge stays advisory."""
_PREFERENCES = {"candidate": Preference.WIN, "champion": Preference.LOSS, "tie": Preference.TIE}


class Line(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1)]
    messages: Annotated[tuple[Message, ...], Meta(min_length=1)]
    champion: str
    candidate: str
    verdict: Literal["candidate", "champion", "tie"]


class Label(Struct, frozen=True):
    """A pair, and what people said."""

    pair: Pair
    verdict: Preference


_decoder = msgspec.json.Decoder(Line)


def fetch(store: Store, key: str, digest: str) -> tuple[Label, ...]:
    """The labels of exactly the bytes that the loop declares. Raises InvalidDataset."""
    missing = "there are no such labels in the bucket; upload them or correct judge.labels"
    return parse(fetched(store, key, digest, missing=missing, declarer="judge.labels"), key)


def parse(data: bytes, name: str) -> tuple[Label, ...]:
    """An error names the line, never its text."""
    return tuple(_label(line) for line in parsed(data, name, _decoder, "labels"))


def _label(line: Line) -> Label:
    return Label(Pair(line.id, line.messages, line.champion, line.candidate), _PREFERENCES[line.verdict])
