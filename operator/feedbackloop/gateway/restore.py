"""Bringing a volume back to life: checkpoint, index files, then the log's entries in order."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from feedbackloop.events import codec
from feedbackloop.events.codec import Stored
from feedbackloop.events.errors import FrameError
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from feedbackloop.events.segment import Kind
from feedbackloop.gateway import checkpoint, meta, recovery
from feedbackloop.gateway.checkpoint import Uploaded
from feedbackloop.gateway.dedupe import Dedupe
from feedbackloop.gateway.meta import Meta
from feedbackloop.gateway.recovery import Contents
from feedbackloop.gateway.state import State
from feedbackloop.gateway.units import session_key
from feedbackloop.gateway.volume import Volume
from feedbackloop.gateway.wal import Sealed

logger = logging.getLogger(__name__)


@dataclass
class Restored:
    """What a volume held. `waiting` are segments that are still to be uploaded, oldest first."""

    state: State
    uploaded: Uploaded
    waiting: list[Sealed] = field(default_factory=list)
    next_segment: int = 1
    position: tuple[int, int] = (0, -1)
    damaged: int = 0
    """Segments of which something was lost."""


def decode_entry(kind: int, data: bytes) -> Stored | Meta | None:
    """An entry's content, None for one that this version does not know."""
    try:
        return meta.decode(data) if kind == Kind.META else codec.decode(data)
    except FrameError:
        logger.error("a log entry does not decode; it is skipped")
        return None


def restore(volume: Volume, *, kek: Kek, dedupe: Dedupe) -> Restored:
    """Rebuilds everything from the volume. Raises EnvelopeError for another KEK or altered files."""
    saved = checkpoint.load(volume)
    state = State.restored(saved.state) if saved else State()
    restored = Restored(state=state, uploaded=saved.uploaded if saved else Uploaded())
    restored.position = (saved.segment, saved.frame) if saved else (0, -1)
    _load_indexes(volume, state, dedupe)
    aside = set(volume.quarantine.glob("*.seg"))
    with _uncollected():
        for sealed, contents in recovery.recover(volume.wal, volume.quarantine, kek=kek):
            _replay(restored, sealed, contents, dedupe)
    # Those of which nothing could be read are told too.
    restored.damaged = max(restored.damaged, len(set(volume.quarantine.glob("*.seg")) - aside))
    newest = max([restored.position[0], *(number for number, _ in checkpoint.indexes(volume))])
    restored.next_segment = max(restored.next_segment, newest + 1)
    return restored


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: a million records that all go away by themselves keep it busy for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load_indexes(volume: Volume, state: State, dedupe: Dedupe) -> None:
    # A segment that is still there is replayed instead: its sessions must not count as seen before that.
    present = {number for number, _ in recovery.numbers(volume.wal)}
    for number, path in checkpoint.indexes(volume):
        if number not in present:
            index = checkpoint.load_index(volume, path)
            pairs = index.pairs()
            dedupe.expect(len(pairs))
            for key, fingerprint in pairs:
                dedupe.learn(key, fingerprint)
            for key in index.session_keys():
                state.units.seen.add(key)


def _replay(restored: Restored, sealed: Sealed, contents: Contents, dedupe: Dedupe) -> None:
    state, number = restored.state, sealed.number
    start, frame = restored.position, -1
    # Numbers that are in no segment: one before this one was lost.
    missing = sealed.first_event > state.stored + 1 or sealed.first_bad_row > state.bad_rows + 1
    dedupe.expect(len(contents.entries))
    for entry in contents.entries:
        content = decode_entry(entry.kind, entry.data)
        if content is None:
            continue
        if type(content) in _WITH_ID:
            remember(content, dedupe)  # type: ignore[arg-type]
        frame = max(frame, entry.frame)
        if (number, entry.frame) > start:
            state.apply(content)
        elif session := counted_session(content):
            state.units.seen.add(session)
    restored.position = max(start, (number, frame))
    # The numbers are the truth also where records were lost.
    state.stored, state.bad_rows = max(state.stored, sealed.end_event - 1), max(state.bad_rows, sealed.end_bad_row - 1)
    restored.waiting.append(sealed)
    restored.damaged += contents.damaged or missing
    restored.next_segment = number + 1


_WITH_ID = frozenset((FeedbackRecord, InteractionRecord))


def remember(content: FeedbackRecord | InteractionRecord, dedupe: Dedupe) -> None:
    """Makes a record's id known."""
    if content.fingerprint:
        dedupe.learn(dedupe.key_of(content.subject, content.event_id), content.fingerprint)


def counted_session(content: Stored | Meta) -> int | None:
    """The key of the session that an entry made known, None when it made none."""
    if isinstance(content, InteractionRecord) and content.serving and content.serving.counted and content.session:
        return session_key(content.session)
    if isinstance(content, meta.Served) and content.serving.uncounted and content.session:
        return session_key(content.session)
    return None
