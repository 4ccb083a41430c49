"""What a gateway has in object storage."""

from __future__ import annotations

from typing import Any

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.gateway import KeyService, ObjectStore
from feedbackloop.events import store
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import keyring_of
from feedbackloop.events.objects import ObjectClient
from feedbackloop.events.records import AuditRecord, ConsentRecord, Record
from tests.gateway.process import Gateway
from tests.gateway.waiting import wait_for


def uploaded(gateway: Gateway, seconds: float = 30) -> dict[str, Any]:
    """The status once everything appended is uploaded and nothing of it is on the volume any more."""

    def done() -> dict[str, Any] | None:
        status = gateway.status()
        left = list((gateway.volume / "wal").glob("*.seg"))
        return status if status["uploaded"] == status["appended"] and not left else None

    found = wait_for(done, "everything is uploaded", seconds)
    assert found is not None
    return found


def keyring(gateway: Gateway) -> Keyring:
    """The loop's keys, found as a job finds them."""
    service = KeyService.model_validate(gateway.config.get("encryption", {}))
    storage = ObjectStore.model_validate(gateway.config["storage"])
    return keyring_of(service, storage, gateway.root / "secrets", str(gateway.config["loop"]["uid"]))


def records(gateway: Gateway, objects: ObjectClient) -> list[Record]:
    """The uploaded records that clients sent, as a job reads them."""
    return [r for r in all_records(gateway, objects) if not isinstance(r, ConsentRecord | AuditRecord)]


def all_records(gateway: Gateway, objects: ObjectClient) -> list[Record]:
    """The same with the records of the ledger."""
    offset = gateway.status()["uploaded"]["offset"]
    cut = [PodOffset(pod=gateway.env["FL_POD_NAME"], offset=offset, trainable=0)]
    return list(store.read_events(objects, gateway.prefix, cut, keyring(gateway)))
