"""Exports of other tools, as their APIs give them, to interactions and events."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feedbackloop.events.incoming import IncomingInteraction, TrustedFeedback
from feedbackloop.importers import files, langfuse, mlflow, openwebui
from feedbackloop.importers.model import Found, moment, with_consent
from feedbackloop.importers.vocabulary import Unfit
from tests.unit.importers.declared import SAMPLES, parts, words

WEBUI = files.rows(SAMPLES / "open-webui.json")
SCORES, TRACES = files.rows(SAMPLES / "langfuse-scores.json"), files.rows(SAMPLES / "langfuse-traces.jsonl")
MLFLOW = files.rows(SAMPLES / "mlflow-traces.json")


def everything() -> list[list[Found]]:
    mapped = words(user_feedback="helpful", cause="why")
    return [
        list(openwebui.convert(WEBUI, words())),
        list(langfuse.convert(SCORES, mapped, TRACES)),
        list(mlflow.convert(MLFLOW, words())),
    ]


def said(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(event["signal"], event["value"], event.get("output_id"), event.get("subject_id")) for event in events]


def test_everything_is_what_the_gateway_takes() -> None:
    for found in everything():
        interactions, events, _ = parts(list(with_consent(found, True)))
        assert interactions
        for body in interactions:
            assert msgspec.convert(body, IncomingInteraction).consent is not None
        for body in events:
            assert msgspec.convert(body, TrustedFeedback).consent is not None


def test_a_repeated_import_has_the_same_ids_each_of_them_once() -> None:
    for first, second in zip(everything(), everything(), strict=True):
        assert first == second
        _, events, _ = parts(first)
        ids = [event["event_id"] for event in events]
        assert len(set(ids)) == len(ids)
        assert all(uuid.UUID(one).version == 5 for one in ids)


def test_open_webui_ratings_become_votes_reasons_comments_and_preferences() -> None:
    interactions, events, skipped = parts(list(openwebui.convert(WEBUI, words())))
    assert said(events) == [
        ("helpful", True, "m-2", "u-anna"),
        ("helpful", False, "m-4", "u-anna"),
        ("why", "inaccurate", "m-4", "u-anna"),
        ("note", "It is thirty days.", "m-4", "u-anna"),
        ("prefer", "b", None, "u-anna"),
        ("helpful", False, "m-2", "u-ben"),
        ("why", "style", "m-2", "u-ben"),
        ("helpful", True, "m-9", "u-anna"),
    ]
    assert events[4]["candidates"] == [{"output_id": "m-4", "position": 0}, {"output_id": "m-5", "position": 1}]
    assert events[0]["occurred_at"] == "2025-11-23T12:16:51+00:00"
    assert {where: len(why) for where, why in skipped.items()} == {"f-1": 1, "f-4": 1, "f-5": 1, "f-6": 1}
    assert "no such code" in skipped["f-1"][0]
    assert interactions[0]["messages"] == [{"role": "user", "content": "How long can I return it?"}]


def test_an_arena_chat_is_an_interaction_with_both_answers() -> None:
    interactions, _, _ = parts(list(openwebui.convert(WEBUI[1:2], words())))
    assert interactions == [
        {
            "event_id": interactions[0]["event_id"],
            "session_id": "5d0a0f5e-1111-4c3c-9b0e-000000000001",
            "subject_id": "u-anna",
            "messages": [
                {"role": "user", "content": "How long can I return it?"},
                {"role": "assistant", "content": "14 days."},
                {"role": "user", "content": "And in sale?"},
            ],
            "outputs": [
                {"output_id": "m-4", "content": "Not at all."},
                {"output_id": "m-5", "content": "30 days as well."},
            ],
            "context": {"model_version": "arena-model", "client": "open-webui"},
        }
    ]


def test_two_people_may_rate_one_answer() -> None:
    first, _, _ = parts(list(openwebui.convert(WEBUI[:1], words())))
    second, (vote, _), _ = parts(list(openwebui.convert(WEBUI[2:3], words())))
    assert first == second
    assert vote["subject_id"] == "u-ben"


def test_a_rating_that_was_changed_is_another_event_of_the_same_interaction() -> None:
    changed = {**WEBUI[0], "updated_at": WEBUI[0]["updated_at"] + 60}
    (first,), (vote, *_), _ = parts(list(openwebui.convert(WEBUI[:1], words())))
    (second,), (again, *_), _ = parts(list(openwebui.convert([changed], words())))
    assert first == second
    assert vote["event_id"] != again["event_id"]


def test_langfuse_scores_become_events_of_their_trace_or_observation() -> None:
    mapped = words(user_feedback="helpful", cause="why")
    interactions, events, skipped = parts(list(langfuse.convert(SCORES, mapped, TRACES)))
    assert said(events) == [
        ("helpful", True, "tr-1", "u-1"),
        ("note", "Quick and right", "tr-1", "u-1"),
        ("rating", 4, "ob-1", "reviewer-1"),
        ("why", "inaccurate", "tr-2", None),
        ("note", "mostly helpful", "tr-2", None),
    ]
    assert [event["source"] for event in events] == ["END_USER", "END_USER", "ANNOTATOR", "END_USER", "LLM_JUDGE"]
    assert {where: len(why) for where, why in skipped.items()} == {"sc-4": 1, "sc-5": 1, "sc-6": 1}
    assert [body["outputs"] for body in interactions] == [
        [{"output_id": "tr-1", "content": "30 days."}],
        [{"output_id": "ob-1", "content": "30 days."}],
        [{"output_id": "tr-2", "content": "In Bremen."}],
    ]
    assert interactions[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How long?"},
    ]
    assert interactions[1]["context"] == {
        "model_version": "support-7b",
        "prompt_template": "support@14",
        "client": "langfuse",
    }
    assert (interactions[1]["session_id"], interactions[1]["subject_id"]) == ("se-1", "u-1")


def test_langfuse_scores_alone_are_events_that_wait_for_their_interaction() -> None:
    interactions, events, _ = parts(list(langfuse.convert(SCORES[:3], words(user_feedback="helpful"), [])))
    assert interactions == []
    assert [event["output_id"] for event in events] == ["tr-1", "tr-1", "ob-1"]


def test_mlflow_assessments_become_votes_corrections_and_comments() -> None:
    interactions, events, skipped = parts(list(mlflow.convert(MLFLOW, words())))
    assert said(events) == [
        ("helpful", False, "tr-aaaa", "u-1"),
        ("note", "It is out of date.", "tr-aaaa", "u-1"),
        ("fix", "Sixty days.", "tr-aaaa", "u-1"),
        ("helpful", True, "tr-bbbb", None),
    ]
    assert [event["source"] for event in events] == ["END_USER"] * 3 + ["LLM_JUDGE"]
    assert set(skipped) == {"a-3", "a-4", "a-5", "tr-cccc"}
    assert interactions[0]["messages"] == [{"role": "user", "content": "How long may I return it?"}]
    assert [body["outputs"][0]["content"] for body in interactions] == ["Thirty days.", "In Bremen."]


NONSENSE: list[Any] = [
    {},
    {"id": 7, "meta": 1, "data": [], "snapshot": "x"},
    {"id": "x", "meta": {"message_id": "m"}, "snapshot": {"chat": {"chat": {"history": {"messages": {"m": 3}}}}}},
    {"id": "x", "traceId": "t", "name": None, "value": {}, "comment": 3},
    {"info": {"trace_id": "t", "assessments": [1, {"assessment_id": "a", "feedback": 1}]}},
    {"trace": {"info": None}},
]


@pytest.mark.parametrize("row", NONSENSE)
def test_rows_of_another_shape_are_told_not_dropped(row: Any) -> None:
    for found in (
        list(openwebui.convert([row], words())),
        list(langfuse.convert([row], words(), [row])),
        list(mlflow.convert([row], words())),
    ):
        _, events, skipped = parts(found)
        assert skipped
        assert not events


def test_values_that_do_not_fit_say_why_without_quoting_them() -> None:
    vocabulary = words()
    for name, given in (("helpful", "secret"), ("rating", 4.5), ("rating", 9), ("why", "secret"), ("note", " ")):
        signal = vocabulary.named(name)
        assert signal is not None
        with pytest.raises(Unfit) as caught:
            vocabulary.value(signal, given)
        assert "secret" not in str(caught.value)


def test_times_come_in_many_forms() -> None:
    assert moment(1763900211) == moment(1763900211000) == "2025-11-23T12:16:51+00:00"
    assert moment("2026-11-20T10:00:00.000Z") == "2026-11-20T10:00:00+00:00"
    assert moment("yesterday") == moment(None) == moment(10**30) == ""


def test_files_may_be_lists_objects_or_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    for text in ('[{"a": 1}]', '{"data": [{"a": 1}], "meta": {}}', '\ufeff{"a": 1}\n', '{"a": 1}\n\n'):
        path.write_text(text)
        assert files.rows(path) == [{"a": 1}]
    path.write_text(json.dumps({"a": 1}) + "\n" + json.dumps({"a": 2}))
    assert files.rows(path) == [{"a": 1}, {"a": 2}]
    for text in ("", "[1]", "7", '{"a": 1}\n{'):
        path.write_text(text)
        if text:
            with pytest.raises(files.BadFile, match=str(path)):
                files.rows(path)
    with pytest.raises(files.BadFile, match="No such file"):
        files.rows(tmp_path / "absent")
