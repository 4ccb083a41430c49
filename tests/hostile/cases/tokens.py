"""Tokens and consent: forged, altered, borrowed and worn-out tokens, and consent that nobody gave."""

# ruff: noqa: E501 - the lists are tables
from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Callable
from typing import Any

from feedbackloop.events.keys import LoopKeys, unwrap
from feedbackloop.events.tokens import Claims, TokenSealer
from tests.gateway.process import APP_TOKEN, LOOP_UID
from tests.gateway.stored import keyring
from tests.hostile import sockets
from tests.hostile.case import Case
from tests.hostile.world import World, rejected

FAR = 1 << 45
CONSENT = {"consent": {"train": True}}


def told(token_of: Callable[[World], str]) -> Callable[[World], int]:
    """The status of a good event under a token."""
    return lambda world: world.post(world.event("helpful", True), token=token_of(world)).status


def changed(change: Callable[[bytes], bytes]) -> Callable[[World], str]:
    """A real token whose bytes were changed."""

    def altered(world: World) -> str:
        sealed = base64.urlsafe_b64decode(world.token() + "==")
        return base64.urlsafe_b64encode(change(sealed)).rstrip(b"=").decode()

    return altered


def flipped(at: int) -> Callable[[World], str]:
    return changed(lambda sealed: sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])


def sealer(world: World, *, key: bytes | None = None, loop_uid: str = LOOP_UID) -> TokenSealer:
    """A sealer with the loop's own key, or another one."""
    if key is None:
        wrapped = world.objects.get(f"{world.gateway.prefix}keys/secret")
        secret = unwrap(keyring(world.gateway), wrapped, f"loop-secret/{LOOP_UID}".encode())
        key = LoopKeys.of(secret).token
    return TokenSealer(key=key, loop_uid=loop_uid)


def sealed(world: World, *, key: bytes | None = None, loop_uid: str = LOOP_UID, **claims: Any) -> str:
    """A token that we seal ourselves."""
    content = {"subject": "f" * 32, "session": "", "outputs": ("o-1",), "expires_at": FAR} | claims
    return sealer(world, key=key, loop_uid=loop_uid).seal(Claims(**content))


def trainable(world: World) -> int:
    return int(world.gateway.status()["appended"]["trainable"])


def voted(world: World, token: str, body: dict[str, Any] | None = None, **headers: str) -> tuple[int, int]:
    """The status of a vote, and how many trainable signals it added."""
    before = trainable(world)
    answer = world.post(world.event("helpful", True) | (body or {}), token=token, **headers)
    return answer.status, trainable(world) - before


def asked(world: World, **headers: str) -> str:
    """The token of a proxied answer."""
    return str(world.gateway.ask("q", session=world.canary(), **headers).headers["X-Feedback-Token"])


def twice(world: World) -> Any:
    """The same event under the same token, then under another token of the same subject."""
    session = world.canary()
    one, two, event = world.token(session_id=session), world.token(session_id=session), world.event("helpful", True)
    answers = [json.loads(world.post(event, token=token).body) for token in (one, one, two)]
    return [answer["duplicate"] for answer in answers]


def of_another(world: World) -> Any:
    """Somebody else uses an event id first; the first subject's event is its own."""
    event = world.event("helpful", True)
    return [json.loads(world.post(event, token=world.token()).body)["accepted"] for _ in range(2)]


def suppressed(world: World) -> Any:
    """An id guessed by somebody else, with another value: neither a conflict nor a duplicate for its owner."""
    event = world.event("helpful", True)
    world.post(event | {"value": False}, token=world.token())
    return rejected(world.post(event, token=world.token()))


def at_once(world: World) -> Any:
    """The same event on forty connections at the same moment: one is accepted, each is answered."""
    token, event = world.token(), json.dumps(world.event("helpful", True)).encode()
    head = f"POST /v1/feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(event)}\r\n\r\n"
    clients = [sockets.connect(world.gateway.feedback) for _ in range(40)]
    for client in clients:
        sockets.send(client, head.encode() + event)
    answers = [json.loads(sockets.read(client, 1)[0].body) for client in clients]
    for client in clients:
        client.close()
    return sum(a["accepted"] for a in answers), sum(a["duplicate"] for a in answers)


def withdrawn(world: World) -> Any:
    """A subject withdraws; a token from before, with consent in it, admits votes that are not trained on."""
    token = world.token(subject_id=world.canary(), **CONSENT)
    first = voted(world, token)
    status = world.post({}, token=token, path="/v1/consent").status
    return first, status, voted(world, token)


def given_by_token(world: World) -> int:
    return world.post({"state": "given"}, token=world.token(), path="/v1/consent").status


