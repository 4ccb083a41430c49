"""The gateway's volume: its folders, its lock, its sealed files and the loop's secret.

lock                  held while a process lives
shared-secret         the loop's secret, wrapped by the KEK: a copy of the object
secret                that of an older version, before pods shared one
config.json           the last applied configuration (holds nothing private)
checkpoint            sealed: state at a position of the log
wal/<number>.seg      segments
index/<number>.ids    sealed: ids and sessions of deleted segments
quarantine/           damaged segments, kept for a person to look at
ballast               room to be freed when the disk is full
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from feedbackloop.events import keys
from feedbackloop.events.errors import EnvelopeError
from feedbackloop.gateway.ballast import Ballast
from feedbackloop.gateway.disk import NO_SPACE, Disk, replace_file, the_disk


class VolumeInUse(Exception):  # noqa: N818
    """Another process holds the volume."""


class Volume:
    """An opened and locked volume. Raises VolumeInUse, and EnvelopeError for another KEK."""

    def __init__(self, root: Path, *, kek: keys.Kek, loop_uid: str, disk: Disk | None = None) -> None:
        self.root, self.disk = root, disk or the_disk()
        self._kek, self._uid = kek, loop_uid
        self.ballast: Ballast | None = None
        self.wal, self.index, self.quarantine = root / "wal", root / "index", root / "quarantine"
        root.mkdir(parents=True, exist_ok=True)
        for folder in (self.wal, self.index, self.quarantine):
            folder.mkdir(exist_ok=True)
        self.disk.sync_directory(root)
        self._lock = _locked(root / "lock")

    def close(self) -> None:
        os.close(self._lock)

    def write_sealed(self, path: Path, data: bytes) -> None:
        """Replaces a file by `data` under a fresh key, bound to the file's name."""
        purpose = f"volume/{self._uid}/{path.name}".encode()
        key, nonce = os.urandom(keys.KEY_BYTES), os.urandom(keys.NONCE_BYTES)
        sealed = keys.wrap(self._kek, key, purpose) + nonce + AESGCM(key).encrypt(nonce, data, purpose)
        try:
            replace_file(path, sealed, self.disk)
        except OSError as error:
            if error.errno not in NO_SPACE or self.ballast is None or not self.ballast.give_up():
                raise
            replace_file(path, sealed, self.disk)

    @property
    def lacks_ballast(self) -> bool:
        """The room for what frees a full volume is in use."""
        return self.ballast is not None and not self.ballast.present

    def read_sealed(self, path: Path) -> bytes | None:
        """What `write_sealed` wrote, None when there is no such file. Raises EnvelopeError when it was altered."""
        purpose = f"volume/{self._uid}/{path.name}".encode()
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        wrapped, rest = keys.split(data)
        key = keys.unwrap(self._kek, wrapped, purpose)
        nonce, sealed = rest[: keys.NONCE_BYTES], rest[keys.NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, sealed, purpose)
        except InvalidTag:
            raise EnvelopeError(f"{path.name} was altered") from None

    def default_limit(self) -> int:
        """Four fifths of the volume's bytes."""
        stat = os.statvfs(self.root)
        return stat.f_frsize * stat.f_blocks * 4 // 5


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise VolumeInUse(str(path)) from None
    return fd
