"""One proxied request: whose it is, which arm it gets, and the records that it leaves."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from feedbackloop.api.gateway import Arm, Routing
from feedbackloop.events.codec import Stored
from feedbackloop.events.incoming import MAX_ID
from feedbackloop.events.records import Context, InteractionRecord, Message, Output, Serving
from feedbackloop.gateway.asgi import Scope, text_header
from feedbackloop.gateway.assignment import assign
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.meta import Served


@dataclass(frozen=True)
class RawContext:
    """The context headers as they came, not redacted yet."""

    turn_id: str
    prompt_template: str
    segment: str
    region: str
    retrieval: tuple[str, ...]

    @classmethod
    def of(cls, scope: Scope) -> RawContext:
        retrieval = text_header(scope, b"x-retrieval")
        return cls(
            turn_id=text_header(scope, b"x-turn-id")[:MAX_ID],
            prompt_template=text_header(scope, b"x-prompt-template")[:MAX_ID],
            segment=text_header(scope, b"x-segment")[:MAX_ID],
            region=text_header(scope, b"x-region")[:MAX_ID],
            retrieval=tuple(part.strip()[:MAX_ID] for part in retrieval.split(",")[:100] if part.strip()),
        )


def consent_header(scope: Scope) -> bool | None:
    """`X-Consent-Train`: true, false, or not said."""
    return {"true": True, "false": False}.get(text_header(scope, b"x-consent-train").lower())


@dataclass
class Turn:
    """A request on its way; who answered is filled in as it becomes known."""

    routing: Routing
    assigned: Arm
    session: str
    subject: str
    consent: bool | None
    context: RawContext
    output_id: str
    arm: Arm = Arm.STABLE
    fallback: bool = False
    warm_up: bool = False
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, scope: Scope, core: Core) -> Turn:
        session_id = text_header(scope, core.applied.session_header)
        subject_id = text_header(scope, b"x-subject-id")
        routing, output_id = core.applied.config.routing, f"o-{uuid.uuid4().hex}"
        assigned = assign(routing, session_id)
        return cls(
            routing=routing,
            assigned=assigned,
            session=core.session_of(session_id),
            subject=core.subject_of(subject_id, session_id, output_id),
            consent=consent_header(scope),
            context=RawContext.of(scope),
            output_id=output_id,
            arm=assigned,
        )

    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def output_ids(self, count: int) -> tuple[str, ...]:
        """Ids of so many choices: the first is the one in the answer's header."""
        return (self.output_id, *(f"{self.output_id}.{index}" for index in range(1, count)))

    def serving(self, *, status: int, latency_ms: int, broken: bool = False) -> Serving:
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
            broken=broken,
        )

    def served(self, core: Core, serving: Serving) -> Served:
        """The entry of a request that leaves no interaction."""
        return Served(core.journal.now_ms(), serving, self.session)

    def token(self, core: Core, count: int) -> str:
        """The feedback token of the answer."""
        return core.token(
            subject=self.subject,
            session=self.session,
            outputs=self.output_ids(count),
            consent=self.consent,
            now_ms=core.journal.now_ms(),
            arm=self.arm,
            run_uid=self.routing.run_uid,
            epoch=self.routing.epoch,
        )

    def record(self, core: Core, asked: tuple[Message, ...], texts: list[str], serving: Serving) -> Stored:
        """The interaction, redacted. Raises LogUnavailable when the scanner fails."""
        context = self.context
        raw = [part for message in asked for part in (message.role, message.content)]
        raw += [*texts, context.turn_id, context.prompt_template, context.segment, context.region, *context.retrieval]
        clean = iter(zip(raw, core.redact(raw), strict=True))
        messages = tuple(Message(next(clean)[1], next(clean)[1]) for _ in asked)
        outputs = tuple(Output(output_id, next(clean)[1]) for output_id in self.output_ids(len(texts)))
        return InteractionRecord(
            event_id=str(uuid.uuid4()),
            received_at=core.journal.now_ms(),
            subject=self.subject,
            messages=messages,
            outputs=outputs,
            session=self.session,
            consent=self.consent,
            context=Context(
                turn_id=core.safe_id(*next(clean)),
                prompt_template=next(clean)[1],
                segment=next(clean)[1],
                region=next(clean)[1],
                retrieval=tuple(core.safe_id(*pair) for pair in clean),
            ),
            serving=serving,
        )
