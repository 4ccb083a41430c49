"""`spec.collection`: what is collected, with whose consent, and how it is made harmless."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import ATOMIC, KubeModel, Name, Rule, SecretName, Text, list_map


class SignalKind(StrEnum):
    """What sort of value a signal carries. Explicit kinds are said, implicit ones observed, computed ones derived."""

    THUMBS = "Thumbs"
    STARS = "Stars"
    PREFERENCE = "Preference"
    REASON = "Reason"
    CORRECTION = "Correction"
    COMMENT = "Comment"
    QUESTION = "Question"
    SKIP = "Skip"
    EXPOSURE = "Exposure"
    DWELL = "Dwell"
    COPY = "Copy"
    ACCEPT = "Accept"
    REGENERATE = "Regenerate"
    EDIT = "Edit"
    FOLLOW_UP = "FollowUp"
    ABANDONMENT = "Abandonment"
    CONVERSION = "Conversion"


class SignalClass(StrEnum):
    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    SYSTEM = "system"
    COMPUTED = "computed"
    """Derived by the server from interactions; a client that sends one is refused."""


_K, _C = SignalKind, SignalClass
CLASSES: dict[SignalKind, SignalClass] = {
    **dict.fromkeys((_K.THUMBS, _K.STARS, _K.PREFERENCE, _K.REASON, _K.CORRECTION, _K.COMMENT), _C.EXPLICIT),
    **dict.fromkeys((_K.QUESTION, _K.SKIP), _C.EXPLICIT),
    **dict.fromkeys((_K.DWELL, _K.COPY, _K.ACCEPT, _K.REGENERATE, _K.EDIT, _K.CONVERSION), _C.IMPLICIT),
    _K.EXPOSURE: _C.SYSTEM,
    **dict.fromkeys((_K.FOLLOW_UP, _K.ABANDONMENT), _C.COMPUTED),
}


TRAINABLE = frozenset({SignalKind.THUMBS, SignalKind.CORRECTION, SignalKind.PREFERENCE})
"""Kinds that a data set is made of; they count towards an improvement's trigger."""


class Dimension(StrEnum):
    """What a signal judges; two dimensions are two questions, never one."""

    SATISFACTION = "Satisfaction"
    FACTUALITY = "Factuality"
    RELEVANCE = "Relevance"
    STYLE = "Style"
    SAFETY = "Safety"
    TASK_SUCCESS = "TaskSuccess"


class Entity(StrEnum):
    """Private entities that are replaced by typed tokens before anything is stored."""

    EMAIL = "Email"
    PHONE = "Phone"
    CREDIT_CARD = "CreditCard"
    IBAN = "Iban"
    SSN = "Ssn"
    IP_ADDRESS = "IpAddress"
    SECRET = "Secret"


class ContextField(StrEnum):
    """A field of an interaction's context that a loop may require."""

    PROMPT_TEMPLATE = "promptTemplate"
    MODEL_VERSION = "modelVersion"
    SESSION_ID = "sessionId"
    TURN_ID = "turnId"
    OUTPUT_ID = "outputId"
    SUBJECT_ID = "subjectId"
    RETRIEVAL = "retrieval"
    SEGMENT = "segment"
    REGION = "region"
    LOCALE = "locale"
    CLIENT = "client"
    TENANT = "tenant"


class Purpose(StrEnum):
    """What consent is for."""

    IMPROVE = "Improve"
    """Data sets and training."""
    ANALYZE = "Analyze"
    """Statistics and insights."""


class Durability(StrEnum):
    """What a 2xx means."""

    PERSISTENT_VOLUME = "PersistentVolume"
    """Synced to the gateway's volume."""
    OBJECT_STORE = "ObjectStore"
    """Stored in S3."""


class Named(StrEnum):
    """When names and addresses of people are looked for by a language model."""

    BEFORE_TRAINING = "BeforeTraining"
    NEVER = "Never"


