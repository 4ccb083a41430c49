"""A FAKE of the Transit engine of HashiCorp Vault / OpenBao, for where the real one cannot run.

It implements what the documentation says of `encrypt` and `decrypt` for an `aes256-gcm96` key: base64 fields,
`vault:v<n>:` ciphertexts, associated data that must match, versions after `rotate`, 400 for what does not
open, 403 for a wrong token. It stores nothing and is no proof of how a real server behaves.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "token-of-the-test"


class FakeVault:
    """Transit keys by name, each a list of versions. `answer` overrides every reply while it is set."""

    def __init__(self) -> None:
        self.keys: dict[str, list[bytes]] = {}
        self.answer: tuple[int, bytes, dict[str, str]] | None = None
        self.requests: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def create(self, name: str) -> None:
        self.keys[name] = [os.urandom(32)]

    def rotate(self, name: str) -> None:
        self.keys[name].append(os.urandom(32))

    def reply(self, path: str, token: str, body: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        self.requests.append(path)
        if self.answer is not None:
            return self.answer
        if token != TOKEN:
            return _json(403, {"errors": ["permission denied"]})
        _, _, mount, action, name = path.split("/")
        if mount != "transit" or name not in self.keys or action not in ("encrypt", "decrypt"):
            return _json(404, {"errors": []})
        return self._encrypt(name, body) if action == "encrypt" else self._decrypt(name, body)

    def _encrypt(self, name: str, body: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        versions, nonce = self.keys[name], os.urandom(12)
        data = AESGCM(versions[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), _associated(body))
        text = f"vault:v{len(versions)}:{base64.b64encode(nonce + data).decode()}"
        return _json(200, {"data": {"ciphertext": text, "key_version": len(versions)}})

    def _decrypt(self, name: str, body: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        try:
            head, version, text = body["ciphertext"].split(":")
            data, key = base64.b64decode(text, validate=True), self.keys[name][int(version[1:]) - 1]
            assert head == "vault"
            plain = AESGCM(key).decrypt(data[:12], data[12:], _associated(body))
        except (InvalidTag, ValueError, IndexError, AssertionError):
            return _json(400, {"errors": ["invalid ciphertext: unable to decrypt"]})
        return _json(200, {"data": {"plaintext": base64.b64encode(plain).decode()}})


def _associated(body: dict[str, Any]) -> bytes:
    return base64.b64decode(body.get("associated_data", ""))


def _json(status: int, body: Any) -> tuple[int, bytes, dict[str, str]]:
    return status, json.dumps(body).encode(), {}


def _handler(vault: FakeVault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, data, headers = vault.reply(self.path, self.headers.get("X-Vault-Token", ""), body)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: object) -> None:
            """Nothing: tests read what they need from `requests`."""

    return Handler


@contextmanager
def fake_vault() -> Iterator[FakeVault]:
    """A running fake on a loopback port."""
    vault = FakeVault()
    thread = threading.Thread(target=vault.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield vault
    finally:
        vault.server.shutdown()
        vault.server.server_close()
