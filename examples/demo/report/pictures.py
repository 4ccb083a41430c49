"""The report's pictures, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

INK, MUTED, GOOD, BAD, BLUE, AMBER = "#1f2933", "#9aa5b1", "#2f9e6e", "#d64545", "#3a6ea5", "#d9902f"
plt.rcParams.update({
    "font.family": "sans-serif", "font.size": 10, "axes.edgecolor": MUTED, "axes.labelcolor": INK,
    "text.color": INK, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "svg.fonttype": "none",
})  # fmt: skip


def picture(draw: Callable[[Axes], None], *, width: float = 7.2, height: float = 3.0) -> str:
    """One drawing as an inline SVG element that scales with the page."""
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    draw(axes)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True)
    plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def quality(bars: Sequence[tuple[str, float | None, str]]) -> str:
    """Accuracy bars: (label, value between 0 and 1, colour)."""

    def draw(axes: Axes) -> None:
        known = [(label, value, colour) for label, value, colour in bars if value is not None]
        axes.barh([b[0] for b in known], [b[1] for b in known], color=[b[2] for b in known], height=0.55)
        for index, (_, value, _) in enumerate(known):
            axes.text(value + 0.01, index, f"{value:.1%}", va="center")
        axes.set_xlim(0, 1.12)
        axes.invert_yaxis()
        axes.set_xlabel("share of right answers on held-out questions")
        axes.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0))

    return picture(draw, height=0.7 + 0.5 * max(1, len(bars)))


def rollout(samples: Sequence[Any], alpha: float = 0.05) -> str:
    """The canary's weight (steps) and the two e-values (log scale) over time."""

    def draw(axes: Axes) -> None:
        at = [s.at for s in samples]
        axes.step(at, [s.weight for s in samples], where="post", color=BLUE, linewidth=2)
        axes.fill_between(at, [s.weight for s in samples], step="post", color=BLUE, alpha=0.12)
        axes.set_ylim(0, 105)
        axes.set_ylabel("canary's share of sessions (%)", color=BLUE)
        axes.set_xlabel("seconds since the start")
        evidence = axes.twinx()
        evidence.set_yscale("log")
        for name, colour, label in (("non_inferiority", GOOD, "not worse"), ("harm", BAD, "worse")):
            points = [(s.at, getattr(s, name)) for s in samples if getattr(s, name)]
            if points:
                evidence.plot(
                    *zip(*points, strict=True), color=colour, linewidth=1.6, label=f"e-value: canary is {label}"
                )
        evidence.axhline(1 / alpha, color=MUTED, linestyle="--", linewidth=1)
        evidence.text(at[0], 1 / alpha * 1.15, f"decision at {1 / alpha:.0f}", color=INK, fontsize=9)
        evidence.set_ylabel("evidence (e-value)")
        evidence.spines["right"].set_visible(True)
        evidence.legend(loc="upper left", frameon=False, fontsize=9, bbox_to_anchor=(0.0, 0.93))

    return picture(draw, height=3.6)


def funnel(stages: Sequence[tuple[str, int]]) -> str:
    """Rows left after each stage, from events to training rows."""

    def draw(axes: Axes) -> None:
        names, values = [s[0] for s in stages], [s[1] for s in stages]
        axes.barh(names, values, color=BLUE, height=0.6)
        for index, value in enumerate(values):
            axes.text(value, index, f" {value:,}", va="center")
        axes.set_xlim(0, max([*values, 1]) * 1.15)
        axes.invert_yaxis()
        axes.set_xlabel("rows")

    return picture(draw, height=0.7 + 0.36 * max(1, len(stages)))


def rates(
    votes: Iterable[tuple[float, bool, bool]], marks: Sequence[tuple[str, float]], bin_seconds: float = 10.0
) -> str:
    """The realised down-vote rate, and the share of wrong answers behind it, in bins."""
    bins: dict[int, list[tuple[bool, bool]]] = {}
    for at, right, down in votes:
        bins.setdefault(int(at // bin_seconds), []).append((right, down))

    def draw(axes: Axes) -> None:
        at = [(b + 0.5) * bin_seconds for b in sorted(bins)]
        axes.plot(
            at, [share(v[1] for v in bins[b]) for b in sorted(bins)], color=BAD, linewidth=1.8, label="down-votes"
        )
        axes.plot(
            at,
            [share(not v[0] for v in bins[b]) for b in sorted(bins)],
            color=AMBER,
            linewidth=1.4,
            label="wrong answers",
        )
        for name, moment in marks:
            axes.axvline(moment, color=MUTED, linewidth=1, linestyle=":")
            axes.text(
                moment,
                1.0,
                f" {name}",
                rotation=90,
                va="top",
                fontsize=8,
                color=INK,
                transform=axes.get_xaxis_transform(),
            )
        axes.set_ylim(0, 0.6)
        axes.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0))
        axes.set_xlabel("seconds since users started")
        axes.legend(frameon=False, fontsize=9, loc="upper right")

    return picture(draw, height=3.2)


def share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
