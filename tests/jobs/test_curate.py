"""The curate job as a process, against a real S3."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.jobs import CurateResult, ExitCode
from feedbackloop.events.records import Candidate, FeedbackRecord, InteractionRecord, Message, Output
from feedbackloop.jobs import canonical, datasets
from feedbackloop.jobs.errors import InvalidDataset
from tests.jobs.pod import BUCKET, SIGNALS, Pod, conversation
from tests.support.seaweedfs import SeaweedFs

SECRET = "xylophone"
"""Stands in prompts and corrections; it must be readable nowhere."""


@pytest.fixture
def pod(s3: SeaweedFs, tmp_path: Path) -> Pod:
    return Pod(s3, tmp_path)


@pytest.fixture
def filled(pod: Pod) -> Pod:
    """Two gateway pods: a topic that six subjects correct on six prompts, and others that are liked."""
    prompts = [(subject, f"The {SECRET} hours, variant {n}?") for n in range(6) for subject in ("ann", "ben", "cy")]
    corrected = [conversation(n, who, text, "9 to 17", f"8 to 20 {SECRET}") for n, (who, text) in enumerate(prompts)]
    liked = [conversation(100 + n, "dee", f"fee {n}", f"{n} euros") for n in range(8)]
    refused = conversation(200, "eve", "secret fee", "0 euros", consent=False)
    pod.upload(chain(*corrected[:9]))
    pod.upload(chain(*corrected[9:]))
    pod.upload(chain(*liked, refused), pod="gateway-1")
    return pod


def golden_suite(pod: Pod) -> dict[str, Any]:
    items = [
        {
            "id": f"{topic}-{n}",
            "topic": topic,
            "messages": [{"role": "user", "content": f"{topic} {n}!"}],
            "answers": ["x"],
            "match": [words],
        }
        for topic, words in (("hours", f"{SECRET} hours"), ("fees", "fee"))
        for n in range(3)
    ]
    data = canonical.lines(items)
    pod.store.at("").put(f"team/{pod.uid}-golden.jsonl", data)
    source = {"objectName": f"{pod.uid}-golden.jsonl", "digest": canonical.digest(data)}
    return {"name": "golden", "source": source}


def test_events_become_an_encrypted_data_set_and_a_result_of_numbers(filled: Pod) -> None:
    spec = filled.spec(golden=[golden_suite(filled)])
    code, out = filled.run(spec)
    assert code == ExitCode.OK, out
    result = CurateResult.model_validate(filled.json("result.json"))
    assert result.events == 2 * 18 + 9
    assert result.interactions == 27
    assert result.corrected_topics == 1
    assert result.correction_rows == result.replay_rows > 0
    assert result.correction_rows + result.regression_items == 6
    assert result.excluded["NoConsent"] == 1
    assert (result.slices["golden"], result.slices["golden/unchanged"]) == (6, 3)
    assert result.peak_rss_mib > 0
    files = datasets.read(filled.vault, result.dataset_digest)
    assert len(files["train.jsonl"].splitlines()) == result.training_rows
    assert json.loads(files["corrected_topics.json"]) == ["hours"]


def test_nothing_that_a_user_wrote_is_readable_in_storage_or_in_the_log(filled: Pod) -> None:
    filled.write_spec(filled.spec())
    process = filled.start()
    out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.OK, err
    assert SECRET not in out + err
    stored = filled.contents()
    assert any(key.startswith("datasets/") for key in stored)
    assert not [key for key, data in stored.items() if SECRET.encode() in data]


def test_a_second_attempt_finds_the_result_and_does_nothing(filled: Pod) -> None:
    assert filled.run(filled.spec())[0] == ExitCode.OK
    before = filled.contents()
    code, out = filled.run(filled.spec(), attempt=2)
    assert code == ExitCode.OK
    assert "exists already" in out
    assert filled.contents() == before


def test_the_same_events_and_settings_have_the_same_digest_in_another_run(filled: Pod) -> None:
    filled.run(filled.spec())
    other = filled.spec(runId="curate-ba9876543210", runName="by-hand")
    code, out = filled.run(other, attempt=3)
    assert code == ExitCode.OK, out
    first, second = filled.json("result.json"), filled.json("result.json", "curate-ba9876543210")
    assert first["datasetDigest"] == second["datasetDigest"]
    assert first["specDigest"] != second["specDigest"]


def test_a_data_set_that_an_earlier_attempt_left_unfinished_is_completed(filled: Pod) -> None:
    filled.run(filled.spec())
    digest = filled.json("result.json")["datasetDigest"]
    below = datasets.prefix(digest)
    for key in (f"{below}manifest.json", f"{below}train.jsonl", "runs/curate-0123456789ab/result.json"):
        filled.store.delete(key)
    assert filled.run(filled.spec(), attempt=2)[0] == ExitCode.OK
    assert datasets.read(filled.vault, digest)


def test_the_cut_bounds_what_is_read(filled: Pod) -> None:
    spec = filled.spec()
    spec["cut"] = [position for position in spec["cut"] if position["pod"] == "gateway-1"]
    assert filled.run(spec)[0] == ExitCode.OK
    assert filled.json("result.json")["interactions"] == 9


def test_a_suite_of_accepted_corrections_gives_its_name_to_the_slice(filled: Pod) -> None:
    suites = [{"name": "fixes", "source": {"acceptedCorrections": {}}}]
    filled.run(filled.spec(golden=suites))
    result = filled.json("result.json")
    assert result["slices"]["fixes"] == result["regressionItems"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"consentRequired": None}, "consentRequired"),
        ({"curation": {"replayRatio": "much"}}, "curation.replayRatio"),
        ({"colour": "red"}, "colour"),
        ({"schemaVersion": 7}, "schemaVersion"),
    ],
)
def test_a_wrong_spec_is_named_by_its_field(pod: Pod, changes: dict[str, Any], field: str) -> None:
    code, out = pod.run(pod.spec(**changes))
    assert code == ExitCode.INVALID_SPEC
    assert field in out
    assert "Traceback" not in out


def test_a_spec_that_is_not_json_or_not_there_is_invalid(pod: Pod) -> None:
    assert pod.run("{")[0] == ExitCode.INVALID_SPEC
    (pod.home / "spec.json").unlink()
    process = pod.start()
    process.communicate(timeout=60)
    assert process.returncode == ExitCode.INVALID_SPEC


def test_a_key_of_the_wrong_length_is_invalid(filled: Pod) -> None:
    (filled.home / "secrets" / "kek" / "key").write_bytes(b"short")
    code, out = filled.run(filled.spec())
    assert code == ExitCode.INVALID_SPEC
    assert "32 raw bytes" in out


def test_another_root_key_than_the_loops_is_refused_with_what_to_do(filled: Pod) -> None:
    (filled.home / "secrets" / "kek" / "key").write_bytes(bytes(32))
    code, out = filled.run(filled.spec())
    assert code == ExitCode.INVALID_SPEC
    assert "previous" in out
    assert filled.json("attempts/1.json")["exitCode"] == ExitCode.INVALID_SPEC


def test_lost_subject_keys_are_an_invalid_data_set_that_names_the_object(filled: Pod) -> None:
    tables = filled.store.keys("keys/shards/")
    assert tables
    for name in tables:
        filled.store.delete(name)
    code, out = filled.run(filled.spec())
    assert code == ExitCode.INVALID_DATASET
    assert "no tombstone" in out


def test_an_erased_subject_is_in_no_data_set(filled: Pod) -> None:
    assert filled.run(filled.spec())[0] == ExitCode.OK
    before = CurateResult.model_validate(filled.json("result.json"))
    filled.keyring.subjects.destroy("ann", "request")
    assert filled.run(filled.spec(runId="curate-erased"))[0] == ExitCode.OK
    after = CurateResult.model_validate(filled.json("result.json", run_id="curate-erased"))
    assert after.interactions < before.interactions
    assert after.events < before.events


def test_a_gap_in_the_events_is_an_invalid_data_set(filled: Pod) -> None:
    gone = next(key for key in filled.store.keys("events/gateway-0/"))
    filled.store.delete(gone)
    assert filled.run(filled.spec())[0] == ExitCode.INVALID_DATASET


@pytest.mark.parametrize("fault", ["absent", "digest", "content"])
def test_a_golden_set_that_is_not_what_was_declared_is_an_invalid_data_set(filled: Pod, fault: str) -> None:
    suite = golden_suite(filled)
    if fault == "absent":
        suite["source"]["objectName"] = "nowhere.jsonl"
    elif fault == "digest":
        suite["source"]["digest"] = canonical.digest(b"")
    else:
        data = b'{"id": "a"}\n'
        filled.store.at("").put(f"team/{suite['source']['objectName']}", data)
        suite["source"]["digest"] = canonical.digest(data)
    code, out = filled.run(filled.spec(golden=[suite]))
    assert code == ExitCode.INVALID_DATASET
    assert "golden" in out or "nowhere" in out


def test_an_object_store_that_is_away_makes_the_job_wait(filled: Pod) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        spec = filled.spec()
        spec["storage"]["url"] = f"http://127.0.0.1:{closed.getsockname()[1]}"
        code, out = filled.run(spec)
    assert code == ExitCode.STORAGE_UNAVAILABLE
    assert "Traceback" not in out


def test_refused_credentials_make_the_job_wait_for_better_ones(filled: Pod) -> None:
    (filled.home / "secrets" / "storage" / "AWS_SECRET_ACCESS_KEY").write_text("wrong")
    assert filled.run(filled.spec())[0] == ExitCode.STORAGE_UNAVAILABLE


def test_a_missing_secret_is_named(filled: Pod) -> None:
    (filled.home / "secrets" / "storage" / "AWS_ACCESS_KEY_ID").unlink()
    code, out = filled.run(filled.spec())
    assert code == ExitCode.INVALID_SPEC
    assert "AWS_ACCESS_KEY_ID" in out


def test_a_result_of_another_spec_is_never_taken_for_ours(filled: Pod) -> None:
    filled.run(filled.spec())
    code, out = filled.run(filled.spec(seed=1))
    assert code == ExitCode.INVALID_SPEC
    assert "another id" in out


def test_altered_files_of_a_data_set_are_refused(filled: Pod) -> None:
    filled.run(filled.spec())
    digest = filled.json("result.json")["datasetDigest"]
    filled.vault.put(f"{datasets.prefix(digest)}train.jsonl", b"{}\n")
    with pytest.raises(InvalidDataset, match=r"train\.jsonl"):
        datasets.read(filled.vault, digest)


@pytest.fixture
def silent() -> Iterator[tuple[int, threading.Event]]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        called = threading.Event()
        threading.Thread(target=lambda: (server.accept(), called.set()), daemon=True).start()
        yield server.getsockname()[1], called


def test_sigterm_ends_the_job_as_preempted(filled: Pod, silent: tuple[int, threading.Event]) -> None:
    port, called = silent
    filled.write_spec(filled.spec(storage={"url": f"http://127.0.0.1:{port}", "bucket": BUCKET}))
    process = filled.start()
    assert called.wait(60)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == ExitCode.PREEMPTED


def test_preferences_alone_make_a_data_set_without_a_golden_set(pod: Pod) -> None:
    outputs = (Output("p-1", "one"), Output("p-2", "two"))
    asked = InteractionRecord("i-1", 1, "r0", (Message("user", "which?"),), outputs, raters=("r1", "r2"), consent=True)
    votes = [
        FeedbackRecord(
            f"e-{n}",
            n,
            f"r{n}",
            "prefer",
            "Preference",
            value,
            candidates=(Candidate("p-1"), Candidate("p-2")),
            consent=True,
        )
        for n, value in enumerate(("a", "a", "tie"))
    ]
    pod.upload([asked, *votes])
    code, out = pod.run(pod.spec(trainCandidate=False, signals=SIGNALS[-1:]))
    assert code == ExitCode.OK, out
    result = CurateResult.model_validate(pod.json("result.json"))
    assert (result.preference_pairs, result.training_rows, result.ties) == (1, 0, 0)
    assert result.agreement == pytest.approx(1 / 3, abs=1e-6)
    assert result.excluded == {"Outvoted": 1}
