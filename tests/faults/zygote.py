"""Gateway processes that start fast: a process that has loaded everything forks one for each start.

A child runs `feedbackloop.gateway`'s own `main` with its own environment and log. It is a process like any other:
what it knows it reads from its volume, and SIGKILL ends it. Only the second of imports is saved, so that hundreds of
kills fit into minutes. Talked to in JSON lines: `{"env": {...}, "cwd": ..., "log": ...}` starts a gateway and answers
`{"pid": n}`; `{"wait": pid}` answers `{"code": n}` when it has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from feedbackloop.gateway import failpoints
from tests.faults import faulty
from tests.gateway.process import ROOT, Gateway
from tests.gateway.waiting import wait_for


class Child:
    """A forked gateway, with the methods of Popen that tests use."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self._zygote, self.pid = zygote, pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, None while it runs; a zombie has ended."""
        if self._code is None and _state(self.pid) in ("Z", ""):
            self.wait()
        return self._code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        if self._code is None:
            os.kill(self.pid, 9)

    def wait(self, timeout: float | None = None) -> int:
        if self._code is None:
            wait_for(lambda: _state(self.pid) in ("Z", ""), "the gateway's process has ended", timeout or 60)
            self._code = int(self._zygote.ask({"wait": self.pid})["code"])
        return self._code


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class Zygote:
    """The process that forks; `with` ends it."""

    def __enter__(self) -> Zygote:
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def spawn(self, gateway: Gateway, **env: str) -> Child:
        asked = {"env": gateway.env | env, "cwd": str(gateway.root), "log": str(gateway.log_path)}
        return Child(self, int(self.ask(asked)["pid"]))


def _serve() -> None:
    import feedbackloop.gateway.__main__ as gateway

    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            _become(asked)
            os._exit(gateway.main())
        print(json.dumps({"pid": pid}), flush=True)


def _become(asked: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for source, fd in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(source, fd)
    # Resolved when it was loaded, in another environment.
    failpoints.reached = failpoints.resolve(os.environ)
    failpoints.ARMED = "FL_FAILPOINT" in os.environ
    faulty.install(os.environ)


if __name__ == "__main__":
    _serve()
