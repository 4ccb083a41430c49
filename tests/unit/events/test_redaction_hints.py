"""Hints: the caller's own private values, found in any case, with or without accents, as whole words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.events.errors import RedactionFailed
from feedbackloop.events.redaction import Redactor
from feedbackloop.events.redaction.hints import MAX_HINTS

REDACTOR = Redactor()


@pytest.mark.parametrize(
    ("text", "hints", "expected"),
    [
        ("Ask anna schmidt, please", ["Anna Schmidt"], "Ask <HINT_1>, please"),
        ("ANNA\u00a0 \n SCHMIDT wrote", ["Anna Schmidt"], "<HINT_1> wrote"),
        ("José and JOSE", ["Jose\u0301"], "<HINT_1> and <HINT_1>"),
        ("A\u200bnn\uff41", ["Anna"], "<HINT_1>"),
        ("Straße", ["STRASSE"], "<HINT_1>"),
        ("Ann in Annual, Hann, Ann2", ["Ann"], "<HINT_1> in Annual, Hann, Ann2"),
        ("acct-00417 and xacct-00417", ["ACCT-00417"], "<HINT_1> and xacct-00417"),
        ("Anna Maria and Anna", ["Anna", "Anna Maria"], "<HINT_1> and <HINT_2>"),
        ("山田太郎さんは", ["山田太郎"], "<HINT_1>さんは"),
        ("a b", ["a"], "a b"),
        ("<EMAIL_1> email", ["email", "hint"], "<EMAIL_1> <HINT_1>"),
    ],
)
def test_hints_are_replaced_as_whole_words(text: str, hints: list[str], expected: str) -> None:
    assert REDACTOR.redact([text], hints) == [expected]


def test_a_hint_has_one_token_in_all_texts_of_an_event_and_comes_before_what_is_detected() -> None:
    assert REDACTOR.redact(["I am Li Wei", "li wei: li.wei@example.com"], ["Li Wei", "li.wei@example.com"]) == [
        "I am <HINT_1>",
        "<HINT_1>: <HINT_2>",
    ]


@pytest.mark.parametrize("hints", [["x" * 201], ["ab"] * (MAX_HINTS + 1)])
def test_more_or_longer_hints_than_allowed_store_nothing(hints: list[str]) -> None:
    with pytest.raises(RedactionFailed):
        REDACTOR.redact(["text"], hints)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=12), max_size=4), st.text(min_size=2, max_size=12))
def test_redacting_hints_twice_changes_nothing_more(text: str, hints: list[str], planted: str) -> None:
    once = REDACTOR.redact([f"{text} {planted} {text}"], [*hints, planted])
    assert REDACTOR.redact(once, [*hints, planted]) == once
