"""Rules about other sources: their numbers enter the status, their outage holds, and only its deadline ends that."""

from __future__ import annotations

from collections.abc import Iterator

from feedbackloop.api.conditions import Reason
from feedbackloop.api.gateway import Arm
from feedbackloop.api.rollout import Guardrail, PrometheusQuery
from feedbackloop.api.rollout.base import OnTimeout
from feedbackloop.api.rolloutstatus import QueryStatus
from feedbackloop.domain.rfc3339 import stamp
from feedbackloop.domain.rollout.intents import aborted, record, update
from feedbackloop.domain.rollout.queries import QuerySeen
from feedbackloop.domain.rollout.readings import State, queried
from feedbackloop.domain.rollout.situation import Hold, Move, Situation
from feedbackloop.domain.rollout.traffic import Traffic, traffic

_FEWEST_SECONDS = 60.0
_MOST_WRITES = 1000


def answers(s: Situation) -> Move | None:
    """What a source said is written before it is used; numbers that change no state, only now and then (I5)."""
    status = s.status
    if status.weight == 0 or status.epoch_started_at is None or status.moved_back_since is not None:
        return None
    seen = {q.name: q for q in s.observed.queries if q.epoch == status.epoch}
    known = {q.name: q for q in status.queries}
    fresh = {g.name: _taken(s, g, known.get(g.name), seen.get(g.name)) for g, _ in _queried(s)}
    taken = tuple(q for q in fresh.values() if q is not None)
    return None if taken == status.queries else Move(update(status, queries=taken))


def deadline(s: Situation) -> Move | None:
    """A source that has been away for too long: what then follows is declared."""
    if s.frozen or s.promoting or s.status.weight == 0 or s.status.abort is not None:
        return None
    late = [(g, p, q) for g, p, q in _away(s) if s.elapsed(q.unavailable_since) > p.unavailable_deadline_seconds]
    if not late:
        return None
    why = "; ".join(f"{g.name} had no numbers for {p.unavailable_deadline_seconds} s" for g, p, _ in late)
    if any(p.on_unavailable is OnTimeout.ABORT for _, p, _ in late):
        return aborted(s, Reason.SOURCE_UNAVAILABLE, why)
    if s.status.paused_since is not None:
        return None
    paused = update(s.status, paused_since=stamp(s.now), pause_reason=Reason.SOURCE_UNAVAILABLE.value)
    return Move(paused, record(s, Reason.SOURCE_UNAVAILABLE, f"{why}: paused until a person acts"))


def unavailable(s: Situation) -> Hold | None:
    """No numbers are no evidence: nothing goes on, and nothing is taken back."""
    away = [f"{g.name} since {q.unavailable_since}{_why(s, g)}" for g, _, q in _away(s)]
    if not away or s.status.weight == 0:
        return None
    return Hold(Reason.SOURCE_UNAVAILABLE, f"no numbers for guardrails {'; '.join(away)}")


def _taken(s: Situation, guardrail: Guardrail, old: QueryStatus | None, seen: QuerySeen | None) -> QueryStatus | None:
    if seen is None:
        return old
    if seen.error:
        return _lost(s, old, seen)
    stable = old.stable if seen.stable is None and old is not None else seen.stable
    new = QueryStatus(
        name=seen.name, epoch=seen.epoch, at=stamp(s.now), canary=seen.canary, stable=stable, requests=seen.requests
    )
    return new if old is None or _tells(s, guardrail, old, new) else old


def _lost(s: Situation, old: QueryStatus | None, seen: QuerySeen) -> QueryStatus:
    """Since when, and the last numbers of both arms; another epoch's canary says nothing about this one."""
    if old is None:
        return QueryStatus(name=seen.name, epoch=seen.epoch, unavailable_since=stamp(s.now))
    since = old.unavailable_since or stamp(s.now)
    if old.epoch == seen.epoch:
        return old.model_copy(update={"unavailable_since": since})
    return QueryStatus(name=old.name, epoch=seen.epoch, at=old.at, unavailable_since=since, stable=old.stable)


def _tells(s: Situation, guardrail: Guardrail, old: QueryStatus, new: QueryStatus) -> bool:
    """Whether the new numbers are worth a write: another epoch, an outage that ended, another state, or their turn."""
    if old.epoch != new.epoch or old.unavailable_since is not None:
        return True
    same = (old.canary, old.stable, old.requests) == (new.canary, new.stable, new.requests)
    if same:
        return False
    return _state(s, guardrail, old) is not _state(s, guardrail, new) or s.elapsed(old.at) >= _spacing(s, guardrail)


def _state(s: Situation, guardrail: Guardrail, query: QueryStatus) -> State:
    cell = traffic(s.gateways, s.run_uid).get((s.status.epoch, Arm.CANARY), Traffic())
    return queried(guardrail, query, s.status.epoch, cell.requests).state


def _spacing(s: Situation, guardrail: Guardrail) -> float:
    """Seconds between two writes of numbers that change nothing: a long rollout writes as rarely as it looks."""
    interval = guardrail.prometheus.interval_seconds if guardrail.prometheus else 0
    return max(_FEWEST_SECONDS, interval, s.spec.max_duration_seconds / _MOST_WRITES)


def _queried(s: Situation) -> Iterator[tuple[Guardrail, PrometheusQuery]]:
    return ((g, g.prometheus) for g in s.spec.guardrails if g.prometheus is not None)


def _away(s: Situation) -> Iterator[tuple[Guardrail, PrometheusQuery, QueryStatus]]:
    known = {q.name: q for q in s.status.queries if q.unavailable_since is not None}
    return ((g, p, known[g.name]) for g, p in _queried(s) if g.name in known)


def _why(s: Situation, guardrail: Guardrail) -> str:
    said = next((q.error for q in s.observed.queries if q.name == guardrail.name and q.error), "")
    return f" ({said})" if said else ""
