"""The port that the kubelet and Prometheus ask: /livez, /readyz, /metrics.

A check is a function that returns None when all is well, else a word for people. The server knows no
check; `__main__` plugs them in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from feedbackloop.engine.metrics import Metrics

Check = Callable[[], str | None]


class Health:
    """Serves until `close`; checks may be added while it does."""

    def __init__(self, metrics: Metrics) -> None:
        self.live: dict[str, Check] = {}
        """A failing one makes the kubelet restart the process."""
        self.ready: dict[str, Check] = {}
        """A failing one takes the pod out of its Service and holds a rolling update."""
        self.role = "starting"
        """What the process is: told by /readyz, where a standby is ready too."""
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def serve(self, host: str, port: int) -> int:
        """Start to listen; the port, which the system chooses when it is 0."""
        app = web.Application()
        app.add_routes([web.get("/livez", self._livez), web.get("/readyz", self._readyz)])
        app.add_routes([web.get("/metrics", self._metrics_text)])
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, reuse_address=True)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        return _answer(self.live, "alive")

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self.ready, self.role)

    async def _metrics_text(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4"})


class LoopLag:
    """How late the event loop runs what is due: a blocking call anywhere shows here."""

    def __init__(self, metrics: Metrics, *, every: float = 1.0, limit: float = 10.0) -> None:
        self._metrics = metrics
        self._every = every
        self._limit = limit
        self._lag = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._every
            await asyncio.sleep(self._every)
            self._lag = max(0.0, loop.time() - due)
            self._metrics.loop_lag.set(self._lag)

    def check(self) -> str | None:
        return f"the event loop was {self._lag:.1f} s late" if self._lag > self._limit else None


def at_most(seconds: float, value: Callable[[], float], what: str) -> Check:
    """A check that a number of seconds stays below a limit."""

    def check() -> str | None:
        return f"{what} for {value():.0f} s" if value() > seconds else None

    return check


def _answer(checks: Mapping[str, Check], fine: str) -> web.Response:
    problems = [f"{name}: {text}" for name, check in checks.items() if (text := check()) is not None]
    text = "\n".join(problems) if problems else fine
    return web.Response(text=f"{text}\n", status=503 if problems else 200)
