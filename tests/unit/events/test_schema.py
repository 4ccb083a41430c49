"""The published schema says what the decoder and the validator do: each is tested against the other."""

from __future__ import annotations

import uuid
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from feedbackloop.api.collection import CLASSES, Signal, SignalClass, SignalKind
from feedbackloop.events.incoming import IncomingFeedback, IncomingInteraction, TrustedFeedback, utc_time
from feedbackloop.events.schema import feedback_schema, interaction_schema, signal_entry
from feedbackloop.events.tokens import Claims
from feedbackloop.events.validation import Code, Refusal, check_feedback, fits

ID = "0192f0c1-0000-7000-8000-000000000001"
FEEDBACK = jsonschema.Draft202012Validator(feedback_schema())
TRUSTED = jsonschema.Draft202012Validator(feedback_schema() | {"$ref": "#/$defs/TrustedFeedback"})
INTERACTION = jsonschema.Draft202012Validator(interaction_schema())

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-2, 12)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)
IDS = st.sampled_from(["", "o-1", "x" * 200, "x" * 201, "a b", "a\n", "é"]) | TEXT
UUIDS = st.uuids().map(str) | st.sampled_from([ID + "\n", ID[:-1], ID.upper(), "٠" * 36]) | TEXT
TIMES = st.sampled_from(
    [
        "2026-11-23T02:00:00Z",
        "2026-11-23t02:00:00.123456789+02:00",
        "2026-W01-1T00:00:00Z",
        "20261123T020000Z",
        "2026-11-23T02:00Z",
        "2026-11-23T02:00:00",
        "２026-11-23T02:00:00Z",
    ]
)
SHARES = st.sampled_from([0, 1, 0.5, -0.1, 1.1, True, "0.5"])
CANDIDATE = st.fixed_dictionaries(
    {"output_id": IDS}, optional={"position": st.sampled_from([0, 999, 1000, -1, True, "1"])}
)
UI = st.fixed_dictionaries(
    {}, optional={"exposure_id": IDS, "reason_order": st.lists(IDS, max_size=2), "solicit_p": SHARES}
)
FEEDBACK_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "event_id": UUIDS,
    "signal": IDS,
    "value": ANY,
    "output_id": IDS | st.none(),
    "candidates": st.lists(CANDIDATE | ANY, max_size=3) | st.none(),
    "occurred_at": TIMES,
    "consent": st.fixed_dictionaries({"train": st.booleans() | st.just(1)}) | st.none(),
    "level": st.sampled_from(["output", "turn", "session", "user", None]),
    "turn_id": IDS | st.none(),
    "supersedes": UUIDS | st.none(),
    "retracted": st.booleans() | st.just(0),
    "ui": UI | ANY,
    "goal": IDS,
    "fraction": SHARES,
    "new_output_id": IDS,
    "redact_hints": st.lists(TEXT, max_size=3),
    "stream": st.sampled_from(["verified", "unverified", "gold"]),
}
TRUSTED_FIELDS = FEEDBACK_FIELDS | {
    "subject_id": IDS,
    "session_id": IDS,
    "tenant_id": IDS,
    "response_id": IDS,
    "trace_id": IDS,
    "span_id": IDS,
    "source": st.sampled_from(["END_USER", "CODE", "user"]),
}
MESSAGES = st.lists(st.fixed_dictionaries({"role": TEXT}, optional={"content": TEXT | st.none()}), max_size=2)
OUTPUTS = st.lists(st.fixed_dictionaries({"output_id": IDS, "content": TEXT}), max_size=2)
CONTEXT = st.fixed_dictionaries(
    {}, optional={"prompt_template": IDS, "retrieval": st.lists(IDS, max_size=2), "locale": ANY}
)
INTERACTION_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "event_id": UUIDS,
    "session_id": IDS,
    "messages": MESSAGES | ANY,
    "outputs": OUTPUTS,
    "turn_id": IDS | st.none(),
    "subject_id": IDS | st.none(),
    "consent": st.fixed_dictionaries({"train": st.booleans()}) | ANY,
    "raters": st.lists(IDS, max_size=3),
    "context": CONTEXT | st.none(),
    "tenant_id": IDS,
    "parent_output_id": IDS,
    "redact_hints": st.lists(TEXT, max_size=2),
    "trace_id": IDS,
    "unknown": SCALARS,
}
SOUND = {"event_id": ID, "signal": "helpful", "value": True, "output_id": "o-1"}
POSTED = {"event_id": ID, "session_id": "s", "messages": [{"role": "user", "content": "q"}],
          "outputs": [{"output_id": "o", "content": "a"}]}  # fmt: skip


