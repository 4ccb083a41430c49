"""Patterns of the loop's own: linear time, bounded, refused with the fix when they cannot be used."""

from __future__ import annotations

import json

import pytest

from feedbackloop.api.collection import Entity, Pattern
from feedbackloop.events.redaction import Redactor
from feedbackloop.events.redaction.patterns import check
from feedbackloop.gateway.applied import BadConfig, apply
from tests.gateway.process import make_config


def own(*patterns: tuple[str, str]) -> Redactor:
    return Redactor([Entity.EMAIL], [Pattern(name=name, expression=expression) for name, expression in patterns])


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (r"(?=a)b", "look-around is not supported"),
        (r"(?<!a)b", "look-around is not supported"),
        (r"(a)\1", "back-references are not supported"),
        (r"(?P<x>a)(?P=x)", "back-references are not supported"),
        (r"(a", "not a valid RE2 expression"),
        (r"a{1,2000}", "too large"),
        (r"((a{1,100}){1,100}){1,100}", "too large"),
        (r"\pL{900}\pN{900}", "too large"),
        (r"x*", "matches the empty text"),
        (r"\b", "matches the empty text"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_with_the_reason(expression: str, reason: str) -> None:
    assert reason in (check(expression) or "")


@pytest.mark.parametrize("expression", [r"CU-[0-9]{6}", r"(?i)case\s+\d+", r"\\1 und \pL+", r"^ID"])
def test_an_expression_that_can_be_used(expression: str) -> None:
    assert check(expression) is None


def test_matches_become_tokens_of_the_patterns_name() -> None:
    redactor = own(("CUSTOMER", r"CU-[0-9]{6}"), ("STAFF", r"^mitarbeiter \w+"))
    assert redactor.redact(["CU-123456, CU-654321 and CU-123456", "mitarbeiter x: a@example.com"]) == [
        "<CUSTOMER_1>, <CUSTOMER_2> and <CUSTOMER_1>",
        "<STAFF_1>: <EMAIL_1>",
    ]
    assert redactor.replaced == {"Pattern": 4, "Email": 1}


def test_they_see_through_obfuscation_and_see_the_text_as_it_is() -> None:
    redactor = own(("CUSTOMER", r"CU-[0-9]{6}"), ("RANGE", r"von – bis"))
    assert redactor.redact_text("CU–１２３４５６, CU%2D123456; von – bis") == "<CUSTOMER_1>, <CUSTOMER_1>; <RANGE_1>"


def test_a_pattern_that_would_match_tokens_leaves_them_alone() -> None:
    redactor = own(("WORD", r"[A-Z_0-9]+"))
    once = redactor.redact_text("ABC a@example.com DEF")
    assert once == "<WORD_1> <EMAIL_1> <WORD_2>"
    assert redactor.redact_text(once) == once


def test_an_exponential_expression_takes_linear_time() -> None:
    text = "a" * 100_000 + "b"
    assert own(("TRAP", r"(a+)+c")).redact_text(text) == text


def config(expression: str) -> bytes:
    made = make_config(s3_url="http://127.0.0.1:1")
    made["collection"]["redaction"] = {"patterns": [{"name": "CUSTOMER", "expression": expression}]}
    return json.dumps(made).encode()


def test_the_gateway_refuses_a_configuration_whose_pattern_cannot_be_used() -> None:
    with pytest.raises(BadConfig, match=r"collection\.redaction\.patterns\[CUSTOMER\]\.expression: look-around"):
        apply(config(r"(?=a)b"))


def test_the_gateway_compiles_patterns_once_while_they_stay_the_same() -> None:
    first = apply(config("CU-[0-9]+"))
    assert apply(config("CU-[0-9]+"), first).redactor is first.redactor
    assert apply(config("KU-[0-9]+"), first).redactor is not first.redactor
