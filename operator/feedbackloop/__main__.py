"""The operator's process: environment, admin's file, lease; then Kopf's watches and the engine; an exit code.

0: asked to stop. 1: the lease was lost, the watches or the engine ended, or the CRDs are absent;
the kubelet starts it again, which costs a few requests. 2: wrongly configured.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import uuid
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any

from feedbackloop.adapters.assembly import Assembly, assemble, lease_store
from feedbackloop.adapters.connection import Connection, NotConfiguredError, connect
from feedbackloop.adapters.kinds import FEEDBACK_LOOP, Kind
from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.config import ConfigError, ProcessConfig, from_environment, load_admin_config
from feedbackloop.domain.errors import Gone, OperatorError
from feedbackloop.engine import logs
from feedbackloop.engine.feeder import Feeder, seen_of
from feedbackloop.engine.health import Health, LoopLag, at_most
from feedbackloop.engine.lease import Lease, LeaseLostError
from feedbackloop.engine.metrics import Metrics
from feedbackloop.engine.reconciler import Engine, Reconciler
from feedbackloop.engine.staleness import Listed, Staleness, Versions
from feedbackloop.engine.watch import Seen, Watch

_log = logging.getLogger("feedbackloop")
OLDEST_READY, LONGEST_RUNNING = 300.0, 180.0


class Operator:
    """One process: standby until it holds the lease, then the leader until something ends."""

    def __init__(
        self, process: ProcessConfig, connection: Connection, config: AdminConfig, stop: asyncio.Event
    ) -> None:
        self._process = process
        self._connection = connection
        self._config = config
        self._stop = stop
        self._metrics = Metrics()
        self._health = Health(self._metrics)
        self._lag = LoopLag(self._metrics)
        store = lease_store(connection, process.pod_namespace, process.lease_name, count=self._metrics.request)
        self._lease = Lease(store, f"{process.pod_name}_{uuid.uuid4().hex[:8]}")
        self._metrics.leader.set_function(lambda: float(self._lease.valid()))

    async def run(self) -> int:
        """Until `stop` is set or something ends; the exit code."""
        self._health.live["loop"] = self._lag.check
        port = await self._health.serve(self._process.host, self._process.port)
        _log.info("started namespace=%s port=%d", self._process.namespace, port)
        lag = asyncio.create_task(self._lag.run())
        try:
            self._health.role = "standby"
            code = await self._first(self._lease.acquire())
            return code if code or self._stop.is_set() else await self._lead()
        finally:
            lag.cancel()
            await self._lease.release()
            await self._health.close()

    async def _lead(self) -> int:
        assembly = assemble(
            self._connection,
            self._config,
            instance=self._process.pod_name,
            count=self._metrics.request,
            may_write=self._lease.valid,
        )
        try:
            await _require_crds(assembly, self._process.namespace)
            return await self._work(assembly)
        except OperatorError as error:
            _log.error("cannot-start error=%s", error)
            return 1
        finally:
            await assembly.close()

    async def _work(self, assembly: Assembly) -> int:
        reconcilers, watches = _controllers(assembly, self._config)
        engine = Engine(reconcilers, workers=self._config.limits.workers, metrics=self._metrics)
        versions = Versions()
        feeder = Feeder(watches, self._process.namespace, self._connection.login, self._saw(engine, versions))
        stale = Staleness(watches, versions, self._lister(assembly), engine.add, self._metrics)
        self._check(engine, feeder, stale)
        code = 1
        try:
            code = await self._first(self._lease.hold(), engine.run(), feeder.run(), stale.run())
        finally:
            # Without the lease nothing may go on; otherwise running looks get a moment to end.
            await engine.stop(grace=2.0 if self._lease.valid() else 0.0)
        return code

    async def _first(self, *parts: Coroutine[Any, Any, None]) -> int:
        """Run the parts until one ends or `stop` is set: 0 when stopped or acquired, 1 when a part failed."""
        tasks = [asyncio.create_task(part) for part in parts]
        stop = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel([*tasks, stop])
        return max((_ended(task) for task in done if task is not stop), default=0)

    def _saw(self, engine: Engine, versions: Versions) -> Any:
        def saw(watch: Watch, seen: Seen, version: str, deleted: bool) -> None:
            versions.saw(watch, seen, version, deleted=deleted)
            self._metrics.watch_events.labels(watch.kind).inc()
            for key in watch.keys(seen):
                engine.add(key)

        return saw

    def _lister(self, assembly: Assembly) -> Any:
        async def listed(watch: Watch) -> Listed:
            kind = Kind(watch.group, watch.version, watch.plural, watch.kind)
            items = await assembly.kubernetes.metadata(kind, self._process.namespace, selector=watch.labels)
            seen = [(seen_of(watch.kind, item), str(item["resourceVersion"])) for item in items]
            return {(s.namespace, s.name): (s, version) for s, version in seen}

        return listed

    def _check(self, engine: Engine, feeder: Feeder, stale: Staleness) -> None:
        self._health.role = "leader"
        self._health.live["queue"] = at_most(OLDEST_READY, lambda: engine.oldest_ready_seconds, "a key waits")
        self._health.live["reconcile"] = at_most(
            LONGEST_RUNNING, lambda: engine.longest_running_seconds, "a reconcile runs"
        )
        self._health.live["watch"] = stale.check
        self._health.ready["synced"] = lambda: None if feeder.started else "the watches are starting"


def _controllers(assembly: Assembly, config: AdminConfig) -> tuple[Sequence[Reconciler], Sequence[Watch]]:
    from feedbackloop import controllers

    return controllers.build(assembly.adapters, config), controllers.WATCHES


async def _require_crds(assembly: Assembly, namespace: str) -> None:
    """Kopf silently ignores a kind that is not served."""
    try:
        await assembly.kubernetes.probe(FEEDBACK_LOOP, namespace)
    except Gone as error:
        raise Gone(f"{FEEDBACK_LOOP.plural}.{FEEDBACK_LOOP.group} is not served: install the CRDs") from error


def _ended(task: asyncio.Task[Any]) -> int:
    error = task.exception()
    if error is None:
        return 0
    level = logging.WARNING if isinstance(error, LeaseLostError) else logging.ERROR
    _log.log(level, "ended error=%s: %s", type(error).__name__, error)
    return 1


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run(process: ProcessConfig, config: AdminConfig) -> int:
    """The operator in this process, until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        connection = await connect(process.kubeconfig)
        stack.push_async_callback(connection.close)
        return await Operator(process, connection, config, stop).run()


def main() -> int:
    try:
        process = from_environment(os.environ)
        config = load_admin_config(process.config_path)
    except ConfigError as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    logs.configure(process.log_level)
    try:
        return asyncio.run(run(process, config))
    except NotConfiguredError as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
