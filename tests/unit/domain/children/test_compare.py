"""What was applied is found again in what the server holds, so that a loop at rest writes nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.domain.children.compare import contains, is_applied, quantity, sealed

scalars = st.one_of(st.text(max_size=5), st.integers(), st.booleans())
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(lambda xs: [{"name": str(i), "value": x} for i, x in enumerate(xs)]),
    ),
    max_leaves=10,
)
objects = st.dictionaries(st.sampled_from(["spec", "data"]), trees, max_size=2).map(
    lambda fields: {"metadata": {"name": "x"}, **fields}
)


def with_defaults(value: Any) -> Any:
    """As a server would return it: more fields, and more items in lists that merge by key."""
    if isinstance(value, dict):
        return {**{k: with_defaults(v) for k, v in value.items()}, "zz-defaulted": True}
    if isinstance(value, list):
        items = [with_defaults(v) for v in value]
        keyed = bool(items) and all(isinstance(i, dict) and "name" in i for i in value)
        return [{"name": "zz-somebody-else"}, *items] if keyed else items
    return value


@given(objects)
def test_an_object_with_the_servers_defaults_still_counts_as_applied(body: dict[str, Any]) -> None:
    whole = sealed(body)
    assert is_applied(with_defaults(whole), whole)


@given(objects)
def test_a_body_without_a_field_of_before_is_not_applied(body: dict[str, Any]) -> None:
    fuller = sealed({**body, "data": {"more": "x"}})
    assert not is_applied(fuller, sealed({k: v for k, v in body.items() if k != "data"}))


def test_an_absent_object_is_not_applied() -> None:
    assert not is_applied(None, sealed({"metadata": {"name": "x"}}))


def test_a_value_that_somebody_changed_is_drift() -> None:
    whole = sealed({"metadata": {"name": "x"}, "spec": {"ports": [{"name": "a", "port": 1}]}})
    live = copy.deepcopy(whole)
    live["spec"]["ports"][0]["port"] = 2
    assert not is_applied(live, whole)


def test_an_item_that_somebody_took_away_is_drift() -> None:
    assert not contains({"env": [{"name": "A"}]}, {"env": [{"name": "A"}, {"name": "B"}]})


def test_mounts_of_one_volume_are_told_apart_by_their_paths() -> None:
    mounts = [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]
    assert contains(list(reversed(mounts)), mounts)
    assert not contains(mounts[:1], mounts)


def test_a_list_without_keys_must_be_equal() -> None:
    assert not contains({"command": ["a", "b", "c"]}, {"command": ["a", "b"]})


@pytest.mark.parametrize(
    ("one", "other"), [("0.5", "500m"), ("1024Mi", "1Gi"), ("1000m", "1"), ("0.1", "100m"), ("2k", "2000")]
)
def test_quantities_that_the_server_rewrites_are_equal(one: str, other: str) -> None:
    assert contains({"cpu": one}, {"cpu": other})


@pytest.mark.parametrize(("one", "other"), [("1", "2"), ("1Gi", "1G"), ("a", "b"), ("1.2.3", "1.2.4"), (1, "1")])
def test_other_values_are_not_equal(one: Any, other: Any) -> None:
    assert not contains({"x": one}, {"x": other})


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.integers())))
def test_reading_a_quantity_never_fails(value: Any) -> None:
    quantity(value)
