"""A job's pod without Kubernetes: its files, and the job in this process or in one of its own."""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from feedbackloop.api.gateway import KeyService
from feedbackloop.api.jobs import CurateResult, CurateSpec
from feedbackloop.events import codec, inner, sealing, store
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import keyring_of
from feedbackloop.events.keys import Kek
from feedbackloop.events.records import FeedbackRecord, InteractionRecord, Message, Output
from feedbackloop.jobs.curate import job
from feedbackloop.jobs.runtime import Place, main
from feedbackloop.jobs.storage import Store, open_store
from feedbackloop.jobs.vault import Vault
from tests.support.seaweedfs import SeaweedFs

ROOT = Path(__file__).resolve().parents[2]
RAW = bytes(range(32))
KEK = Kek.of(RAW)
BUCKET = "feedback"
SIGNALS = [
    {"name": "helpful", "kind": "Thumbs"},
    {"name": "fix", "kind": "Correction"},
    {"name": "note", "kind": "Comment"},
    {"name": "prefer", "kind": "Preference"},
]
_numbers = itertools.count()


@dataclass
class Pod:
    """A loop of its own in the bucket, and the mounts of one job of it."""

    s3: SeaweedFs
    home: Path
    uid: str = field(default_factory=lambda: f"uid-{next(_numbers)}")
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.s3.write_secret(self.home / "secrets" / "storage")
        (self.home / "secrets" / "kek").mkdir(exist_ok=True)
        (self.home / "secrets" / "kek" / "key").write_bytes(RAW)

    @property
    def prefix(self) -> str:
        return f"team/{self.uid}/"

    @cached_property
    def store(self) -> Store:
        """Keys of the loop."""
        return open_store(self.s3.store(BUCKET, self.prefix), self.home / "secrets" / "storage")

    @property
    def vault(self) -> Vault:
        return Vault(self.store, self.keyring)

    @cached_property
    def keyring(self) -> Keyring:
        return keyring_of(KeyService(), self.s3.store(BUCKET, self.prefix), self.home / "secrets", self.uid)

    def upload(self, records: Iterable[InteractionRecord | FeedbackRecord], pod: str = "gateway-0") -> None:
        """One more segment of a gateway pod's log."""
        listed = list(records)
        first = self.counts.get(pod, 0) + 1
        self.counts[pod] = first + len(listed) - 1
        key = store.object_key(self.prefix, store.EVENTS, pod, first, self.counts[pod])
        rows, at = [inner.row_of(record) for record in listed], sealing.place(self.uid, pod, store.EVENTS)
        inside = inner.seal([codec.encode(r) for r in listed], rows, kek=self.keyring, at=at, first=first)
        self.store.at("").put(key, store.seal(inside, key=key, kek=self.keyring))

    def spec(self, **changes: Any) -> dict[str, Any]:
        """A curate spec whose cut is everything uploaded."""
        cut = [{"pod": pod, "offset": offset, "trainable": 0} for pod, offset in sorted(self.counts.items())]
        fields = {
            "stage": "curate",
            "runId": "curate-0123456789ab",
            "loop": {"namespace": "team-a", "name": "support-bot", "uid": self.uid},
            "runName": "support-bot-finetune-0123456789ab",
            "storage": self.s3.store(BUCKET, self.prefix).to_wire(),
            "cut": cut,
            "signals": SIGNALS,
            "consentRequired": True,
            "curation": {},
            "goldenPrefix": "team/",
        }
        return fields | changes

    def write_spec(self, body: Mapping[str, Any] | str) -> None:
        (self.home / "spec.json").write_text(body if isinstance(body, str) else json.dumps(body))

    def start(self, stage: str = "curate", attempt: int = 1) -> subprocess.Popen[str]:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / "operator"),
            "FL_SPEC": str(self.home / "spec.json"),
            "FL_SECRETS": str(self.home / "secrets"),
            "FL_SCRATCH": str(self.home),
            "FL_ATTEMPT": str(attempt),
            "HOME": str(self.home),
        }
        command = [sys.executable, "-m", f"feedbackloop.jobs.{stage}"]
        return subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, body: Mapping[str, Any] | str, attempt: int = 1) -> tuple[int, str]:
        """The job in this process: its exit code and its log."""
        self.write_spec(body)
        place = Place(self.home / "spec.json", self.home / "secrets", self.home, attempt, suites=self.home / "suites")
        said, handler = io.StringIO(), signal.getsignal(signal.SIGTERM)
        listener = logging.StreamHandler(said)
        logging.getLogger().addHandler(listener)
        logging.getLogger("feedbackloop").setLevel(logging.INFO)
        try:
            return main(CurateSpec, CurateResult, job.run, place), said.getvalue()
        finally:
            logging.getLogger().removeHandler(listener)
            signal.signal(signal.SIGTERM, handler)

    def contents(self) -> dict[str, bytes]:
        """Everything that the loop has stored."""
        keys = self.store.keys()
        return {key: self.store.get(key) or b"" for key in keys}

    def json(self, key: str, run_id: str = "curate-0123456789ab") -> Any:
        data = self.store.get(f"runs/{run_id}/{key}")
        return None if data is None else json.loads(data)


def conversation(
    number: int, subject: str, prompt: str, answer: str, fix: str | None = None, *, consent: bool = True
) -> list[InteractionRecord | FeedbackRecord]:
    """One session: a prompt, an answer, a vote and perhaps a correction."""
    at = 1_000 * number
    asked = InteractionRecord(
        event_id=f"i-{number}",
        received_at=at,
        subject=subject,
        messages=(Message("user", prompt),),
        outputs=(Output(f"o-{number}", answer),),
        consent=consent,
    )
    said: list[tuple[str, str, bool | str]] = [("helpful", "Thumbs", fix is None)]
    said += [] if fix is None else [("fix", "Correction", fix)]
    return [
        asked,
        *(
            FeedbackRecord(
                event_id=f"e-{number}-{signal}",
                received_at=at + n,
                subject=subject,
                signal=signal,
                kind=kind,
                value=value,
                output_id=f"o-{number}",
                consent=consent,
            )
            for n, (signal, kind, value) in enumerate(said, 1)
        ),
    ]
