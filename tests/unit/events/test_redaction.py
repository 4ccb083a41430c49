"""Redaction: what is found, what is left alone, and the properties that make it safe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.api.collection import Entity
from feedbackloop.events.errors import RedactionFailed
from feedbackloop.events.redaction import Redactor
from feedbackloop.events.redaction.detectors import DETECTORS
from feedbackloop.events.redaction.detectors.cards import luhn
from feedbackloop.events.redaction.gate import READING_IDS, Gate
from feedbackloop.events.redaction.views import READINGS
from feedbackloop.events.redaction.views.folding import fold, folded
from feedbackloop.events.redaction.views.view import View

REDACTOR = Redactor()
GATE = Gate(DETECTORS)

PRIVATE = [
    ("mail anna.schmidt+test@mail.example.co.uk now", "mail <EMAIL_1> now"),
    ("jürgen@example.de", "<EMAIL_1>"),
    ("call +49 170 1234567.", "call <PHONE_1>."),
    ("or (555) 123-4567", "or <PHONE_1>"),
    ("0170 1234567", "<PHONE_1>"),
    ("dial 0049 30 901820", "dial <PHONE_1>"),
    ("my card 4111 1111 1111 1111 ok", "my card <CREDIT_CARD_1> ok"),
    ("3782-822463-10005", "<CREDIT_CARD_1>"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN <IBAN_1> please"),
    ("gb82west12345698765432", "<IBAN_1>"),
    ("from 192.168.10.254, then", "from <IP_ADDRESS_1>, then"),
    ("at 2001:db8::8a2e:370:7334 and", "at <IP_ADDRESS_1> and"),
    ("key AKIAIOSFODNN7EXAMPLE", "key <SECRET_1>"),
    ("ghp_" + "a1B2" * 9, "<SECRET_1>"),
    ("xoxb-123456789012-abcdefABCDEF", "<SECRET_1>"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "<SECRET_1>"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "<SECRET_1>"),
]

HARMLESS = [
    "The refund window is 30 days, not 14; I paid 1,299.00 EUR on 2026-11-23 at 10:20:30.",
    "order 1234567890123456 has a wrong check digit",
    "DE89 3704 0044 0532 0130 01 has one, too",
    "version 1.2.3 of std::vector, 300.1.1.1 is no address",
    "@someone said 5@7",
    "",
]

OBFUSCATED = [
    "４１１１ １１１１ １１１１ １１１１",
    "٤١١١ ١١١١ ١١١١ ١١١١",
    "4111\u200b1111\u200d11111111",
    "4111\u20111111\u20111111\u20111111",
    "4\u03361\u03361\u03361\u0336111111111111",
]


@pytest.mark.parametrize(("text", "expected"), PRIVATE)
def test_private_entities_become_typed_tokens(text: str, expected: str) -> None:
    assert REDACTOR.redact_text(text) == expected


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_left_as_it_is(text: str) -> None:
    assert REDACTOR.redact_text(text) == text


@pytest.mark.parametrize("text", OBFUSCATED)
def test_a_card_is_found_through_obfuscation(text: str) -> None:
    assert REDACTOR.redact_text(f"a {text} b") == "a <CREDIT_CARD_1> b"


def test_an_address_is_found_through_zero_width_characters_and_fullwidth_signs() -> None:
    assert REDACTOR.redact_text("an\u200bna\uff20example\u3002com") == "<EMAIL_1>"


def test_the_same_value_has_the_same_token_in_all_fields_of_an_event() -> None:
    texts = ["ask a@example.com or b@example.com", "A@Example.com again", "4111111111111111, 4111-1111-1111-1111"]
    assert REDACTOR.redact(texts) == [
        "ask <EMAIL_1> or <EMAIL_2>",
        "<EMAIL_1> again",
        "<CREDIT_CARD_1>, <CREDIT_CARD_1>",
    ]


def test_numbering_goes_on_after_tokens_that_the_text_already_has() -> None:
    assert REDACTOR.redact_text("<EMAIL_3> and c@example.com") == "<EMAIL_3> and <EMAIL_4>"


def test_only_the_chosen_entities_are_replaced() -> None:
    only = Redactor([Entity.EMAIL])
    assert only.redact_text("a@example.com 4111111111111111") == "<EMAIL_1> 4111111111111111"


def test_what_is_replaced_is_counted_but_not_kept() -> None:
    redactor = Redactor()
    redactor.redact_text("a@example.com b@example.com")
    assert redactor.replaced == {Entity.EMAIL: 2}


def test_a_failing_scanner_lets_nothing_through(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()

    def fail(_text: str) -> set[int]:
        raise RuntimeError("a@example.com")

    monkeypatch.setattr(redactor._gate, "open_for", fail)
    with pytest.raises(RedactionFailed) as raised:
        redactor.redact_text("a@example.com")
    assert "example.com" not in str(raised.value)


ALPHABET = st.sampled_from(
    [
        *"aZ09 .-+@:()/<_>=\n",
        "é",
        "٣",
        "\u200b",
        "4111",
        "DE89",
        "eyJ",
        "AKIA",
        "x.co",
        "::",
        "１",
        "&#64;",
        "%40",
        "\\u0040",
        "=\n",
        " at ",
        "[at]",
        " dot ",
        "(dot)",
        "password",
        " is ",
        "1 2 3 4 5 6 7",
        "YW5uYUBleGFtcGxlLmNvbQ==",
        "sk-",
        "tel",
    ]
)
SOUP = st.lists(ALPHABET, max_size=60).map("".join)
SEEDED = st.lists(st.sampled_from([text for text, _ in PRIVATE] + HARMLESS + OBFUSCATED) | SOUP, max_size=5).map(
    " ".join
)


def every_view(text: str, depth: int = 3) -> Iterator[View]:
    """All readings of a text one on top of the other, whether the gate asks for them or not."""
    view = fold(View(text))
    yield view
    for _ in range(depth):
        for reading in READINGS:
            view = fold(view.edited(reading.edits(view.text)))
            yield view


@settings(max_examples=200, deadline=None)
@given(SOUP | SEEDED | st.text(max_size=200))
def test_where_the_gate_says_no_every_detector_and_every_reading_says_no(text: str) -> None:
    for view in every_view(text):
        suspects = GATE.open_for(view.text)
        for index, detector in enumerate(DETECTORS):
            if index not in suspects:
                assert list(detector.find(view.text)) == [], detector.gates
        for index, reading in zip(READING_IDS, READINGS, strict=True):
            if index not in suspects:
                assert list(reading.edits(view.text)) == [], reading.clues


@settings(max_examples=200, deadline=None)
@given(SOUP | SEEDED | st.text(max_size=200))
def test_what_a_gate_sees_in_one_text_it_sees_in_all_texts_of_an_event(text: str) -> None:
    assert GATE.open_for(folded(text)) <= GATE.open_for(folded(f"first\x1e\n\x1e{text}\x1e\n\x1elast"))


@settings(max_examples=200, deadline=None)
@given(SOUP | SEEDED | st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = REDACTOR.redact_text(text)
    assert REDACTOR.redact_text(once) == once


@settings(max_examples=150, deadline=None)
@given(SOUP | SEEDED | st.text(max_size=60))
def test_every_view_maps_every_character_back_into_the_text(text: str) -> None:
    assert fold(View(text)).text == folded(text)
    for view in every_view(text):
        spans = [view.span(index, index + 1) for index in range(len(view.text))]
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert spans == sorted(spans)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789", min_size=15, max_size=15), st.sampled_from(["", " ", "-"]))
def test_every_card_number_with_a_right_check_digit_is_found(digits: str, separator: str) -> None:
    start = "4" + digits[1:]
    number = next(start + check for check in "0123456789" if luhn(start + check))
    text = separator.join(number[at : at + 4] for at in range(0, 16, 4))
    assert "4" + digits[1:5] not in REDACTOR.redact_text(f"card {text}!")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=100), st.text(max_size=100))
def test_a_planted_secret_never_survives(before: str, after: str) -> None:
    secret = "ghp_" + hashlib.sha256(before.encode("utf-8", "replace")).hexdigest()[:36]
    assert secret not in REDACTOR.redact_text(f"{before} {secret} {after}")
