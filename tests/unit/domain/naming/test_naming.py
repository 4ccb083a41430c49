"""Names are functions of their inputs, and fit where they are used."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.feedbackloop import PodOffset
from feedbackloop.domain import naming
from tests.support import loops

IMPROVEMENT = loops.spec().improvements[0]
LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
loop_names = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,33}[a-z0-9])?\Z")
offsets = st.lists(
    st.builds(PodOffset, pod=st.sampled_from("abc"), offset=st.integers(0, 99), trainable=st.integers(0, 99)),
    unique_by=lambda o: o.pod,
)


def run_name(**changes: object) -> str:
    inputs: dict[str, object] = {
        "loop": "l",
        "loop_uid": "u",
        "improvement": IMPROVEMENT,
        "champion_digest": "sha256:1",
        "cut": (PodOffset(pod="a", offset=1, trainable=1),),
    }
    return naming.run(**{**inputs, **changes})  # type: ignore[arg-type]


@given(loop_names)
def test_children_of_the_longest_loop_name_still_have_names_that_fit_a_label(loop: str) -> None:
    names = [
        naming.gateway(loop),
        naming.gateway_pods(loop),
        naming.log_claim(loop),
        naming.stable(loop),
        naming.canary(loop),
        naming.job(loop, naming.run_id("evaluate", {"x": 1}), 999),
        naming.job_spec(loop, naming.run_id("evaluate", {"x": 1})),
    ]
    assert all(len(name) <= 63 and LABEL.match(name) for name in names)


def test_the_same_inputs_give_the_same_run() -> None:
    assert run_name() == run_name()
    assert re.fullmatch(r"l-finetune-[0-9a-f]{12}", run_name())


def test_every_input_of_a_run_changes_its_name() -> None:
    other = IMPROVEMENT.model_copy(update={"trigger": IMPROVEMENT.trigger.model_copy(update={"min_new_signals": 11})})
    variants = [
        run_name(),
        run_name(loop_uid="v"),
        run_name(champion_digest="sha256:2"),
        run_name(improvement=other),
        run_name(cut=(PodOffset(pod="a", offset=2, trainable=1),)),
    ]
    assert len(set(variants)) == len(variants)


@given(offsets, st.randoms())
def test_the_order_in_which_pods_answered_does_not_matter(cut: list[PodOffset], random: object) -> None:
    shuffled = list(cut)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert run_name(cut=cut) == run_name(cut=shuffled)


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert naming.canonical_json({"b": 1, "a": "ä"}) == naming.canonical_json({"a": "ä", "b": 1}) == '{"a":"ä","b":1}'


def test_a_loop_made_again_under_its_name_has_another_prefix() -> None:
    assert naming.storage_prefix("ml/", "one") != naming.storage_prefix("ml/", "two")


@given(st.from_regex(r"\A[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?\Z"))
def test_any_object_name_becomes_a_label_value(name: str) -> None:
    value = naming.label_value(name)
    assert len(value) <= 63
    assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", value)
