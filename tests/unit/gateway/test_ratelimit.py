"""Token buckets: what fits, what does not, and that memory and limits hold whatever keys there are."""

from __future__ import annotations

import random

import msgspec
import pytest

from feedbackloop.api.collection import RateLimit, RateLimits
from feedbackloop.events.tokens import Claims
from feedbackloop.gateway.ratelimit import Limiter, Limits, OverLimit

NOW = 1_700_000_000_000


def limiter(requests: int = 3, seconds: int = 10, **more: int) -> Limiter:
    return Limiter(RateLimit(requests=requests, period_seconds=seconds), **more)


def claims(subject: str = "s", tenant: str = "", output: str = "o-1") -> Claims:
    return Claims(subject, "", (output,), "", "", 0, 0, NOW * 2, tenant=tenant)


def test_a_full_bucket_holds_a_period_and_refills_evenly() -> None:
    limit = limiter()
    assert [limit.retry_after("k", NOW) for _ in range(4)] == [0, 0, 0, 4]
    assert limit.retry_after("k", NOW + 3000) == 1
    assert limit.retry_after("k", NOW + 3334) == 0
    assert limit.retry_after("k", NOW + 3334) == 4


def test_after_a_quiet_period_the_bucket_is_full_again() -> None:
    limit = limiter()
    for _ in range(3):
        limit.retry_after("k", NOW)
    assert [limit.retry_after("k", NOW + 10_000) for _ in range(4)] == [0, 0, 0, 4]


def test_keys_do_not_touch_each_other() -> None:
    limit = limiter(requests=1)
    assert (limit.retry_after("a", NOW), limit.retry_after("b", NOW), limit.retry_after("a", NOW)) == (0, 0, 10)


def test_a_refused_event_costs_nothing() -> None:
    limit = limiter(requests=1)
    limit.retry_after("k", NOW)
    for moment in range(9):
        assert limit.retry_after("k", NOW + moment * 1000) > 0
    assert limit.retry_after("k", NOW + 10_000) == 0


@pytest.mark.parametrize("seed", range(20))
def test_in_no_stretch_of_time_more_gets_through_than_a_bucket_and_its_refill(seed: int) -> None:
    generator = random.Random(seed)
    requests, period = generator.randint(1, 50), generator.randint(1, 60)
    limit, now, taken = limiter(requests, period), NOW, []
    for _ in range(2000):
        now += generator.choice((0, 1, 7, 500, period * 300))
        count = generator.randint(1, requests)
        if limit.retry_after("k", now, count) == 0:
            taken.append((now, count))
    for start in range(0, len(taken), 7):
        total = 0
        for moment, count in taken[start:]:
            total += count
            refill = (moment - taken[start][0]) * requests / (period * 1000)
            assert total <= requests + refill + 1


def test_memory_is_bounded_and_who_is_over_stays_over() -> None:
    limit = limiter(requests=1, seconds=60, most_keys=100)
    assert limit.retry_after("hostile", NOW) == 0
    for index in range(5000):
        limit.retry_after(f"made-up-{index}", NOW + index)
    assert len(limit) <= 200
    assert limit.retry_after("hostile", NOW + 5000) > 0
    late = [limit.retry_after(f"late-{index}", NOW + 5000) for index in range(50)]
    assert all(limit.retry_after(f"late-{index}", NOW + 5001) > 0 for index in range(50) if late[index] == 0)


def test_buckets_that_share_a_cell_are_let_go_when_the_flood_ends() -> None:
    limit = limiter(requests=1, seconds=10, most_keys=10)
    for index in range(1000):
        limit.retry_after(f"flood-{index}", NOW)
    quiet = NOW + 30_000
    assert all(limit.retry_after(f"after-{index}", quiet) == 0 for index in range(10))
    assert len(limit) <= 20


def test_a_batch_counts_as_its_events_in_every_bucket_or_in_none() -> None:
    limits = Limits(
        RateLimits(
            per_subject=RateLimit(requests=10, period_seconds=60), per_token=RateLimit(requests=5, period_seconds=60)
        )
    )
    limits.take(claims(), NOW, 4)
    with pytest.raises(OverLimit):
        limits.take(claims(), NOW, 2)
    limits.take(claims(output="o-2"), NOW, 5)
    limits.take(claims(), NOW, 1)
    with pytest.raises(OverLimit) as over:
        limits.check(claims(output="o-3"), NOW)
    assert over.value.retry_after == 6


def test_another_token_for_the_same_answer_has_the_same_bucket() -> None:
    limits = Limits(RateLimits(per_token=RateLimit(requests=1, period_seconds=60)))
    limits.take(claims(), NOW, 1)
    with pytest.raises(OverLimit):
        limits.check(msgspec.structs.replace(claims(), started_at=NOW), NOW)
    limits.check(claims("other"), NOW)


def test_a_batch_that_never_fits_says_so() -> None:
    limits = Limits(RateLimits(per_subject=RateLimit(requests=10, period_seconds=60)))
    with pytest.raises(OverLimit) as over:
        limits.take(claims(), NOW, 11)
    assert over.value.never
    limits.take(claims(), NOW, 10)


def test_a_tenant_is_limited_over_all_its_subjects_and_nobody_without_one() -> None:
    limits = Limits(RateLimits(per_tenant=RateLimit(requests=2, period_seconds=60)))
    for subject in ("a", "b"):
        limits.take(claims(subject, "acme"), NOW, 1)
    with pytest.raises(OverLimit):
        limits.take(claims("c", "acme"), NOW, 1)
    limits.take(claims("c", "other"), NOW, 1)
    for _ in range(5):
        limits.take(claims("d"), NOW, 1)
