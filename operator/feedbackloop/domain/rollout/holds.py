"""What freezes the steps without taking anything back: outages hold, they never pass and never abort (I3)."""

from __future__ import annotations

import math

from feedbackloop.api.conditions import Reason
from feedbackloop.api.rollout import StableUnhealthyPolicy
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.evidence.rated_share import Uneven
from feedbackloop.domain.evidence.sample_ratio import Mismatch
from feedbackloop.domain.rollout import guardrails, sources
from feedbackloop.domain.rollout.situation import Hold, Situation
from feedbackloop.domain.statistics.numerals import numeral_of_log


def epoch_applying(s: Situation) -> Hold | None:
    """Nothing follows from an epoch that has not started."""
    if s.status.epoch == 0 or s.status.epoch_started_at is not None:
        return None
    return Hold(Reason.WEIGHT_APPLYING, f"waiting for every gateway pod to apply weight {s.status.weight}")


def metrics_missing(s: Situation) -> Hold | None:
    if not s.gateways:
        return Hold(Reason.GATEWAY_UNAVAILABLE, "not every gateway pod answers: no decision without its counts")
    missing = guardrails.missing(s)
    if not missing:
        return sources.unavailable(s)
    return Hold(Reason.METRICS_MISSING, f"no measurements for guardrails {', '.join(missing)}")


def target_degraded(s: Situation) -> Hold | None:
    degraded = guardrails.degraded(s)
    if not degraded:
        return None
    return Hold(Reason.TARGET_DEGRADED, f"both arms are over the limit of {', '.join(degraded)}")


def sample_ratio(s: Situation) -> Hold | None:
    if not s.sample_ratio:
        return None
    return Hold(Reason.SAMPLE_RATIO_MISMATCH, "; ".join(_mismatch(m) for m in s.sample_ratio))


def rated_share(s: Situation) -> Hold | None:
    if not s.rated_share:
        return None
    return Hold(Reason.RATED_SHARE_UNEVEN, "; ".join(_uneven(u) for u in s.rated_share))


def target_unavailable(s: Situation) -> Hold | None:
    """No step while stable is not whole: it is what the candidate is compared with, and the way back."""
    if s.observed.target.serves(s.champion) or _may_replace(s):
        return None
    return Hold(Reason.TARGET_UNAVAILABLE, "not every replica of the target is ready with the champion")


def _may_replace(s: Situation) -> bool:
    """By policy a canary with all its evidence may still take the place of a stable arm that is not whole."""
    decided = bool(s.status.outcomes) and all(o.verdict is Verdict.SUCCESSFUL for o in s.status.outcomes)
    wanted = s.spec.stable_unhealthy_policy is StableUnhealthyPolicy.PROMOTE_IF_CANARY_HEALTHY
    return wanted and decided and not guardrails.waiting(s)


def _mismatch(m: Mismatch) -> str:
    share = f"canary {m.canary} of {m.canary + m.stable} units at weight {m.weight} in epoch {m.epoch}"
    factor = f"Bayes factor {numeral_of_log(m.log_bayes_factor)}, alarm at {numeral_of_log(math.log(1000))}"
    return f"{m.outcome}: {share} ({factor})"


def _uneven(u: Uneven) -> str:
    stable, canary = f"{u.stable.rated}/{u.stable.units}", f"{u.canary.rated}/{u.canary.units}"
    return f"{u.outcome}: rated units stable {stable}, canary {canary} in epoch {u.epoch}"
