"""Consent, the ledger and the text for users, of a real process with a real S3."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from typing import Any

import pytest

from feedbackloop.events.ledger.verify import verify
from feedbackloop.events.objects import S3Client
from feedbackloop.events.records import ConsentRecord, FeedbackRecord, InteractionRecord
from tests.gateway.conftest import MakeGateway
from tests.gateway.models import Model
from tests.gateway.process import APP_TOKEN, Gateway, event
from tests.gateway.stored import all_records, records, uploaded
from tests.gateway.waiting import wait_for

PRIVATE = "anna.sofia@example.com"


def tell(gateway: Gateway, body: Any, token: str = APP_TOKEN) -> Any:
    return gateway.call(gateway.app, "POST", "/v1/consent", body, {"Authorization": f"Bearer {token}"})


def withdraw(gateway: Gateway, token: str, body: Any = b"") -> Any:
    return gateway.call(gateway.feedback, "POST", "/v1/consent", body, {"Authorization": f"Bearer {token}"})


def consents(gateway: Gateway, objects: S3Client) -> list[tuple[str, str, str]]:
    uploaded(gateway)
    found = [r for r in all_records(gateway, objects) if isinstance(r, ConsentRecord)]
    assert len({record.subject for record in found}) <= 1
    assert all(record.policy_sha256 and record.policy_version == "1" for record in found)
    return [(record.purpose, record.state, record.source) for record in found]


def ledger(gateway: Gateway, objects: S3Client) -> dict[str, bytes]:
    below = f"{gateway.prefix}ledger/"
    return {key.removeprefix(below): objects.get(key) for key in objects.list(below)}


def carrying(consent: str) -> dict[str, Any]:
    return {"X-Subject-Id": "anna", "X-Consent-Train": consent}


def test_only_what_changes_becomes_an_entry(gateway: Gateway, objects: S3Client) -> None:
    for said in ("true", "true", "false", "false", "true"):
        assert gateway.ask("hello", **carrying(said)).status == 200
    gateway.ask("hello", X_Subject_Id="anna")
    gateway.interact(subject_id="anna", consent={"train": True})
    found = consents(gateway, objects)
    assert found == [("Improve", state, "interaction") for state in ("given", "refused", "given")]
    assert len(records(gateway, objects)) == 7


def test_a_withdrawal_by_the_user_is_not_lifted_by_requests_but_by_the_consent_api(
    gateway: Gateway, objects: S3Client
) -> None:
    headers: dict[str, Any] = {"X-Subject-Id": "anna", "X-Consent-Train": "true"}
    token = gateway.ask("hello", **headers).headers["X-Feedback-Token"]
    reply = withdraw(gateway, token)
    assert (reply.status, reply.json()) == (202, {"state": "withdrawn", "purposes": ["Improve", "Analyze"]})
    assert withdraw(gateway, token, {"state": "refused", "purposes": ["Improve"]}).status == 202
    assert withdraw(gateway, token).status == 202
    later = gateway.ask("hello", **headers).headers["X-Feedback-Token"]
    for each in (token, later):
        assert gateway.vote(each, event()).status == 202
    given = {"subject_id": "anna", "state": "given"}
    assert tell(gateway, given).json() == {"state": "given", "purposes": ["Improve"]}
    gateway.vote(gateway.ask("hello", **headers).headers["X-Feedback-Token"], event())
    status = uploaded(gateway)
    assert status["uploaded"]["trainable"] == 1
    votes = [r for r in records(gateway, objects) if isinstance(r, FeedbackRecord)]
    assert [vote.consent for vote in votes] == [False, False, True]
    said = [r.consent for r in records(gateway, objects) if isinstance(r, InteractionRecord)]
    assert said == [True, False, True]
    assert ("Improve", "given", "app") in consents(gateway, objects)


REFUSED: list[tuple[Any, int]] = [
    (b"{", 400),
    (b"[]", 422),
    ({"state": "given"}, 422),
    ({"subject_id": "anna", "state": "perhaps"}, 422),
    ({"subject_id": "anna", "state": "given", "purposes": ["Sell"]}, 422),
    ({"subject_id": "anna", "state": "given", "more": 1}, 422),
    ({"subject_id": "a" * 300, "state": "given"}, 422),
]


def test_what_is_no_statement_is_refused_and_nobody_speaks_for_others(gateway: Gateway) -> None:
    for body, status in REFUSED:
        reply = tell(gateway, body)
        assert (reply.status, set(reply.json())) == (status, {"error"})
    token = gateway.token(subject_id="anna", consent={"train": True})
    assert tell(gateway, {"subject_id": "anna", "state": "given"}, token).status == 401
    assert withdraw(gateway, "no token").status == 401
    assert withdraw(gateway, token, {"state": "given"}).status == 403
    assert withdraw(gateway, token, {"subject_id": "ben"}).status == 422
    assert withdraw(gateway, token, b"{").status == 400
    assert gateway.status().get("consents") == {"Improve/given": 1}


def test_a_browser_that_asks_for_privacy_withdraws_once(gateway: Gateway, objects: S3Client) -> None:
    token = gateway.token(subject_id="anna", consent={"train": True})
    for header in ("Sec-GPC", "DNT", "Sec-GPC"):
        headers = {"Authorization": f"Bearer {token}", header: "1"}
        assert gateway.call(gateway.feedback, "POST", "/v1/feedback", event(), headers).status == 202
    found = consents(gateway, objects)
    assert found == [("Improve", "given", "interaction"), ("Improve", "withdrawn", "browser")]


def test_the_ledger_goes_on_over_restarts_and_lost_volumes_and_verifies(
    make_gateway: MakeGateway, model: Model, objects: S3Client
) -> None:
    gateway = make_gateway(stable_port=model.port).start()
    gateway.interact(subject_id=PRIVATE, consent={"train": True})
    uploaded(gateway)
    gateway.kill()
    gateway.start()
    withdraw(gateway, gateway.interact(subject_id=PRIVATE).json()["tokens"][0]["token"])
    uploaded(gateway)
    gateway.kill()
    shutil.rmtree(gateway.volume)
    gateway.start()
    tell(gateway, {"subject_id": PRIVATE, "state": "given"})
    uploaded(gateway)
    files, key = ledger(gateway, objects), gateway.status()["ledger"]["publicKey"]
    (report,) = verify(files, key)
    assert report.problem is None
    head = gateway.status()["ledger"]
    assert (report.head.seq, report.head.hash) == (head["seq"], head["hash"])
    whole = b"".join(files.values())
    for action in (b"gateway.started", b"config.applied", b"consent.policy"):
        assert action in whole
    assert PRIVATE.encode() not in whole
    assert whole.count(b'"kind":"consent"') == 4
    assert gateway.status()["stored"] == 2


def test_an_upload_of_the_ledger_that_was_not_remembered_is_not_written_twice(
    gateway: Gateway, objects: S3Client
) -> None:
    gateway.interact(subject_id="anna", consent={"train": True})
    wal, checkpoint = gateway.volume / "wal", gateway.volume / "checkpoint"
    before = checkpoint.read_bytes()
    kept: dict[str, bytes] = {}

    def snapshot() -> bool:
        kept.update({path.name: path.read_bytes() for path in wal.glob("*.seg")})
        return bool(list(objects.list(f"{gateway.prefix}ledger/")))

    wait_for(snapshot, "the ledger is there")
    uploaded(gateway)
    gateway.kill()
    files = ledger(gateway, objects)
    for name, data in kept.items():
        (wal / name).write_bytes(data)
    checkpoint.write_bytes(before)
    gateway.start()
    uploaded(gateway)
    (report,) = verify(ledger(gateway, objects), gateway.status()["ledger"]["publicKey"])
    assert report.problem is None
    again = ledger(gateway, objects)
    assert {name: again[name] for name in files} == files
    assert b"".join(again.values()).count(b'"kind":"consent"') == 1


def test_a_withdrawal_does_not_wait_for_the_flush(make_gateway: MakeGateway, model: Model, objects: S3Client) -> None:
    gateway = make_gateway(stable_port=model.port)
    gateway.configure(gateway.config | {"collection": gateway.config["collection"] | {"flushSeconds": 3600}})
    gateway.start()
    token = gateway.token(subject_id="anna", consent={"train": True})
    assert withdraw(gateway, token).status == 202
    wait_for(lambda: b'"withdrawn"' in b"".join(ledger(gateway, objects).values()), "jobs can know of it", 60)


class Page(HTMLParser):
    """What stands in a page, and whether every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.mark.parametrize("port", ["app", "feedback"])
