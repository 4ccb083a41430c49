"""Uploads sealed segments in order, for ever, and frees the volume behind it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from feedbackloop.api.collection import Durability
from feedbackloop.api.gateway import ObjectStore
from feedbackloop.events.errors import EventsError, StorageUnavailable
from feedbackloop.events.keys import Kek
from feedbackloop.events.ledger.chain import Signer
from feedbackloop.events.objects import ObjectClient, S3Client, read_credentials
from feedbackloop.gateway import checkpoint, failpoints
from feedbackloop.gateway.applied import Applied
from feedbackloop.gateway.checkpoint import Checkpoint, Uploaded
from feedbackloop.gateway.journal import Journal
from feedbackloop.gateway.ledger import LedgerWriter, found
from feedbackloop.gateway.shipping import Conflict, Shipment, deliver, pack
from feedbackloop.gateway.volume import Volume
from feedbackloop.gateway.wal import Sealed

FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.5, 15.0
TICK_SECONDS = 0.2
REFUSAL_SECONDS = 5
"""How long a refusal of consent waits before it is uploaded: until then jobs do not know of it."""
PROMPT_SECONDS = 0.05
"""The same while answers wait for object storage."""

logger = logging.getLogger(__name__)

T = TypeVar("T")
Connect = Callable[[ObjectStore, tuple[str, str]], ObjectClient]


class Uploader:
    """One segment at a time: read, store, verify, remember, delete; retried with backoff while storage is away."""

    def __init__(self, journal: Journal, volume: Volume, *, kek: Kek, pod: str, secrets: Path,
                 applied: Callable[[], Applied], uploaded: Uploaded, connect: Connect = S3Client) -> None:  # fmt: skip
        self.uploaded = uploaded
        self.error: str | None = None
        """The class of the last upload's error while uploads fail."""
        self.conflicts = 0
        self.signer: Signer | None = None
        """Of the ledger; without one there is no ledger."""
        self._journal, self._volume, self._kek, self._pod = journal, volume, kek, pod
        self._secrets, self._applied, self._connect = secrets, applied, connect
        self._client: tuple[object, ObjectClient] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="uploader")
        self._kick = asyncio.Event()
        self._draining = False
        self._current: Sealed | None = None
        """The segment that is being uploaded."""
        self._shipment: Shipment | None = None

    @property
    def done(self) -> bool:
        """Everything that was appended is in object storage."""
        state = self._journal.state
        return (self.uploaded.events, self.uploaded.bad_rows) == (state.stored, state.bad_rows)

    def drain(self) -> None:
        """From now on segments are sealed at once."""
        self._draining = True
        self.retry_now()

    def objects(self) -> ObjectClient:
        """The storage of now, for others to read from, in any thread. Raises StorageUnavailable."""
        return self._objects(self._applied().config.storage)

    def seal_now(self) -> None:
        """Seals what is open, so that it is uploaded next."""
        if self._journal.log.open_bytes:
            self._journal.log.roll()
        self.retry_now()

    def retry_now(self) -> None:
        """Something changed that may let an upload succeed."""
        self._kick.set()

    async def keep_rolling(self) -> None:
        """Seals the open segment when its oldest record has waited long enough."""
        while True:
            collection, log = self._applied().config.collection, self._journal.log
            prompt = collection.durability is Durability.OBJECT_STORE
            self._journal.wait_for_storage(prompt)
            # With answers waiting for it, each upload takes what has gathered during the one before.
            due = 0 if prompt and self._current is None else collection.flush_seconds
            standings = self._journal.state.standings
            if standings.unsent:
                due = min(due, REFUSAL_SECONDS)
            if log.open_bytes and (self._draining or log.open_age >= due):
                log.roll()
                standings.unsent = False
            await asyncio.sleep(PROMPT_SECONDS if prompt else TICK_SECONDS)
            self._journal.tick()
            await self._mend()

    async def _mend(self) -> None:
        """What a full or failing disk has left behind, as soon as the disk allows."""
        journal = self._journal
        if journal.lacks_ballast:
            await asyncio.to_thread(journal.refill)
            journal.review()
        if journal.failure is not None:
            journal.probe()

    async def run(self) -> None:
        """Uploads for ever."""
        # A client takes a tenth of a second to make: before the first segment waits for it.
        with contextlib.suppress(StorageUnavailable):
            await self._in_thread(self._objects, self._applied().config.storage)
        while True:
            if self._current is None:
                self._current = await self._journal.sealed.get()
            await self._upload(self._current)
            self._current = None

    async def finish(self, seconds: float) -> None:
        """After the log was closed: uploads what is left while storage answers, within a time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.error is None and (self._current or not self._journal.sealed.empty()):
                    self._current = self._current or self._journal.sealed.get_nowait()
                    if await self._attempt(self._current):
                        self._current = None

    async def _upload(self, sealed: Sealed) -> None:
        delay = FIRST_RETRY_SECONDS
        while not await self._attempt(sealed):
            await self._pause(delay * random.uniform(0.7, 1.3))
            delay = min(delay * 2, LAST_RETRY_SECONDS)

    async def _attempt(self, sealed: Sealed) -> bool:
        """Tries once; whether the segment is stored, and off the volume."""
        try:
            # Packed once: while storage is away, a retry costs no more than the request.
            if self._shipment is None or self._shipment.sealed is not sealed:
                self._shipment = await self._in_thread(self._pack, sealed)
            await self._in_thread(self._deliver, self._shipment)
            failpoints.reached("put")
            await self._settle(self._shipment)
        except Exception as error:
            self._failed(error)
            return False
        self._shipment = self.error = None
        return True

    def _failed(self, error: Exception) -> None:
        reason = error.reason if isinstance(error, StorageUnavailable) else type(error).__name__
        self.conflicts += isinstance(error, Conflict)
        if reason != self.error:
            logger.warning("upload fails: %s", reason)
        if not isinstance(error, EventsError | Conflict | OSError):
            logger.error("upload: unexpected %s", type(error).__name__)
        self.error = reason

    async def _pause(self, seconds: float) -> None:
        self._kick.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._kick.wait(), seconds)

    def _pack(self, sealed: Sealed) -> Shipment:
        prefix = self._applied().config.storage.prefix
        return pack(
            sealed,
            prefix=prefix,
            pod=self._pod,
            kek=self._kek,
            dedupe=self._journal.dedupe,
            trainable=self.uploaded.trainable,
            ledger=None if self._is_uploaded(sealed) else self._ledger(prefix),
            epoch_seconds=self._applied().config.encryption.rotation_period_seconds,
        )

    def _ledger(self, prefix: str) -> LedgerWriter | None:
        """The writer of this pod's ledger, from where it ends; a volume that does not know asks object storage."""
        if self.signer is None:
            return None
        if self.uploaded.ledger is None:
            return found(self._objects(self._applied().config.storage), prefix, self._pod, self.signer)
        return LedgerWriter(self._pod, self.signer, self.uploaded.ledger)

    def _is_uploaded(self, sealed: Sealed) -> bool:
        """A crash came between the checkpoint and the deletion."""
        return sealed.end_event - 1 <= self.uploaded.events and sealed.end_bad_row - 1 <= self.uploaded.bad_rows

    def _deliver(self, shipment: Shipment) -> None:
        deliver(self._objects(self._applied().config.storage), shipment, kek=self._kek)

    def _objects(self, storage: ObjectStore) -> ObjectClient:
        try:
            identity = (storage, read_credentials(self._secrets / "storage"))
        except OSError:
            raise StorageUnavailable("NoCredentials") from None
        if self._client is None or self._client[0] != identity:
            self._client = (identity, self._connect(*identity))
        return self._client[1]

    async def _settle(self, shipment: Shipment) -> None:
        """Remembers, then deletes: after a crash at any point nothing is lost and nothing counts twice."""
        sealed = shipment.sealed
        uploaded = Uploaded(
            events=sealed.end_event - 1,
            trainable=self.uploaded.trainable + shipment.trainable,
            bad_rows=sealed.end_bad_row - 1,
            ledger=shipment.ledger or self.uploaded.ledger,
        )
        if self._is_uploaded(sealed):
            uploaded = self.uploaded
        saved = self.checkpoint(uploaded)
        await self._in_thread(checkpoint.save_index, self._volume, sealed.number, shipment.index())
        failpoints.reached("indexed")
        await self._in_thread(checkpoint.save, self._volume, saved)
        failpoints.reached("checkpointed")
        self.uploaded = uploaded
        sealed.path.unlink(missing_ok=True)
        self._journal.stored(sealed)

    def checkpoint(self, uploaded: Uploaded | None = None) -> Checkpoint:
        """The state now. Taken on the event loop, so that state and position belong together."""
        segment, frame = self._journal.position
        return Checkpoint(segment, frame, self._journal.state.snapshot(), uploaded or self.uploaded)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