def for_another(world: World) -> int:
    """A token's holder names another subject."""
    return world.post({"state": "withdrawn", "subject_id": "anna"}, token=world.token(), path="/v1/consent").status


def app_only(world: World) -> int:
    """The app's statement about a subject needs the app's token."""
    body = {"state": "given", "subject_id": "anna"}
    return world.post(body, token=world.token(), port="app", path="/v1/consent").status


def private(name: str, signal: str, value: Any) -> Callable[[World], Any]:
    """A vote of a browser that asks for privacy, with a consenting token: its code, how many were stored, and how
    many of them are trainable."""

    def act(world: World) -> Any:
        token = world.token(**CONSENT)
        before = world.gateway.status()
        answer = world.post(world.event(signal, value), token=token, **{name: "1"})
        after = world.gateway.status()
        stored = after["bySignal"].get(signal, 0) - before["bySignal"].get(signal, 0)
        return rejected(answer)[1], stored, after["appended"]["trainable"] - before["appended"]["trainable"]

    return act


def origin(value: str) -> Callable[[World], Any]:
    """What an answer lets a page of an origin read."""

    def act(world: World) -> Any:
        headers = world.post(world.event("helpful", True), Origin=value).headers
        return headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")

    return act


def preflight(value: str) -> Callable[[World], int]:
    def act(world: World) -> int:
        request = f"OPTIONS /v1/feedback HTTP/1.1\r\nHost: x\r\nOrigin: {value}\r\nAccess-Control-Request-Method: POST\r\n\r\n"
        return sockets.exchange(world.gateway.feedback, request.encode())[0].status

    return act


def admin_from(port: str) -> Callable[[World], Any]:
    """Paths of the admin port on another one."""

    def act(world: World) -> Any:
        lines = [f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {APP_TOKEN}\r\nContent-Length: 0\r\n\r\n"
                 for method, path in (("GET", "/status"), ("GET", "/metrics"), ("POST", "/drain"))]  # fmt: skip
        seen = {sockets.exchange(getattr(world.gateway, port), line.encode())[0].status for line in lines}
        return seen <= {401, 404, 405} and not world.gateway.status().get("drained", False)

    return act


def peers_without_seal(world: World) -> Any:
    """The path by which pods hand events on, without the pods' seal."""
    statuses = {world.post({"events": []}, port="app", path=path).status
                for path in ("/v1/peers/feedback", "/internal/feedback", "/v1/peers/interactions")}  # fmt: skip
    return statuses <= {401, 403, 404}


