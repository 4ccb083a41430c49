"""A root key in the Transit engine of HashiCorp Vault or OpenBao, over its HTTP API.

`POST /v1/<mount>/encrypt/<key>` and `/decrypt/<key>` with base64 `plaintext`, `ciphertext` and
`associated_data` (AEAD key types: aes256-gcm96, chacha20-poly1305). The engine's `rewrap` takes no associated
data in all releases, so that rewrapping is opening and wrapping again. No redirect is followed, no proxy used.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from feedbackloop.events.errors import KeyRefused, KeyServiceUnavailable
from feedbackloop.events.keyring.context import canonical

TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_REFUSALS = frozenset({400, 404})
"""Wrong key or context, altered ciphertext, no such key. 403 is mended by whoever renews the token."""


class TransitRoot:
    """The token is read anew for every call: an agent may renew it. `ca.crt` beside it adds a private CA."""

    def __init__(self, url: str, mount: str, key: str, credentials: Path) -> None:
        self._url, self._mount, self._key, self._credentials = urlsplit(url), mount.strip("/"), key, credentials

    @property
    def ident(self) -> str:
        return f"vault:{self._mount}/{self._key}"

    def wrap(self, plain: bytes, context: Mapping[str, str]) -> bytes:
        answer = self._call("encrypt", plaintext=_text(plain), associated_data=_text(canonical(context)))
        return _field(answer, "ciphertext").encode()

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        ciphertext = wrapped.decode("ascii", "replace")
        answer = self._call("decrypt", ciphertext=ciphertext, associated_data=_text(canonical(context)))
        try:
            return base64.b64decode(_field(answer, "plaintext"), validate=True)
        except binascii.Error:
            raise KeyServiceUnavailable("Malformed") from None

    def _call(self, action: str, **body: str) -> Any:
        path = f"/v1/{quote(self._mount)}/{action}/{quote(self._key, safe='')}"
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true", "Content-Type": "application/json"}
        try:
            status, data = self._post(path, json.dumps(body).encode(), headers)
        except (OSError, http.client.HTTPException) as error:
            raise KeyServiceUnavailable(type(error).__name__) from None
        if status in _REFUSALS:
            raise KeyRefused(f"Vault refused to {action} a key: {status}")
        if status != http.client.OK:
            raise KeyServiceUnavailable(str(status))
        return _parsed(data)

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        with closing(self._connect()) as connection:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read(_MOST_BYTES)

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=self._trust())

    def _trust(self) -> ssl.SSLContext:
        trust, own = ssl.create_default_context(), self._credentials / "ca.crt"
        if own.is_file():
            trust.load_verify_locations(own)
        return trust

    def _token(self) -> str:
        try:
            return (self._credentials / "token").read_text().strip()
        except OSError:
            raise KeyServiceUnavailable("NoCredentials") from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)["data"]
    except (ValueError, KeyError, TypeError):
        raise KeyServiceUnavailable("Malformed") from None


def _field(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str):
        raise KeyServiceUnavailable("Malformed")
    return value
