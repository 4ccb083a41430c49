"""Checkpoints in object storage: encrypted files, and a `COMMITTED` marker written last.

The marker lists every file with its hash and names the spec, so that a checkpoint is resumed from
only when it is whole and ours. A checkpoint that was committed is never written again.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

from feedbackloop.events.errors import EnvelopeError
from feedbackloop.jobs import canonical
from feedbackloop.jobs.vault import Vault

log = logging.getLogger(__name__)
COMMITTED = "COMMITTED"
SKIPPED = frozenset({"training_args.bin"})
"""A pickle of settings that we know already."""
KEPT = 2
_MARKER = re.compile(rf"/(\d+)/{COMMITTED}$")


class TornError(Exception):
    """A checkpoint that is not what its marker says."""


class Checkpoints:
    """The checkpoints of one run, below `runs/<runId>/checkpoints/`."""

    def __init__(self, vault: Vault, run_id: str, spec_digest: str, rows_digest: str = "") -> None:
        self._vault, self._spec_digest, self._rows_digest = vault, spec_digest, rows_digest
        self._prefix = f"runs/{run_id}/checkpoints/"

    def committed(self) -> list[int]:
        """Steps with a marker, newest first; whose and how whole is known on restoring."""
        found = (_MARKER.search(f"/{key.removeprefix(self._prefix)}") for key in self._vault.store.keys(self._prefix))
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def commit(self, step: int, directory: Path) -> None:
        """Store a local checkpoint, then forget all but the newest."""
        if self._marker(step) is None:
            self._write(step, directory)
        for old in self.committed()[KEPT:]:
            self._forget(old)

    def restore(self, into: Path) -> int | None:
        """Bring the newest whole checkpoint of this spec to `into`; its step, or None when there is none.

        Those of other rows are deleted: they learned from what somebody has withdrawn since.
        """
        self._forget_other_rows()
        for step in self.committed():
            try:
                self._read(step, into)
            except (TornError, EnvelopeError) as error:
                log.warning("checkpoint %d is left out: %s", step, error)
            else:
                return step
        return None

    def _forget_other_rows(self) -> None:
        for step in self.committed():
            try:
                marker = self._any_marker(step)
            except EnvelopeError:
                continue  # nobody's of ours
            if marker.get("specDigest") == self._spec_digest and self._marker(step) is None:
                log.warning("checkpoint %d is of other rows and deleted", step)
                self._forget(step)

    def _write(self, step: int, directory: Path) -> None:
        files = []
        for path in sorted(directory.iterdir()):
            if path.is_file() and path.name not in SKIPPED:
                data = path.read_bytes()
                self._vault.put(self._key(step, path.name), data)
                files.append({"path": path.name, "sha256": canonical.sha256(data), "size": len(data)})
        ours = {"specDigest": self._spec_digest, "rowsDigest": self._rows_digest}
        marker = {**ours, "step": step, "files": files}
        self._vault.put(self._key(step, COMMITTED), canonical.encode(marker))

    def _read(self, step: int, into: Path) -> None:
        marker = self._marker(step)
        if marker is None:
            raise TornError("it belongs to another spec or to other rows")
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        for file in marker["files"]:
            data = self._vault.get(self._key(step, file["path"]))
            if data is None or canonical.sha256(data) != file["sha256"]:
                raise TornError(f"{file['path']} is not what the marker says")
            (into / Path(file["path"]).name).write_bytes(data)

    def _marker(self, step: int) -> dict[str, list[dict[str, str]]] | None:
        """The marker of a checkpoint of this spec and these rows."""
        marker = self._any_marker(step)
        ours = (self._spec_digest, self._rows_digest)
        return marker if (marker.get("specDigest"), marker.get("rowsDigest", "")) == ours else None

    def _any_marker(self, step: int) -> dict[str, Any]:
        """The marker, whosever it is; empty when there is none."""
        data = self._vault.get(self._key(step, COMMITTED))
        marker: dict[str, Any] = json.loads(data) if data else {}
        return marker

    def _forget(self, step: int) -> None:
        """The marker goes first: what has none is no checkpoint."""
        self._vault.store.delete(self._key(step, COMMITTED))
        for key in self._vault.store.keys(f"{self._prefix}{step}/"):
            self._vault.store.delete(key)

    def _key(self, step: int, name: str) -> str:
        return f"{self._prefix}{step}/{name}"
