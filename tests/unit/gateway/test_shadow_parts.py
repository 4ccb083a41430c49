"""Which requests are mirrored, how much is held at once, and what is counted of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.gateway import Arm, Backend, Mirror, Routing
from feedbackloop.events import codec, inner
from feedbackloop.events.records import Message, Serving, ShadowAnswer, ShadowPairRecord
from feedbackloop.gateway import meta
from feedbackloop.gateway.answers import Asked, told_of
from feedbackloop.gateway.assignment import assign
from feedbackloop.gateway.completions import StreamedText
from feedbackloop.gateway.meta import Shadowed
from feedbackloop.gateway.shadow.choice import comparable, drawn, forbidden
from feedbackloop.gateway.shadow.room import Room
from feedbackloop.gateway.state import State
from feedbackloop.gateway.traffic import TrafficBook, cumulative
from feedbackloop.gateway.turn import Turn, by_header
from feedbackloop.jobs.curate.source import sort_out

BACKEND = Backend(host="bot-canary", port=80, digest="sha256:" + "c" * 64)
PAIR = ShadowPairRecord("e-1", 5, "a" * 32, (Message("user", "q"),), ShadowAnswer("yes"), ShadowAnswer("no"),
                        run_uid="run", epoch=2)  # fmt: skip


def routing(percent: int = 20, **changes: Any) -> Routing:
    return Routing(salt="salt", stable=BACKEND, mirror=Mirror(percent=percent, backend=BACKEND), **changes)


def asked(**request: Any) -> Asked:
    return Asked(request, (), b"{}")


def turn(**fields: Any) -> Turn:
    return cast(Turn, SimpleNamespace(**({"arm": Arm.STABLE, "fallback": False, "by_header": False} | fields)))


def test_the_share_is_that_of_the_mirror_and_the_same_in_every_pod() -> None:
    bodies = [f"body {n}".encode() for n in range(4000)]
    chosen = [body for body in bodies if drawn(routing(), "s-1", body)]
    assert 700 <= len(chosen) <= 900, "20 % of 4 000; 4 standard deviations"
    assert chosen == [body for body in bodies if drawn(routing(), "s-1", body)]
    assert all(drawn(routing(100), "", body) for body in bodies[:100])
    assert not any(drawn(Routing(stable=BACKEND), "", body) for body in bodies[:100])


def test_the_draw_says_nothing_of_the_arm() -> None:
    split = Routing(salt="salt", stable=BACKEND, canary=BACKEND, weight=50)
    sessions = [f"s-{n}" for n in range(2000)]
    both = sum(drawn(routing(50), s, b"q") and assign(split, s) is Arm.CANARY for s in sessions)
    assert 400 <= both <= 600, "a quarter of 2 000"


@pytest.mark.parametrize("changes", [{"arm": Arm.CANARY}, {"fallback": True}, {"by_header": True}])
def test_only_what_stable_was_meant_to_answer_is_compared(changes: dict[str, Any]) -> None:
    assert comparable(turn())
    assert not comparable(turn(**changes))


@pytest.mark.parametrize(
    ("request_", "consent", "required", "expected"),
    [
        ({}, True, True, False),
        ({}, None, False, False),
        ({}, None, True, True),
        ({}, False, False, True),
        ({"tools": [{"type": "function"}]}, True, True, True),
        ({"functions": [{}]}, True, True, True),
        ({"tools": []}, True, True, False),
    ],
)
def test_edge_case_29_what_may_not_be_mirrored(
    request_: dict[str, Any], consent: bool | None, required: bool, expected: bool
) -> None:
    assert forbidden(asked(**request_), consent, consent_required=required) is expected


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=30), st.integers(1, 4))
def test_edge_case_30_what_is_held_is_bounded(sizes: list[tuple[int, int]], most: int) -> None:
    room, inside = Room(100), []
    for first, more in sizes:
        if room.enter(first, most):
            inside.append(first + (more if room.grow(more) else 0))
        assert room.bytes == sum(inside) <= 100
        assert room.requests == len(inside) <= most
    for held in inside:
        room.leave(held)
    assert (room.requests, room.bytes) == (0, 0)


def test_shadows_are_counted_by_epoch_and_survive_a_checkpoint() -> None:
    state = State()
    for entry in (PAIR, Shadowed(6, "run", 2, mirrored=3, failed=1), Shadowed(7, "run", 2, skipped=4), PAIR):
        state.apply(entry)
    again = State.restored(state.snapshot())
    counts = again.shadow.counts["run", 2]
    assert (counts.mirrored, counts.pairs, counts.failed, counts.skipped) == (3, 2, 1, 4)
    assert (again.stored, again.taken, again.trainable) == (2, 0, 0), "no client sent them"


def test_a_pair_is_kept_under_its_subjects_key_and_no_curation_sees_it() -> None:
    assert codec.decode(codec.encode(PAIR)) == PAIR
    assert inner.row_of(PAIR) == (PAIR.subject, 0)
    events = sort_out([PAIR])
    assert (events.interactions, events.feedback, events.lost) == ([], [], 0)
    told = Shadowed(6, "run", 2, mirrored=1)
    assert meta.decode(meta.encode(told)) == told


def scope(**headers: str) -> dict[str, Any]:
    return {"headers": [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]}


def test_header_routes_go_by_name_in_any_case_and_by_value() -> None:
    routed = Routing.model_validate(
        {"stable": BACKEND, "canary": BACKEND, "headerRoutes": [{"header": "X-Try", "values": ["new", "newer"]}]}
    )
    assert by_header(routed, scope(x_try="newer"))
    assert not by_header(routed, scope(x_try="old"))
    assert not by_header(routed, scope(x_other="new"))
    assert not by_header(routed.model_copy(update={"canary": None}), scope(x_try="new"))


@pytest.mark.parametrize(
    ("text", "tools", "expected"),
    [
        ("I cannot help with that.", False, (True, False)),
        (" \n", False, (False, True)),
        ("", True, (False, False)),
        ("Gladly.", False, (False, False)),
    ],
)
def test_an_answer_declines_or_is_empty(text: str, tools: bool, expected: tuple[bool, bool]) -> None:
    told = told_of([text], tools=tools)
    assert (told["refused"], told["empty"]) == expected


def test_what_guardrails_count_of_answers() -> None:
    book, served = TrafficBook(), Serving(run_uid="run", epoch=1, arm="canary", assigned="canary")
    for more in (
        {"streamed": True, "first_token_ms": 7, "latency_ms": 3},
        {"streamed": True, "empty": True},
        {"refused": True},
        {"cancelled": True, "streamed": True, "first_token_ms": 1},
        {"by_header": True, "refused": True},
        {"warm_up": True, "refused": True},
    ):
        book.served(msgspec.structs.replace(served, **more))
    traffic = book.counts["run", 1, "canary"]
    assert (traffic.requests, traffic.streamed, traffic.refusals, traffic.empty) == (3, 2, 1, 1)
    assert (traffic.cancelled, traffic.errors) == (1, 0)
    assert (cumulative(traffic.first_tokens)["5"], cumulative(traffic.first_tokens)["10"]) == (0, 1)


def test_a_streams_choices_keep_their_places_and_its_first_piece_may_be_empty() -> None:
    collected = StreamedText()
    collected.take({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    assert not collected.begun
    collected.take({"choices": [{"index": 1, "delta": {"content": "b"}}]})
    assert (collected.begun, collected.outputs()) == (True, ["", "b"])