def altered(sound: dict[str, Any], fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound body with a few members that may be anything, and perhaps without one of its own."""
    some = st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)
    changes = some.flatmap(lambda names: st.fixed_dictionaries({name: fields[name] for name in names}))
    return st.builds(
        lambda change, gone: {name: value for name, value in (sound | change).items() if name != gone},
        changes,
        st.none() | st.sampled_from(sorted(sound)),
    )


def refused(body: dict[str, Any], model: type[IncomingFeedback]) -> Code | None:
    """The code with which a loop that declares every kind refuses a decodable event, None when it takes it."""
    event = msgspec.convert(body, model)
    signals = {event.signal: Signal(name="any", kind="Comment" if isinstance(event.value, str) else "Skip")}
    claims = Claims(
        "a", "" if model is TrustedFeedback and not body.get("session_id") else "s", (event.output_id or "",)
    )
    try:
        check_feedback(event, signals, claims)
    except Refusal as refusal:
        return refusal.code
    return None


@settings(max_examples=400, deadline=None)
@given(altered(SOUND, FEEDBACK_FIELDS))
@example(SOUND | {"supersedes": None, "retracted": True})
@example(SOUND | {"level": "turn"})
@example(SOUND | {"value": 10**30})
def test_the_schema_of_feedback_and_the_decoder_agree(body: dict[str, Any]) -> None:
    agree(body, FEEDBACK, IncomingFeedback)


@settings(max_examples=300, deadline=None)
@given(altered(SOUND, TRUSTED_FIELDS))
def test_the_schema_of_trusted_feedback_and_the_decoder_agree(body: dict[str, Any]) -> None:
    agree(body, TRUSTED, TrustedFeedback)


def agree(body: dict[str, Any], schema: Any, model: type[IncomingFeedback]) -> None:
    """What the schema takes decodes; what decodes and the schema refuses, the validator refuses."""
    taken, decodes = schema.is_valid(body), fits(body, model)
    if taken:
        assert decodes, schema
    elif decodes:
        assert refused(body, model) is not None


@settings(max_examples=400, deadline=None)
@given(altered(POSTED, INTERACTION_FIELDS))
def test_the_schema_of_interactions_and_the_decoder_agree(body: dict[str, Any]) -> None:
    assert INTERACTION.is_valid(body) == fits(body, IncomingInteraction)


DECLARED = [
    Signal(
        name="x",
        kind=kind,
        values=("slow", "style") if kind is SignalKind.REASON else None,
        dimension="Factuality" if kind is SignalKind.QUESTION else None,
        scale_max=7 if kind is SignalKind.STARS else None,
    )
    for kind in SignalKind
]
WORDS = st.sampled_from(
    ["a", "b", "tie", "both_bad", "yes", "unsure", "slow", "style", " ", "\n", "x" * 4096, "x" * 4097]
)


@pytest.mark.parametrize("signal", DECLARED, ids=lambda signal: signal.kind.value)
@settings(max_examples=150, deadline=None)
@given(value=SCALARS | WORDS | st.integers(0, 8) | st.sampled_from([2**53 - 1, 2**53, -0.0, 1.0]))
def test_the_published_value_of_a_kind_is_the_one_that_is_taken(signal: Signal, value: Any) -> None:
    assume(not (isinstance(value, float) and value.is_integer()))  # documented: an integer has no fraction
    entry = signal_entry(signal)
    sides = {"candidates": [{"output_id": "o-1"}, {"output_id": "o-2"}]} if signal.kind is SignalKind.PREFERENCE else {}
    body = {"event_id": ID, "signal": "x", "value": value} | (sides or {"output_id": "o-1"})
    taken = jsonschema.Draft202012Validator(entry["value"]).is_valid(value) and FEEDBACK.is_valid(body)
    assert taken == accepted(body, signal)


def accepted(body: dict[str, Any], signal: Signal) -> bool:
    if not fits(body, IncomingFeedback):
        return False
    try:
        check_feedback(msgspec.convert(body, IncomingFeedback), {"x": signal}, Claims("a", "s", ("o-1", "o-2")))
    except Refusal:
        return False
    return True


def test_a_computed_signal_takes_nothing() -> None:
    for signal in DECLARED:
        computed = CLASSES[signal.kind] is SignalClass.COMPUTED
        assert (signal_entry(signal)["value"] is False) == computed


def test_the_schemas_are_sound_and_describe_their_fields() -> None:
    for schema in (feedback_schema(), interaction_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)
    fields = feedback_schema()["$defs"]["Feedback"]["properties"]
    assert fields["event_id"]["description"].startswith("Made by the client")
    assert set(fields) == set(IncomingFeedback.__struct_fields__)


@given(st.uuids())
def test_every_uuid_is_an_event_id(made: uuid.UUID) -> None:
    assert FEEDBACK.is_valid(SOUND | {"event_id": str(made)})


def test_a_time_that_the_schema_takes_may_still_be_none() -> None:
    assert FEEDBACK.is_valid(SOUND | {"occurred_at": "2026-02-30T00:00:00Z"})
    assert utc_time("2026-02-30T00:00:00Z") is None
