"""The feedback port: `POST /v1/feedback`, `/v1/feedback:batch` and `/v1/consent`; the schemas, the text for users."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from feedbackloop.events.errors import TokenInvalid
from feedbackloop.events.tokens import Claims
from feedbackloop.gateway import consent, notice, notice_page, schemas
from feedbackloop.gateway.asgi import Answer, TooLarge, answer, problem
from feedbackloop.gateway.browser import PLAIN, How
from feedbackloop.gateway.core import Core
from feedbackloop.gateway.ingest import FeedbackIngest, NotJson, Outcome, Sender, TooManyEvents
from feedbackloop.gateway.opened import OpenedTokens
from feedbackloop.gateway.ratelimit import Limits, OverLimit
from feedbackloop.gateway.wal import LogUnavailable

RETRY_AFTER = 2
PATH, BATCH_PATH, CONSENT_PATH = b"/v1/feedback", b"/v1/feedback:batch", consent.PATH.encode()
PRIVACY_PATH = notice.PATH.encode()
_TAKEN = frozenset({PATH, BATCH_PATH, CONSENT_PATH})
MAX_BODY, MAX_BATCH = 256 << 10, 4 << 20

logger = logging.getLogger(__name__)

Reply = Callable[[Answer], None]

_PROBLEMS: dict[type[Exception], Answer] = {
    TokenInvalid: problem(401, "unauthorized", "a valid feedback token is required"),
    TooLarge: problem(413, "too_large", "the body is larger than 256 KiB, or than 4 MiB of a batch"),
    TooManyEvents: problem(413, "too_large", "more than 50 events, or than 500 lines of a batch", path="$.events"),
    NotJson: problem(400, "not_json", "the body is not JSON"),
}
_NOT_FOUND = problem(404, "not_found", "this port serves POST /v1/feedback, /v1/feedback:batch and /v1/consent")
_NOT_ALLOWED = problem(405, "method_not_allowed", "use POST")
# By whether answers wait for object storage.
_PROMISES = tuple(((b"feedback-durability", promise),) for promise in (b"fsync", b"object-store"))
_ONE_ACCEPTED = tuple(answer(202, Outcome(accepted=1), headers=promise) for promise in _PROMISES)
_ONE_DUPLICATE = tuple(answer(202, Outcome(duplicate=1), headers=promise) for promise in _PROMISES)


class FeedbackPort:
    """A write-only door: a feedback token admits signals about its outputs."""

    def __init__(self, core: Core) -> None:
        self._core, self._ingest = core, FeedbackIngest(core)
        self._opened = OpenedTokens(core.sealer)
        self.held_bytes = 0
        """Of large bodies that are being received."""
        self.connected: dict[str, int] = {}
        """Connections by their address."""
        self._limits: tuple[object, Limits | None] = (None, None)

    def admit(self, method: bytes, path: bytes, token: bytes) -> Claims | Answer:
        """The token's claims, or the answer of a request that needs no body to be refused."""
        if path not in _TAKEN:
            return self._page(method, path)
        if method != b"POST":
            return _NOT_ALLOWED
        core = self._core
        try:
            claims = self._opened.open(token, core.journal.now_ms())
            core.journal.check()
        except TokenInvalid:
            core.metrics["tokens_refused"] += 1
            return _PROBLEMS[TokenInvalid]
        except LogUnavailable as error:
            return unavailable(core, error)
        if (limits := self._current_limits()) is not None:
            try:
                limits.check(claims, core.journal.now_ms())
            except OverLimit as error:
                return over_limit(error)
        return claims

    def _page(self, method: bytes, path: bytes) -> Answer:
        """What anybody may read."""
        page = schemas.page(self._core.applied, path.decode("latin-1")) if method == b"GET" else None
        return page or _NOT_FOUND

    def browser(self, method: bytes, path: bytes, headers: Mapping[bytes, bytes]) -> How | Answer:
        """What follows from a browser's headers; the answer of a preflight."""
        policy = self._core.applied.browser
        if method == b"OPTIONS":
            return policy.preflight(headers)
        how = policy.how(headers, lines=path == BATCH_PATH)
        return how._replace(consent=True) if path == CONSENT_PATH else how

    def privacy(self, accept: bytes) -> Answer:
        """The text for users: anybody may read it."""
        return notice_page.answer_of(self._core.applied.notice, accept)

    def take(self, claims: Claims, body: bytes, reply: Reply, how: How = PLAIN) -> None:
        """Takes a request's events; `reply` is called once, when everything accepted is durable."""
        take = self._ingest.take_lines if how.lines else self._ingest.take
        sender = Sender(claims, "token", how.private, meter=self._meter(claims))
        try:
            # Once more, now that the body is here: what cannot be stored is not parsed.
            self._core.journal.check()
            if how.consent:
                self._consent(sender, claims, body, reply)
                return
            take(body, sender, lambda outcome, error: reply(answered(self._core, outcome, error)))
        except (TooManyEvents, NotJson) as error:
            reply(problem_of(error))
        except OverLimit as error:
            reply(over_limit(error))
        except LogUnavailable as error:
            reply(unavailable(self._core, error))
        except Exception as error:
            # Without the message: it could quote the event.
            logger.error("feedback port: %s", type(error).__name__)
            reply(problem(500, "internal", "internal error"))

    def _consent(self, sender: Sender, claims: Claims, body: bytes, reply: Reply) -> None:
        """Raises OverLimit, LogUnavailable."""
        if sender.meter is not None:
            sender.meter(1)
        consent.tell_by_token(self._core, claims, body, reply, lambda error: unavailable(self._core, error))

    def _current_limits(self) -> Limits | None:
        """The limits of the applied configuration; their buckets are full again when it changes them."""
        limits = self._core.applied.config.collection.rate_limits
        if self._limits[0] is not limits:
            # An applied configuration is always a new object: only a change of the limits is one.
            same = self._limits[0] == limits
            self._limits = (limits, self._limits[1] if same else Limits(limits) if limits else None)
        return self._limits[1]

    def _meter(self, claims: Claims) -> Callable[[int], None] | None:
        limits = self._current_limits()
        if limits is None:
            return None
        return lambda count: limits.take(claims, self._core.journal.now_ms(), count)


def over_limit(error: OverLimit) -> Answer:
    """429 with Retry-After: nothing was taken."""
    message = "more events at once than the rate limit ever allows" if error.never else "too many events"
    return problem(429, "rate_limited", message, retry_after=error.retry_after)


def answered(core: Core, outcome: Outcome, error: LogUnavailable | None) -> Answer:
    """The answer to a request whose events are durable, or could not be made so."""
    if error is not None:
        return unavailable(core, error)
    promise = core.journal.until_stored is not None
    if not outcome.rejected:
        if (outcome.accepted, outcome.duplicate) == (1, 0):
            return _ONE_ACCEPTED[promise]
        if (outcome.accepted, outcome.duplicate) == (0, 1):
            return _ONE_DUPLICATE[promise]
    return answer(outcome.status, outcome, headers=_PROMISES[promise])


def too_large() -> Answer:
    """The answer to a body above the limit."""
    return _PROBLEMS[TooLarge]


def problem_of(error: TooManyEvents | NotJson) -> Answer:
    """The answer to a body that is refused as a whole."""
    return _PROBLEMS[type(error)]


def unavailable(core: Core, error: LogUnavailable) -> Answer:
    """503 with Retry-After: nothing was stored, the client should send it again."""
    core.metrics["unavailable_answers"] += 1
    return problem(503, "unavailable", f"cannot store now: {error.reason}", retry_after=RETRY_AFTER)
