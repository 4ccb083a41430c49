"""One secret for all pods, an older version's secret, and where a fresh volume's log goes on."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from feedbackloop.events import codec, keys, store
from feedbackloop.events.errors import EnvelopeError, StorageUnavailable, TokenInvalid
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import BadRow, FeedbackRecord
from feedbackloop.events.tokens import Claims, TokenSealer
from feedbackloop.gateway.applied import Applied, apply
from feedbackloop.gateway.disk import Disk
from feedbackloop.gateway.joining import numbering
from feedbackloop.gateway.joining.secret import NotYet, SecretStore
from feedbackloop.gateway.joining.waiting import Patience
from tests.gateway.process import make_config
from tests.unit.events.memory_objects import MemoryObjects

KEK, UID, PREFIX = Kek.of(bytes(range(32))), "uid-1", "ml/uid-1/"


def secrets(root: Path, kek: Kek = KEK) -> SecretStore:
    root.mkdir(exist_ok=True)
    return SecretStore(root, Disk(), kek, UID, PREFIX)


def keep_own(root: Path) -> bytes:
    """A volume of an older version; its secret."""
    root.mkdir(exist_ok=True)
    own = os.urandom(32)
    (root / "secret").write_bytes(keys.wrap(KEK, own, f"loop-secret/{UID}".encode()))
    return own


def test_all_pods_find_the_secret_that_the_first_one_made(tmp_path: Path) -> None:
    objects = MemoryObjects()
    first = secrets(tmp_path / "0").agree(objects, create=True)
    second = secrets(tmp_path / "1").agree(objects, create=False)
    assert first == second
    assert first.former is None
    assert secrets(tmp_path / "1").cached() == first


def test_the_first_pod_does_not_make_it_twice(tmp_path: Path) -> None:
    objects = MemoryObjects()
    assert secrets(tmp_path / "a").agree(objects, create=True) == secrets(tmp_path / "b").agree(objects, create=True)


def test_another_pod_waits_for_it(tmp_path: Path) -> None:
    with pytest.raises(NotYet, match="first gateway pod"):
        secrets(tmp_path).agree(MemoryObjects(), create=False)


def test_an_older_versions_secret_is_published(tmp_path: Path) -> None:
    own, objects = keep_own(tmp_path), MemoryObjects()
    assert secrets(tmp_path).cached() is None
    found = secrets(tmp_path).agree(objects, create=True)
    assert (found.current, found.former) == (own, None)


def test_an_older_versions_secret_gives_way_to_another_that_is_there_and_opens_its_tokens(tmp_path: Path) -> None:
    objects = MemoryObjects()
    shared = secrets(tmp_path / "0").agree(objects, create=True)
    own = keep_own(tmp_path / "1")
    found = secrets(tmp_path / "1").agree(objects, create=False)
    assert (found.current, found.former) == (shared.current, own)
    assert secrets(tmp_path / "1").cached() == found


def claims() -> Claims:
    return Claims("u", "s", ("o",), "", "", 0, 0, expires_at=2000)


def test_a_former_key_opens_but_does_not_seal() -> None:
    old, new = os.urandom(32), os.urandom(32)
    token = TokenSealer(key=old, loop_uid=UID).seal(claims())
    both = TokenSealer(key=new, loop_uid=UID, former=[old])
    assert both.open(token.encode(), now_ms=1000) == claims()
    with pytest.raises(TokenInvalid):
        TokenSealer(key=old, loop_uid=UID).open(both.seal(claims()).encode(), now_ms=1000)
    with pytest.raises(TokenInvalid):
        both.open(TokenSealer(key=os.urandom(32), loop_uid=UID).seal(claims()).encode(), now_ms=1000)


def test_another_root_key_opens_neither_object_nor_copy(tmp_path: Path) -> None:
    objects, other = MemoryObjects(), Kek.of(bytes(32))
    secrets(tmp_path).agree(objects, create=True)
    with pytest.raises(EnvelopeError):
        secrets(tmp_path, other).cached()
    with pytest.raises(EnvelopeError):
        secrets(tmp_path / "b", other).agree(objects, create=True)


def put(
    objects: MemoryObjects, stream: str, first: int, count: int, trainable: int, declared: int | None = None
) -> None:
    """A stored segment of the pod, `trainable` of whose records are so."""
    key = store.object_key(PREFIX, stream, "bot-gateway-0", first, first + count - 1)
    records = [
        FeedbackRecord(f"e{first + n}", 1, "u", "helpful", "Thumbs", trainable=n < trainable)
        if stream == store.EVENTS
        else BadRow(bad_row_id="b", received_at=1, code="malformed", path="$", raw="")
        for n in range(count)
    ]
    data = store.seal([codec.encode(record) for record in records], key=key, kek=KEK)
    objects.put_new(key, data, {} if declared is None else {store.TRAINABLE: str(declared)})


def test_the_log_goes_on_after_the_last_of_each_stream() -> None:
    objects = MemoryObjects()
    put(objects, store.EVENTS, 1, 4, 2, declared=2)
    put(objects, store.EVENTS, 5, 3, 1, declared=3)
    put(objects, store.BAD_ROWS, 1, 2, 0)
    found = numbering.stored(objects, PREFIX, "bot-gateway-0")
    assert (found.last_event, found.last_bad_row) == (7, 2)
    assert numbering.declared_trainable(objects, found) == 3
    assert numbering.stored(objects, PREFIX, "bot-gateway-1") == numbering.Stored((), ())


def test_a_pod_without_stored_records_begins_at_the_beginning() -> None:
    found = numbering.stored(MemoryObjects(), PREFIX, "bot-gateway-0")
    assert (found.last_event, found.last_bad_row) == (0, 0)
    assert numbering.declared_trainable(MemoryObjects(), found) == 0


def test_what_an_older_version_did_not_declare_is_counted() -> None:
    objects = MemoryObjects()
    put(objects, store.EVENTS, 1, 4, 3)
    found = numbering.stored(objects, PREFIX, "bot-gateway-0")
    assert numbering.declared_trainable(objects, found) is None
    records = [
        codec.decode(entry)
        for entry in store.unseal(objects.get(found.events[0].key), key=found.events[0].key, kek=KEK)
    ]
    assert numbering.counted_trainable(r for r in records if not isinstance(r, BadRow)) == 3


def configured(url: str) -> Applied:
    return apply(json.dumps(make_config(s3_url=url)).encode())


async def test_a_start_waits_and_takes_a_mended_configuration_at_once() -> None:
    configs: asyncio.Queue[bytes] = asyncio.Queue()
    told: list[str] = []
    asked: list[str] = []

    def attempt(applied: Applied) -> str:
        asked.append(applied.config.storage.url)
        if applied.config.storage.url != "http://right:1":
            configs.put_nowait(b"not a configuration")
            configs.put_nowait(configured("http://right:1").raw)
            raise StorageUnavailable("EndpointConnectionError")
        return "done"

    applied, result = await Patience(configs, told.append).until_done(configured("http://wrong:1"), attempt)
    assert (result, applied.config.storage.url) == ("done", "http://right:1")
    assert asked[0] == "http://wrong:1"
    assert "EndpointConnectionError" in told[0]


async def test_a_wrong_root_key_is_not_waited_for() -> None:
    def attempt(_: Applied) -> None:
        raise EnvelopeError("wrong")

    with pytest.raises(EnvelopeError):
        await Patience(asyncio.Queue(), lambda _: None).until_done(configured("http://s3:1"), attempt)
