"""Feedback and interactions on their way into the log: what is stored, what is refused, and what is said of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from feedbackloop.events.errors import TokenInvalid
from feedbackloop.events.validation import Refusal
from feedbackloop.gateway.ingest import NotJson, Outcome, Sender, TooManyEvents
from tests.unit.gateway.door import SIGNALS, Door, claims, event

API = Sender(None, "api")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    yield made
    await made.close()


def said(outcome: Outcome) -> list[tuple[int, str, str]]:
    return [(item.index, item.code, item.path) for item in outcome.rejected]


async def test_what_an_event_says_is_in_its_record(door: Door) -> None:
    first = event("note", "fine")
    await door.send(first)
    await door.send(event("note", "better", supersedes=first["event_id"].upper()))
    await door.send(event("helpful", None, supersedes=first["event_id"], retracted=True))
    await door.send(event("helpful", level="turn", turn_id="t-7"))
    await door.send(event("again", None, new_output_id="o-3"))
    await door.send(event("goal", 3, goal="signup"))
    await door.send(event("true", "unsure"))
    ui = {"exposure_id": "e-1", "variant": "B", "reason_order": ["style", "other"], "solicit_p": 0.25}
    await door.send(event("seen", None, ui=ui))
    note, better, gone, turn, again, goal, fact, seen = door.votes
    assert (note.level, note.stream, note.source, note.channel) == ("output", "unverified", "END_USER", "token")
    assert (better.supersedes, gone.supersedes) == (first["event_id"], first["event_id"])
    assert (gone.retracted, gone.value, gone.trainable) == (True, None, False)
    assert (turn.level, turn.turn_id, turn.output_id, turn.trainable) == ("turn", "t-7", "", False)
    assert (again.detail, goal.detail, goal.value, fact.dimension) == ("o-3", "signup", 3.0, "Factuality")
    assert seen.ui is not None
    assert (seen.ui.variant, seen.ui.reason_order, seen.ui.solicit_p) == ("B", ("style", "other"), 0.25)


async def test_lines_are_judged_one_by_one_and_committed_at_once(door: Door) -> None:
    same, before = event(), door.core.applied.redactor.replaced["Email"]
    lines = [
        same,
        b"",
        event("note", "mail a@example.com"),
        b"{",
        event("stars", 5),
        same,
        event("note", "b@example.com"),
    ]
    outcome = await door.send(*lines, lines=True)
    assert (outcome.accepted, outcome.duplicate) == (3, 1)
    assert said(outcome) == [(2, "malformed", "$.lines[2]"), (3, "unknown_signal", "$.lines[3].signal")]
    assert [vote.value for vote in door.votes] == [True, "mail <EMAIL_1>", "<EMAIL_1>"]
    assert {row.bad_row_id for row in door.bad_rows} == {item.bad_row_id for item in outcome.rejected}
    assert door.core.journal.position == (1, 0), "one frame"
    assert door.core.applied.redactor.replaced["Email"] - before == 2


async def test_a_batch_without_private_texts_is_as_it_came(door: Door) -> None:
    texts = [f"the answer number {number} was right" for number in range(40)]
    await door.send(*(event("note", text) for text in texts), lines=True)
    assert [vote.value for vote in door.votes] == texts


async def test_more_lines_than_allowed_and_no_json_are_refused_whole(door: Door) -> None:
    with pytest.raises(TooManyEvents):
        await door.send(*([event()] * 501), lines=True)
    with pytest.raises(NotJson):
        await door.send(b"{")
    assert not door.state.entries


async def test_an_empty_batch_is_answered(door: Door) -> None:
    outcome = await door.send(b"\n\n", lines=True)
    assert (outcome.accepted, outcome.status) == (0, 202)


async def test_hints_are_replaced_and_never_stored(door: Door) -> None:
    await door.send(event("note", "Anna Meier of customer 4711-X asked", redact_hints=["Anna Meier", "4711-X"]))
    await door.send(event("nope", "Anna Meier", redact_hints=["Anna Meier"]))
    (note,), (row,) = door.votes, door.bad_rows
    assert note.value == "<HINT_1> of customer <HINT_2> asked"
    assert "Anna" not in row.raw
    assert "redact_hints" not in row.raw


async def test_nothing_private_hides_in_ids(door: Door) -> None:
    ui = {"exposure_id": "e-1", "trigger": "4111-1111-1111-1111"}
    await door.send(event("seen", None, ui=ui))
    await door.send(event("again", None, new_output_id="to a@example.com"))
    await door.send(event("helpful", level="turn", turn_id="call +49 170 1234567"))
    seen, again, turn = door.votes
    assert seen.ui is not None
    assert seen.ui.trigger.startswith("id-")
    assert again.detail.startswith("id-")
    assert turn.turn_id.startswith("id-")
    assert (await door.send(event("seen", None, ui={"variant": "a b"}))).rejected[0].path == "$.ui.variant"


async def test_a_turn_is_known_by_the_same_id_in_both_kinds_of_records(door: Door) -> None:
    await door.post(turn_id="a@example.com")
    await door.send(event("helpful", level="turn", turn_id="a@example.com"))
    assert door.answers[0].context.turn_id == door.votes[0].turn_id


async def test_a_token_ends_when_the_loop_says_so(door: Door) -> None:
    door.configure(browser={"tokenSeconds": 60})
    token = (await door.post()).tokens[0].token.encode()
    start = door.core.sealer.open(token, now_ms=0).started_at
    assert door.core.sealer.open(token, now_ms=start + 59_999).outputs
    with pytest.raises(TokenInvalid):
        door.core.sealer.open(token, now_ms=start + 60_000)


async def test_an_annotators_word_needs_an_annotators_token(door: Door) -> None:
    outcome = await door.send(event(stream="verified"))
    assert (outcome.status, said(outcome)) == (403, [(0, "forbidden", "$.stream")])
    assert outcome.rejected[0].bad_row_id is None
    assert not door.state.entries
    await door.send(event(stream="verified"), sender=Sender(claims(verified=True)))
    assert (door.votes[0].stream, door.votes[0].source) == ("verified", "ANNOTATOR")


async def test_a_browser_that_asks_for_privacy_is_heard_and_not_observed(door: Door) -> None:
    private = Sender(claims(), private=True)
    outcome = await door.send(event("dwell", 1200), event(), sender=private)
    assert (outcome.accepted, outcome.status) == (1, 202)
    assert said(outcome) == [(0, "privacy_signal", "$.events[0].signal")]
    assert (door.votes[0].consent, door.votes[0].trainable) == (False, False)
    assert (door.state.declined, len(door.votes)) == (1, 1)
    alone = await door.send(event("dwell", 1), sender=private)
    await door.send(event(), sender=private)
    assert (alone.status, door.state.declined, door.state.bad_rows) == (202, 2, 0)


async def test_a_trusted_server_says_whose_an_event_is_and_may_come_before_the_answer(door: Door) -> None:
    early = event(output_id="o-9", subject_id="anna", session_id="s-1", tenant_id="acme", consent={"train": True})
    await door.send(early, sender=API)
    await door.post(subject_id="anna", tenant_id="acme", outputs=[{"output_id": "o-9", "content": "a"}])
    await door.send(event(output_id="o-9", subject_id="anna"), sender=API)
    (first, second), (answer,) = door.votes, door.answers
    assert (first.orphan, second.orphan, first.channel) == (True, False, "api")
    assert (first.subject, first.session, first.tenant) == (answer.subject, answer.session, answer.tenant)
    assert (first.consent, first.trainable, second.consent) == (True, True, None)
    assert door.state.orphans == 1


async def test_only_people_start_a_training(door: Door) -> None:
    for source in ("LLM_JUDGE", "CODE", "ANNOTATOR"):
        await door.send(event(output_id="o", consent={"train": True}, source=source), sender=API)
    assert [(vote.source, vote.trainable) for vote in door.votes] == [
        ("LLM_JUDGE", False),
        ("CODE", False),
        ("ANNOTATOR", True),
    ]


async def test_a_token_holder_cannot_say_who_it_is(door: Door) -> None:
    outcome = await door.send(event(subject_id="somebody else"))
    assert said(outcome) == [(0, "unknown_field", "$")]


async def test_the_case_of_an_id_makes_no_second_event(door: Door) -> None:
    vote = event()
    await door.send(vote)
    outcome = await door.send(vote | {"event_id": vote["event_id"].upper()})
    assert outcome.rejected or outcome.duplicate
    assert len(door.votes) == 1


async def test_a_bad_row_carries_its_claims(door: Door) -> None:
    await door.send(event("nope"), sender=Sender(claims(arm="canary", run_uid="r", epoch=3, tenant="7" * 32)))
    (row,) = door.bad_rows
    assert (row.subject, row.session, row.arm, row.run_uid, row.epoch) == ("a" * 32, "5" * 32, "canary", "r", 3)
    assert (row.started_at, row.consent, row.tenant, row.channel) == (1, True, "7" * 32, "token")


async def test_a_bad_row_of_a_trusted_server_names_nobody(door: Door) -> None:
    await door.send(event("nope", output_id="o", subject_id="anna", session_id="s-77", tenant_id="acme"), sender=API)
    with pytest.raises(Refusal):
        await door.post(subject_id="anna", session_id="s-77", raters=["bob", "bob"])
    for row in door.bad_rows:
        assert row.subject == door.core.keys.pseudonym_of("subject", "anna")
        assert row.session == door.core.keys.pseudonym_of("session", "s-77")
        assert not {"anna", "s-77", "acme", "bob"} & set(
            json.loads(row.raw).values() if row.source == "feedback" else ()
        )
        assert "anna" not in row.raw
        assert "bob" not in row.raw


CONTEXT = {"required": ["promptTemplate", "tenant"], "optional": ["segment"]}


async def test_required_context_is_required(door: Door) -> None:
    door.configure(context=CONTEXT)
    with pytest.raises(Refusal) as raised:
        await door.post(context={"segment": "x"})
    assert (raised.value.code, raised.value.path) == ("missing_context", "$.context.prompt_template")
    with pytest.raises(Refusal) as raised:
        await door.post(context={"prompt_template": "p@1"})
    assert raised.value.path == "$.tenant_id"
    assert len(door.bad_rows) == 2


async def test_context_that_the_loop_does_not_list_is_dropped(door: Door) -> None:
    door.configure(context=CONTEXT)
    said = {"prompt_template": "p@1", "segment": "x", "region": "eu", "locale": "de", "retrieval": ["d"]}
    await door.post(context=said, tenant_id="acme", turn_id="t")
    (answer,) = door.answers
    assert (answer.context.prompt_template, answer.context.segment) == ("p@1", "x")
    assert (answer.context.region, answer.context.locale, answer.context.retrieval) == ("", "", ())
    assert (answer.context.turn_id, bool(answer.tenant), bool(answer.session)) == ("", True, True)


async def test_without_lists_all_context_is_kept(door: Door) -> None:
    said = {"model_version": "m@3", "locale": "de-DE", "client": "web", "region": "eu"}
    await door.post(
        context=said, parent_output_id="o-0", response_id="chatcmpl-1", trace_id="ab" * 16, span_id="cd" * 8
    )
    (answer,) = door.answers
    assert (answer.context.model_version, answer.context.locale, answer.context.client) == ("m@3", "de-DE", "web")
    assert (answer.parent_output_id, answer.response_id) == ("o-0", "chatcmpl-1")
    assert (answer.trace_id, answer.span_id, answer.channel) == ("ab" * 16, "cd" * 8, "api")


MENDED: list[tuple[str, Any]] = [("later", True), ("count", 4), ("why", "slow"), ("say", "call me: a@example.com")]


async def test_every_row_is_recovered_when_the_schema_is_mended(door: Door) -> None:
    for signal, value in MENDED:
        await door.send(event(signal, value))
    await door.send(event("later", None, level="turn", turn_id="t-1"), sender=Sender(claims()))
    await door.send(event("later", output_id="o-77", subject_id="anna", session_id="s-1"), sender=API)
    assert not door.votes
    door.configure(
        signals=[
            *SIGNALS,
            {"name": "later", "kind": "Thumbs"},
            {"name": "count", "kind": "Stars"},
            {"name": "why", "kind": "Reason", "values": ["slow"]},
            {"name": "say", "kind": "Comment"},
        ]
    )
    rows = door.bad_rows
    outcome = await door.replay()
    assert set(outcome.refused) == {rows[4].bad_row_id}, "it says nothing"
    assert (len(outcome.accepted), outcome.duplicate) == (5, [])
    assert [vote.value for vote in door.votes] == [True, 4, "slow", "call me: <EMAIL_1>", True]
    assert {vote.channel for vote in door.votes} == {"replay"}
    assert [vote.received_at for vote in door.votes] == [row.received_at for row in rows if row != rows[4]]
    assert door.votes[0].consent is True
    assert door.votes[-1].subject == door.core.keys.pseudonym_of("subject", "anna")
    assert door.state.replayed == 5
    again = await door.replay()
    assert (again.accepted, len(again.duplicate)) == ([], 5)


async def test_an_event_that_its_client_sent_again_is_not_replayed(door: Door) -> None:
    vote = event("later", "say a@example.com")
    await door.send(vote)
    door.configure(signals=[*SIGNALS, {"name": "later", "kind": "Comment"}])
    assert (await door.send(vote)).accepted == 1
    assert len((await door.replay()).duplicate) == 1


async def test_an_interaction_is_recovered_when_its_context_is_no_longer_required(door: Door) -> None:
    door.configure(context={"required": ["region"], "optional": ["segment", "turnId"]})
    with pytest.raises(Refusal):
        await door.post(
            subject_id="anna",
            session_id="s-1",
            turn_id="t-1",
            consent={"train": True},
            raters=["bob"],
            messages=[{"role": "user", "content": "my mail is a@example.com"}],
            outputs=[{"output_id": "b@example.com", "content": "a"}],
        )
    door.configure(context={})
    assert len((await door.replay()).accepted) == 1
    await door.post(subject_id="anna", raters=["bob"], outputs=[{"output_id": "b@example.com", "content": "a"}])
    replayed, direct = door.answers
    assert (replayed.subject, replayed.session, replayed.raters) == (direct.subject, direct.session, direct.raters)
    assert replayed.outputs[0].output_id == direct.outputs[0].output_id
    assert (replayed.messages[0].content, replayed.consent) == ("my mail is <EMAIL_1>", True)
    assert (replayed.context.turn_id, replayed.received_at) == ("t-1", door.bad_rows[0].received_at)


async def test_what_was_no_event_stays_a_bad_row(door: Door) -> None:
    await door.send(b"7")
    await door.send({"event_id": str(uuid.uuid4())})
    outcome = await door.replay()
    assert not outcome.accepted
    assert {refusal.code for refusal in outcome.refused.values()} == {"malformed", "missing_field"}


async def test_an_id_that_looks_like_a_number_of_somebodys_is_still_replayed(door: Door) -> None:
    card = "4111111111111111"
    sender = Sender(claims(outputs=(f"o-{card}", card)))
    await door.send(event("later", output_id=card), sender=sender)
    door.configure(signals=[*SIGNALS, {"name": "later", "kind": "Thumbs"}])
    assert len((await door.replay()).accepted) == 1
    assert door.votes[0].output_id == card


async def test_a_large_interaction_is_kept_whole(door: Door) -> None:
    door.configure(context={"required": ["region"]})
    text = "a long story " * 40_000
    with pytest.raises(Refusal):
        await door.post(messages=[{"role": "user", "content": text}])
    door.configure(context={})
    assert len((await door.replay()).accepted) == 1
    assert door.answers[0].messages[0].content == text
