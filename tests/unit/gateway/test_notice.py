"""The text for users says what the configuration makes true, and nothing in it depends on anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.api.collection import CLASSES, ContextField, Entity, Purpose, SignalKind
from feedbackloop.api.gateway import GatewayConfig
from feedbackloop.gateway import notice
from feedbackloop.gateway.notice import duration, notice_of
from feedbackloop.gateway.notice_page import answer_of, prefers_html
from tests.gateway.process import make_config


def config(retention: dict[str, Any] | None = None, **collection: Any) -> GatewayConfig:
    body = make_config(s3_url="http://127.0.0.1:1")
    body["collection"] |= collection
    return GatewayConfig.model_validate(body | ({"retention": retention} if retention else {}))


def items(key: str, **changes: Any) -> list[str]:
    found: list[str] = notice_of(config(**changes)).content[key]["items"]
    return found


def test_every_kind_entity_context_and_purpose_has_words() -> None:
    assert set(notice._SIGNALS) == set(SignalKind) == set(CLASSES)
    assert set(notice._REMOVED) == set(Entity)
    assert set(notice._CONTEXT) == set(ContextField)
    assert set(notice._PURPOSES) == set(Purpose)


def test_the_digest_changes_with_what_is_said_and_with_nothing_else() -> None:
    same, other = notice_of(config()), notice_of(config())
    assert same.sha256 == other.sha256
    moved = config().model_copy(update={"routing": config().routing.model_copy(update={"epoch": 9})})
    assert notice_of(moved).sha256 == same.sha256
    for changed in ({"notice": "x"}, {"retention": {"rawSeconds": 7200}}, {"consent": {"policyVersion": "2"}},
                    {"context": {"required": ["sessionId"]}}, {"redaction": {"entities": ["Email"]}}):  # fmt: skip
        assert notice_of(config(**changed)).sha256 != same.sha256, changed


def test_signals_and_context_are_those_that_are_declared() -> None:
    signals = [{"name": "right", "kind": "Question", "dimension": "Factuality"}, {"name": "time", "kind": "Dwell"}]
    first, question, dwell = items("collected", signals=signals)
    assert "messages" in first
    assert ("right" in question, "Factuality" in question, "observed" in question) == (True, True, False)
    assert ("screen" in dwell, "observed" in dwell) == (True, True)
    assert items("context", context={"required": ["region"], "optional": ["locale", "region"]}) == [
        "your region",
        "your language setting",
    ]


def test_a_legal_hold_and_training_without_consent_are_said() -> None:
    held = notice_of(config(retention={"legalHold": True})).content["retention"]["text"]
    assert any("nothing is deleted" in sentence for sentence in held)
    free = notice_of(config(consent={"required": False})).content["purposes"]["text"]
    assert any("unless you object" in sentence for sentence in free)


@pytest.mark.parametrize(
    ("seconds", "words"), [(3600, "1 hour"), (7201, "3 hours"), (86_400, "1 day"), (86_401, "2 days")]
)
def test_periods_are_never_shorter_than_they_are(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("accept", "html"),
    [(b"", False), (b"*/*", False), (b"application/json", False), (b"text/html", True), (b"TEXT/HTML;q=0.9", True),
     (b"application/json,text/html", False), (b"text/html,application/json", True), (b"," * 5000, False)],
)  # fmt: skip
def test_programs_get_json_and_browsers_a_page(accept: bytes, html: bool) -> None:
    assert prefers_html(accept) is html


def test_nothing_in_a_page_is_markup_but_ours() -> None:
    made = notice_of(config(notice="<script>alert(1)</script>", consent={"contact": "<img src=x>"}))
    page = answer_of(made, b"text/html").body.decode()
    assert "<script" not in page
    assert "<img" not in page
    assert json.loads(answer_of(made).body)["notice"] == "<script>alert(1)</script>"
