import json
from dataclasses import replace

import pytest

from feedbackloop.api.jobs import CurateSpec
from feedbackloop.jobs import canonical
from feedbackloop.jobs.curate import dataset
from feedbackloop.jobs.curate.config import Config
from feedbackloop.jobs.curate.picture import funnel
from feedbackloop.jobs.curate.reasons import Reason
from tests.unit.jobs.curate.world import SIGNALS, Log, golden, pack

FILES = [
    "card.json",
    "computed.jsonl",
    "corrected_topics.json",
    "excluded.jsonl",
    "preference_subjects.jsonl",
    "preferences.jsonl",
    "regression_subjects.jsonl",
    "regressions.jsonl",
    "subjects.jsonl",
    "train.jsonl",
]


def some_log() -> Log:
    log = Log(
        golden=golden("hours", "When?", "At what time?", match=["hotline hours"]) + golden("fee", "Fee?", match=["fee"])
    )
    for n in range(6):
        log.correct(f"hotline hours {n}", "8 to 20", ["ann", "ben", "cy"])
        log.like(f"the fee {n}", "4 euros", ["ann", "ben"])
    return log


def test_the_manifest_lists_every_file_by_the_digest_of_its_plaintext() -> None:
    made = pack(some_log())
    manifest = json.loads(made.manifest)
    assert [f["path"] for f in manifest["files"]] == FILES
    for file in manifest["files"]:
        content = made.files[file["path"]]
        assert (file["sha256"], file["size"]) == (canonical.sha256(content), len(content))
    assert made.digest == canonical.digest(made.manifest)
    assert set(manifest) == {"schemaVersion", "config_digest", "files", "counts", "ledger"}


def test_corrected_topics_are_listed() -> None:
    assert json.loads(pack(some_log()).files["corrected_topics.json"]) == ["hours"]


def test_the_slices_say_how_many_items_each_gate_will_have() -> None:
    data = some_log().curate()
    assert data.slices == {
        "golden": 3,
        "golden/unchanged": 1,
        "regressions": len(data.training.regressions),
        "regressions/unchanged": 0,
    }


def test_an_empty_log_makes_an_empty_data_set() -> None:
    data = Log().curate()
    assert data.counts()["trainingRows"] == data.counts()["events"] == 0
    assert pack(Log()).files["train.jsonl"] == b""


def test_an_event_that_is_placed_twice_stops_curation() -> None:
    log = some_log()
    log.events.append(replace(log.events[0]))
    with pytest.raises(AssertionError, match="placed them twice"):
        dataset._conserved(log.events[:-1], [], [])


def test_the_digest_of_the_settings_knows_settings_only() -> None:
    def spec(**changes: object) -> Config:
        fields = {
            "stage": "curate",
            "runId": "curate-1",
            "loop": {"namespace": "n", "name": "l", "uid": "u"},
            "runName": "r",
            "storage": {"url": "http://s3", "bucket": "b"},
            "cut": [],
            "signals": [s.to_wire() for s in SIGNALS],
            "consentRequired": True,
            "curation": {},
        }
        return Config.of(CurateSpec.model_validate(fields | changes))

    same = spec().digest()
    assert spec(runId="curate-2", runName="s", storage={"url": "http://other", "bucket": "c"}).digest() == same
    assert spec(signals=[s.to_wire() for s in reversed(SIGNALS)]).digest() == same
    assert spec(curation={"replayRatio": "1.00"}).digest() == same
    for changed in ({"replayRatio": "2.0"}, {"maxSubjectShare": "0.5"}):
        assert spec(curation=changed).digest() != same
    assert spec(consentRequired=False).digest() != same
    assert spec(minCorroboration=2).digest() != same
    assert spec(seed=1).digest() != same


def test_every_reason_is_explained() -> None:
    assert len({str(reason) for reason in Reason}) == len(Reason)


def test_the_funnel_is_drawn_with_names_and_numbers() -> None:
    drawn = funnel({"events": 10, "used": 4}, {"NoConsent": 6}, "a < b")
    assert drawn.count("<rect") == 4
    assert ">NoConsent<" in drawn
    assert "a &lt; b" in drawn
