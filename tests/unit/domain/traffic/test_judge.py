from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rolloutstatus import ProviderStatus
from feedbackloop.domain.traffic import (
    STRIKES,
    ProviderSeen,
    RouterSeen,
    Standing,
    judge,
    may_write,
    provider_seen,
    provider_status,
)

AT = "2027-01-01T00:00:00Z"
NOW = datetime.fromisoformat(AT)


def in_force(stable: int = 0, canary: int = 0, weight: int = 10) -> RouterSeen:
    return RouterSeen(weight=weight, written=True, handled=True, accepted=True, stable=stable, canary=canary)


def disturbed(at: str = AT) -> RouterSeen:
    return RouterSeen(writers=("argocd",), disturbed_at=at)


@pytest.mark.parametrize("missing", ["written", "handled"])
def test_nothing_is_in_force_before_it_is_written_and_seen(missing: str) -> None:
    seen = RouterSeen(written=missing != "written", handled=missing != "handled", accepted=True)
    assert judge(seen, 10).standing is Standing.WAITING


@pytest.mark.parametrize(
    ("stable", "canary", "weight", "standing", "confirmed"),
    [
        (0, 0, 10, Standing.ACCEPTED, False),
        (199, 0, 50, Standing.ACCEPTED, False),
        (900, 100, 10, Standing.ACCEPTED, True),
        (2000, 0, 10, Standing.MISMATCH, False),
        (1000, 1000, 10, Standing.MISMATCH, False),
        (1000, 1, 0, Standing.ACCEPTED, True),
        (900, 100, 0, Standing.MISMATCH, False),
        (5000, 0, 1, Standing.ACCEPTED, False),
        (4950, 50, 1, Standing.ACCEPTED, True),
        (2, 1000, 100, Standing.ACCEPTED, True),
        (20000, 0, 1, Standing.MISMATCH, False),
    ],
)
def test_edge_case_38_accepted_weights_that_the_requests_do_not_follow(
    stable: int, canary: int, weight: int, standing: Standing, *, confirmed: bool
) -> None:
    judged = judge(in_force(stable, canary, weight), weight)
    assert (judged.standing, judged.confirmed) == (standing, confirmed)


def test_the_rollout_is_told_the_problem_by_its_documented_word() -> None:
    told = provider_seen(in_force(2000, 0), epoch=3, weight=10)
    assert told == ProviderSeen(
        epoch=3,
        weight=10,
        accepted=True,
        problem=Reason.SHARE_MISMATCH,
        message=told.message,
        observed_share="0",
    )
    refused = provider_seen(RouterSeen(written=True, handled=True, message="no such Service"), epoch=1, weight=10)
    assert (refused.accepted, refused.problem) == (False, Reason.ROUTE_NOT_ACCEPTED)
    waiting = provider_seen(RouterSeen(), epoch=1, weight=10)
    assert (waiting.accepted, waiting.problem) == (False, None)
    impossible = RouterSeen(impossible=Reason.ROUTER_NOT_SUPPORTED, message="no HTTPRoute here")
    assert provider_seen(impossible, epoch=1, weight=10).problem is Reason.ROUTER_NOT_SUPPORTED


def test_edge_case_3_three_strikes_and_looking_again_adds_none() -> None:
    status: ProviderStatus | None = None
    for minute in range(STRIKES):
        at = f"2027-01-01T00:0{minute}:00Z"
        for _ in range(3):
            status = provider_status(provider_seen(disturbed(at), epoch=1, weight=10), status)
        status = provider_status(provider_seen(in_force(), epoch=1, weight=10), status)
        assert status.conflicts == minute + 1


def test_edge_case_4_the_repair_waits_longer_each_time_and_then_for_a_person() -> None:
    def allowed(conflicts: int, after: float, *, taking_back: bool = False) -> bool:
        now = NOW + timedelta(seconds=after)
        return may_write(disturbed(), ProviderStatus(conflicts=conflicts), now, taking_back=taking_back)

    assert not allowed(1, 9.9)
    assert allowed(1, 10)
    assert not allowed(2, 19)
    assert allowed(2, 20)
    assert not allowed(3, 3600)
    assert not allowed(3, 39, taking_back=True)
    assert allowed(3, 40, taking_back=True), "traffic leaves a bad canary whoever else writes"
    assert may_write(in_force(), ProviderStatus(conflicts=3), NOW, taking_back=False)


def test_the_first_split_waits_until_the_data_plane_knows_the_backends() -> None:
    def allowed(after: float, *, warm: bool = True, taking_back: bool = False) -> bool:
        now = NOW + timedelta(seconds=after)
        return may_write(RouterSeen(warm=warm, warming_since=AT), None, now, taking_back=taking_back)

    assert not allowed(4.9)
    assert allowed(5.0)
    assert not allowed(60.0, warm=False)
    assert not allowed(19.0, warm=False, taking_back=True)
    assert allowed(20.0, warm=False, taking_back=True), "a router that says nothing does not keep the route"
