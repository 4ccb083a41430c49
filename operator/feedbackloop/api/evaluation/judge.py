"""The judge: any OpenAI-compatible model that compares two answers, held against human labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Digest, Fraction, KubeModel, Name, ObjectName, SecretName


class Labels(KubeModel):
    object_name: ObjectName
    """A file of the team, below spec.storage.prefix: human verdicts on pairs of answers."""
    digest: Digest
    """The sha256 of that file."""


class Judge(KubeModel):
    """Both orders are asked and only consistent answers count. Below minKappa its gates are advisory."""

    endpoint_name: Name
    """A Judge endpoint of the admin's list."""
    model: Annotated[str, Field(min_length=1, max_length=200)]
    """The model's name there."""
    family: Annotated[str, Field(min_length=1, max_length=63)]
    """The family it belongs to, such as llama; it must not be the target's family."""
    target_family: Annotated[str, Field(min_length=1, max_length=63)]
    """The family of the models that it compares."""
    token_secret_name: SecretName | None = None
    """The Secret whose key `token` is sent as bearer token."""
    labels: Labels
    """Human verdicts that its agreement is measured on."""
    min_kappa: Fraction = "0.6"
    """Cohen's kappa against the labels below which it is advisory."""
    max_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 4000
    """Requests of one evaluation at most."""
