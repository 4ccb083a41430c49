"""From right and wrong answers to the counts that gates judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feedbackloop.api.evaluation import Gate, Slice
from feedbackloop.api.jobs import GateCounts
from feedbackloop.jobs.evaluate.suites import Exam, sliced

Rights = Mapping[str, Sequence[bool]]
"""By suite, for every item in order: whether the answer was right."""


@dataclass(frozen=True)
class Scores:
    """Both models on the same items."""

    exam: Exam
    champion: Rights
    candidate: Rights

    def pairs(self, suite: str, part: Slice | None) -> list[tuple[bool, bool]]:
        """(champion, candidate) for every item of a slice."""
        items = self.exam.suites[suite]
        corrected = self.exam.corrected if part is Slice.UNCHANGED else frozenset[str]()
        both = (sliced(items, rights[suite], corrected) for rights in (self.champion, self.candidate))
        return list(zip(*both, strict=True))

    def count(self, gate: Gate) -> GateCounts:
        pairs = self.pairs(gate.suite, gate.slice)
        return GateCounts(
            name=gate.name,
            suite=gate.suite,
            n=len(pairs),
            both=pairs.count((True, True)),
            only_champion=pairs.count((True, False)),
            only_candidate=pairs.count((False, True)),
        )

    def accuracy(self, gates: Sequence[Gate]) -> dict[str, dict[str, float]]:
        """The share of right answers, of every suite and of every slice that a gate looks at."""
        parts: list[tuple[str, Slice | None]] = [(suite, None) for suite in self.exam.suites]
        parts += [(gate.suite, gate.slice) for gate in gates if gate.slice is not None]
        found = {(suite if part is None else f"{suite}/{part}"): self.pairs(suite, part) for suite, part in parts}
        return {name: _shares(pairs) for name, pairs in found.items() if pairs}


def _shares(pairs: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    champion, candidate = (sum(rights) / len(pairs) for rights in zip(*pairs, strict=True))
    return {"champion": round(champion, 4), "candidate": round(candidate, 4)}
