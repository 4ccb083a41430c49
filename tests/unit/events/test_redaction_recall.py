"""A small fixed part of the recall matrix (`make bench-recall` runs all of it)."""

from __future__ import annotations

import random

import pytest

from feedbackloop.events.redaction import Redactor
from tests.bench.recall.generate import planted
from tests.bench.recall.negatives import negatives
from tests.bench.recall.sample import Value
from tests.bench.recall.score import replaced_spans, score, score_clean
from tests.bench.recall.transforms import TRANSFORMS
from tests.bench.recall.values import MAKERS, values

REDACTOR = Redactor()
PHONES = [
    ("+49(0)1234 567890", "de_DE"),
    ("(555) 123-4567", "en_US"),
    ("001-555-123-4567x123", "en_US"),
    ("01 42 34 57 88", "fr_FR"),
    ("+34 612 34 56 78", "es_ES"),
    ("090-1234-5678", "ja_JP"),
    ("13812345678", "zh_CN"),
    ("+91 9812345678", "hi_IN"),
    ("08-123 456 78", "sv_SE"),
    ("(011) 1234-5678", "pt_BR"),
]


def phones() -> list[Value]:
    return [Value(text, "Phone", locale) for text, locale in PHONES]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_fixed_sample_is_found_through_every_transform(transform: str) -> None:
    source = random.Random(transform)
    structured = [value for kind in MAKERS if kind not in ("Phone", "Email") for value in values(kind, 6, 5)]
    mails = [Value(text, "Email", "en_US") for text in ("anna.schmidt@example.org", "j_doe27@mail.example.co.uk")]
    made = [planted(value, transform, source) for value in (*structured, *mails, *phones())]
    cells = score((sample for sample in made if sample is not None), REDACTOR.redact_text)
    assert [sample.text for cell in cells.values() for sample in cell.missed] == []


def test_what_looks_private_and_is_not_stays() -> None:
    clean = score_clean(negatives(10, 5), REDACTOR.redact_text)
    assert [touched for each in clean.values() for touched in each.touched] == []


def test_the_score_knows_what_became_a_token() -> None:
    assert replaced_spans("a bb c dd", "a <EMAIL_1> c <PHONE_1>") == [(2, 4), (7, 9)]
    assert replaced_spans("bb c", "<EMAIL_1> c") == [(0, 2)]
    assert replaced_spans("a c", "a c") == []
