"""The text for users of what is collected, made from the configuration alone; `GET /v1/privacy` serves it.

The digest is of the text as JSON without the digest: the same configuration has the same one, and every
consent names the one that was served when it was given.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from feedbackloop.api.collection import CLASSES, ContextField, Entity, Purpose, Signal, SignalClass, SignalKind
from feedbackloop.api.gateway import GatewayConfig
from feedbackloop.events import canonical

PATH = "/v1/privacy"

_K = SignalKind
_SIGNALS: dict[SignalKind, str] = {
    _K.THUMBS: "whether you liked an answer or not",
    _K.STARS: "how many stars you gave an answer",
    _K.PREFERENCE: "which of two answers you preferred, and where each was shown",
    _K.REASON: "the reason that you picked from a list",
    _K.CORRECTION: "the text that you wrote to correct an answer",
    _K.COMMENT: "the comment that you wrote",
    _K.QUESTION: "your answer (yes, no or unsure) to one question about an answer",
    _K.SKIP: "that you passed a question by",
    _K.EXPOSURE: "that you were asked for feedback, and how the question was shown",
    _K.DWELL: "how long an answer was on your screen",
    _K.COPY: "how many characters of an answer you copied, not which",
    _K.ACCEPT: "whether you accepted a suggestion",
    _K.REGENERATE: "that you asked for another answer",
    _K.EDIT: "how much of an answer you changed, as a number, not your text",
    _K.FOLLOW_UP: "whether your next message asked for the same thing again, which a program works out",
    _K.ABANDONMENT: "whether you stopped after an answer, which a program works out",
    _K.CONVERSION: "whether you reached a goal afterwards",
}
_ALWAYS = "the messages of your conversation and the answers you were given"
_CONTEXT: dict[ContextField, str] = {
    ContextField.PROMPT_TEMPLATE: "which template the prompt was made with",
    ContextField.MODEL_VERSION: "which version of the model answered",
    ContextField.SESSION_ID: "a code in place of your session",
    ContextField.TURN_ID: "which turn of the conversation it was",
    ContextField.OUTPUT_ID: "the number of the answer",
    ContextField.SUBJECT_ID: "a code in place of your user name",
    ContextField.RETRIEVAL: "which documents the answer was looked up in",
    ContextField.SEGMENT: "the group of users that the app counts you among",
    ContextField.REGION: "your region",
    ContextField.LOCALE: "your language setting",
    ContextField.CLIENT: "which program you used",
    ContextField.TENANT: "a code in place of the organisation you belong to",
}
_REMOVED: dict[Entity, str] = {
    Entity.EMAIL: "e-mail addresses",
    Entity.PHONE: "telephone numbers",
    Entity.CREDIT_CARD: "card numbers",
    Entity.IBAN: "bank account numbers",
    Entity.SSN: "social security numbers",
    Entity.IP_ADDRESS: "internet addresses",
    Entity.SECRET: "passwords, keys and tokens of known forms",
}
_PURPOSES: dict[Purpose, str] = {
    Purpose.IMPROVE: "to train and to test better versions of the model",
    Purpose.ANALYZE: "to count and to understand how well the answers serve",
}
_WITHOUT_CONSENT = (
    "To see whether a new version answers worse, ratings are counted, whether you agree to training or not."
)
_AGREED = "Only what its author agreed to is used to train a model. Saying nothing is not agreement."
_NOT_ASKED = "The operator of this service uses it for training unless you object."
_WITHDRAW = (
    "You can take back your agreement at any time, in the app that you use or by the page that shows you the answers"
    " (POST /v1/consent). From then on nothing of yours is used for training that begins afterwards,"
    " neither what you say from now on nor what you said before."
)
_SIGNAL_OFF = (
    "A browser that sends Global Privacy Control or Do Not Track is taken at its word: that takes back your"
    " agreement, and what is only observed, not said, is then not stored at all."
)
_WHO = (
    "The team that runs this service, and the programs that it runs for it. What you say is encrypted where it is"
    " stored, under keys that the team holds. Instead of names there are codes that cannot be turned back into names"
    " without the team's secret key."
)


@dataclass(frozen=True)
class Section:
    """A heading with sentences, and a list below them."""

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    items: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "text": list(self.sentences), "items": list(self.items)}


@dataclass(frozen=True)
class Notice:
    """The whole text."""

    own_words: str
    policy_version: str
    sections: tuple[Section, ...] = field(default=())

    @cached_property
    def content(self) -> dict[str, Any]:
        """As JSON, without the digest."""
        sections = {section.key: section.to_json() for section in self.sections}
        return {"notice": self.own_words, "policyVersion": self.policy_version, **sections}

    @cached_property
    def sha256(self) -> str:
        """Hex, of the canonical content."""
        return hashlib.sha256(canonical.encode(self.content)).hexdigest()


def notice_of(config: GatewayConfig) -> Notice:
    """The text that this configuration makes true."""
    collection = config.collection
    return Notice(
        own_words=collection.notice,
        policy_version=collection.consent.policy_version,
        sections=(
            Section("collected", "What is collected", items=(_ALWAYS, *map(_signal, collection.signals))),
            Section("context", "What is kept beside it", items=_context(config)),
            _purposes(config),
            Section("removed", "What is removed before anything is stored", _how_removed(config), _removed(config)),
            Section("retention", "How long it is kept", _kept(config), _periods(config)),
            Section("access", "Who sees it", (_WHO,)),
            Section("withdraw", "How to take your agreement back", _withdrawing(config)),
            Section("contact", "Whom to ask", (_contact(config),)),
        ),
    )


def _signal(signal: Signal) -> str:
    observed = CLASSES[signal.kind] in (SignalClass.IMPLICIT, SignalClass.COMPUTED)
    about = f" about {signal.dimension.value}" if signal.dimension else ""
    return f"{_SIGNALS[signal.kind]} (“{signal.name}”{about}{', observed' if observed else ''})"


def _context(config: GatewayConfig) -> tuple[str, ...]:
    rules = config.collection.context
    named = tuple(dict.fromkeys((*rules.required, *rules.optional)))
    return tuple(_CONTEXT[item] for item in named or tuple(ContextField))


def _purposes(config: GatewayConfig) -> Section:
    consent = config.collection.consent
    sentences = (_AGREED if consent.required else _NOT_ASKED, _WITHOUT_CONSENT)
    return Section("purposes", "What it is for", sentences, tuple(_PURPOSES[purpose] for purpose in consent.purposes))


def _how_removed(config: GatewayConfig) -> tuple[str, ...]:
    later = (
        "Names and addresses of people are looked for before anything is trained, where a language model is installed."
    )
    found = "A program looks for these and replaces them. It finds most, not all: please do not write secrets."
    return (found, later) if config.collection.redaction.named.value != "Never" else (found,)


def _removed(config: GatewayConfig) -> tuple[str, ...]:
    redaction = config.collection.redaction
    own = tuple(f"what looks like {pattern.name.lower().replace('_', ' ')}" for pattern in redaction.patterns)
    return (*(_REMOVED[entity] for entity in redaction.entities), *own)


def _kept(config: GatewayConfig) -> tuple[str, ...]:
    held = "At present nothing is deleted, because a law or a court demands that it is kept."
    done = "Then it is deleted with all its copies in storage."
    signed = "The record of what you agreed to, under your code, stays: it proves that your wish was followed."
    return (held if config.retention.legal_hold else done, signed)


def _periods(config: GatewayConfig) -> tuple[str, ...]:
    retention = config.retention
    return (
        f"conversations and feedback: {duration(retention.raw_seconds)}",
        f"feedback that could not be understood: {duration(retention.bad_rows_seconds)}",
        f"collections made for training: {duration(retention.datasets_seconds)}",
        f"trained models that were not put to use: {duration(retention.rejected_candidates_seconds)}",
    )


def duration(seconds: int) -> str:
    """In days where it makes a day, else in hours; rounded up, so that nothing is kept longer than it says."""
    size, word = (86_400, "day") if seconds >= 86_400 else (3_600, "hour")
    count = -(-seconds // size)
    return f"{count} {word}{'' if count == 1 else 's'}"


def _withdrawing(config: GatewayConfig) -> tuple[str, ...]:
    return (_WITHDRAW, _SIGNAL_OFF) if config.collection.browser.honor_privacy_signals else (_WITHDRAW,)


def _contact(config: GatewayConfig) -> str:
    return config.collection.consent.contact or "The team that runs the app in which you found this page."
