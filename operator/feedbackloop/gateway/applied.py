"""An applied configuration, compiled for use: everything that depends on the ConfigMap and on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationError

from feedbackloop.api.collection import Signal
from feedbackloop.api.gateway import GatewayConfig, revision
from feedbackloop.events.redaction import Redactor
from feedbackloop.events.validation import ContextPolicy
from feedbackloop.gateway.browser import BrowserPolicy
from feedbackloop.gateway.meta import Outcome
from feedbackloop.gateway.notice import Notice, notice_of


class BadConfig(Exception):  # noqa: N818
    """The configuration does not parse; the message names fields only."""


@dataclass(frozen=True)
class Applied:
    """What the handlers read; replaced as a whole, so that one request sees one configuration."""

    config: GatewayConfig
    revision: str
    raw: bytes
    signals: Mapping[str, Signal]
    redactor: Redactor
    outcomes: tuple[Outcome, ...]
    session_header: bytes

    @property
    def consent_required(self) -> bool:
        return self.config.collection.consent.required

    @cached_property
    def context(self) -> ContextPolicy:
        """What an interaction must say, and what is kept of it."""
        return ContextPolicy.of(self.config.collection.context)

    @cached_property
    def browser(self) -> BrowserPolicy:
        return BrowserPolicy.of(self.config.collection.browser)

    @cached_property
    def notice(self) -> Notice:
        """The text for users."""
        return notice_of(self.config)


def apply(raw: bytes, previous: Applied | None = None) -> Applied:
    """Compiles `config.json`. Raises BadConfig."""
    try:
        config = GatewayConfig.model_validate_json(raw)
    except ValidationError as error:
        fields = sorted({".".join(map(str, item["loc"])) for item in error.errors(include_input=False)})
        raise BadConfig(f"configuration refused at: {', '.join(fields)}") from None
    return Applied(
        config=config,
        revision=revision(raw),
        raw=raw,
        signals={signal.name: signal for signal in config.collection.signals},
        redactor=_redactor(config, previous),
        outcomes=tuple(
            Outcome(outcome.name, outcome.signal, outcome.event, outcome.attribution_window_seconds * 1000)
            for outcome in config.outcomes
        ),
        session_header=config.session_header.lower().encode(),
    )


def _redactor(config: GatewayConfig, previous: Applied | None) -> Redactor:
    wanted = config.collection.redaction
    if previous is not None:
        had = previous.config.collection.redaction
        if (had.entities, had.patterns) == (wanted.entities, wanted.patterns):
            return previous.redactor
    try:
        return Redactor(wanted.entities, wanted.patterns)
    except ValueError as error:
        raise BadConfig(f"configuration refused at: collection.{error}") from None
