"""What the cases of one class share: a gateway, fresh tokens, and the canaries that must never be seen in the clear."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbackloop.events.objects import S3Client
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, Gateway
from tests.hostile import sockets
from tests.hostile.sockets import Answer

PEAK_MIB = 192
"""Most that a gateway may ever hold: 128 MiB and the bound of 64 on what is pending."""


@dataclass
class World:
    """One class's gateway. A canary is text of a case that nobody may find outside of encrypted records."""

    gateway: Gateway
    model: Model
    objects: S3Client
    folder: Path
    credentials: tuple[str, str]
    """Of object storage."""
    canaries: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    """What a case keeps between sending and looking."""
    stored: list[str] = field(default_factory=list)
    """The stored records as JSON, once a class has read them."""
    sessions: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def canary(self) -> str:
        """A word that was never used before. Letters only, so that no detector takes it for something private."""
        word = "canary" + "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(16))
        self.canaries.append(word)
        return word

    def token(self, **fields: Any) -> str:
        """A feedback token for a fresh interaction in a fresh session."""
        return self.gateway.token(**{"session_id": f"hostile-{next(self.sessions)}"} | fields)

    def event(self, signal: str = "note", value: Any = None, **fields: Any) -> dict[str, Any]:
        """A good event; a comment with a canary unless it is told otherwise."""
        content = self.canary() if value is None and signal == "note" else value
        return {"event_id": str(uuid.uuid4()), "signal": signal, "value": content} | fields

    def fill(self, wire: bytes) -> bytes:
        """Bytes with `@TOKEN@`, `@EVENT@` (each a fresh good event), `@CANARY@`, `@LENGTH@` (of an event) filled in."""
        if b"@TOKEN@" in wire:
            wire = wire.replace(b"@TOKEN@", self.token().encode())
        while b"@EVENT@" in wire:
            wire = wire.replace(b"@EVENT@", json.dumps(self.event()).encode(), 1)
        wire = wire.replace(b"@LENGTH@", b"%d" % len(json.dumps(self.event())))
        return wire.replace(b"@CANARY@", self.canary().encode()) if b"@CANARY@" in wire else wire

    def post(self, body: bytes | Any, *, token: str | None = None, path: str = "/v1/feedback", port: str = "feedback",
             **headers: str) -> Answer:  # fmt: skip
        """One POST on a connection of its own; header names with `_` for `-`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        bearer = token if token is not None else APP_TOKEN if port == "app" else self.token()
        named = {"Authorization": f"Bearer {bearer}", "Content-Length": str(len(data))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n" + "".join(f"{k}: {v}\r\n" for k, v in named.items())
        with sockets.connect(getattr(self.gateway, port)) as client:
            sockets.send(client, head.encode("latin-1") + b"\r\n" + data)
            answers = sockets.read(client, 1)
        assert answers, "no answer"
        return answers[0]

    def accepted(self) -> int:
        """Events and interactions taken in so far, whatever became of them."""
        return int(self.gateway.status()["accepted"])

    def peak_mib(self) -> float:
        """The most memory that the process ever had resident."""
        lines = Path(f"/proc/{self.gateway.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def rejected(answer: Answer) -> tuple[int, str, str]:
    """Status, code and path of an answer's first refused event, or of its error."""
    content = json.loads(answer.body)
    found = content["error"] if "error" in content else (content.get("rejected") or [{"code": "", "path": ""}])[0]
    return answer.status, found["code"], found["path"]
