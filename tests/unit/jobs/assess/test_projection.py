"""What of the log becomes which trace and which assessment, without MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.events.records import (
    Candidate,
    Context,
    FeedbackRecord,
    InteractionRecord,
    Message,
    Output,
    Record,
    placed,
)
from feedbackloop.jobs.assess.events import WAIT_MS, news
from feedbackloop.jobs.assess.project import draft, trace

ASKED = InteractionRecord(
    "i-1", 1_000, "sub", (Message("user", "q"),), (Output("o-1", "a"), Output("o-2", "b")), session="ses",
    consent=True, context=Context(region="eu"), response_id="chatcmpl-1", trace_id="t", span_id="s",
)  # fmt: skip


def said(
    number: int = 1, signal: str = "helpful", kind: str = "Thumbs", value: Any = True, **more: Any
) -> FeedbackRecord:
    fields = {"output_id": "o-1", "consent": True} | more
    return FeedbackRecord(f"e-{number}", 2_000 + number, "sub", signal, kind, value, **fields)


class Log:
    """Two pods' records, read as a job reads them."""

    def __init__(self, **pods: list[Record]) -> None:
        self._pods = {name.replace("_", "-"): records for name, records in pods.items()}
        self.reads: list[tuple[PodOffset, ...]] = []

    def cut(self, **offsets: int) -> tuple[PodOffset, ...]:
        wanted = {name.replace("_", "-"): offset for name, offset in offsets.items()}
        ends = wanted or {pod: len(records) for pod, records in self._pods.items()}
        return tuple(PodOffset(pod=pod, offset=offset, trainable=0) for pod, offset in sorted(ends.items()))

    def read(self, cut: Iterable[PodOffset], since: Iterable[PodOffset]) -> Iterator[Record]:
        self.reads.append(tuple(cut))
        begin = {position.pod: position.offset for position in since}
        for position in cut:
            records = self._pods[position.pod][: position.offset]
            for seq, record in enumerate(records, 1):
                if seq > begin.get(position.pod, 0):
                    yield placed(record, position.pod, seq)


VALUES = [
    (said(value=False), "helpful", False, None, False),
    (said(value=False, dimension="Satisfaction"), "satisfaction", False, None, False),
    (said(signal="rate", kind="Stars", value=4), "rate", 4, None, False),
    (said(signal="why", kind="Reason", value="style"), "why", "style", None, False),
    (said(signal="note", kind="Comment", value="fine"), "note", "comment", "fine", False),
    (said(signal="fix", kind="Correction", value="better"), "expected_response", "better", None, True),
    (said(signal="skip", kind="Skip", value=None), "skip", "skip", None, False),
]


@pytest.mark.parametrize(("record", "name", "value", "rationale", "expectation"), VALUES)
def test_kinds_become_values_rationales_and_expectations(
    record: FeedbackRecord, name: str, value: Any, rationale: str | None, expectation: bool
) -> None:
    made = draft(record, with_text=True)
    assert made is not None
    assert (made.name, made.value, made.rationale, made.expectation) == (name, value, rationale, expectation)
    assert made.metadata["feedbackloop.event_id"] == record.event_id
    assert made.metadata["feedbackloop.kind"] == record.kind


@pytest.mark.parametrize(
    ("source", "mlflow"), [("END_USER", "HUMAN"), ("ANNOTATOR", "HUMAN"), ("LLM_JUDGE", "LLM_JUDGE"), ("CODE", "CODE")]
)
def test_sources_have_mlflows_words(source: str, mlflow: str) -> None:
    made = draft(said(source=source), with_text=True)
    assert made is not None
    assert (made.source_type, made.source_id) == (mlflow, "sub")


def test_texts_need_consent() -> None:
    comment = draft(said(kind="Comment", value="secret"), with_text=False)
    assert comment is not None
    assert "secret" not in repr(comment)
    assert draft(said(kind="Correction", value="secret"), with_text=False) is None
    shown = trace(ASKED, "uid", "ns/bot", with_text=True)
    assert (shown.request, shown.response) == ('{"messages": [{"role": "user", "content": "q"}]}', '["a", "b"]')
    hidden = trace(ASKED, "uid", "ns/bot", with_text=False)
    assert (hidden.request, hidden.response) == ("", "")
    assert hidden.trace_id == shown.trace_id != trace(ASKED, "other", "ns/bot", with_text=True).trace_id
    assert shown.metadata == {"mlflow.trace.session": "ses", "mlflow.trace.user": "sub"}
    assert shown.tags["feedbackloop.output_ids"] == "o-1,o-2"


WAYS = [
    said(output_id="o-2"),
    said(output_id="", response_id="chatcmpl-1"),
    said(output_id="", trace_id="t", span_id="s"),
    said(kind="Preference", value="a", output_id="", candidates=(Candidate("o-2"), Candidate("o-1"))),
]


@pytest.mark.parametrize("record", WAYS)
def test_an_event_finds_its_interaction_by_whatever_it_is_known_by(record: FeedbackRecord) -> None:
    log = Log(pod_0=[record], pod_1=[ASKED])
    found = news(log.read, log.cut(), ())
    assert [one.event_id for one in found.feedback] == [record.event_id]
    about = found.interaction_of(found.feedback[0])
    assert about is not None
    assert about.event_id == "i-1"


def test_only_what_is_new_is_read_and_older_interactions_are_looked_for_when_missing() -> None:
    older = msgspec.structs.replace(ASKED, event_id="i-0", outputs=(Output("o-0"),), response_id="", trace_id="")
    log = Log(pod_0=[older, said(1), ASKED, said(2), said(3, output_id="o-0"), said(4, kind="Exposure")])
    since = log.cut(pod_0=2)
    found = news(log.read, log.cut(), since)
    assert [record.event_id for record in found.feedback] == ["e-2", "e-3"]
    assert all(found.interaction_of(record) for record in found.feedback)
    assert found.until == log.cut()
    assert log.reads == [log.cut(), log.cut(), since]
    log.reads.clear()
    news(log.read, log.cut(pod_0=4), since)
    assert log.reads == [log.cut(pod_0=4)] * 2


def test_an_event_before_its_interaction_is_read_again_until_it_has_waited_long_enough() -> None:
    early = said(1)
    log = Log(pod_0=[said(0, output_id="o-0"), early, said(2, level="session", output_id="")])
    found = news(log.read, log.cut(), ())
    assert [position.offset for position in found.until] == [0]
    log = Log(pod_0=[early, ASKED])
    assert news(log.read, log.cut(), ()).until == log.cut()
    later = msgspec.structs.replace(
        ASKED, received_at=early.received_at + WAIT_MS, outputs=(Output("o-9"),), response_id=""
    )
    log = Log(pod_0=[early, later])
    assert news(log.read, log.cut(), ()).until == log.cut()


def test_a_run_is_bounded_and_the_next_one_goes_on_behind_it() -> None:
    log = Log(pod_0=[ASKED, *(said(n) for n in range(1, 6))], pod_1=[said(n) for n in range(6, 9)])
    seen, since = list[str](), tuple[PodOffset, ...]()
    for _ in range(4):
        found = news(log.read, log.cut(), since, most=2)
        seen += [record.event_id for record in found.feedback]
        since = found.until
    assert seen == [f"e-{n}" for n in range(1, 9)]
    assert {(position.pod, position.offset) for position in since} == {("pod-0", 6), ("pod-1", 3)}
