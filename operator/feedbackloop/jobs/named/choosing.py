"""Whether names are looked for, and by which model: the loop's wish and what the admin has installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from feedbackloop.api.collection import Named
from feedbackloop.api.jobs import NamedEntities
from feedbackloop.jobs.named.engine import Engine

MODEL = "FL_NAMED_MODEL"
"""Environment of the pod profile: the model's package, or its directory."""
ENTITIES = "FL_NAMED_ENTITIES"
"""Comma-separated, of PERSON, LOCATION, ADDRESS and ORGANIZATION; all of them without it."""
_USUAL = "PERSON,LOCATION,ADDRESS,ORGANIZATION"
"""Small models take many a name for an organisation's."""
_PACKAGES = ("presidio_analyzer", "spacy")


def choose(wanted: Named, environment: Mapping[str, str] | None = None) -> Engine | NamedEntities:
    """An engine, or a report that says why there is none."""
    environment = os.environ if environment is None else environment
    if wanted is Named.NEVER:
        return NamedEntities(reason="Never")
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    if missing:
        return NamedEntities(reason="NoModel", message=f"not installed: {', '.join(missing)}")
    model = environment.get(MODEL) or next(iter(installed_models()), "")
    if not model:
        return NamedEntities(reason="NoModel", message=f"no spaCy model is installed, and {MODEL} names none")
    if not _is_there(model):
        return NamedEntities(reason="NoModel", message=f"{MODEL} names {model}, which is not installed")
    return _load(model, environment.get(ENTITIES) or _USUAL)


def installed_models() -> list[str]:
    """Installed packages that are spaCy models for English, by name."""
    found = (dist.metadata["Name"].replace("-", "_") for dist in metadata.distributions() if dist.metadata["Name"])
    return sorted({name for name in found if name.startswith("en_core_web_") and find_spec(name) is not None})


def _is_there(model: str) -> bool:
    return Path(model, "config.cfg").is_file() or (model.isidentifier() and find_spec(model) is not None)


def _load(model: str, entities: str) -> Engine | NamedEntities:
    from feedbackloop.jobs.named.presidio import KINDS, Presidio

    wanted = [entity.strip() for entity in entities.split(",") if entity.strip()]
    unknown = [entity for entity in wanted if entity not in KINDS]
    if unknown:
        return NamedEntities(reason="NoModel", message=f"{ENTITIES} names unknown entities: {', '.join(unknown)}")
    return Presidio(model, wanted)
