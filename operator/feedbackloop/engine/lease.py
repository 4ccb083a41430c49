"""Leader election on a Kubernetes Lease: at most one process acts, and a process knows when it may not any more.

The rules are client-go's: a foreign lease may be taken when it has not changed for its duration *by
our own clock* (no clock is compared with another's), and a holder gives up when it could not renew
for `renew_deadline`, which is shorter than the duration.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from feedbackloop.domain.errors import OperatorError

_log = logging.getLogger("feedbackloop.lease")
Json = dict[str, Any]


class LeaseLostError(Exception):
    """This process must stop acting at once."""


class LeaseStore(Protocol):
    """The Lease object, with compare-and-set."""

    async def read(self) -> Json | None: ...
    async def create(self, spec: Json) -> Json | None: ...
    async def replace(self, lease: Json, spec: Json) -> Json | None: ...


class Ticks(Protocol):
    """Time that never jumps."""

    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class SystemTicks:
    """CLOCK_BOOTTIME: a machine that was asleep knows how long."""

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class LeaseTimes:
    """Seconds; a successor waits at most `duration` plus `retry`."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0


class Lease:
    """One candidate."""

    def __init__(
        self,
        store: LeaseStore,
        identity: str,
        *,
        times: LeaseTimes = LeaseTimes(),
        ticks: Ticks | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.identity = identity
        self._store = store
        self._times = times
        self._ticks = ticks or SystemTicks()
        self._now = now
        self._lease: Json | None = None
        self._changed_at = 0.0
        self._renewed_at: float | None = None

    @property
    def fencing(self) -> int:
        """Grows with every change of leader: orders what two of them wrote."""
        return int(_spec(self._lease).get("leaseTransitions") or 0)

    def valid(self) -> bool:
        """Whether this process may act now; writers ask before every write."""
        renewed = self._renewed_at
        return renewed is not None and self._ticks.monotonic() - renewed < self._times.renew_deadline

    async def acquire(self) -> None:
        """Return when this process is the leader."""
        while not await self._attempt(self._try_acquire):
            await self._ticks.sleep(self._times.retry)
        _log.info("leader identity=%s fencing=%d", self.identity, self.fencing)

    async def hold(self) -> None:
        """Renew for ever; `LeaseLostError` when it was taken, or could not be renewed in time."""
        while True:
            await self._ticks.sleep(self._times.retry)
            if not await self._attempt(self._renew) and not self.valid():
                self._renewed_at = None
                raise LeaseLostError(f"not renewed for {self._times.renew_deadline:g} s")

    async def release(self) -> None:
        """Let a successor start at once; best effort."""
        held, self._renewed_at = self._renewed_at, None
        if held is not None and self._lease is not None:
            await self._attempt(self._give_up)

    async def _attempt(self, step: Callable[[], Any]) -> bool:
        """One bounded step; errors of the API server are a failed step."""
        try:
            async with asyncio.timeout(self._times.renew_deadline / 2):
                return bool(await step())
        except (OperatorError, TimeoutError) as error:
            _log.info("lease-step-failed error=%s", error or type(error).__name__)
            return False

    async def _try_acquire(self) -> bool:
        started = self._ticks.monotonic()
        lease = await self._store.read()
        if lease is None:
            return self._took(await self._store.create(self._held(transitions=0)), started)
        self._observe(lease, started)
        spec = _spec(lease)
        if not self._free(spec, started):
            return False
        ours = spec.get("holderIdentity") == self.identity
        transitions = int(spec.get("leaseTransitions") or 0) + (0 if ours else 1)
        return self._took(await self._store.replace(lease, self._held(transitions=transitions)), started)

    async def _renew(self) -> bool:
        assert self._lease is not None
        started = self._ticks.monotonic()
        spec = {**_spec(self._lease), "renewTime": self._micros()}
        if self._took(await self._store.replace(self._lease, spec), started):
            return True
        # Written since: by somebody else, or by our own request whose answer was lost.
        lease = await self._store.read()
        if lease is None or _spec(lease).get("holderIdentity") != self.identity:
            self._renewed_at = None
            raise LeaseLostError("somebody else holds the lease")
        return self._took(lease, started)

    async def _give_up(self) -> bool:
        assert self._lease is not None
        spec = {**_spec(self._lease), "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": self._micros()}
        return await self._store.replace(self._lease, spec) is not None

    def _took(self, lease: Json | None, at: float) -> bool:
        """What the store says after our write; the lease runs from before the request was sent."""
        if lease is None:
            return False
        self._lease, self._renewed_at = lease, at
        return True

    def _observe(self, lease: Json, at: float) -> None:
        if self._lease is None or _spec(self._lease) != _spec(lease):
            self._changed_at = at
        self._lease = lease

    def _free(self, spec: Json, at: float) -> bool:
        holder = spec.get("holderIdentity")
        duration = float(spec.get("leaseDurationSeconds") or 0)
        return not holder or holder == self.identity or at - self._changed_at >= duration

    def _held(self, *, transitions: int) -> Json:
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._times.duration),
            "acquireTime": self._micros(),
            "renewTime": self._micros(),
            "leaseTransitions": transitions,
        }

    def _micros(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _spec(lease: Json | None) -> Json:
    return dict((lease or {}).get("spec") or {})
