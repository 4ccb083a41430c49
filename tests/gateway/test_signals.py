"""Every kind of signal, batches, trusted servers, browsers and published schemas, on the ports of a real process."""

from __future__ import annotations

import json
import uuid
from typing import Any

import jsonschema

from feedbackloop.events import store
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, Gateway, Reply, event
from tests.gateway.stored import keyring, records, uploaded

ORIGIN = "https://app.example.com"
VERIFIED = "token-of-the-annotators"
SIGNALS = [
    {"name": "helpful", "kind": "Thumbs"},
    {"name": "stars", "kind": "Stars"},
    {"name": "prefer", "kind": "Preference"},
    {"name": "why", "kind": "Reason", "values": ["inaccurate", "style"]},
    {"name": "fix", "kind": "Correction"},
    {"name": "note", "kind": "Comment"},
    {"name": "satisfied", "kind": "Question", "dimension": "Satisfaction"},
    {"name": "correct", "kind": "Question", "dimension": "Factuality"},
    {"name": "skip", "kind": "Skip"},
    {"name": "seen", "kind": "Exposure"},
    {"name": "dwell", "kind": "Dwell"},
    {"name": "copy", "kind": "Copy"},
    {"name": "accept", "kind": "Accept"},
    {"name": "again", "kind": "Regenerate"},
    {"name": "edit", "kind": "Edit"},
    {"name": "bought", "kind": "Conversion"},
    {"name": "next", "kind": "FollowUp"},
    {"name": "gone", "kind": "Abandonment"},
]
SAID: list[tuple[str, Any, dict[str, Any]]] = [
    ("helpful", False, {}),
    ("stars", 4, {}),
    ("why", "style", {}),
    ("fix", "thirty days", {}),
    ("note", "fine", {}),
    ("satisfied", "yes", {}),
    ("correct", "unsure", {}),
    ("skip", None, {}),
    ("seen", None, {"ui": {"exposure_id": "e-1", "solicit_p": 0.1}}),
    ("dwell", 2500, {}),
    ("copy", 120, {"fraction": 0.5}),
    ("accept", True, {}),
    ("again", None, {"new_output_id": "o-2"}),
    ("edit", 0.25, {}),
    ("bought", 19.9, {"goal": "purchase"}),
]


def start(make_gateway: MakeGateway, *, model: Model | None = None, **collection: Any) -> Gateway:
    """A gateway whose collection has all signals and these members."""
    gateway = make_gateway(stable_port=model.port if model else 1)
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"signals": SIGNALS} | collection})
    return gateway.start()


def lines(*events: Any) -> bytes:
    return b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in events)


def batch(gateway: Gateway, port: int, token: str, *events: Any) -> Reply:
    return gateway.call(port, "POST", "/v1/feedback:batch", lines(*events), {"Authorization": f"Bearer {token}"})


def verified(gateway: Gateway) -> None:
    """Mounts the annotators' token."""
    path = gateway.root / "secrets" / "verified" / "token"
    path.parent.mkdir()
    path.write_text(VERIFIED)


