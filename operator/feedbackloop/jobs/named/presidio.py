"""Presidio's analyzer over a spaCy model that is installed already. Nothing is ever downloaded.

spaCy's own loader and Presidio's engine both fetch what is missing; therefore the model is loaded here, by a
name that was found installed, and only recognisers that need no network are registered.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import spacy
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

from feedbackloop.jobs.named.engine import Found
from feedbackloop.jobs.named.forms import ADDRESSES, PEOPLE

BATCH = 64
KINDS = {"PERSON": "PERSON", "LOCATION": "LOCATION", "ADDRESS": "ADDRESS", "ORGANIZATION": "ORGANIZATION"}
_UNUSED = ("parser", "senter", "lemmatizer", "attribute_ruler")
_IGNORED = ("CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY", "LANGUAGE", "LAW", "WORK_OF_ART", "PRODUCT", "EVENT")


class Presidio:
    """An engine for one language, the model's."""

    name = "presidio"

    def __init__(self, model: str, entities: Sequence[str]) -> None:
        """`model` is the name of an installed package or a directory; `entities` are keys of `KINDS`."""
        nlp = spacy.load(model, exclude=_UNUSED)
        self.model = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']} {_digest(nlp)}"
        self._language = nlp.lang
        self._entities = list(entities)
        self._engine = BatchAnalyzerEngine(_analyzer(nlp))

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        # A break that is written out, as in JSON, would glue two lines into one word; both take two characters.
        results = self._engine.analyze_iterator(
            [text.replace("\\n", "\n ") for text in texts],
            language=self._language,
            batch_size=BATCH,
            entities=self._entities,
        )
        return [sorted(Found(each.start, each.end, KINDS[each.entity_type]) for each in found) for found in results]


def _analyzer(nlp: Any) -> AnalyzerEngine:
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    language = nlp.lang
    settings = NerModelConfiguration(labels_to_ignore=list(_IGNORED))
    engine = SpacyNlpEngine([{"lang_code": language, "model_name": nlp.meta["name"]}], settings)
    engine.nlp = {language: nlp}
    registry = RecognizerRegistry(supported_languages=[language])
    registry.add_recognizer(
        SpacyRecognizer(supported_language=language, supported_entities=["PERSON", "LOCATION", "ORGANIZATION"])
    )
    for entity, forms in (("ADDRESS", ADDRESSES), ("PERSON", PEOPLE)):
        patterns = [Pattern(name, expression, 0.9) for name, expression in forms.items()]
        registry.add_recognizer(
            PatternRecognizer(entity, patterns=patterns, supported_language=language, global_regex_flags=0)
        )
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])


def _digest(nlp: Any) -> str:
    """The digest of the weights that find names."""
    weights = Path(nlp.path) / "ner" / "model"
    return "sha256:" + hashlib.sha256(weights.read_bytes()).hexdigest() if weights.exists() else "sha256:unknown"
