"""Laws that hold for every log, sensible or not."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.jobs.curate.world import Log, golden, pack, rows, used

GOLDEN = [
    item
    for n in range(3)
    for item in golden(f"t{n}", f"golden question {n}", f"topic {n} golden", match=[f"topic {n}"])
]
PROMPTS = [f"topic {n} {v}" for n in range(4) for v in ("a", "b", "c", "golden")] + [
    "golden question 1",
    "topic 0, topic 1",
    "?!",
]
ANSWERS = ["wrong", "wrong", "wrong", "fact", "Fact!", ""]
SUBJECTS = ["ann", "ben", "cy", "dee", "eve"]
CONSENTS = st.sampled_from([*[True] * 18, None, False])

asked = st.tuples(
    st.sampled_from(PROMPTS),
    st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=2),
    st.sampled_from(SUBJECTS),
    CONSENTS,
)
said = st.sampled_from(
    [
        *[("helpful", True)] * 6,
        *[("helpful", False)] * 2,
        *[("fix", "right")] * 4,
        *[("fix", text) for text in ("RIGHT", "other", "wrong", "", "?")],
        *[("prefer", value) for value in ("a", "a", "a", "b", "tie", "both_bad", "neither")],
        *[(signal, "other") for signal in ("why", "note", "shown", "undeclared")],
        ("helpful", "yes"),
    ]
)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    log = Log(golden=GOLDEN)
    for prompt, answers, subject, consent in draw(st.lists(asked, min_size=5, max_size=30)):
        log.ask(prompt, *answers, subject=subject, consent=consent)
    for _ in range(draw(st.integers(10, 80))):
        _event(draw, log)
    changes: dict[str, Any] = {
        "min_corroboration": draw(st.integers(1, 3)),
        "replay_ratio": draw(st.sampled_from(["0", "0.5", "1.0", "3"])),
        "max_subject_share": draw(st.sampled_from([None, "0.2", "0.5"])),
        "consent_required": draw(st.booleans()),
        "seed": draw(st.integers(0, 3)),
    }
    return log.with_(**changes)


def _event(draw: st.DrawFn, log: Log) -> None:
    n = draw(st.sampled_from([*range(len(log.interactions)), len(log.interactions)]))
    signal, value = draw(said)
    more: dict[str, Any] = {"consent": draw(CONSENTS)}
    if draw(st.integers(0, 9)) == 0 and log.events:
        more["event_id"] = draw(st.sampled_from(log.events)).event_id
    if signal == "prefer":
        more |= {
            "output_id": None,
            "candidates": draw(st.sampled_from([(f"o{n}.0", f"o{n}.1"), (f"o{n}.1", f"o{n}.0"), ()])),
        }
    log.send(draw(st.sampled_from(SUBJECTS)), f"o{n}.0", signal, value, **more)


@settings(max_examples=60, deadline=None)
@given(logs(), st.integers(0, 1000))
def test_the_digest_does_not_depend_on_the_order_of_arrival(log: Log, seed: int) -> None:
    one, other = pack(log), pack(log.shuffled(seed))
    assert one.files == other.files
    assert one.digest == other.digest


@settings(max_examples=60, deadline=None)
@given(logs())
def test_every_event_is_used_or_left_out_with_a_reason_and_never_both(log: Log) -> None:
    data = log.curate()
    assert data.funnel["events"] == len(log.events) == data.funnel["used"] + len(data.excluded)
    left = list(data.funnel.values())
    assert left == sorted(left, reverse=True), "a funnel never widens"
    assert sum(data.reasons().values()) == len(data.excluded)
    assert len(rows(pack(log), "excluded.jsonl")) == len(data.excluded)


@settings(max_examples=60, deadline=None)
@given(logs())
def test_no_question_of_a_gate_is_ever_trained_on(log: Log) -> None:
    made = log.curate().training
    questions = {"golden question 0", "golden question 1", "golden question 2"} | {
        f"topic {n} golden" for n in range(3)
    }
    assert not {row.prompt.text for row in made.rows} & questions
    assert not {row.prompt.key for row in made.rows} & {row.prompt.key for row in made.regressions}


@settings(max_examples=60, deadline=None)
@given(logs())
def test_replay_takes_no_topic_with_an_accepted_correction_and_no_more_than_asked(log: Log) -> None:
    made = log.curate().training
    assert not {topic for row in made.replayed for topic in row.prompt.topics} & set(made.topics)
    if log.config.max_subject_share is None:
        assert len(made.replayed) <= round(float(log.config.replay_ratio) * len(made.corrections) + 0.5)


@settings(max_examples=60, deadline=None)
@given(logs())
def test_every_topic_with_two_prompts_is_taught_and_checked(log: Log) -> None:
    made = log.with_(max_subject_share=None).curate().training
    for topic in made.topics:
        taught = {row.prompt.key for row in made.corrections if row.topic == topic}
        checked = {row.prompt.key for row in made.regressions if row.topic == topic}
        shared = {r.prompt.key for r in (*made.corrections, *made.regressions) if len(r.prompt.topics) > 1}
        if len(taught | checked) > 1 and not (taught | checked) & shared:
            assert taught
            assert checked


@settings(max_examples=60, deadline=None)
@given(logs())
def test_nobody_is_used_without_consent(log: Log) -> None:
    by_event = {e.event_id: e for e in log.events}
    refused = {e.event_id for e in log.events if e.consent is False}
    unsaid = {e.event_id for e in log.events if e.consent is None} if log.config.consent_required else set()
    distinct = {e for e in by_event if sum(x.event_id == e for x in log.events) == 1}
    assert not used(log.curate()) & (refused | unsaid) & distinct


@settings(max_examples=30, deadline=None)
@given(logs())
def test_a_correction_is_taught_only_when_enough_subjects_gave_it(log: Log) -> None:
    made = log.curate().training
    for topic in made.topics:
        assert len({e.subject for e in log.events if e.signal == "fix"}) >= log.config.min_corroboration, topic