ReasonCode = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
Origin = Annotated[str, Field(min_length=8, max_length=253, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]


class Signal(KubeModel):
    """One signal of the declared schema; anything else that arrives is kept as a bad row."""

    rules = (
        Rule(
            "self.kind == 'Reason' ? has(self.values) : (!has(self.values) || self.kind == 'Conversion')",
            "values: a Reason signal lists its codes in values, a Conversion may list its goals, others have none",
        ),
        Rule(
            "self.kind != 'Question' || has(self.dimension)",
            "dimension: a signal of kind Question names the one dimension that it asks about",
        ),
        Rule("!has(self.scaleMax) || self.kind == 'Stars'", "scaleMax: only a signal of kind Stars has a scale"),
    )

    name: Name
    """The name that events refer to."""
    kind: SignalKind
    """What sort of value the signal carries."""
    dimension: Dimension | None = None
    """What it judges."""
    values: Annotated[tuple[ReasonCode, ...] | None, Field(min_length=1, max_length=32)] = None
    """The codes of a Reason signal, or the goals of a Conversion."""
    scale_max: Annotated[int | None, Field(ge=2, le=10)] = None
    """The highest number of Stars; 5 unless you say otherwise."""


class ContextRules(KubeModel):
    required: Annotated[tuple[ContextField, ...], Field(max_length=12, json_schema_extra=ATOMIC)] = ()
    """An interaction without one of these becomes a bad row, and its answer carries no feedback token."""
    optional: Annotated[tuple[ContextField, ...], Field(max_length=12, json_schema_extra=ATOMIC)] = ()
    """Kept when they are given. Fields in neither list are dropped; when both are empty, all are kept."""


class Consent(KubeModel):
    required: bool = True
    """Use only what its author consented to; without a record there is no consent."""
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=2, json_schema_extra=ATOMIC)] = (
        Purpose.IMPROVE,
    )
    """What consent is asked for."""
    policy_version: Annotated[str, Field(min_length=1, max_length=40)] = "1"
    """The version of the text that people agreed to; it is kept with every consent."""
    contact: Annotated[str | None, Field(max_length=200)] = None
    """Whom people may ask, shown in the text that the gateway serves."""


class Pattern(KubeModel):
    """A pattern of your own: linear time only, so no look-around and no back-reference."""

    name: Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[A-Z][A-Z0-9_]*$")]
    """The token's name, as in `<CUSTOMER_1>`."""
    expression: Annotated[str, Field(min_length=3, max_length=500)]
    """The expression, in RE2's syntax."""


class Redaction(KubeModel):
    entities: Annotated[tuple[Entity, ...], Field(min_length=1, max_length=16)] = tuple(Entity)
    """Which entities are replaced; all of them unless you say otherwise."""
    patterns: Annotated[tuple[Pattern, ...], Field(max_length=16, json_schema_extra=list_map("name"))] = ()
    """Patterns of your own, replaced like the entities."""
    named: Named = Named.BEFORE_TRAINING
    """When names and addresses of people are replaced, which takes a language model that the admin supplies."""


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
    per_tenant: RateLimit | None = None
    """For all feedback of one tenant (the header X-Tenant-Id)."""


class Browser(KubeModel):
    """Feedback that comes straight from browsers."""

    allowed_origins: Annotated[tuple[Origin, ...], Field(max_length=32, json_schema_extra=ATOMIC)] = ()
    """Origins whose pages may call the feedback port; none means no cross-origin calls."""
    honor_privacy_signals: bool = True
    """Sec-GPC and DNT withdraw consent to training, and implicit signals are then not stored at all."""
    token_seconds: Annotated[int, Field(ge=60, le=7_776_000)] = 2_592_000
    """How long a feedback token is valid."""


class Collection(KubeModel):
    rules = (
        Rule(
            "self.replicas >= oldSelf.replicas",
            "replicas: can grow but not shrink, since a removed pod's log would be stranded",
        ),
    )

    signals: Annotated[tuple[Signal, ...], Field(min_length=1, max_length=32, json_schema_extra=list_map("name"))]
    """The declared signals."""
    context: ContextRules = ContextRules()
    """What must, and what may, be known about an interaction."""
    consent: Consent = Consent()
    """Whose interactions may be used for training."""
    redaction: Redaction = Redaction()
    """What is replaced before anything is stored."""
    rate_limits: RateLimits | None = None
    """Limits on feedback; over a limit the answer is 429 with Retry-After."""
    browser: Browser = Browser()
    """Feedback that comes straight from browsers."""
    durability: Durability = Durability.PERSISTENT_VOLUME
    """What a 2xx means."""
    replicas: Annotated[int, Field(ge=1, le=16)] = 1
    """Gateway pods. A session's records go to the pod that owns it."""
    flush_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """How long an event may wait on the gateway's volume before it is uploaded, in seconds."""
    orphan_window_seconds: Annotated[int, Field(ge=0, le=7_776_000)] = 86_400
    """How long feedback whose interaction is not known waits for it, in seconds; then it is a dead letter."""
    abandonment_seconds: Annotated[int, Field(ge=10, le=604_800)] = 1800
    """After this long without any action of its user an answer counts as abandoned."""
    app_token_secret_name: SecretName
    """The Secret whose key `token` is the bearer token of the app port."""
    verified_token_secret_name: SecretName | None = None
    """The Secret whose key `token` admits verified feedback (annotators, experts) on the app port."""
    notice: Text = ""
    """Your own words, shown first in the text for users that the gateway serves at `/v1/privacy`."""
