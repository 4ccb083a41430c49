"""What a judge is worth, by the labels, and why it may decide nothing."""

from __future__ import annotations

from collections.abc import Sequence

from feedbackloop.api.jobs import JudgeQuality, JudgeRef
from feedbackloop.domain.statistics.agreement import agreement, table
from feedbackloop.domain.statistics.numerals import numeral
from feedbackloop.jobs.judging import prompting
from feedbackloop.jobs.judging.comparing import Comparison, Preference, position_bias
from feedbackloop.jobs.judging.labels import FEWEST, Label

MOST_UNREADABLE = 0.1
"""Share of verdicts from which on a judge that cannot be read is advisory."""
DIGITS = 4


def quality(model: str, labels: Sequence[Label], comparisons: Sequence[Comparison]) -> JudgeQuality:
    """The judge on its labels, in their order."""
    counts = table(
        (int(comparison.preference), int(label.verdict)) for label, comparison in zip(labels, comparisons, strict=True)
    )
    found = agreement(counts)
    return JudgeQuality(
        model=model,
        prompt_digest=prompting.DIGEST,
        labels=len(labels),
        consistent=sum(comparison.consistent for comparison in comparisons),
        agreement=round(found.share, DIGITS),
        kappa=round(found.kappa, DIGITS),
        kappa_lower=round(found.lower, DIGITS),
        table=counts,
        position_bias=round(position_bias(comparisons), DIGITS),
        length_bias=round(_length_bias(labels, comparisons), DIGITS),
        unreadable=sum(comparison.unreadable for comparison in comparisons),
    )


def advisory(ref: JudgeRef, found: JudgeQuality) -> str:
    """Why gates of this judge decide nothing; empty when they may."""
    if found.labels < FEWEST:
        return f"the judge has {found.labels} labels, it needs {FEWEST}"
    if found.unreadable > MOST_UNREADABLE * 2 * found.labels:
        return f"{found.unreadable} of the judge's {2 * found.labels} verdicts on the labels are not readable"
    if found.kappa < float(ref.min_kappa):
        return (
            f"the judge's kappa is {numeral(found.kappa)} on {found.labels} labels, it needs {ref.min_kappa}"
            f" (agreement {numeral(found.agreement)}, consistent {found.consistent} of {found.labels})"
        )
    return ""


def _length_bias(labels: Sequence[Label], comparisons: Sequence[Comparison]) -> float:
    """Wrong preferences for the longer answer minus those for the shorter, as a share of the labels."""
    wrong = [
        _longer(label) * int(comparison.preference)
        for label, comparison in zip(labels, comparisons, strict=True)
        if comparison.preference not in (label.verdict, Preference.TIE)
    ]
    return sum(wrong) / len(labels) if labels else 0.0


def _longer(label: Label) -> int:
    """1 when the candidate's answer is the longer one, -1 when the champion's is."""
    champion, candidate = len(label.pair.champion), len(label.pair.candidate)
    return (candidate > champion) - (candidate < champion)
