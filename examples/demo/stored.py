"""What object storage really holds, read with the loop's own key: the other half of `lost`."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from examples.demo.record import load
from examples.demo.settings import Settings
from examples.demo.shell import Kubectl
from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.api.gateway import KeyService, ObjectStore
from feedbackloop.events import store as log
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import keyring_of
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord


@dataclass(frozen=True)
class Store:
    """The loop's data, and the key that opens it."""

    objects: S3Client
    prefix: str
    keys: Keyring
    mounted: TemporaryDirectory[str]
    """The loop's Secrets as a pod has them; the keyring reads them whenever it needs a key."""


@dataclass
class Found:
    """Ids in storage; a duplicate is an id that is there twice."""

    events: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    bad_rows: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    """Bad rows by code and path."""

    @property
    def duplicates(self) -> int:
        return sum(n - 1 for ids in (self.events, self.outputs, self.bad_rows) for n in ids.values() if n > 1)


def secret(kubectl: Kubectl, name: str) -> dict[str, bytes]:
    found = kubectl.get("secret", name)
    if found is None:
        raise SystemExit(f"Secret {name} is not there; is the demo installed?")
    return {key: base64.b64decode(value) for key, value in found["data"].items()}


def store_of(kubectl: Kubectl, settings: Settings, loop: dict[str, Any]) -> Store:
    """The store of a loop, with the loop's own credentials and key."""
    spec = loop["spec"]
    service = kubectl.get("service", "s3")
    assert service is not None
    keys = secret(kubectl, spec["storage"]["credentialsSecretName"])
    where = ObjectStore(url=f"http://{service['spec']['clusterIP']}:8333", bucket=spec["storage"]["bucket"])
    client = S3Client(where, (keys["AWS_ACCESS_KEY_ID"].decode(), keys["AWS_SECRET_ACCESS_KEY"].decode()))
    prefix = f"{spec['storage'].get('prefix', '')}{loop['metadata']['uid']}/"
    told = KeyService(rotation_period_seconds=spec["encryption"].get("rotationPeriodSeconds", 2_592_000))
    mounted = TemporaryDirectory()
    for name, files in (("kek", secret(kubectl, spec["encryption"]["key"]["secretName"])), ("storage", keys)):
        write(Path(mounted.name) / name, files)
    below = where.model_copy(update={"prefix": prefix})
    keyring = keyring_of(told, below, Path(mounted.name), str(loop["metadata"]["uid"]))
    return Store(client, prefix, keyring, mounted)


def write(folder: Path, files: dict[str, bytes]) -> None:
    """A Secret as a pod has it mounted."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def whole_log(store: Store) -> list[PodOffset]:
    """A cut that holds everything stored so far."""
    ends = []
    for pod in log.pods(store.objects, store.prefix):
        segments = log.segments(store.objects, store.prefix, log.EVENTS, pod)
        ends.append(PodOffset(pod=pod, offset=segments[-1].last, trainable=0))
    return ends


def read(store: Store) -> Found:
    """Decrypt the whole log and count its ids."""
    found = Found()
    for record in log.read_events(store.objects, store.prefix, whole_log(store), store.keys):
        if isinstance(record, FeedbackRecord):
            found.events[record.event_id] += 1
        elif isinstance(record, InteractionRecord):
            found.outputs.update(output.output_id for output in record.outputs)
    for row in log.read_badrows(store.objects, store.prefix, store.keys):
        found.bad_rows[row.bad_row_id] += 1
        found.refusals[f"{row.code} at {row.path}"] += 1
    return found


def lost(path: Path, found: Found) -> int:
    """Acknowledged ids that storage does not hold."""
    acknowledged = load(path)
    return (
        len(acknowledged["event"] - set(found.events))
        + len(acknowledged["output"] - set(found.outputs))
        + len(acknowledged["bad_row"] - set(found.bad_rows))
    )
