"""`python -m feedbackloop.jobs.serve --model /models/current --name support-bot --port 8000`"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import threading
from pathlib import Path
from types import FrameType

import uvicorn

from feedbackloop.jobs.generation import Generator, Request, load
from feedbackloop.jobs.serve.app import App

log = logging.getLogger("feedbackloop.jobs.serve")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m feedbackloop.jobs.serve", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("/models/current"), help="the model directory")
    parser.add_argument("--name", default="model", help="what /v1/models and answers call it; a constant")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen on")  # noqa: S104 - a pod's
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on")
    parser.add_argument("--drain-seconds", type=float, default=3.0, help="how long SIGTERM still lets requests in")
    return parser.parse_args(argv)


def read(directory: Path) -> Generator | None:
    """The model, warm; None when the directory holds none."""
    if not (directory / "config.json").is_file():
        log.warning("%s holds no model: unready until this pod is replaced by one that has it", directory)
        return None
    generator = load(directory)
    generator.generate([Request([{"role": "user", "content": "ready?"}], max_tokens=2)])
    return generator


class Server(uvicorn.Server):
    """On SIGTERM first unready, then closed: those who route to us need a moment to hear of it."""

    def __init__(self, config: uvicorn.Config, app: App, drain_seconds: float) -> None:
        super().__init__(config)
        self.app, self.drain_seconds = app, drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.app.draining:
            self._close()
            return
        log.info("draining for %g s", self.drain_seconds)
        self.app.draining = True
        timer = threading.Timer(self.drain_seconds, self._close)
        timer.daemon = True
        timer.start()

    def _close(self) -> None:
        """Accept nothing more and complete what runs."""
        self.should_exit = True


def main(argv: list[str] | None = None) -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    wanted = arguments(argv)
    app = App(wanted.name, read(wanted.model))
    gc.freeze()
    config = uvicorn.Config(
        app,
        host=wanted.host,
        port=wanted.port,
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=20,
        timeout_keep_alive=75,
    )
    Server(config, app, wanted.drain_seconds).run()
    app.close()


if __name__ == "__main__":
    main()
