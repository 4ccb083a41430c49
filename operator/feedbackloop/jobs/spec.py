"""`spec.json` in: read, validated, and named by the digest of its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from feedbackloop.api.jobs import JobSpec
from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import InvalidSpec

S = TypeVar("S", bound=JobSpec)
SCHEMA_VERSION = 1


def load(kind: type[S], path: Path) -> tuple[S, str]:
    """The spec and its digest; `InvalidSpec` names every wrong field and the fix."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidSpec(f"{path}: {type(error).__name__}; mount the run's spec ConfigMap there") from None
    return parse(kind, data), canonical.digest(data)


def parse(kind: type[S], data: bytes) -> S:
    try:
        spec = kind.model_validate_json(data)
    except ValidationError as error:
        raise InvalidSpec(_explain(error)) from None
    if spec.schema_version != SCHEMA_VERSION:
        raise InvalidSpec(
            f"schemaVersion: is {spec.schema_version}, this image reads {SCHEMA_VERSION};"
            " run operator and jobs from the same release"
        )
    return spec


def _explain(error: ValidationError) -> str:
    """Fields and what is wrong with them, without their values."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'spec.json'}: {item['msg']}" for item in found)
