"""What goes, as pure decisions over listings.

The unit is a group: a stored segment, a data set, a run's folder, a model. It expires as a whole, by the time
at which the newest of its objects was written: no record in it is younger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from feedbackloop.events.store import numbers_of

MOST_SHARE = 0.5
FEW = 10
"""So many groups may always go: of a class of three, each is more than a share."""


class Kind(StrEnum):
    """Classes of data, as results name them."""

    EVENTS = "events"
    BAD_ROWS = "badRows"
    DATASETS = "datasets"
    RUNS = "runs"
    MODELS = "models"


class Kept(StrEnum):
    """Why expired objects stayed."""

    LEGAL_HOLD = "legal-hold"
    IN_USE = "in-use"
    CLOCK = "clock"
    TOO_MANY = "too-many"
    BOUND = "bound"
    """A sweep deletes so many at most; the next one goes on."""


class Version(NamedTuple):
    """One version of an object, or a delete marker."""

    key: str
    version: str
    modified: datetime
    marker: bool = False


@dataclass(frozen=True)
class Group:
    """What expires together."""

    name: str
    versions: tuple[Version, ...]

    @property
    def newest(self) -> datetime | None:
        """When its newest object was written; None when there are only delete markers left."""
        return max((v.modified for v in self.versions if not v.marker), default=None)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(version.key for version in self.versions)

    def expired(self, before: datetime) -> bool:
        """Whether nothing in it was written since."""
        return self.newest is None or self.newest < before


def grouped(versions: Iterable[Version], name: Callable[[str], str]) -> list[Group]:
    """Versions by the name that their key gives; those whose key gives none are left alone."""
    found: dict[str, list[Version]] = {}
    for version in versions:
        if group := name(version.key):
            found.setdefault(group, []).append(version)
    return [Group(group, tuple(found[group])) for group in sorted(found)]


def segment_of(key: str) -> str:
    """A stored segment's own name; empty for anything else, such as a floor."""
    return key.rpartition("/")[2] if numbers_of(key) else ""


def folder_of(key: str) -> str:
    """The folder that an object lies in, of keys `<folder>/…`."""
    folder, slash, _ = key.partition("/")
    return folder if slash else ""


def numbers(segment: str) -> tuple[int, int]:
    """The first and the last record of a segment by its name."""
    found = numbers_of(segment)
    assert found is not None, segment
    return found


def oldest_expired(segments: Sequence[Group], before: datetime, floor: int) -> list[Group]:
    """Of a pod's segments those that go: from the oldest on, without a gap, up to the first that stays.

    Those below the floor are the rest of a sweep that did not come to its end.
    """
    doomed = []
    for group in sorted(segments, key=lambda g: numbers(g.name)):
        if numbers(group.name)[1] >= floor and not group.expired(before):
            break
        doomed.append(group)
    return doomed


@dataclass(frozen=True)
class Verdict:
    """What of one class goes, and how much of it stays for which reason (objects)."""

    kind: Kind
    doomed: tuple[Group, ...] = ()
    kept: Mapping[Kept, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What holds for all classes of one sweep."""

    legal_hold: bool = False
    clock: bool = True
    """Whether the time can be trusted."""
    force: bool = False
    """Somebody has confirmed that much goes at once."""


def judge(kind: Kind, expired: Sequence[Group], total: int, rules: Rules, in_use: frozenset[str]) -> Verdict:
    """Of the expired groups of a class with `total` groups those that go."""
    used = [group for group in expired if group.name in in_use]
    free = [group for group in expired if group.name not in in_use]
    kept = {Kept.IN_USE: objects(used)} if used else {}
    held = _held(free, total, rules)
    if held is not None and free:
        return Verdict(kind, kept={**kept, held: objects(free)})
    return Verdict(kind, tuple(free), kept)


def _held(free: Sequence[Group], total: int, rules: Rules) -> Kept | None:
    if rules.legal_hold:
        return Kept.LEGAL_HOLD
    if not rules.clock:
        return Kept.CLOCK
    if len(free) > FEW and len(free) > total * MOST_SHARE and not rules.force:
        return Kept.TOO_MANY
    return None


def bounded(verdicts: Sequence[Verdict], most: int) -> list[Verdict]:
    """At most so many versions in all; whole groups in order, the rest is kept for the next sweep."""
    taken, out = 0, list[Verdict]()
    for verdict in verdicts:
        now: list[Group] = []
        for group in verdict.doomed:
            if taken and taken + len(group.versions) > most:
                break
            now.append(group)
            taken += len(group.versions)
        rest = verdict.doomed[len(now) :]
        kept = {**verdict.kept, Kept.BOUND: objects(rest)} if rest else verdict.kept
        out.append(Verdict(verdict.kind, tuple(now), kept))
    return out


def objects(groups: Iterable[Group]) -> int:
    """How many objects, whatever their versions."""
    return sum(len(group.keys) for group in groups)


def before(now: datetime, seconds: int) -> datetime:
    """What was written before this has expired."""
    return now - timedelta(seconds=seconds)
