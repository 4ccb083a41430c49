"""The declared windows together: Deny wins, and with any Allow the rollout goes on only inside one.

They block the start of steps, every rise of the weight and the promotion; never an abort, and no evidence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import Window, WindowKind
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.recurrence import Interval, intervals
from feedbackloop.domain.rollout.situation import Hold, Situation

_HORIZONS = timedelta(days=60), timedelta(days=800)
_MOST_CHANGES = 1000


@dataclass(frozen=True)
class Opening:
    inside: bool
    until: datetime | None = None
    """When that changes; None: not within the next two years."""
    error: str = ""
    """What is wrong with a window, and how to mend it; nothing goes on meanwhile."""


def opening(windows: Sequence[Window], now: datetime) -> Opening:
    """Whether the windows let a rollout go on now, and until when."""
    found = Opening(inside=True)
    for horizon in _HORIZONS if windows else ():
        try:
            found = _opening(windows, now, horizon)
        except ValueError as error:
            return Opening(inside=False, error=str(error))
        if found.until is not None:
            break
    return found


def closed_seconds(windows: Sequence[Window], since: datetime, now: datetime) -> float:
    """How much of the time between the two lay outside the windows."""
    closed, moment = 0.0, since
    for _ in range(_MOST_CHANGES):
        if moment >= now or not windows:
            break
        found = opening(windows, moment)
        end = min(found.until or now, now)
        closed += 0.0 if found.inside else (end - moment).total_seconds()
        moment = end
    return closed


def closed(s: Situation) -> Hold | None:
    """Outside: what is under way stays as it is, while evidence and guardrails go on."""
    found = opening(s.spec.windows, s.now)
    if found.inside:
        return None
    if found.error:
        return Hold(Reason.INVALID_SPEC, f"rollout.{found.error}")
    return Hold(Reason.OUTSIDE_WINDOW, f"outside the declared windows {until(found)}: weight {s.status.weight} stays")


def until(found: Opening) -> str:
    return "for the next two years" if found.until is None else f"until {stamp(found.until)}"


def _opening(windows: Sequence[Window], now: datetime, horizon: timedelta) -> Opening:
    # Whole months, so that the expansion of a rule is the same, and cached, at every look within one.
    since = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    allow, deny = (_union(windows, kind, since, since + horizon) for kind in (WindowKind.ALLOW, WindowKind.DENY))
    restricted = any(w.kind is WindowKind.ALLOW for w in windows)

    def inside(moment: datetime) -> bool:
        return not _within(deny, moment) and (not restricted or _within(allow, moment))

    changes = sorted({t for interval in (*allow, *deny) for t in interval if now < t <= since + horizon})
    here = inside(now)
    return Opening(here, next((t for t in changes if inside(t) is not here), None))


def _union(windows: Sequence[Window], kind: WindowKind, since: datetime, until: datetime) -> list[Interval]:
    """Disjoint intervals in order; raises ValueError naming the window."""
    found: list[Interval] = []
    for index, window in enumerate(windows):
        if window.kind is kind:
            found += _named(index, window, since, until)
    return _merged(sorted(found))


def _named(index: int, window: Window, since: datetime, until: datetime) -> Iterable[Interval]:
    try:
        return intervals(window, since, until)
    except ValueError as error:
        raise ValueError(f"windows[{index}].{error}") from None


def _merged(found: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _within(found: list[Interval], moment: datetime) -> bool:
    """Open from its start on, and closed at its end."""
    index = bisect_right(found, moment, key=lambda interval: interval[0]) - 1
    return index >= 0 and moment < found[index][1]
