"""Consent that is withdrawn while a training is interrupted: what comes of it has never seen the withdrawn rows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from feedbackloop.events import keys
from feedbackloop.events.ledger.chain import Head, Signer, file_of
from feedbackloop.events.ledger.entries import content_of
from feedbackloop.events.records import ConsentRecord
from feedbackloop.jobs import canonical
from tests.trainer import rows
from tests.trainer.pod import Pod
from tests.trainer.test_kills import committed, killed

pytestmark = [pytest.mark.trainer, pytest.mark.timeout(900)]


def withdraw(pod: Pod, subject: str) -> None:
    """As a gateway's uploader writes it."""
    secret = os.urandom(32)
    pod.store.put("keys/secret", keys.wrap(pod.keyring, secret, f"loop-secret/{pod.uid}".encode()))
    content = content_of(ConsentRecord("c", 1_000, subject, "Improve", "withdrawn", "token"), 1)
    assert content is not None
    file = file_of([content], Head(), origin="gateway-0", signer=Signer(keys.LoopKeys.of(secret).ledger))
    assert file is not None
    pod.store.put(f"ledger/gateway-0/{file.name}", file.data)


def test_a_training_that_goes_on_after_a_withdrawal_begins_anew_without_the_rows(pod: Pod, base: Path) -> None:
    taught = rows.corrections(3) + rows.replayed(18)
    people = canonical.lines([["ann" if n % 3 == 0 else "ben", 1]] for n in range(len(taught)))
    data_set = pod.put_data_set(taught, subjects_jsonl=people)
    spec = pod.train_spec(pod.push(base), data_set)
    killed(pod, spec, 1, lambda: pod.step() >= 17)
    assert len(committed(pod, spec)) == 1
    withdraw(pod, "ann")
    assert pod.run(spec, 2) == 0, pod.log
    result = pod.json(spec)
    left = sum(n % 3 != 0 for n in range(len(taught)))
    assert (result["rows"], result["rowsWithdrawn"]) == (left, len(taught) - left)
    assert result.get("resumedFromStep", 0) == 0
    assert "of other rows and deleted" in pod.log
