"""Records that an older version stored, byte for byte, still say what they said."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from feedbackloop.events import codec
from feedbackloop.events.records import BadRow, Candidate, FeedbackRecord, InteractionRecord, LostRecord

STORED = [bytes.fromhex(text) for text in json.loads((Path(__file__).parent / "records_of_0_1.json").read_text())]


def test_an_old_interaction_is_read() -> None:
    record = codec.decode(STORED[0])
    assert isinstance(record, InteractionRecord)
    assert (record.messages[0].content, record.outputs[0].content) == ("my mail is <EMAIL_1>", "thirty days")
    assert (record.context.prompt_template, record.context.retrieval) == ("support@14", ("doc-1", "doc-2"))
    assert record.serving is not None
    assert (record.serving.arm, record.serving.epoch, record.consent, record.raters) == ("canary", 3, True, ("b" * 32,))
    assert (record.tenant, record.channel, record.parent_output_id) == ("", "", "")


def test_an_old_event_is_read_as_one_about_an_output_by_a_user() -> None:
    record = codec.decode(STORED[1])
    assert isinstance(record, FeedbackRecord)
    assert record.candidates == (Candidate("o-1", 0), Candidate("o-2", 1))
    assert (record.value, record.trainable, record.occurred_at) == ("b", True, "2026-11-23T02:00:00+00:00")
    assert (record.level, record.stream, record.source) == ("output", "unverified", "END_USER")
    assert (record.supersedes, record.retracted, record.ui) == ("", False, None)


def test_old_bad_rows_and_placeholders_are_read() -> None:
    row, lost = codec.decode(STORED[2]), codec.decode(STORED[3])
    assert isinstance(row, BadRow)
    assert (row.code, row.raw, row.outputs, row.channel) == ("unknown_signal", '{"signal":"stars"}', ("o-1",), "")
    assert isinstance(lost, LostRecord)


@pytest.mark.parametrize("stored", STORED)
def test_fields_of_a_newer_version_are_passed_over(stored: bytes) -> None:
    """A downgrade reads what it knows."""
    members = msgspec.msgpack.decode(stored[1:])
    newer = stored[:1] + msgspec.msgpack.encode(members | {"of_a_later_version": {"x": 1}})
    assert codec.decode(newer) == codec.decode(stored)
