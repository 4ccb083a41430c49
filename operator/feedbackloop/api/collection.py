"""`spec.collection`: what is collected, with whose consent, and how it is made harmless."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import KubeModel, Name, Rule, SecretName, list_map


class SignalKind(StrEnum):
    THUMBS = "Thumbs"
    REASON = "Reason"
    CORRECTION = "Correction"
    COMMENT = "Comment"
    PREFERENCE = "Preference"
    EXPOSURE = "Exposure"


class Entity(StrEnum):
    """Private entities that are replaced by typed tokens before anything is stored."""

    EMAIL = "Email"
    PHONE = "Phone"
    CREDIT_CARD = "CreditCard"
    IBAN = "Iban"
    IP_ADDRESS = "IpAddress"
    SECRET = "Secret"


ReasonCode = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]


class Signal(KubeModel):
    """One signal of the declared schema; anything else that arrives is kept as a bad row."""

    rules = (
        Rule(
            "self.kind == 'Reason' ? has(self.values) : !has(self.values)",
            "values: a signal of kind Reason lists its codes in values, other kinds have none",
        ),
    )

    name: Name
    """The name that events refer to."""
    kind: SignalKind
    """What sort of value the signal carries."""
    values: Annotated[tuple[ReasonCode, ...] | None, Field(min_length=1, max_length=32)] = None
    """The codes of a Reason signal."""


class Consent(KubeModel):
    required: bool = True
    """Train only on interactions whose X-Consent-Train header was `true`."""


class Redaction(KubeModel):
    entities: Annotated[tuple[Entity, ...], Field(min_length=1, max_length=16)] = tuple(Entity)
    """Which entities are replaced; all of them unless you say otherwise."""


class RateLimit(KubeModel):
    requests: Annotated[int, Field(ge=1, le=1_000_000)]
    """How many requests are allowed in one period."""
    period_seconds: Annotated[int, Field(ge=1, le=86_400)]
    """The length of the period, in seconds."""


class RateLimits(KubeModel):
    per_subject: RateLimit | None = None
    """For all feedback of one subject."""
    per_token: RateLimit | None = None
    """For all feedback with one token, that is, about one answer."""


class Collection(KubeModel):
    signals: Annotated[tuple[Signal, ...], Field(min_length=1, max_length=32, json_schema_extra=list_map("name"))]
    """The declared signals."""
    consent: Consent = Consent()
    """Whose interactions may be used for training."""
    redaction: Redaction = Redaction()
    """What is replaced before anything is stored."""
    rate_limits: RateLimits | None = None
    """Limits on feedback; over a limit the answer is 429 with Retry-After."""
    flush_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """How long an event may wait on the gateway's volume before it is uploaded, in seconds."""
    app_token_secret_name: SecretName
    """The Secret whose key `token` is the bearer token of the app port."""
