"""The process: starts the parts in order, applies configurations, ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from feedbackloop.gateway import checkpoint, memory
from feedbackloop.gateway.admin_port import AdminPort, MetricsPort
from feedbackloop.gateway.app_port import AppPort, AppToken
from feedbackloop.gateway.app_protocol import AppProtocol
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.audit import STARTED, STOPPED, audit, audit_configuration, audit_refusals
from feedbackloop.gateway.badrows.pages import Pages
from feedbackloop.gateway.badrows.port import BadRowsPort
from feedbackloop.gateway.config_source import source
from feedbackloop.gateway.configs import Configs
from feedbackloop.gateway.feedback_port import FeedbackPort
from feedbackloop.gateway.feedback_protocol import FeedbackProtocol
from feedbackloop.gateway.joining.join import Pod
from feedbackloop.gateway.joining.secret import LoopSecret
from feedbackloop.gateway.joining.waiting import Patience
from feedbackloop.gateway.keeper import GatewayKeys, Keeper
from feedbackloop.gateway.meta import OutcomesSet
from feedbackloop.gateway.parts import Parts, open_parts
from feedbackloop.gateway.peers.intake import Intake
from feedbackloop.gateway.peers.ownership import ordinal_of
from feedbackloop.gateway.peers.port import PeerPort
from feedbackloop.gateway.proxy import Proxy
from feedbackloop.gateway.servers import Port
from feedbackloop.gateway.settings import Settings
from feedbackloop.gateway.upstream import arms, shadows
from feedbackloop.gateway.volume import Volume

TICK_SECONDS = 0.1
UPLOAD_SECONDS = 20.0
"""How long an ending process goes on uploading; the kubelet gives it 60 in all."""

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Runtime:
    """Everything between start and end of the process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._configs = Configs(settings.volume)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._ports: list[Port] = []
        self._admin = AdminPort(settings.pod)
        self._parts: Parts | None = None

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT. Raises VolumeInUse, EnvelopeError, OSError when it cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await self._serve(self._admin, self._settings.admin_port)
        if self._settings.metrics_port:
            await self._serve(MetricsPort(self._admin), self._settings.metrics_port)
        self._spawn(source(self._settings).run(self._configs.queue.put_nowait))
        try:
            applied = await self._or_stop(self._configs.first())
            if applied is not None:
                await self._work(applied)
        finally:
            await self._end()

    def _spawn(self, *works: Coroutine[Any, Any, object]) -> None:
        self._tasks += [asyncio.create_task(work) for work in works]

    async def _serve(self, app: object, port: int, protocol: type[asyncio.Protocol] | None = None) -> None:
        served = Port(app, host=self._settings.host, port=port, protocol=protocol)
        await served.start()
        self._ports.append(served)

    async def _or_stop(self, work: Coroutine[Any, Any, T]) -> T | None:
        task, stop = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            return None
        return task.result()

    async def _work(self, applied: Applied) -> None:
        settings, self._keys = self._settings, GatewayKeys(self._settings, applied)
        volume = Volume(settings.volume, kek=self._keys.ring, loop_uid=applied.config.loop.uid)
        pod = Pod(settings.pod, volume, self._keys.ring, settings.secrets)
        joined = await self._or_stop(self._join(applied, pod))
        if joined is None:
            volume.close()
            return
        applied, secret = joined
        parts = self._parts = await open_parts(settings, applied, pod, secret)
        audit(parts.journal, STARTED, pod=settings.pod, damaged=parts.damaged)
        await self._apply(applied)
        self._run_parts(parts)
        await self._open_ports(parts)
        await self._stop.wait()

    async def _join(self, applied: Applied, pod: Pod) -> tuple[Applied, LoopSecret]:
        """The loop's keys and secret, and this pod's place in the log: on a fresh volume from object storage."""
        applied, _ = await self._patiently(applied, self._keys.start)
        return await self._patiently(applied, pod.join)

    async def _patiently(self, applied: Applied, attempt: Callable[[Applied], T]) -> tuple[Applied, T]:
        def told(what: str) -> None:
            self._admin.waiting = what

        return await Patience(self._configs.queue, told).until_done(applied, attempt)

    def _run_parts(self, parts: Parts) -> None:
        """What works beside the ports."""
        core, lowest = parts.core, ordinal_of(self._settings.pod) == 0
        self._spawn(
            parts.uploader.run(),
            parts.uploader.keep_rolling(),
            parts.upstream.keep_fresh(),
            parts.shadows.keep_fresh(),
            audit_refusals(parts.journal, core.metrics),
            self._configs.follow(lambda: core.applied, self._apply, core.metrics),
            self._tick(parts),
            Keeper(self._keys, parts.journal, lowest=lowest).run(),
        )

    async def _open_ports(self, parts: Parts) -> None:
        core, secrets = parts.core, self._settings.secrets
        token, verified = AppToken(secrets / "app" / "token"), AppToken(secrets / "verified" / "token")
        peers = PeerPort(parts.seal, parts.peers.own, Intake(core).handlers())
        pages = Pages(parts.uploader.objects, self._keys.ring)
        badrows = BadRowsPort(core, parts.uploader, pages, self._settings.pod)
        app = AppPort(core, Proxy(core, parts.upstream, parts.mirror), token, peers, verified, badrows)
        await self._serve(app, self._settings.app_port, AppProtocol)
        await self._serve(FeedbackPort(core), self._settings.feedback_port, FeedbackProtocol)
        self._admin.ready(core, parts.uploader)
        memory.settle()
        logger.info("gateway %s serves revision %s", self._settings.pod, core.applied.revision)

    async def _apply(self, applied: Applied) -> None:
        parts = self._parts
        assert parts is not None, "a configuration is applied to parts that are there"
        routing = applied.config.routing
        await asyncio.gather(parts.upstream.configure(arms(routing)), parts.shadows.configure(shadows(routing)))
        parts.core.applied = self._keys.applied = applied
        parts.peers.configure(applied.config)
        parts.core.peers = parts.peers if parts.peers.any else None
        if applied.outcomes != parts.journal.state.units.outcomes:
            parts.journal.note(OutcomesSet(parts.journal.now_ms(), applied.outcomes))
        audit_configuration(parts.journal, applied)
        parts.uploader.retry_now()
        await self._configs.save(applied, parts.volume.disk)

    @staticmethod
    async def _tick(parts: Parts) -> None:
        """Closes attribution windows, and tells of mirrored requests."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            parts.mirror.tick()
            parts.journal.state.tick(parts.journal.horizon_ms())

    async def _end(self) -> None:
        """Readiness off, running requests to their end, final commit, uploads while storage answers, checkpoint."""
        parts = self._parts
        if parts is not None:
            parts.core.draining = True
        await asyncio.gather(*(port.stop() for port in self._ports))
        for task in self._tasks:
            task.cancel()
        if parts is not None:
            await self._close(parts)

    async def _close(self, parts: Parts) -> None:
        await parts.mirror.close()
        if not parts.journal.closed:
            parts.mirror.tick()
            audit(parts.journal, STOPPED, pod=self._settings.pod)
        await parts.journal.close()
        await parts.uploader.finish(UPLOAD_SECONDS)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(checkpoint.save, parts.volume, parts.uploader.checkpoint())
        parts.uploader.close()
        await parts.peers.close()
        await parts.upstream.close()
        await parts.shadows.close()
        parts.volume.close()