def test_users_are_told_what_is_collected_and_how_to_take_it_back(gateway: Gateway, port: str) -> None:
    collection = gateway.config["collection"]
    collection["notice"] = "We are <Acme> & we care."
    collection["consent"] = {"required": True, "policyVersion": "7", "contact": "privacy@acme.example"}
    gateway.configure(gateway.config | {"collection": collection, "retention": {"rawSeconds": 30 * 86_400}})
    where = getattr(gateway, port)

    def notice() -> dict[str, Any]:
        found: dict[str, Any] = gateway.call(where, "GET", "/v1/privacy").json()
        return found

    wait_for(lambda: notice()["policyVersion"] == "7", "the configuration is applied")
    told = notice()
    assert told["notice"] == "We are <Acme> & we care."
    assert "conversations and feedback: 30 days" in told["retention"]["items"]
    assert told["contact"]["text"] == ["privacy@acme.example"]
    assert any("e-mail addresses" in item for item in told["removed"]["items"])
    assert len(told["collected"]["items"]) == len(collection["signals"]) + 1
    browser = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}
    reply = gateway.call(where, "GET", "/v1/privacy", headers=browser)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = Page()
    page.feed(reply.body.decode())
    assert not page.open
    assert "We are <Acme> & we care." in page.text
    assert told["policySha256"] in page.text
    assert len(page.headings) == 8
