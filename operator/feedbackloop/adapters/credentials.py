"""The operator's own credentials: `<credentials path>/<endpoint>/<KEY>`, files that the kubelet mounts and renews."""

from __future__ import annotations

from pathlib import Path

import aiohttp


class CredentialFiles:
    """Reads them at every use: a renewed Secret is in effect within the kubelet's minute, without a restart."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def read(self, endpoint_name: str, *keys: str) -> dict[str, str]:
        """The keys that exist, without white space around them."""
        found: dict[str, str] = {}
        for key in keys:
            path = self._root / endpoint_name / key
            if path.is_file():
                found[key] = path.read_text().strip()
        return found

    def authorization(self, endpoint_name: str, token: str, username: str, password: str) -> dict[str, str]:
        """The HTTP header that the files of these keys make: bearer before basic, none without them."""
        found = self.read(endpoint_name, token, username, password)
        if token in found:
            return {"Authorization": f"Bearer {found[token]}"}
        if username in found and password in found:
            return {"Authorization": aiohttp.encode_basic_auth(found[username], found[password])}
        return {}

    def where(self, endpoint_name: str) -> str:
        """For messages."""
        return str(self._root / endpoint_name)
