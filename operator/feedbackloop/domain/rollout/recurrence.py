"""When one declared window is open: an RFC 5545 rule, meant in the window's own time zone.

A local time that a change of the clocks skips or repeats is read as RFC 5545 (3.3.5) says: a skipped one by
the offset before the gap, a repeated one as its first occurrence. The duration is elapsed time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from feedbackloop.api.rollout import Window

Interval = tuple[datetime, datetime]

_LOCAL = "%Y%m%dT%H%M%S"
_EARLIEST = datetime(1970, 1, 1)
_DAY = timedelta(days=1)
_MOST_COUNTED = 10_000
_PERIODS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_FREQUENCIES = (*_PERIODS, "MONTHLY", "YEARLY")
_PLAIN = ("FREQ", "UNTIL", "BYDAY", "WKST")
_RANGES = {
    "INTERVAL": (1, 1000),
    "COUNT": (1, _MOST_COUNTED),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
    "BYSETPOS": (-31, 31),
}
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def intervals(window: Window, since: datetime, until: datetime) -> tuple[Interval, ...]:
    """The times (UTC) at which the window is open, of those that touch [since, until], in order.

    Raises ValueError, naming the field and the fix, for a zone, a start or a rule that cannot be followed.
    """
    length = timedelta(seconds=window.duration_seconds)
    starts = _starts(window.time_zone, window.start, window.rrule, since - length, until)
    return tuple((start, start + length) for start in starts)


@lru_cache(maxsize=256)
def _starts(zone_name: str, start: str, rule: str | None, since: datetime, until: datetime) -> tuple[datetime, ...]:
    zone, first = _zone(zone_name), _first(start)
    local = _expanded(zone, first, rule, _naive(since, zone) - _DAY, _naive(until, zone) + _DAY)
    instants = sorted({_instant(moment, zone) for moment in local})
    return tuple(moment for moment in instants if since <= moment <= until)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"timeZone: {name} is no IANA time zone; such as Europe/Paris or Etc/UTC") from None


def _first(text: str) -> datetime:
    try:
        first = datetime.strptime(text, _LOCAL)
    except ValueError:
        raise ValueError(f"start: {text} is no date and time; such as 20261220T000000") from None
    if first < _EARLIEST:
        raise ValueError(f"start: {text} is before 1970")
    return first


def _naive(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _instant(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _expanded(zone: tzinfo, first: datetime, rule: str | None, since: datetime, until: datetime) -> list[datetime]:
    try:
        return list(_locals(zone, first, rule, since, until))
    except (KeyError, TypeError, IndexError):
        raise ValueError(f"rrule: {rule} cannot be followed as RFC 5545 means it") from None


def _locals(zone: tzinfo, first: datetime, rule: str | None, since: datetime, until: datetime) -> Iterator[datetime]:
    """Local starts in [since, until]."""
    if rule is None:
        yield from (moment for moment in (first,) if since <= moment <= until)
        return
    parts = _parsed(rule)
    for moment in _occurrences(parts, _nearer(parts, first, since), zone):
        if moment > until:
            return
        if moment >= since:
            yield moment


def _occurrences(parts: Mapping[str, str], first: datetime, zone: tzinfo) -> Iterable[datetime]:
    text = ";".join(f"{key}={value}" for key, value in {**parts, **_local_until(parts, zone)}.items())
    try:
        return rrulestr(text, dtstart=first)
    except ValueError as error:
        raise ValueError(f"rrule: {error}") from None


def _local_until(parts: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """UNTIL in UTC, which RFC 5545 asks for, as the local time that the rule is expanded in."""
    text = parts.get("UNTIL", "")
    if not text.endswith("Z"):
        return {}
    try:
        until = datetime.strptime(text, f"{_LOCAL}Z").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"rrule: UNTIL={text} is no date and time; such as 20261231T000000Z") from None
    return {"UNTIL": _naive(until, zone).strftime(_LOCAL)}


def _nearer(parts: Mapping[str, str], first: datetime, since: datetime) -> datetime:
    """A later start with the same phase, so that an old rule is not walked through from its first day."""
    period = _PERIODS.get(parts["FREQ"])
    if period is None or "COUNT" in parts:
        return first
    step = period * int(parts.get("INTERVAL", "1"))
    return first + max(0, (since - first) // step - 1) * step


def _parsed(rule: str) -> dict[str, str]:
    """The parts of a rule; only rules that end, or that surely find a next day, so that none runs away."""
    pairs = [part.partition("=") for part in rule.split(";")]
    parts = {key: value for key, _, value in pairs}
    if len(parts) < len(pairs):
        raise ValueError("rrule: each part may stand once")
    if parts.get("FREQ") not in _FREQUENCIES:
        raise ValueError(f"rrule: FREQ must be one of {', '.join(_FREQUENCIES)}; hours are given by BYHOUR")
    for key, value in parts.items():
        _check_part(key, value)
    _check_sense(parts)
    return parts


def _check_part(key: str, value: str) -> None:
    if key in _PLAIN:
        return
    if key not in _RANGES:
        raise ValueError(f"rrule: {key} is not supported; use {', '.join((*_PLAIN, *_RANGES))}")
    low, high = _RANGES[key]
    for number in value.split(","):
        if not number.lstrip("+-").isdigit() or not low <= int(number) <= high or (low < 0 and int(number) == 0):
            raise ValueError(f"rrule: {key}={value}: each must be a number from {low} to {high}")


def _check_sense(parts: Mapping[str, str]) -> None:
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("rrule: give COUNT or UNTIL, not both")
    if parts["FREQ"] in _PERIODS and "BYSETPOS" in parts:
        raise ValueError("rrule: BYSETPOS needs FREQ=MONTHLY or FREQ=YEARLY")
    if parts["FREQ"] == "DAILY" and int(parts.get("INTERVAL", "1")) % 7 == 0:
        raise ValueError("rrule: write FREQ=WEEKLY instead of a multiple of 7 days")
    most = 53 if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts else 5
    if any(_ordinal(day) > most for day in parts.get("BYDAY", "").split(",")):
        raise ValueError(f"rrule: BYDAY={parts['BYDAY']}: there are at most {most} of each weekday")
    if {"BYMONTH", "BYMONTHDAY"} <= parts.keys() and not _exists(parts):
        raise ValueError(f"rrule: BYMONTH={parts['BYMONTH']};BYMONTHDAY={parts['BYMONTHDAY']}: there is no such day")


def _ordinal(day: str) -> int:
    digits = day.lstrip("+-")[:-2]
    return int(digits) if digits.isdigit() else 0


def _exists(parts: Mapping[str, str]) -> bool:
    longest = max(_LONGEST_MONTHS.get(int(month), 31) for month in parts["BYMONTH"].split(","))
    return min(abs(int(day)) for day in parts["BYMONTHDAY"].split(",")) <= longest
