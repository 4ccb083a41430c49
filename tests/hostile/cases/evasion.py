"""PII evasion: private data in every disguise and every corner; nothing of it may be in a stored record."""

# ruff: noqa: E501 - the lists are tables
from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.hostile.case import Case
from tests.hostile.world import World

CARD, IBAN, SSN = "4111111111111111", "DE89370400440532013000", "536-22-1845"
PHONE, US_PHONE = "+49 170 1234567", "(212) 736-5000"
IPV4, IPV6 = "203.0.113.77", "2001:db8:85a3::8a2e:370:7334"
AWS, GITHUB = "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hLW11ZWxsZXIifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n-----END RSA PRIVATE KEY-----"
SECRET = "@SECRET@"
"""In a template: an e-mail address that no other case has."""

Send = Callable[[World, str, str], None]
"""Sends a text; the second argument is the canary by which its record is found."""


@dataclass(frozen=True)
class Evasion:
    """A private text, how it is disguised, and where it is put."""

    id: str
    what: str
    disguised: str
    plain: str
    send: Send

    def filled(self, canary: str) -> tuple[str, str]:
        """The disguised and the plain text of this case, with an address of its own."""
        address = f"anna.{canary[6:]}@example.com"
        disguise = DISGUISES.get(self.disguised)
        if disguise is not None:
            return disguise(address if self.plain == SECRET else self.plain), self._plain(address)
        return self.disguised.replace(SECRET, address), self._plain(address)

    def _plain(self, address: str) -> str:
        return self.plain.replace(SECRET, address)


def _base64(text: str) -> str:
    return base64.b64encode(f"my contact is {text}, please".encode()).decode()


