"""One proxied request: whose it is, which arm it gets, and the records that it leaves."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from feedbackloop.api.gateway import Arm, Routing
from feedbackloop.events.codec import Stored
from feedbackloop.events.incoming import (
    MAX_DOCUMENTS,
    MAX_ID,
    ConsentBody,
    IncomingContext,
    IncomingInteraction,
    IncomingMessage,
    IncomingOutput,
)
from feedbackloop.events.records import Message, Serving
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Refusal
from feedbackloop.gateway.asgi import Headers, Scope
from feedbackloop.gateway.assignment import assign
from feedbackloop.gateway.consent import effective_of_request
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest.bodies import as_json
from feedbackloop.gateway.ingest.kept import harmless
from feedbackloop.gateway.interactions import Owner, interaction_record, owner_of
from feedbackloop.gateway.meta import Served

CHANNEL = "proxy"


def _reader(scope: Scope) -> Callable[[bytes], str]:
    """Reads headers as text: UTF-8, or Latin-1 where it is not; the first one of a name, empty without one."""
    found = dict(reversed(scope["headers"]))

    def read(name: bytes) -> str:
        value = found.get(name, b"")
        try:
            return str(value.decode()).strip()
        except UnicodeDecodeError:
            return str(value.decode("latin-1")).strip()

    return read


def by_header(routing: Routing, scope: Scope) -> bool:
    """Whether a header sends the request to the canary."""
    if not routing.header_routes or routing.canary is None:
        return False
    read = _reader(scope)
    return any(read(route.header.lower().encode()) in route.values for route in routing.header_routes)


def said_by(scope: Scope, session_header: bytes, event_id: str) -> IncomingInteraction:
    """What the trusted headers say of a request, as a posted interaction would; not redacted yet."""
    read = _reader(scope)

    def short(name: bytes) -> str:
        return read(name)[:MAX_ID]

    consent = {"true": True, "false": False}.get(read(b"x-consent-train").lower())
    retrieval = (part.strip()[:MAX_ID] for part in read(b"x-retrieval").split(",")[:MAX_DOCUMENTS])
    return IncomingInteraction(
        event_id=event_id,
        session_id=read(session_header),
        messages=(),
        outputs=(),
        turn_id=short(b"x-turn-id"),
        subject_id=read(b"x-subject-id"),
        consent=None if consent is None else ConsentBody(consent),
        context=IncomingContext(
            prompt_template=short(b"x-prompt-template"),
            segment=short(b"x-segment"),
            region=short(b"x-region"),
            retrieval=tuple(part for part in retrieval if part),
            model_version=short(b"x-model-version"),
            locale=short(b"x-locale"),
            client=short(b"x-client"),
        ),
        tenant_id=read(b"x-tenant-id"),
        parent_output_id=short(b"x-parent-output-id"),
    )


@dataclass
class Turn:
    """A request on its way; who answered is filled in as it becomes known."""

    routing: Routing
    assigned: Arm
    said: IncomingInteraction
    owner: Owner
    output_id: str
    missing: Refusal | None = None
    """The required context that the request lacks: it is answered, but nobody can give feedback on it."""
    arm: Arm = Arm.STABLE
    fallback: bool = False
    warm_up: bool = False
    by_header: bool = False
    """A header sent it to the canary, whichever arm its session belongs to."""
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, scope: Scope, core: Core) -> Turn:
        applied, event_id = core.applied, str(uuid.uuid4())
        routing = applied.config.routing
        said = said_by(scope, applied.session_header, event_id)
        assigned = assign(routing, said.session_id)
        kept = applied.context.kept(said)
        return cls(
            routing=routing,
            assigned=assigned,
            said=kept,
            owner=owner_of(core, kept),
            output_id=f"o-{uuid.uuid4().hex}",
            missing=applied.context.missing(said),
            arm=assigned,
            by_header=by_header(routing, scope),
        )

    @property
    def session(self) -> str:
        """The session's pseudonym, empty without one."""
        return self.owner.session

    @property
    def consent(self) -> bool | None:
        return self.said.consent.train if self.said.consent else None

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Who may answer, in the order in which they are asked."""
        first = (Arm.CANARY,) if self.by_header else ()
        return tuple(dict.fromkeys((*first, self.assigned, self.routing.fallback or self.assigned)))

    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def output_ids(self, count: int) -> tuple[str, ...]:
        """Ids of so many choices: the first is the one in the answer's header."""
        return (self.output_id, *(f"{self.output_id}.{index}" for index in range(1, count)))

    def serving(self, *, status: int, latency_ms: int, **more: Any) -> Serving:
        """How it was served; `more` are fields of Serving that tell of the answer."""
        backend = self.routing.canary if self.arm is Arm.CANARY and self.routing.canary else self.routing.stable
        return Serving(
            run_uid=self.routing.run_uid,
            epoch=self.routing.epoch,
            arm=self.arm.value,
            assigned=self.assigned.value,
            digest=backend.digest,
            latency_ms=latency_ms,
            status=status,
            fallback=self.fallback,
            warm_up=self.warm_up,
            counted=bool(self.session),
            by_header=self.by_header,
            **more,
        )

    def served(self, core: Core, serving: Serving) -> Served:
        """The entry of a request that leaves no interaction."""
        return Served(core.journal.now_ms(), serving, self.session)

    def claims(self, core: Core, count: int) -> Claims:
        """What the holder of the answer's token may speak of."""
        return Claims(
            subject=self.owner.subject,
            session=self.session,
            outputs=self.output_ids(count),
            arm=self.arm,
            run_uid=self.routing.run_uid,
            epoch=self.routing.epoch,
            started_at=core.journal.now_ms(),
            consent=effective_of_request(core, self.owner.subject, self.consent),
            tenant=self.owner.tenant,
            by_header=self.by_header,
        )

    def feedback_headers(self, core: Core, count: int) -> Headers:
        """What the answer says of feedback: its output's id and a token, or why there is none."""
        if self.missing is not None:
            return [(b"x-feedback-error", f"{self.missing.code}; path={self.missing.path}".encode())]
        token = core.token(self.claims(core, count))
        return [(b"x-feedback-output-id", self.output_id.encode()), (b"x-feedback-token", token.encode())]

    def record(self, core: Core, asked: tuple[Message, ...], texts: list[str], serving: Serving) -> Stored:
        """The interaction, redacted, or its bad row when context is missing. Raises LogUnavailable."""
        event = msgspec.structs.replace(
            self.said,
            messages=tuple(IncomingMessage(message.role, message.content) for message in asked),
            outputs=tuple(map(IncomingOutput, self.output_ids(len(texts)), texts)),
        )
        if self.missing is not None:
            return self._bad_row(core, event, self.missing)
        record = interaction_record(core, event, self.owner, 0, CHANNEL, minted=True)
        return msgspec.structs.replace(record, serving=serving)

    def _bad_row(self, core: Core, event: IncomingInteraction, missing: Refusal) -> Stored:
        claims = self.claims(core, len(event.outputs))
        kept = harmless(core, as_json(event), trusted=True, known=claims.outputs)
        return core.bad_row(missing, kept, source="interaction", claims=claims, channel=CHANNEL)