def test_every_kind_goes_through_to_storage(make_gateway: MakeGateway, objects: S3Client) -> None:
    gateway = start(make_gateway)
    token = gateway.token(outputs=[{"output_id": "o-1", "content": "a"}])
    reply = batch(gateway, gateway.feedback, token, *(event(name, value, **more) for name, value, more in SAID))
    assert reply.json() == {"accepted": len(SAID), "duplicate": 0, "rejected": []}
    for name in ("next", "gone"):
        refused = gateway.vote(token, event(name, "thanks")).json()["rejected"]
        assert (refused[0]["code"], refused[0]["path"]) == ("computed_signal", "$.signal")
    uploaded(gateway)
    votes = [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert [(vote.signal, vote.value) for vote in votes] == [(name, value) for name, value, _ in SAID]
    assert {vote.signal: vote.dimension for vote in votes}["correct"] == "Factuality"
    assert (votes[10].fraction, votes[12].detail, votes[14].detail) == (0.5, "o-2", "purchase")


def test_a_batch_is_accepted_in_part(make_gateway: MakeGateway) -> None:
    gateway = start(make_gateway)
    reply = batch(gateway, gateway.feedback, gateway.token(), event(), event("stars", 6), b"{", b"")
    assert reply.status == 202
    answer = reply.json()
    assert answer["accepted"] == 1
    assert [(item["index"], item["code"], item["path"]) for item in answer["rejected"]] == [
        (1, "bad_value", "$.lines[1].value"),
        (2, "malformed", "$.lines[2]"),
    ]
    assert batch(gateway, gateway.feedback, gateway.token(), event("stars", 6)).status == 422
    assert batch(gateway, gateway.feedback, gateway.token(), *[event()] * 501).status == 413
    assert batch(gateway, gateway.feedback, gateway.token(), b" " * (4 << 20)).status == 202
    assert batch(gateway, gateway.feedback, gateway.token(), b" " * (4 << 20), b"").status == 413
    assert batch(gateway, gateway.feedback, "x", event()).status == 401


def test_a_batch_of_the_largest_size_is_stored(make_gateway: MakeGateway) -> None:
    gateway = start(make_gateway)
    token = gateway.token()
    reply = batch(gateway, gateway.feedback, token, *(event("note", "word " * 700) for _ in range(500)))
    assert reply.json()["accepted"] == 500


def test_trusted_servers_send_feedback_on_the_app_port(make_gateway: MakeGateway, objects: S3Client) -> None:
    gateway = start(make_gateway)
    early = event(output_id="o-1", subject_id="anna", session_id="s-1", tenant_id="acme", consent={"train": True})
    headers = {"Authorization": f"Bearer {APP_TOKEN}"}
    assert gateway.call(gateway.app, "POST", "/v1/feedback", early, headers).json()["accepted"] == 1
    assert gateway.call(gateway.app, "POST", "/v1/feedback", early, headers).json()["duplicate"] == 1
    gateway.interact(subject_id="anna", tenant_id="acme", outputs=[{"output_id": "o-1", "content": "a"}])
    reply = batch(gateway, gateway.app, APP_TOKEN, event("note", "x", output_id="o-1", subject_id="ben"), event("y"))
    assert (reply.json()["accepted"], reply.json()["rejected"][0]["path"]) == (1, "$.lines[1].signal")
    assert gateway.call(gateway.app, "POST", "/v1/feedback", early).status == 401
    assert uploaded(gateway)["orphans"] == 1
    first, answer, second = records(gateway, objects)
    assert isinstance(first, FeedbackRecord)
    assert isinstance(answer, InteractionRecord)
    assert isinstance(second, FeedbackRecord)
    assert (first.subject, first.session, first.tenant) == (answer.subject, answer.session, answer.tenant)
    assert (first.channel, first.orphan, second.orphan) == ("api", True, False)


def test_verified_feedback_needs_the_annotators_token(make_gateway: MakeGateway, objects: S3Client) -> None:
    gateway = start(make_gateway)
    vote = event(stream="verified", output_id="o-1", subject_id="expert")
    assert gateway.vote(gateway.token(), event(stream="verified")).status == 403
    for token, status in ((APP_TOKEN, 403), (VERIFIED, 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert gateway.call(gateway.app, "POST", "/v1/feedback", vote, headers).status == status
    verified(gateway)
    headers = {"Authorization": f"Bearer {VERIFIED}"}
    assert gateway.call(gateway.app, "POST", "/v1/feedback", vote, headers).json()["accepted"] == 1
    assert gateway.call(gateway.app, "GET", "/v1/models", headers=headers).status == 403
    body = {
        "event_id": str(uuid.uuid4()),
        "session_id": "s",
        "messages": [{"role": "user", "content": "q"}],
        "outputs": [{"output_id": "o-2", "content": "a"}],
        "raters": ["expert"],
    }
    (rater,) = gateway.call(gateway.app, "POST", "/v1/interactions", body, headers).json()["tokens"]
    assert gateway.vote(rater["token"], event(stream="verified")).json()["accepted"] == 1
    uploaded(gateway)
    votes = [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert [(vote.stream, vote.source) for vote in votes] == [("verified", "ANNOTATOR")] * 2


def test_listed_origins_may_call_and_others_may_not(make_gateway: MakeGateway) -> None:
    gateway = start(make_gateway, browser={"allowedOrigins": [ORIGIN]})

    def ask(method: str, origin: str, **headers: str) -> Reply:
        sent = {"Origin": origin} | {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(event()).encode() if method == "POST" else None
        return gateway.call(gateway.feedback, method, "/v1/feedback", body, sent)

    preflight = ask("OPTIONS", ORIGIN, Access_Control_Request_Method="POST")
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type"
    bearer = {"Authorization": f"Bearer {gateway.token()}"}
    for reply in (ask("POST", ORIGIN, **bearer), ask("POST", ORIGIN)):
        assert reply.headers["access-control-allow-origin"] == ORIGIN
        assert reply.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in reply.headers
    for origin in ("https://evil.example.com", "null", ORIGIN + ".evil.com", ORIGIN.upper(), "*"):
        refused = ask("OPTIONS", origin, Access_Control_Request_Method="POST")
        assert (refused.status, refused.headers["vary"]) == (403, "Origin")
        for reply in (refused, ask("POST", origin, **bearer)):
            assert "access-control-allow-origin" not in reply.headers
    assert ask("OPTIONS", ORIGIN, Access_Control_Request_Method="DELETE").status == 403


def test_a_page_can_read_why_it_was_refused(make_gateway: MakeGateway) -> None:
    gateway = start(make_gateway, browser={"allowedOrigins": [ORIGIN]})
    headers = {"Origin": ORIGIN, "Authorization": f"Bearer {gateway.token()}"}
    for body, status in ((b" " * (257 << 10), 413), (b"{", 400), (event("nope"), 422)):
        reply = gateway.call(gateway.feedback, "POST", "/v1/feedback", body, headers)
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (status, ORIGIN)


def test_privacy_signals_of_the_browser_are_honoured(make_gateway: MakeGateway, objects: S3Client) -> None:
    gateway = start(make_gateway)
    token = gateway.token(consent={"train": True})
    for name in ("Sec-GPC", "DNT"):
        headers = {"Authorization": f"Bearer {token}", name: "1"}
        reply = gateway.call(gateway.feedback, "POST", "/v1/feedback:batch", lines(event(), event("dwell", 9)), headers)
        assert reply.json()["accepted"] == 1
        (declined,) = reply.json()["rejected"]
        assert (declined["code"], "bad_row_id" in declined) == ("privacy_signal", False)
    headers = {"Authorization": f"Bearer {token}", "DNT": "0"}
    assert gateway.call(gateway.feedback, "POST", "/v1/feedback", event("dwell", 9), headers).json()["accepted"] == 1
    status = uploaded(gateway)
    assert (status["declined"], status["badRows"], status["stored"]) == (2, 0, 4)
    votes = [record for record in records(gateway, objects) if isinstance(record, FeedbackRecord)]
    assert [(vote.consent, vote.trainable) for vote in votes[:2]] == [(False, False)] * 2


def test_a_loop_may_ignore_privacy_signals(make_gateway: MakeGateway) -> None:
    gateway = start(make_gateway, browser={"honorPrivacySignals": False})
    headers = {"Authorization": f"Bearer {gateway.token()}", "DNT": "1"}
    assert gateway.call(gateway.feedback, "POST", "/v1/feedback", event("dwell", 9), headers).json()["accepted"] == 1


def test_an_answer_without_required_context_is_given_and_explains_itself(
    make_gateway: MakeGateway, model: Model, objects: S3Client
) -> None:
    context = {"required": ["promptTemplate"], "optional": ["region"]}
    gateway = start(make_gateway, model=model, context=context)
    for stream in (False, True):
        reply = gateway.ask("my mail is a@example.com", session="s-1", stream=stream, X_Subject_Id="anna")
        assert reply.status == 200
        assert "x-feedback-token" not in reply.headers
        assert reply.headers["x-feedback-error"] == "missing_context; path=$.context.prompt_template"
    kept = gateway.ask("q", session="s-1", X_Prompt_Template="p@1", X_Segment="s", X_Region="eu", X_Tenant_Id="acme",
                       X_Parent_Output_Id="o-0", X_Model_Version="m@1")  # fmt: skip
    assert gateway.vote(kept.headers["x-feedback-token"], event()).json()["accepted"] == 1
    status = uploaded(gateway)
    assert (status["badRows"], status["stored"]) == (2, 2)
    rows = list(store.read_badrows(objects, gateway.prefix, keyring(gateway)))
    assert {(row.code, row.source, row.channel) for row in rows} == {("missing_context", "interaction", "proxy")}
    assert all("anna" not in row.raw and "s-1" not in row.raw and "<EMAIL_1>" in row.raw for row in rows)
    answer = next(record for record in records(gateway, objects) if isinstance(record, InteractionRecord))
    assert (answer.context.prompt_template, answer.context.region, answer.context.segment) == ("p@1", "eu", "")
    assert (answer.context.model_version, answer.tenant, answer.parent_output_id) == ("", "", "o-0")


def test_the_schemas_are_published_on_both_ports(make_gateway: MakeGateway) -> None:
    gateway = start(make_gateway)
    for port in (gateway.app, gateway.feedback):
        feedback = gateway.call(port, "GET", "/v1/schema/feedback-1.json")
        interaction = gateway.call(port, "GET", "/v1/schema/interaction-1.json")
        registry = gateway.call(port, "GET", "/v1/schema/signals.json")
        assert {feedback.status, interaction.status, registry.status} == {200}
        for schema in (feedback.json(), interaction.json()):
            jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(event(), feedback.json(), cls=jsonschema.Draft202012Validator)
        assert [signal["name"] for signal in registry.json()["signals"]] == [signal["name"] for signal in SIGNALS]
        assert gateway.call(port, "GET", "/v1/schema/other.json").status in (401, 404)