DISGUISES: dict[str, Callable[[str], str]] = {
    "fullwidth": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "arabic": lambda text: "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in text),
    "bold": lambda text: "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in text),
    "joiners": "\u200d".join,
    "zero-width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "unicode hyphens": lambda text: text.replace("-", "\u2011"),
    "no-break spaces": lambda text: "\u00a0".join(text[i : i + 4] for i in range(0, len(text), 4)),
    "spaced": " ".join,
    "spelled": lambda text: text.replace("@", " at ").replace(".", " dot "),
    "bracketed": lambda text: text.replace("@", " [at] ").replace(".", " (dot) "),
    "entities": lambda text: text.replace("@", "&#64;").replace(".", "&#x2e;"),
    "named entity": lambda text: text.replace("@", "&commat;"),
    "percent": lambda text: text.replace("@", "%40"),
    "twice percent": lambda text: text.replace("@", "%2540"),
    "quoted-printable": lambda text: text.replace("@", "=40"),
    "base64": _base64,
    "base64url": lambda text: base64.urlsafe_b64encode(f"card: {text} ok".encode()).decode().rstrip("="),
    "line break": lambda text: text[: len(text) // 2] + "\n" + text[len(text) // 2 :],
    "accents": lambda text: f"é{text}ü",
    "capitals": str.upper,
    "fullwidth at": lambda text: text.replace("@", "\uff20"),
    "backwards": lambda text: "\u202e" + text + "\u202c",
    "link": lambda text: f"https://example.org/?mail={text.replace('@', '%40')}&x=1",
    "mailto": lambda text: f"<mailto:{text}>",
}


def comment(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("note", f"{canary} {text} thanks")).status == 202


def correction(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("fix", f"{canary} {text}")).status == 202


def batch_line(world: World, text: str, canary: str) -> None:
    line = json.dumps(world.event("note", f"{canary} {text}")).encode()
    assert world.post(line + b"\n", path="/v1/feedback:batch").status == 202


def bad_value(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("helpful", f"{canary} {text}")).status == 422


def bad_key(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("helpful", True) | {text: canary}).status == 422


def nested_key(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("helpful", True) | {"meta": [{"a": {text: [canary, 1]}}]}).status == 422


def signal_name(world: World, text: str, canary: str) -> None:
    assert world.post(world.event(text, canary)).status == 422


def long_number(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("helpful", int(text)) | {canary: 1}).status == 422


def no_json(world: World, text: str, canary: str) -> None:
    line = json.dumps(f"{canary} {text}").encode() + b" and no more JSON"
    assert world.post(line + b"\n", path="/v1/feedback:batch").status == 422


def output_id(world: World, text: str, canary: str) -> None:
    outputs = [{"output_id": text, "content": canary}]
    assert world.gateway.interact(outputs=outputs).status == 202


def unknown_output(world: World, text: str, canary: str) -> None:
    assert world.post(world.event("note", canary, output_id=text)).status == 422


def message(world: World, text: str, canary: str) -> None:
    assert world.gateway.interact(messages=[{"role": "user", "content": f"{canary} {text}"}]).status == 202


def role(world: World, text: str, canary: str) -> None:
    assert world.gateway.interact(messages=[{"role": text, "content": canary}]).status == 202


def context(world: World, text: str, canary: str) -> None:
    fields = {"prompt_template": text, "segment": text, "region": text, "retrieval": [text, "doc-1"]}
    reply = world.gateway.interact(
        turn_id=text, subject_id=text, session_id=text, context=fields, outputs=[{"output_id": "o", "content": canary}]
    )
    assert reply.status == 202


def headers(world: World, text: str, canary: str) -> None:
    """Every trusted header of a proxied request."""
    names = ("X_Subject_Id", "X_Turn_Id", "X_Prompt_Template", "X_Segment", "X_Region", "X_Retrieval", "X_Tenant_Id")
    said = dict.fromkeys((*names, "User_Agent", "X_Forwarded_For"), text)
    assert world.gateway.ask(canary, session=text, **said).status == 200


def parts(world: World, text: str, canary: str) -> None:
    """A message of several parts, as multimodal models take them."""
    content = [{"type": "text", "text": canary}, {"type": "text", "text": text}]
    body = {"model": "bot", "messages": [{"role": "user", "content": content}]}
    assert world.post(body, port="app", path="/v1/chat/completions", X_Session_Id=canary).status == 200


def streamed(world: World, text: str, canary: str) -> None:
    """The model itself says it, in a stream."""
    before, world.model.name = world.model.name, text
    try:
        assert world.gateway.ask(canary, session="s", stream=True).status == 200
    finally:
        world.model.name = before


def query(world: World, text: str, canary: str) -> None:
    """In the query of the feedback port's target."""
    path = f"/v1/feedback?mail={text}"
    assert world.post(world.event("note", canary), path=path).status == 202


def hint(world: World, text: str, canary: str) -> None:
    """A name that no detector knows, told by the caller."""
    sent = world.event("note", f"{canary} ask {text} or {text.upper()}", redact_hints=[text])
    assert world.post(sent).status == 202


def otlp(world: World, text: str, canary: str) -> None:
    """An evaluation's explanation in OpenTelemetry's log format."""
    attributes = {"gen_ai.evaluation.name": "note", "gen_ai.evaluation.explanation": f"{canary} {text}",
                  "gen_ai.response.id": canary, "session.id": canary}  # fmt: skip
    listed = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    record = {"timeUnixNano": "1700000000000000000", "eventName": "gen_ai.evaluation.result", "attributes": listed}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert world.post(body, port="app", path="/v1/logs", Content_Type="application/json").status == 200


def _made(number: int, what: str, disguised: str, plain: str, send: Send = comment) -> Evasion:
    return Evasion(f"E{number:02}", what, disguised, plain, send)


_LISTED = (
    ("an e-mail address", SECRET, SECRET, comment),
    ("an international phone number", PHONE, PHONE, comment),
    ("a phone number with an area code in parentheses", US_PHONE, US_PHONE, comment),
    ("a card number", CARD, CARD, comment),
    ("an IBAN", IBAN, IBAN, comment),
    ("a US social security number", SSN, SSN, comment),
    ("an IPv4 address", IPV4, IPV4, comment),
    ("an IPv6 address", IPV6, IPV6, comment),
    ("a JWT", JWT, JWT, comment),
    ("an AWS access key id", AWS, AWS, comment),
    ("a GitHub token", GITHUB, GITHUB, comment),
    ("a private key in PEM", PEM, "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu", comment),
    ("a card number in fullwidth digits", "fullwidth", CARD, comment),
    ("an e-mail address in fullwidth letters", "fullwidth", SECRET, comment),
    ("a phone number in Arabic digits", "arabic", PHONE, comment),
    ("a card number in mathematical bold digits", "bold", CARD, comment),
    ("an e-mail address with zero-width joiners", "joiners", SECRET, comment),
    ("a card number with zero-width spaces", "zero-width", CARD, comment),
    ("an e-mail address with soft hyphens", "soft hyphens", SECRET, comment),
    ("a social security number with non-breaking hyphens", "unicode hyphens", SSN, comment),
    ("an IBAN in groups with no-break spaces", "no-break spaces", IBAN, comment),
    ("a card number digit by digit", "spaced", CARD, comment),
    ("an e-mail address spelled out: at, dot", "spelled", SECRET, comment),
    ("an e-mail address with [at] and (dot)", "bracketed", SECRET, comment),
    ("an e-mail address in numeric HTML entities", "entities", SECRET, comment),
    ("an e-mail address with &commat;", "named entity", SECRET, comment),
    ("an e-mail address percent-encoded", "percent", SECRET, comment),
    ("an e-mail address percent-encoded twice", "twice percent", SECRET, comment),
    ("an e-mail address in quoted-printable", "quoted-printable", SECRET, comment),
    ("an e-mail address in base64", "base64", SECRET, comment),
    ("a card number in URL-safe base64", "base64url", CARD, comment),
    ("a card number with a line break in it", "line break", CARD, comment),
    ("an IBAN with letters with accents glued to it", "accents", IBAN, comment),
    ("an e-mail address in capitals", "capitals", SECRET, correction),
    ("an e-mail address with a fullwidth at sign", "fullwidth at", SECRET, correction),
    ("an e-mail address between direction marks", "backwards", SECRET, correction),
    ("an e-mail address in the query of a link", "link", SECRET, correction),
    ("a mailto link", "mailto", SECRET, correction),
    ("an e-mail address in a line of a batch", SECRET, SECRET, batch_line),
    ("a card number in the value of a refused event", CARD, CARD, bad_value),
    ("an e-mail address as a key of a refused event", SECRET, SECRET, bad_key),
    ("an e-mail address as a key deep inside a refused event", SECRET, SECRET, nested_key),
    ("an e-mail address as the signal's name", SECRET, SECRET, signal_name),
    ("a card number as a JSON number", CARD, CARD, long_number),
    ("an e-mail address in a line that is no JSON", SECRET, SECRET, no_json),
    ("an e-mail address as an output's id", SECRET, SECRET, output_id),
    ("an e-mail address as the id of an unknown output", SECRET, SECRET, unknown_output),
    ("an e-mail address in a message of a posted interaction", SECRET, SECRET, message),
    ("an e-mail address as a role", SECRET, SECRET, role),
    ("an e-mail address as turn, subject, session, template, segment, region and document", SECRET, SECRET, context),
    ("an e-mail address in every header of a proxied request", SECRET, SECRET, headers),
    ("an e-mail address in one part of a message of several", SECRET, SECRET, parts),
    ("an e-mail address that the model streams", SECRET, SECRET, streamed),
    ("an e-mail address in the query of the target", SECRET, SECRET, query),
    ("a name that the caller gives as a hint", "Ottokar Quistorp", "Ottokar Quistorp", hint),
    ("an e-mail address in an OpenTelemetry log record", SECRET, SECRET, otlp),
)
EVASIONS = [_made(number, *parts_) for number, parts_ in enumerate(_LISTED, 1)]


def squeezed(text: str) -> str:
    """A text without everything that separates or decorates: what a determined reader sees."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum() or c == "@")


def send_all(world: World) -> None:
    """Sends every case once; what is looked for afterwards is noted in the world."""
    for case in EVASIONS:
        canary = world.canary()
        disguised, plain = case.filled(canary)
        world.notes[case.id] = (canary, disguised, plain)
        try:
            case.send(world, disguised, canary)
        except AssertionError as error:
            world.notes[case.id] = None
            print(f"{case.id} was not taken as expected: {error}")


def leaks(case: Evasion, world: World) -> Any:
    """What of the private text can be read in the records with the case's canary."""
    if world.notes[case.id] is None:
        return "not sent"
    canary, disguised, plain = world.notes[case.id]
    entries = [entry for entry in world.stored if canary in entry]
    if not entries:
        return "no record"
    found = {form for form in (disguised, plain) if any(form in entry for entry in entries)}
    if any(squeezed(plain) in squeezed(entry) for entry in entries):
        found.add("its letters and digits")
    return sorted(found)


CASES = [Case(e.id, e.what, "stored without it", partial(leaks, e), []) for e in EVASIONS]
