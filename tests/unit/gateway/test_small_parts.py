"""Assignment, rate limits, the memory of ids, completions and server-sent events, the endpoints' turns."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.gateway import Arm, Backend, GatewayConfig, Routing
from feedbackloop.events.incoming import IncomingFeedback
from feedbackloop.events.redaction import Redactor
from feedbackloop.events.scrub import scrubbed
from feedbackloop.events.validation import Refusal
from feedbackloop.gateway.applied import BadConfig, apply
from feedbackloop.gateway.assignment import assign, bucket
from feedbackloop.gateway.completions import EventStream, StreamedText, event_data, messages, neutral, outputs
from feedbackloop.gateway.ingest import NotJson, TooManyEvents
from feedbackloop.gateway.ingest.bodies import PLAIN
from feedbackloop.gateway.recent import RecentMap
from feedbackloop.gateway.settings import Settings
from feedbackloop.gateway.upstream import Upstream
from tests.gateway.process import make_config

BACKEND = Backend(host="127.0.0.1", port=80, digest="sha256:" + "a" * 64)


def routing(weight: int) -> Routing:
    return Routing(weight=weight, salt="salt", stable=BACKEND, canary=BACKEND)


def test_a_bucket_is_the_hmac_of_the_session_modulo_ten_thousand() -> None:
    digest = hmac.new(b"salt", b"s-1", hashlib.sha256).digest()
    assert bucket("salt", "s-1") == int.from_bytes(digest[:8], "big") % 10_000


def test_without_session_or_canary_everything_is_stable() -> None:
    assert assign(routing(100), "") is Arm.STABLE
    assert assign(Routing(weight=100, stable=BACKEND), "s") is Arm.STABLE


@given(st.text(min_size=1, max_size=20), st.integers(0, 99))
def test_raising_the_weight_moves_sessions_only_from_stable_to_canary(session: str, weight: int) -> None:
    if assign(routing(weight), session) is Arm.CANARY:
        assert assign(routing(weight + 1), session) is Arm.CANARY


def test_the_weight_is_the_share_of_sessions() -> None:
    share = sum(assign(routing(25), f"s-{n}") is Arm.CANARY for n in range(20_000)) / 20_000
    assert 0.24 < share < 0.26


@given(st.lists(st.integers(0, (1 << 64) - 1)))
def test_the_last_keys_are_always_remembered(keys: list[int]) -> None:
    recent = RecentMap(capacity=50)
    for index, key in enumerate(keys):
        recent.put(key, index % 1000 + 1)
    for key in keys[-50:]:
        assert recent.get(key) is not None


def test_a_memory_grows_and_forgets_the_oldest_only() -> None:
    recent = RecentMap(capacity=10_000)
    for key in range(1, 25_001):
        recent.put(key * 7919, key)
    assert all(recent.get(key * 7919) == key for key in range(15_001, 25_001))
    assert recent.get(7919) is None
    assert len(recent) <= 20_000


def test_messages_are_text_only() -> None:
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {}}]
    request = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": None}]}
    assert [(m.role, m.content) for m in messages(request) or ()] == [("user", "look"), ("assistant", "")]
    assert messages({"messages": "x"}) is None


def test_an_answer_does_not_tell_the_revision() -> None:
    answer = {"model": "m-7b@rev8", "system_fingerprint": "fp", "choices": [{"message": {"content": "hi"}}]}
    assert neutral(answer, {"model": "bot"}) == {"model": "bot", "choices": answer["choices"]}
    assert outputs(answer) == ["hi"]


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1), st.lists(st.integers(1, 30), min_size=1))
def test_a_stream_is_collected_whatever_pieces_it_comes_in(words: list[str], sizes: list[int]) -> None:
    chunks = [json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}) for word in words]
    data = "".join(f"data: {chunk}\r\n\r\n" for chunk in chunks).encode()
    stream, collected, at, turn = EventStream(), StreamedText(), 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        for event in stream.feed(data[at : at + size]):
            payload = event_data(event)
            assert payload is not None
            collected.take(json.loads(payload))
        at, turn = at + size, turn + 1
    assert collected.outputs() == ["".join(words)]


def test_an_event_without_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="without end"):
        EventStream().feed(b"x" * (EventStream.MAX_PENDING + 1))


async def test_pods_take_turns_and_their_first_five_answers_are_warm_up() -> None:
    found = [["10.0.0.1", "10.0.0.2"]]

    async def resolver(_host: str) -> list[str]:
        return found[0]

    upstream = Upstream(resolver)
    await upstream.configure({Arm.STABLE: Backend(host="bot-stable", port=80, digest=BACKEND.digest)})
    pool = upstream.pool(Arm.STABLE)
    assert pool is not None
    assert {pool.in_turn()[0] for _ in range(2)} == {"10.0.0.1", "10.0.0.2"}
    assert [pool.answered("10.0.0.1") for _ in range(6)] == [True] * 5 + [False]
    found[0] = ["10.0.0.2"]
    await upstream.refresh()
    found[0] = ["10.0.0.1", "10.0.0.2"]
    await upstream.refresh()
    assert pool.answered("10.0.0.1") is True
    await upstream.close()


async def test_while_the_resolver_is_away_the_last_addresses_stand() -> None:
    answers: list[list[str] | None] = [["10.0.0.1"], None]

    async def resolver(_host: str) -> list[str] | None:
        return answers.pop(0)

    upstream = Upstream(resolver)
    await upstream.configure({Arm.STABLE: Backend(host="bot-stable", port=80, digest=BACKEND.digest)})
    await upstream.refresh()
    pool = upstream.pool(Arm.STABLE)
    assert pool is not None
    assert pool.addresses == ["10.0.0.1"]
    await upstream.close()


async def test_a_slow_resolver_does_not_hold_a_configuration_up() -> None:
    async def resolver(_host: str) -> list[str]:
        await asyncio.sleep(60)
        return []

    upstream = Upstream(resolver)
    named = Backend(host="bot-stable", port=80, digest=BACKEND.digest)
    await asyncio.wait_for(upstream.configure({Arm.STABLE: named}), 2)
    await upstream.close()


def test_a_refused_configuration_names_fields_and_quotes_nothing() -> None:
    raw = json.dumps(make_config(s3_url="http://x") | {"routing": {"weight": "planted"}}).encode()
    with pytest.raises(BadConfig) as raised:
        apply(raw)
    assert "routing" in str(raised.value)
    assert "planted" not in str(raised.value)


def test_a_configuration_is_known_by_its_revision() -> None:
    raw = json.dumps(make_config(s3_url="http://x")).encode()
    applied = apply(raw)
    assert applied.revision == hashlib.sha256(raw).hexdigest()[:16]
    assert applied.config == GatewayConfig.model_validate_json(raw)
    assert apply(raw + b" ", applied).redactor is applied.redactor


def test_a_body_is_split_into_its_events() -> None:
    one, path = PLAIN.split(b'{"event_id": "1", "signal": "x"}')
    assert (len(one), path) == (1, "$")
    many, path = PLAIN.split(b'{"events": [{"a": 1}, 7]}')
    assert (len(many), path) == (2, "$.events[{}]")


def test_lines_are_events_each_and_blank_ones_are_none() -> None:
    good = b'{"event_id": "0192f0c1-0000-7000-8000-000000000001", "signal": "x"}'
    items = PLAIN.lines(b"\n".join((good, b"", b"  \r", b"{", good + b"\r", b"\xff")))
    assert [isinstance(item, IncomingFeedback) for item in items] == [True, False, True, False]
    with pytest.raises(TooManyEvents):
        PLAIN.lines(b"{}\n" * 501)


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"1" + b"0" * 5000])
def test_a_number_that_nobody_can_keep_is_json_and_no_value(number: bytes) -> None:
    body = b'{"event_id": "0192f0c1-0000-7000-8000-000000000001", "signal": "x", "value": ' + number + b"}"
    (item,), _ = PLAIN.split(body)
    assert isinstance(item, msgspec.Raw)
    with pytest.raises(Refusal) as raised:
        PLAIN.decode(item)
    assert (raised.value.code, raised.value.path) == ("bad_value", "$.value")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"events": [', b'"\\ud800"'])
def test_what_is_not_json_is_told_so(body: bytes) -> None:
    with pytest.raises(NotJson):
        PLAIN.split(body)


def test_more_events_than_allowed_are_refused_as_a_whole() -> None:
    with pytest.raises(TooManyEvents):
        PLAIN.split(json.dumps({"events": [{}] * 51}).encode())


def test_a_bad_row_is_scrubbed_in_keys_strings_and_numbers() -> None:
    raw = {"me@example.com": ["a@example.com", {"card": 4111111111111111}], "n": 5}
    text = scrubbed(raw, Redactor())
    assert json.loads(text) == {"<EMAIL_1>": ["<EMAIL_2>", {"card": "<CREDIT_CARD_1>"}], "n": 5}


def test_a_bad_row_of_any_depth_is_scrubbed() -> None:
    deep: object = "me@example.com"
    for _ in range(200):
        deep = [deep]
    assert "example" not in scrubbed(deep, Redactor())


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match="FL_POD_NAME"):
        Settings.from_env({})
    with pytest.raises(ValueError, match="FL_CONFIG_NAME"):
        Settings.from_env({"FL_POD_NAME": "p"})


def test_an_ipv6_api_server_is_bracketed() -> None:
    env = {"FL_POD_NAME": "p", "FL_CONFIG_NAMESPACE": "n", "FL_CONFIG_NAME": "c", "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert Settings.from_env(env).api_server == "https://[fd00::1]:443"
