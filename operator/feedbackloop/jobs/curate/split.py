"""Which prompts of accepted corrections are kept out of training, to check afterwards what was learnt.

A prompt's side is a property of the prompt: its hash. Only where a topic with several prompts would
end up on one side altogether, one prompt is moved across.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedbackloop.jobs import canonical
from feedbackloop.jobs.curate.kept import NOTHING, Barred
from feedbackloop.jobs.curate.rows import Row

HELD_OUT_OF_256 = 64
"""A quarter of the prompts."""


def rank(prompt_key: str) -> str:
    """The prompt's place on the ring; it depends on nothing but the prompt."""
    return canonical.sha256(f"split\n{prompt_key}".encode())


def held_out(rows: Iterable[Row], barred: Barred = NOTHING) -> frozenset[str]:
    """The keys of the prompts that training must not see; those that were held out once are again."""
    rows = list(rows)
    by_topic: dict[str, set[str]] = {}
    for row in rows:
        by_topic.setdefault(row.topic, set()).add(row.prompt.key)
    pinned = {row.prompt.key for row in rows if row.prompt in barred}
    side = {
        key: key in pinned or int(rank(key)[:2], 16) < HELD_OUT_OF_256 for keys in by_topic.values() for key in keys
    }
    for topic in sorted(by_topic):
        if len(by_topic[topic]) > 1:
            ordered = sorted(by_topic[topic], key=rank)
            _witness(ordered, side, pinned, wanted=True)
            _witness(ordered[::-1], side, pinned, wanted=False)
    return frozenset(key for key, out in side.items() if out)


def _witness(ordered: Sequence[str], side: dict[str, bool], pinned: set[str], *, wanted: bool) -> None:
    """Make sure that one of the prompts is on the wanted side, and let no later topic move it."""
    there = next((key for key in ordered if side[key] is wanted), None)
    chosen = there or next((key for key in ordered if key not in pinned), None)
    if chosen is not None:
        side[chosen] = wanted
        pinned.add(chosen)
