"""A real gateway process with its files, and a client for its three ports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.gateway.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
LOOP_UID = "11111111-2222-3333-4444-555555555555"
APP_TOKEN = "app-token-of-the-test"
SIGNALS = [
    {"name": "helpful", "kind": "Thumbs"},
    {"name": "why", "kind": "Reason", "values": ["inaccurate", "style"]},
    {"name": "fix", "kind": "Correction"},
    {"name": "note", "kind": "Comment"},
    {"name": "prefer", "kind": "Preference"},
    {"name": "seen", "kind": "Exposure"},
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_config(
    *, s3_url: str, bucket: str = "feedback", folder: str = "", stable_port: int = 1, **changes: Any
) -> dict[str, Any]:
    """A `config.json`; `changes` replace top-level members."""
    return {
        "schemaVersion": 1,
        "loop": {"namespace": "ml", "name": "bot", "uid": LOOP_UID},
        "storage": {"url": s3_url, "bucket": bucket, "prefix": f"{folder}{LOOP_UID}/"},
        "collection": {"signals": SIGNALS, "flushSeconds": 1, "appTokenSecretName": "app-token"},
        "sessionHeader": "X-Session-Id",
        "outcomes": [{"name": "downvotes", "signal": "helpful", "event": "ThumbsDown", "attributionWindowSeconds": 2}],
        "routing": {"stable": {"host": "127.0.0.1", "port": stable_port, "digest": "sha256:" + "a" * 64}},
    } | changes


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Any

    def json(self) -> Any:
        return json.loads(self.body)


class Gateway:
    """A gateway on loopback ports; start it, kill it, start it again on the same volume."""

    module = "feedbackloop.gateway"

    def __init__(self, root: Path, config: dict[str, Any], credentials: tuple[str, str], **env: str) -> None:
        self.root, self.volume, self.log_path = root, root / "volume", root / "gateway.log"
        self.config_path = root / "config.json"
        self.app, self.feedback, self.admin = free_port(), free_port(), free_port()
        self.kek = os.urandom(32)
        self._extra = env
        self._http = urllib3.PoolManager(maxsize=16, retries=False, timeout=urllib3.Timeout(30))
        self._process: subprocess.Popen[bytes] | None = None
        self._write_secrets(credentials)
        self.configure(config)

    def _write_secrets(self, credentials: tuple[str, str]) -> None:
        files = {
            "storage/AWS_ACCESS_KEY_ID": credentials[0].encode(),
            "storage/AWS_SECRET_ACCESS_KEY": credentials[1].encode(),
            "kek/key": self.kek,
            "app/token": APP_TOKEN.encode(),
        }
        for name, content in files.items():
            path = self.root / "secrets" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def configure(self, config: dict[str, Any]) -> None:
        """Replaces the configuration file at once."""
        self.config = config
        scratch = self.config_path.with_suffix(".new")
        scratch.write_text(json.dumps(config))
        scratch.replace(self.config_path)

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "operator"),
            "FL_POD_NAME": "bot-gateway-0",
            "FL_CONFIG_FILE": str(self.config_path),
            "FL_VOLUME": str(self.volume),
            "FL_SECRETS": str(self.root / "secrets"),
            "FL_HOST": "127.0.0.1",
            "FL_APP_PORT": str(self.app),
            "FL_FEEDBACK_PORT": str(self.feedback),
            "FL_ADMIN_PORT": str(self.admin),
        } | self._extra

    def start(self, *, ready: bool = True, under: tuple[str, ...] = ()) -> Gateway:
        """Starts it; `under` is a command that limits what it executes, such as `prlimit`."""
        command = [*under, sys.executable, "-m", self.module]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, cwd=self.root)
        if ready:
            wait_for(self.is_ready, f"the gateway is ready (log: {self.log_path})")
        return self

    def adopt(self, process: Any) -> None:
        """Another way of starting it made this process."""
        self._process = process

    @property
    def prefix(self) -> str:
        """Where its objects lie."""
        return str(self.config["storage"]["prefix"])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_up(self) -> bool:
        """Whether its admin port answers."""
        return self._admin_says("/livez")

    def serves(self) -> bool:
        """Whether it runs and is past its start. Raises HTTPError while nothing listens."""
        running = self._process is not None and self._process.poll() is None
        return running and self.call(self.admin, "GET", "/status").status == 200

    def ended(self) -> bool:
        """Whether the process has ended by itself."""
        assert self._process is not None
        return self._process.poll() is not None

    def is_ready(self) -> bool:
        return self._admin_says("/readyz")

    def _admin_says(self, path: str) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the gateway ended: {self.log_path.read_text()}"
        try:
            return self.call(self.admin, "GET", path).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=20)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(timeout=20)

    def call(self, port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        answer = self._http.request(method, f"http://127.0.0.1:{port}{path}", body=data, headers=headers or {})
        return Reply(answer.status, answer.data, answer.headers)

    def status(self) -> dict[str, Any]:
        reply = self.call(self.admin, "GET", "/status")
        assert reply.status == 200, reply.body
        return dict(reply.json())

    def ask(self, text: str, *, session: str = "", stream: bool = False, **headers: str) -> Reply:
        """A chat completion on the app port; header names with `_` for `-`."""
        sent = {"Authorization": f"Bearer {APP_TOKEN}", "Content-Type": "application/json"}
        sent |= {"X-Session-Id": session} if session else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"model": "bot", "stream": stream, "messages": [{"role": "user", "content": text}]}
        return self.call(self.app, "POST", "/v1/chat/completions", body, sent)

    def interact(self, **fields: Any) -> Reply:
        """Posts an interaction; fields replace those of a small default."""
        body = {
            "event_id": str(uuid.uuid4()),
            "session_id": "s-1",
            "messages": [{"role": "user", "content": "q"}],
            "outputs": [{"output_id": f"o-{uuid.uuid4()}", "content": "a"}],
        } | fields
        return self.call(self.app, "POST", "/v1/interactions", body, {"Authorization": f"Bearer {APP_TOKEN}"})

    def vote(self, token: str, body: Any) -> Reply:
        return self.call(self.feedback, "POST", "/v1/feedback", body, {"Authorization": f"Bearer {token}"})

    def token(self, **fields: Any) -> str:
        """A feedback token for a fresh interaction."""
        reply = self.interact(**fields)
        assert reply.status == 202, reply.body
        return str(reply.json()["tokens"][0]["token"])


def event(signal_name: str = "helpful", value: Any = True, **fields: Any) -> dict[str, Any]:
    """A feedback event with a fresh id."""
    return {"event_id": str(uuid.uuid4()), "signal": signal_name, "value": value} | fields
