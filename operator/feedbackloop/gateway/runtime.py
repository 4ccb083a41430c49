"""The process: starts the parts in order, applies configurations, ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from feedbackloop.api.collection import Durability
from feedbackloop.events import keys
from feedbackloop.events.ledger.chain import Signer
from feedbackloop.events.tokens import TokenSealer
from feedbackloop.gateway import checkpoint, memory
from feedbackloop.gateway.admin_port import AdminPort, MetricsPort
from feedbackloop.gateway.app_port import AppPort, AppToken
from feedbackloop.gateway.app_protocol import AppProtocol
from feedbackloop.gateway.applied import Applied, BadConfig, apply
from feedbackloop.gateway.audit import STARTED, STOPPED, audit, audit_configuration, audit_refusals
from feedbackloop.gateway.badrows.pages import Pages
from feedbackloop.gateway.badrows.port import BadRowsPort
from feedbackloop.gateway.config_source import source
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.disk import replace_file
from feedbackloop.gateway.feedback_port import FeedbackPort
from feedbackloop.gateway.feedback_protocol import FeedbackProtocol
from feedbackloop.gateway.joining.join import Pod
from feedbackloop.gateway.joining.secret import LoopSecret
from feedbackloop.gateway.joining.waiting import Patience
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.keeper import GatewayKeys, Keeper
from feedbackloop.gateway.meta import OutcomesSet
from feedbackloop.gateway.peers.intake import Intake
from feedbackloop.gateway.peers.ownership import ordinal_of
from feedbackloop.gateway.peers.peers import Peers
from feedbackloop.gateway.peers.port import PeerPort
from feedbackloop.gateway.peers.seal import PeerSeal
from feedbackloop.gateway.proxy import Proxy
from feedbackloop.gateway.restore import Restored, restore
from feedbackloop.gateway.servers import Port
from feedbackloop.gateway.settings import Settings
from feedbackloop.gateway.uploader import Uploader
from feedbackloop.gateway.upstream import Upstream
from feedbackloop.gateway.volume import Volume

FIRST_CONFIG_SECONDS = 2.0
TICK_SECONDS = 0.1
UPLOAD_SECONDS = 20.0
"""How long an ending process goes on uploading; the kubelet gives it 60 in all."""
SAVED_CONFIG = "config.json"

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Runtime:
    """Everything between start and end of the process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._configs: asyncio.Queue[bytes] = asyncio.Queue()
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._ports: list[Port] = []
        self._admin = AdminPort(settings.pod)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT. Raises VolumeInUse, EnvelopeError, OSError when it cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await self._serve(self._admin, self._settings.admin_port)
        if self._settings.metrics_port:
            await self._serve(MetricsPort(self._admin), self._settings.metrics_port)
        self._spawn(source(self._settings).run(self._configs.put_nowait))
        try:
            applied = await self._or_stop(self._first_config())
            if applied is not None:
                await self._work(applied)
        finally:
            await self._end()

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.append(asyncio.create_task(work))

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

    async def _first_config(self) -> Applied:
        """The current configuration, or the saved one while nobody answers."""
        saved = self._settings.volume / SAVED_CONFIG
        while True:
            timeout = FIRST_CONFIG_SECONDS if saved.exists() else None
            try:
                raw = await asyncio.wait_for(self._configs.get(), timeout)
            except TimeoutError:
                logger.warning("no configuration yet: starting with the saved one")
                raw = saved.read_bytes()
            try:
                return apply(raw)
            except BadConfig as error:
                logger.error("%s", error)

    async def _work(self, applied: Applied) -> None:
        settings, uid = self._settings, applied.config.loop.uid
        self._keys = GatewayKeys(settings, applied)
        kek = self._keys.ring
        volume = Volume(settings.volume, kek=kek, loop_uid=uid)
        started = await self._or_stop(self._patiently(applied, self._keys.start))
        if started is None:
            volume.close()
            return
        applied, _ = started
        joined = await self._or_stop(self._join(applied, Pod(settings.pod, volume, kek, settings.secrets)))
        if joined is None:
            volume.close()
            return
        applied, secret = joined
        loop_keys = keys.LoopKeys.of(secret.current)
        dedupe = Dedupe(loop_keys.dedupe)
        restored = await asyncio.to_thread(restore, volume, kek=kek, dedupe=dedupe)
        self._journal = Journal(volume, kek=kek, loop_uid=uid, pod=settings.pod, state=restored.state, dedupe=dedupe)
        self._resume(restored)
        # Before its first entry: what is answered only when it is stored must not wait for what came before that.
        self._journal.wait_for_storage(applied.config.collection.durability is Durability.OBJECT_STORE)
        former = [keys.LoopKeys.of(secret.former).token] if secret.former else []
        sealer = TokenSealer(key=loop_keys.token, loop_uid=uid, former=former)
        self._core = Core(applied=applied, journal=self._journal, keys=loop_keys, sealer=sealer)
        self._core.metrics["damaged_segments"] = restored.damaged
        self._seal = PeerSeal(secret.current, uid)
        self._peers = Peers(self._seal, ordinal_of(settings.pod), self._journal, self._core.metrics)
        self._uploader = Uploader(
            self._journal,
            volume,
            kek=kek,
            pod=settings.pod,
            secrets=settings.secrets,
            applied=lambda: self._core.applied,
            uploaded=restored.uploaded,
        )
        self._uploader.signer = Signer(loop_keys.ledger)
        audit(self._journal, STARTED, pod=settings.pod, damaged=restored.damaged)
        self._volume, self._upstream = volume, Upstream()
        await self._apply(applied)
        for work in (self._uploader.run(), self._uploader.keep_rolling(), self._upstream.keep_fresh()):
            self._spawn(work)
        self._spawn(audit_refusals(self._journal, self._core.metrics))
        self._spawn(self._follow_config())
        self._spawn(self._tick())
        self._spawn(Keeper(self._keys, self._journal, lowest=ordinal_of(settings.pod) == 0).run())
        await self._open_ports()
        await self._stop.wait()

    async def _join(self, applied: Applied, pod: Pod) -> tuple[Applied, LoopSecret]:
        """The loop's secret and this pod's place in the log: on a fresh volume both come from object storage."""
        return await self._patiently(applied, pod.join)

    async def _patiently(self, applied: Applied, attempt: Callable[[Applied], T]) -> tuple[Applied, T]:
        def told(what: str) -> None:
            self._admin.waiting = what

        return await Patience(self._configs, told).until_done(applied, attempt)

    def _resume(self, restored: Restored) -> None:
        journal = self._journal
        journal.limit_bytes = self._settings.volume_bytes or journal.limit_bytes
        journal.position = restored.position
        journal.start(restored.next_segment)
        for sealed in restored.waiting:
            journal.sealed_bytes += sealed.length
            journal.sealed.put_nowait(sealed)

    async def _open_ports(self) -> None:
        token = AppToken(self._settings.secrets / "app" / "token")
        proxy = Proxy(self._core, self._upstream)
        peers = PeerPort(self._seal, self._peers.own, Intake(self._core).handlers())
        verified = AppToken(self._settings.secrets / "verified" / "token")
        pages = Pages(self._uploader.objects, self._keys.ring)
        badrows = BadRowsPort(self._core, self._uploader, pages, self._settings.pod)
        app = AppPort(self._core, proxy, token, peers, verified, badrows)
        await self._serve(app, self._settings.app_port, AppProtocol)
        await self._serve(FeedbackPort(self._core), self._settings.feedback_port, FeedbackProtocol)
        self._admin.ready(self._core, self._uploader)
        memory.settle()
        logger.info("gateway %s serves revision %s", self._settings.pod, self._core.applied.revision)

    async def _follow_config(self) -> None:
        while True:
            raw = await self._configs.get()
            try:
                await self._take(raw)
            except BadConfig as error:
                self._core.metrics["configs_refused"] += 1
                logger.error("%s; going on with revision %s", error, self._core.applied.revision)
            except Exception as error:
                logger.error("configuration not applied: %s", type(error).__name__)

    async def _take(self, raw: bytes) -> None:
        if raw == self._core.applied.raw:
            return
        applied = apply(raw, self._core.applied)
        if applied.config.loop.uid != self._core.applied.config.loop.uid:
            raise BadConfig("the configuration is of another loop")
        await self._apply(applied)

    async def _apply(self, applied: Applied) -> None:
        await self._upstream.configure(applied.config.routing)
        self._core.applied = self._keys.applied = applied
        self._peers.configure(applied.config)
        self._core.peers = self._peers if self._peers.any else None
        if applied.outcomes != self._journal.state.units.outcomes:
            self._journal.note(OutcomesSet(self._journal.now_ms(), applied.outcomes))
        audit_configuration(self._journal, applied)
        self._uploader.retry_now()
        saved = self._volume.root / SAVED_CONFIG
        with contextlib.suppress(OSError):
            await asyncio.to_thread(replace_file, saved, applied.raw, self._volume.disk)

    async def _tick(self) -> None:
        """Closes attribution windows."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._journal.state.tick(self._journal.horizon_ms())

    async def _end(self) -> None:
        """Readiness off, running requests to their end, final commit, uploads while storage answers, checkpoint."""
        core: Core | None = getattr(self, "_core", None)
        if core is not None:
            core.draining = True
        await asyncio.gather(*(port.stop() for port in self._ports))
        for task in self._tasks:
            task.cancel()
        if core is not None:
            if not self._journal.closed:
                audit(self._journal, STOPPED, pod=self._settings.pod)
            await self._journal.close()
            await self._uploader.finish(UPLOAD_SECONDS)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(checkpoint.save, self._volume, self._uploader.checkpoint())
            self._uploader.close()
            await self._peers.close()
            await self._upstream.close()
            self._volume.close()
