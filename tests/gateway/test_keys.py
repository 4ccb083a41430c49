"""A real gateway with real object storage: both layers of encryption, rotation under load, and who may be away when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from feedbackloop.events import codec, inner, keys, sealing, store
from feedbackloop.events.errors import EnvelopeError
from feedbackloop.events.keys import Kek
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import ErasedRecord, FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.process import LOOP_UID, Gateway, event, free_port
from tests.gateway.stored import keyring, records, uploaded
from tests.gateway.test_faults import Load
from tests.gateway.waiting import wait_for
from tests.support.fake_vault import TOKEN, FakeVault, fake_vault
from tests.support.seaweedfs import SeaweedFs
from tests.unit.events.keyring.roots import fake_kms


def names(gateway: Gateway, objects: S3Client, below: str = "") -> list[str]:
    """What lies below `keys/`."""
    prefix = f"{gateway.prefix}keys/"
    return [key.removeprefix(prefix) for key in objects.list(f"{prefix}{below}")]


def votes(gateway: Gateway, objects: S3Client) -> list[str]:
    return [record.event_id for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]


def test_what_is_stored_is_under_the_subjects_key_inside_the_envelope(gateway: Gateway, objects: S3Client) -> None:
    for subject in ("anna", "bert"):
        gateway.vote(gateway.token(subject_id=subject, session_id=subject), event("note", f"words of {subject}"))
    uploaded(gateway)
    ring = keyring(gateway)
    for key in objects.list(f"{gateway.prefix}events/"):
        for entry in store.unseal(objects.get(key), key=key, kek=ring):
            assert sealing.is_sealed(entry) or isinstance(codec.decode(entry), inner.UNSEALED)
            assert b"words of" not in entry
    subjects = {record.subject for record in records(gateway, objects) if isinstance(record, FeedbackRecord)}
    assert len(subjects) == 2
    assert {name.partition("/")[0] for name in names(gateway, objects)} == {"inner", "outer", "secret", "shards"}


def test_an_erased_subject_is_unreadable_and_what_it_says_later_is_not_stored(
    gateway: Gateway, objects: S3Client
) -> None:
    tokens = {name: gateway.token(subject_id=name, session_id=name) for name in ("anna", "bert")}
    for name, token in tokens.items():
        gateway.vote(token, event("note", f"words of {name}"))
    uploaded(gateway)
    found = [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    anna = next(record.subject for record in found if record.value == "words of anna")
    keyring(gateway).subjects.destroy(anna, "request")
    after = records(gateway, objects)
    assert [record.value for record in after if isinstance(record, FeedbackRecord)] == ["words of bert"]
    assert sum(isinstance(record, ErasedRecord) for record in after) == 2
    gateway.kill()
    gateway.start()
    gateway.vote(tokens["anna"], event("note", "more words"))
    gateway.vote(tokens["bert"], event("note", "more of bert"))
    uploaded(gateway)
    texts = [record.value for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert texts == ["words of bert", "more of bert"]


def test_a_restart_while_storage_is_away_serves_from_the_volumes_keys(gateway: Gateway, objects: S3Client) -> None:
    token = gateway.token()
    there = gateway.config
    gateway.configure(there | {"storage": there["storage"] | {"url": f"http://127.0.0.1:{free_port()}"}})
    gateway.vote(token, event())
    gateway.kill()
    gateway.start()
    assert gateway.vote(token, event()).status == 202
    assert gateway.status()["stored"] == 3
    gateway.configure(there)
    assert uploaded(gateway)["stored"] == 3
    assert len(votes(gateway, objects)) == 2


def test_rotation_under_load_loses_nothing_and_touches_no_object(make_gateway: MakeGateway, objects: S3Client) -> None:
    gateway = make_gateway(encryption={"type": "Secret", "rotationPeriodSeconds": 2}).start()
    load = Load(gateway, gateway.token(subject_id="anna"), clients=4)
    load.run_until(20, lambda: uploaded_some(gateway))
    before = {key: objects.get(key) for key in objects.list(f"{gateway.prefix}events/")}

    def rotated() -> None:
        wait_for(lambda: "outer/4" in names(gateway, objects, "outer/"), "three rotations", 60)
        wait_for(lambda: "inner/1" not in names(gateway, objects, "inner/"), "the first inner key is destroyed", 60)

    load.run_until(20, rotated)
    uploaded(gateway, 60)
    assert before
    assert {key: objects.get(key) for key in before} == before
    assert load.acknowledged <= set(votes(gateway, objects))
    assert "outer/1" in names(gateway, objects, "outer/")
    gateway.kill()
    gateway.start()
    assert gateway.vote(load._token, event()).status == 202


def uploaded_some(gateway: Gateway) -> None:
    wait_for(lambda: gateway.status()["uploaded"]["offset"] > 0, "something is uploaded")


def test_the_log_of_an_older_version_is_read_on(make_gateway: MakeGateway, objects: S3Client) -> None:
    """Its objects are under the raw root key, and their records under no subject's."""
    gateway, pod = make_gateway(), "bot-gateway-0"
    raw = Kek.of(gateway.kek)
    said = InteractionRecord("i-old", 1, "abc", (), ())
    key = store.object_key(gateway.prefix, store.EVENTS, pod, 1, 1)
    objects.put_new(key, store.seal([codec.encode(said)], key=key, kek=raw), {"trainable": "0"})
    secret = keys.wrap(raw, bytes(range(32)), f"loop-secret/{LOOP_UID}".encode())
    objects.put_new(f"{gateway.prefix}keys/secret", secret)
    gateway.start()
    gateway.vote(gateway.token(), event())
    uploaded(gateway)
    found = records(gateway, objects)
    assert len(found) == 3
    assert isinstance(found[0], InteractionRecord)
    assert (found[0].event_id, found[0].seq) == ("i-old", 1)


