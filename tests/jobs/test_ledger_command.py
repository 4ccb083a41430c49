"""`feedbackloop ledger verify` over a folder and over a real S3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedbackloop.cli.main import main
from tests.jobs.pod import BUCKET, Pod
from tests.jobs.test_consent import Gateway
from tests.support.seaweedfs import SeaweedFs


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    return Pod(s3, tmp_path)


@pytest.fixture
def gateway(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", pod.s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", pod.s3.secret_key)
    gateway = Gateway(pod)
    for state in ("given", "withdrawn", "given"):
        gateway.say("ann", state)
    pod.store.put("datasets/aa/train.jsonl", b"not of the ledger")
    return gateway


def verified(gateway: Gateway, place: str, *more: str) -> int:
    key = gateway.signer.public_key
    return main(["ledger", "verify", place, "--public-key", key, "--endpoint-url", gateway.pod.s3.url, *more])


def test_a_good_ledger_and_the_first_bad_entry_of_one_that_is_not(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"s3://{BUCKET}/{gateway.pod.prefix}"
    assert verified(gateway, place) == 0
    assert gateway.head.hash in capsys.readouterr().out
    key = sorted(gateway.pod.store.keys("ledger/"))[1]
    gateway.pod.store.put(key, (gateway.pod.store.get(key) or b"").replace(b"withdrawn", b"given"))
    assert verified(gateway, place, "--output", "json") == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["problem"]["seq"], report["problem"]["what"]) == (2, "hash")


def test_a_folder_a_cut_end_and_what_cannot_be_read(
    gateway: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy" / "gateway-0"
    folder.mkdir(parents=True)
    keys = sorted(gateway.pod.store.keys("ledger/"))
    for key in keys[:-1]:
        (folder / key.rpartition("/")[2]).write_bytes(gateway.pod.store.get(key) or b"")
    assert verified(gateway, str(folder.parent)) == 0
    assert verified(gateway, str(folder.parent), "--head", f"gateway-0=3:{gateway.head.hash}") == 1
    assert "truncated" in capsys.readouterr().out
    assert verified(gateway, str(tmp_path / "nowhere")) == 2
    assert verified(gateway, "s3://no-such-bucket/x/") == 2
    assert verified(gateway, str(tmp_path / "secrets")) == 1
    with pytest.raises(SystemExit):
        main(["ledger", "verify", ".", "--public-key", "short"])