CASES = [
    Case("T01", "no Authorization", "401", lambda w: sockets.exchange(w.gateway.feedback, b"POST /v1/feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")[0].status, 401),
    Case("T02", "an empty token", "401", told(lambda w: ""), 401),
    Case("T03", "a token under the scheme Basic", "401",
         lambda w: w.post(w.event("helpful", True), token="x", Authorization=f"Basic {w.token()}").status, 401),
    Case("T04", "random bytes in base64", "401", told(lambda w: base64.urlsafe_b64encode(os.urandom(200)).decode()), 401),
    Case("T05", "what is no base64", "401", told(lambda w: "!" * 100), 401),
    Case("T06", "a flipped bit in the version", "401", told(flipped(0)), 401),
    Case("T07", "a flipped bit in the nonce", "401", told(flipped(5)), 401),
    Case("T08", "a flipped bit in the claims", "401", told(flipped(40)), 401),
    Case("T09", "a flipped bit in the tag", "401", told(flipped(-1)), 401),
    Case("T10", "a token cut short", "401", told(changed(lambda sealed: sealed[:-1])), 401),
    Case("T11", "a token with a byte more", "401", told(changed(lambda sealed: sealed + b"\x00")), 401),
    Case("T12", "the nonce and the tag alone", "401", told(changed(lambda sealed: sealed[:29])), 401),
    Case("T13", "two tokens' halves put together", "401",
         told(lambda w: (a := w.token())[: len(a) // 2] + w.token()[len(a) // 2 :]), 401),
    Case("T14", "a token sealed under another key", "401", told(lambda w: sealed(w, key=os.urandom(32))), 401),
    Case("T15", "a token of another loop under the same key", "401", told(lambda w: sealed(w, loop_uid=str(uuid.uuid4()))), 401),
    Case("T16", "a token sealed under the loop's key (the forger of the next cases is able)", "202", told(sealed), 202),
    Case("T17", "an expired token under the loop's key", "401", told(lambda w: sealed(w, expires_at=1)), 401),
    Case("T18", "a token of 9,000 characters", "401 or 431", told(lambda w: "A" * 9000), [401, 431], any_of=True),
    Case("T19", "the token in the query instead of the header", "401",
         lambda w: w.post(w.event("helpful", True), token="", path=f"/v1/feedback?access_token={w.token()}").status, 401),
    Case("T20", "the app's token on the feedback port", "401", told(lambda w: APP_TOKEN), 401),
    Case("T21", "a feedback token on the app port", "401",
         lambda w: w.post({"messages": []}, token=w.token(), port="app", path="/v1/chat/completions").status, 401),
    Case("T22", "the app's token with a character less", "401",
         lambda w: w.post({"messages": []}, token=APP_TOKEN[:-1], port="app", path="/v1/chat/completions").status, 401),
    Case("T23", "paths of the admin port on the feedback port", "404, nothing drained", admin_from("feedback"), True),
    Case("T24", "paths of the admin port on the app port", "404, nothing drained", admin_from("app"), True),
    Case("T25", "the paths between pods with the app's token", "refused", peers_without_seal, True),
    Case("T26", "an event replayed", "a duplicate, also under another token of the subject", twice, [0, 1, 1]),
    Case("T27", "the same event on forty connections at once", "one accepted, 39 duplicates", at_once, (1, 39)),
    Case("T28", "an event id that another subject has used", "both are stored", of_another, [1, 1]),
    Case("T29", "an event id taken first by another subject, with another value", "no conflict for its owner", suppressed, (202, "", "")),
    Case("T30", "stream: verified under a public token", "403 or 422 forbidden, no bad row to replay",
         lambda w: rejected(w.post(w.event("helpful", True, stream="verified")))[1:], ("forbidden", "$.stream")),
    Case("T31", "stream: verified with the app's token", "forbidden",
         lambda w: rejected(w.post(w.event("helpful", True, stream="verified", output_id="o-1", session_id="s"), port="app"))[1:],
         ("forbidden", "$.stream")),
    Case("T32", "verified: true in the body", "422 unknown_field",
         lambda w: rejected(w.post(w.event("helpful", True, verified=True)))[:2], (422, "unknown_field")),
    Case("T33", "consent in the body that the token does not have", "stored, not trainable",
         lambda w: voted(w, w.token(), CONSENT), (202, 0)),
    Case("T34", "consent withdrawn in the body", "stored, not trainable",
         lambda w: voted(w, w.token(**CONSENT), {"consent": {"train": False}}), (202, 0)),
    Case("T35", "consent as 1 instead of true", "422 malformed",
         lambda w: rejected(w.post(w.event("helpful", True, consent={"train": 1})))[:2], (422, "malformed")),
    Case("T36", "X-Consent-Train: 1, yes, on", "not consent", lambda w: [voted(w, asked(w, X_Consent_Train=said)) for said in ("1", "yes", "on")],
         [(202, 0)] * 3),
    Case("T37", "no consent at all", "stored, not trainable", lambda w: voted(w, asked(w)), (202, 0)),
    Case("T38", "a vote with an older consenting token after a withdrawal", "stored, not trainable", withdrawn, ((202, 1), 202, (202, 0))),
    Case("T39", "a feedback token that gives consent", "403", given_by_token, 403),
    Case("T40", "a feedback token that speaks for another subject", "422", for_another, 422),
    Case("T41", "the app's consent endpoint with a feedback token", "401", app_only, 401),
    Case("T42", "Sec-GPC: 1 with an implicit signal", "privacy_signal: not stored, not counted as accepted",
         private("Sec_GPC", "dwell", 5000), ("privacy_signal", 0, 0)),
    Case("T43", "DNT: 1 with an implicit signal", "privacy_signal: not stored",
         private("DNT", "copied", 10), ("privacy_signal", 0, 0)),
    Case("T44", "Sec-GPC: 1 with a vote and a consenting token", "stored, not trainable",
         private("Sec_GPC", "helpful", True), ("", 1, 0)),
    Case("T45", "a page of an unlisted origin", "no CORS header", origin("https://evil.example"), (None, None)),
    Case("T46", "Origin: null", "no CORS header", origin("null"), (None, None)),
    Case("T47", "an origin that begins like a listed one", "no CORS header", origin("https://app.example.com.evil.example"), (None, None)),
    Case("T48", "a page of the listed origin", "its own name, never with credentials", origin("https://app.example.com"),
         ("https://app.example.com", None)),
    Case("T49", "a preflight of an unlisted origin", "403", preflight("https://evil.example"), 403),
    Case("T50", "claims that decode and are wrong in type, under the loop's key", "401",
         told(lambda w: sealed(w, outputs="o-1")), 401),
]  # fmt: skip
