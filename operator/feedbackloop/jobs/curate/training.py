"""The rows of `train.jsonl` and the items of `regressions.jsonl`, from votes for and against answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from feedbackloop.jobs.curate import corrections, replay
from feedbackloop.jobs.curate.cap import cap
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.kept import NOTHING, Barred
from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Excluded, Prompt, Row, Vote
from feedbackloop.jobs.curate.split import held_out


@dataclass(frozen=True)
class Training:
    """What one can train on and check with."""

    corrections: tuple[Row, ...]
    replayed: tuple[Row, ...]
    regressions: tuple[Row, ...]
    topics: tuple[str, ...]
    """The topics with an accepted correction."""
    held_out: frozenset[str]
    """Keys of the prompts that no training row may have."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """The accepted text of each of the topics."""

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.corrections + self.replayed


def training(
    corrected: Sequence[Vote],
    rated: Sequence[Vote],
    leaks: Collection[str],
    config: Config,
    barred: Barred = NOTHING,
) -> tuple[Training, list[Excluded]]:
    """Corrections that are believed, split into rows and checks, and answers replayed beside them."""
    meant, excluded = corrections.meaningful(corrected)
    accepted = corrections.accept(meant, config.min_corroboration)
    believed, doubted = corrections.rows(meant, accepted)
    believed, leaked = _without_leaks(believed, leaks)
    kept_out = held_out(believed, barred)
    teach = [row for row in believed if row.prompt.key not in kept_out]
    checks = [row for row in believed if row.prompt.key in kept_out]
    wanted = replay.wanted(len(teach), config.replay_ratio)
    replayed, unused = _replay(rated, accepted, leaks, barred, wanted, config.seed)
    rows, capped = cap([*teach, *replayed], config.max_subject_share)
    made = Training(
        corrections=tuple(row for row in rows if row.topic in accepted),
        replayed=tuple(row for row in rows if row.topic not in accepted),
        regressions=tuple(checks),
        topics=tuple(sorted(accepted)),
        held_out=kept_out | barred.keys,
        answers={topic: found.text for topic, found in accepted.items()},
    )
    return made, [*excluded, *doubted, *leaked, *unused, *of_rows(capped, Reason.SUBJECT_CAP)]


def _replay(
    rated: Sequence[Vote], accepted: Collection[str], leaks: Collection[str], barred: Barred, count: int, seed: int
) -> tuple[list[Row], list[Excluded]]:
    liked, excluded = replay.accepted_answers(rated, accepted)
    liked, leaked = _without_leaks(liked, leaks)
    asked = [row for row in liked if row.prompt in barred]
    drawn, rest = replay.draw([row for row in liked if row.prompt not in barred], count, seed)
    left_out = of_rows(asked, Reason.HELD_OUT) + of_rows(rest, Reason.NOT_DRAWN)
    return drawn, [*excluded, *leaked, *left_out]


def _without_leaks(rows: Iterable[Row], leaks: Collection[str]) -> tuple[list[Row], list[Excluded]]:
    rows = list(rows)
    leaked = [row for row in rows if leaks_through(row.prompt, leaks)]
    return [row for row in rows if not leaks_through(row.prompt, leaks)], of_rows(leaked, Reason.GOLDEN_LEAK)


def leaks_through(prompt: Prompt, leaks: Collection[str]) -> bool:
    """Whether the prompt, or its question alone, is that of a golden item."""
    return prompt.key in leaks or prompt.text in leaks


def of_rows(rows: Iterable[Row], reason: Reason) -> list[Excluded]:
    return [Excluded(vote.event, reason) for row in rows for vote in row.votes]