def test_a_crash_while_a_shard_is_replaced_loses_nothing(make_gateway: MakeGateway, objects: S3Client) -> None:
    gateway = make_gateway(env={"FL_FAILPOINT": "shard-cas"}).start()
    sent = event()
    try:
        gateway.vote(gateway.token(), sent)
    except urllib3.exceptions.HTTPError:
        pytest.fail("the vote comes before the first upload")
    assert gateway.wait() != 0
    del gateway._extra["FL_FAILPOINT"]
    gateway.start()
    uploaded(gateway)
    assert votes(gateway, objects) == [sent["event_id"]]


@pytest.fixture
def vault() -> Iterator[FakeVault]:
    """A FAKE of Vault's Transit engine."""
    with fake_vault() as server:
        server.create("loop-key")
        yield server


def transit(vault: FakeVault) -> dict[str, Any]:
    return {"type": "VaultTransit", "url": vault.url, "key": "loop-key", "rotationPeriodSeconds": 3600}


def test_the_key_service_must_answer_at_the_start_and_may_go_away_afterwards(
    make_gateway: MakeGateway, objects: S3Client, vault: FakeVault
) -> None:
    gateway = make_gateway(encryption=transit(vault))
    (gateway.root / "secrets" / "kek" / "token").write_text(TOKEN)
    (gateway.root / "secrets" / "kek" / "key").unlink()
    vault.answer = (503, b"{}", {})
    gateway.start(ready=False)
    wait_for(lambda: b"KeyServiceUnavailable" in _readiness(gateway), "it says what it waits for")
    vault.answer = None
    wait_for(gateway.is_ready, "it is ready")
    token = gateway.token()
    vault.answer = (503, b"{}", {})
    assert gateway.vote(token, event()).status == 202
    assert uploaded(gateway)["stored"] == 2
    gateway.kill()
    gateway.start(ready=False)
    wait_for(lambda: b"KeyServiceUnavailable" in _readiness(gateway), "a restart needs the service")
    vault.answer = None
    wait_for(gateway.is_ready, "it is ready again")
    assert gateway.status()["stored"] == 2
    assert len(records(gateway, objects)) == 2


def _readiness(gateway: Gateway) -> bytes:
    try:
        return gateway.call(gateway.admin, "GET", "/readyz").body
    except urllib3.exceptions.HTTPError:
        return b""


def test_keys_may_lie_in_a_bucket_of_their_own_under_a_key_of_aws_kms(
    make_gateway: MakeGateway, objects: S3Client, s3: SeaweedFs, tmp_path: Path
) -> None:
    """KMS is moto's server, a FAKE; the buckets are real."""
    s3.make_bucket("keys-alone")
    with fake_kms(tmp_path) as kms:
        told = {"type": "AwsKms", "url": kms.url, "key": kms.keys[0], "keysBucket": "keys-alone"}
        gateway = make_gateway(encryption=told)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            (gateway.root / "secrets" / "kek" / name).write_text((tmp_path / name).read_text())
        (gateway.root / "secrets" / "kek" / "key").unlink()
        gateway.start()
        gateway.vote(gateway.token(), event())
        uploaded(gateway)
        assert names(gateway, objects) == []
        there = names(gateway, S3Client(s3.store("keys-alone"), (s3.access_key, s3.secret_key)))
        assert {name.partition("/")[0] for name in there} == {"inner", "outer", "secret", "shards"}
        assert len(votes(gateway, objects)) == 1
        gateway.terminate()


@pytest.mark.parametrize("restarted", [True, False])
def test_a_root_key_that_was_replaced_takes_the_loops_keys_over(
    make_gateway: MakeGateway, objects: S3Client, *, restarted: bool
) -> None:
    gateway = make_gateway(encryption={"type": "Secret", "rotationPeriodSeconds": 20}).start()
    gateway.vote(gateway.token(), event())
    uploaded(gateway)
    folder = gateway.root / "secrets" / "kek"
    stored = {name: objects.get(f"{gateway.prefix}keys/{name}") for name in ("outer/1", "inner/1")}
    if restarted:
        gateway.kill()
    (folder / "previous").write_bytes(gateway.kek)
    gateway.kek = bytes(32)
    (folder / "key").write_bytes(gateway.kek)
    if restarted:
        gateway.start()

    def rewrapped() -> bool:
        return all(objects.get(f"{gateway.prefix}keys/{name}") != before for name, before in stored.items())

    wait_for(rewrapped, "both keys are under the new root")
    (folder / "previous").unlink()
    gateway.kill()
    gateway.start()
    gateway.vote(gateway.token(), event())
    uploaded(gateway)
    assert len(records(gateway, objects)) == 4


def test_a_table_of_subject_keys_that_was_altered_stops_uploads_and_says_so(
    make_gateway: MakeGateway, objects: S3Client
) -> None:
    gateway = make_gateway().start()
    gateway.vote(gateway.token(), event())
    uploaded(gateway)
    (shard,) = names(gateway, objects, "shards/")
    good = objects.get(f"{gateway.prefix}keys/{shard}")
    objects.put(f"{gateway.prefix}keys/{shard}", good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(EnvelopeError, match=shard):
        records(gateway, objects)
    gateway.kill()
    gateway.start()
    assert gateway.vote(gateway.token(), event()).status == 202
    wait_for(lambda: gateway.status().get("storageError") == "EnvelopeError", "the status says it")
    objects.put(f"{gateway.prefix}keys/{shard}", good)
    uploaded(gateway)
    assert len(records(gateway, objects)) == 4
