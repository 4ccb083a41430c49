"""Joining the loop: the secret that all pods share, and the place at which this pod's log goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.events import store
from feedbackloop.events.errors import StorageUnavailable
from feedbackloop.events.keys import Kek
from feedbackloop.events.objects import ObjectClient, S3Client, read_credentials
from feedbackloop.gateway import checkpoint, recovery
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.checkpoint import CHECKPOINT, Checkpoint, Uploaded
from feedbackloop.gateway.joining import numbering
from feedbackloop.gateway.joining.secret import LoopSecret, SecretStore
from feedbackloop.gateway.peers.ownership import ordinal_of
from feedbackloop.gateway.state import State
from feedbackloop.gateway.volume import Volume


@dataclass(frozen=True)
class Pod:
    """The volume that joins, and what opens it."""

    name: str
    volume: Volume
    kek: Kek
    secrets: Path

    def join(self, applied: Applied) -> LoopSecret:
        """One attempt. Blocks. Raises NotYet, StorageUnavailable, EnvelopeError."""
        secret = self._secrets(applied).cached()
        if secret is None:
            secret = self._secrets(applied).agree(self._keys(applied), create=ordinal_of(self.name) == 0)
        if is_fresh(self.volume):
            self._take_place(applied)
        return secret

    def _secrets(self, applied: Applied) -> SecretStore:
        config = applied.config
        return SecretStore(self.volume.root, self.volume.disk, self.kek, config.loop.uid, config.storage.prefix)

    def _take_place(self, applied: Applied) -> None:
        """Goes on after what is stored, and remembers that: from now on the volume starts without object storage."""
        objects, prefix = self._objects(applied), applied.config.storage.prefix
        found = numbering.stored(objects, prefix, self.name)
        trainable = numbering.declared_trainable(objects, found)
        if trainable is None:
            cut = [PodOffset(pod=self.name, offset=found.last_event, trainable=0)]
            trainable = numbering.counted_trainable(store.read_events(objects, prefix, cut, self.kek))
        entries = numbering.ledger_entries(objects, prefix, self.name)
        checkpoint.save(self.volume, _begun(numbering.uploaded(found, trainable), entries))

    def _keys(self, applied: Applied) -> ObjectClient:
        bucket = applied.config.encryption.keys_bucket
        return self._objects(applied, bucket)

    def _objects(self, applied: Applied, bucket: str = "") -> ObjectClient:
        store_ = applied.config.storage.model_copy(update={"bucket": bucket} if bucket else {})
        try:
            return S3Client(store_, read_credentials(self.secrets / "storage"))
        except OSError:
            raise StorageUnavailable("NoCredentials") from None


def is_fresh(volume: Volume) -> bool:
    """Whether nothing was ever written to the volume's log."""
    return not (volume.root / CHECKPOINT).exists() and not recovery.numbers(volume.wal)


def _begun(uploaded: Uploaded, ledger_entries: int) -> Checkpoint:
    """The state of a log that goes on after what is uploaded, before its first entry."""
    state = State()
    state.stored, state.trainable, state.bad_rows = uploaded.events, uploaded.trainable, uploaded.bad_rows
    state.own = min(ledger_entries, state.stored)
    return Checkpoint(segment=0, frame=-1, state=state.snapshot(), uploaded=uploaded)
