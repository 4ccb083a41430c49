"""The mirror and header routes in the routing: what shows an answer to nobody, and what ends with its epoch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.gateway import Arm, HeaderTo, Routing
from feedbackloop.api.rolloutstatus import AbortStatus, HeaderRouteStatus, ShadowStatus
from tests.unit.domain.rollout.world import CANDIDATE
from tests.unit.domain.serving.test_serving import AT, CANARY, serve

ROUTES = (HeaderRouteStatus(header_name="X-Try", values=("new",)),)


def shadow(epoch: int) -> ShadowStatus:
    return ShadowStatus(step_index=0, started_at=AT, percent=20, max_concurrency=3, max_pairs=90, first_epoch=1,
                        epoch=epoch)  # fmt: skip


def routing(**rollout: Any) -> Routing:
    return serve({"epoch": 1, "canary_replicas": 1} | rollout).routing


def test_a_mirror_has_the_canary_as_its_own_and_shows_it_to_nobody() -> None:
    found = routing(shadow=shadow(1))
    assert found.mirror is not None
    assert (found.mirror.percent, found.mirror.max_concurrency, found.mirror.max_pairs) == (20, 3, 90)
    assert found.mirror.backend == CANARY
    assert (found.canary, found.weight, found.fallback, found.header_routes) == (None, 0, None, ())


@pytest.mark.parametrize("changes", [{"shadow": shadow(0)}, {"epoch": 2, "shadow": shadow(1)}, {"shadow": None}])
def test_another_epoch_has_no_mirror(changes: dict[str, Any]) -> None:
    assert routing(**changes).mirror is None


def test_a_header_route_at_weight_0_has_a_canary_that_no_session_belongs_to() -> None:
    found = routing(header_routes=ROUTES)
    assert (found.canary, found.weight, found.fallback) == (CANARY, 0, Arm.STABLE)
    assert found.header_routes == (HeaderTo(header="X-Try", values=("new",)),)


@pytest.mark.parametrize(
    "changes",
    [{"abort": AbortStatus(at=AT, reason="HarmFound")}, {"weight": 100}, {"moved_back_since": AT}],
)
def test_an_abort_and_a_promotion_end_header_routes(changes: dict[str, Any]) -> None:
    found = routing(header_routes=ROUTES, shadow=shadow(1), **changes)
    assert found.header_routes == ()
    assert found.mirror is None or "abort" not in changes


@given(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0, 10, 50]), st.booleans(), st.booleans())
def test_i2_only_a_weight_or_a_header_gives_the_canary_to_users(
    epoch: int, mirrored: int, weight: int, routed: bool, aborted: bool
) -> None:
    if epoch == 0 or aborted:
        weight = 0
    abort = AbortStatus(at=AT, reason="Aborted") if aborted else None
    headers = ROUTES if routed else ()
    found = serve({"epoch": epoch, "weight": weight, "shadow": shadow(mirrored), "header_routes": headers,
                   "abort": abort, "canary_replicas": 1}).routing  # fmt: skip
    shown = weight > 0 or (routed and not aborted and epoch > 0)
    assert (found.canary is not None) == shown
    assert bool(found.header_routes) <= (found.canary is not None)
    assert found.mirror is None or (found.mirror.backend.digest == CANDIDATE and not aborted)
