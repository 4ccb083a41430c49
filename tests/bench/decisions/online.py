"""Online decisions over many simulated rollouts: false alarms, harm found, Simpson's trap, wrong shares."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate

import numpy as np

from feedbackloop.api.rollout import Rollout
from feedbackloop.domain.evidence import eprocess, sample_ratio
from feedbackloop.domain.evidence.ratio import confidence_sequence
from feedbackloop.domain.plan import plan
from tests.bench.decisions.rivals import fixed_threshold, peeking_z_test
from tests.bench.decisions.streams import DAY, Scenario, Stream, by_request, looks, stream

ALPHA = 0.05
SPLIT = ((288, 0.5),)
RULES = (
    "e-process",
    "z-test, read at every look",
    "1.2 times, 3 failures",
    "the e-process, but counting requests of sticky sessions",
)


def runs(scenario: Scenario, count: int, seed: int) -> Iterator[Stream]:
    return (stream(scenario, np.random.default_rng((seed, index))) for index in range(count))


def aborted(made: Stream) -> bool:
    """Whether the harm test ever reaches its bound; looked at after every slot."""
    return max((0.0, *eprocess.harm(looks(made)))) >= math.log(1 / ALPHA)


def false_aborts(count: int, seed: int) -> dict[str, float]:
    """A/A: both arms are the same model. The share of rollouts that each rule takes back."""
    found = [
        (aborted(made), peeking_z_test(made), fixed_threshold(made), aborted(by_request(made)))
        for made in runs(Scenario(), count, seed)
    ]
    return dict(zip(RULES, map(float, np.mean(found, axis=0)), strict=True))


def false_promotions(count: int, seed: int) -> float:
    """A candidate exactly at the declared ratio of 1.25: shown non-inferior at some look."""
    worse = Scenario(base=0.1, ratio=1.25)
    found = (eprocess.non_inferiority(looks(made), 1.25) for made in runs(worse, count, seed))
    return float(np.mean([max((0.0, *values)) >= math.log(1 / ALPHA) for values in found]))


def plan_kept(count: int, seed: int) -> tuple[float, int]:
    """Equal candidates at 50/50, base 10 %: the share decided within the sessions of the plan, and these."""
    scenario = Scenario(ramp=SPLIT, base=0.1 / 0.8, swing=0.0)
    spec = Rollout.model_validate(PLANNED)
    needed = plan(spec, spec.outcomes[0], round(scenario.sessions * DAY), 1.0, 0.1).sessions_needed or 0
    found = [_sessions_to_promote(made) <= needed for made in runs(scenario, count, seed)]
    return float(np.mean(found)), needed


PLANNED = {
    "steps": [{"setWeight": 50}, {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}],
    "outcomes": [{"name": "downvotes", "signal": "s", "attributionWindowSeconds": 60, "minRatedUnits": 1}],
}


def _sessions_to_promote(made: Stream) -> float:
    closed = looks(made)
    sessions = accumulate(look.stable.units + look.canary.units for look in closed)
    crossing = zip(sessions, eprocess.non_inferiority(closed, 1.25), strict=True)
    return next((n for n, e in crossing if e >= math.log(1 / ALPHA)), math.inf)


def simpson(count: int, seed: int) -> dict[str, float]:
    """The base rate triples while the weight rises: pooled rates make an equal canary look worse."""
    scenario = Scenario(base=0.01, drift=3.0, swing=0.0)
    found = [(aborted(made), peeking_z_test(made)) for made in runs(scenario, count, seed)]
    e_process, z_test = (float(share) for share in np.mean(found, axis=0))
    return {"e-process": e_process, "z-test, read at every look": z_test}


def harm_found(count: int, seed: int, *, within: int = 4200, ratio: float = 2.0) -> tuple[float, float]:
    """The share of harmful candidates that are taken back within so many sessions, and the median sessions."""
    scenario = Scenario(ramp=SPLIT, base=0.02 / 0.8, ratio=ratio, swing=0.3)
    needed = [_sessions_to_abort(made) for made in runs(scenario, count, seed)]
    return float(np.mean([n <= within for n in needed])), float(np.median(needed))


def _sessions_to_abort(made: Stream) -> float:
    closed = looks(made)
    sessions = accumulate(look.stable.units + look.canary.units for look in closed)
    crossing = (n for n, e in zip(sessions, eprocess.harm(closed), strict=True) if e >= math.log(1 / ALPHA))
    return next(crossing, math.inf)


def wrong_share_found(count: int, seed: int, *, within: int = 2000) -> tuple[float, float]:
    """A router that sends 5.5 % where 10 % is asked: the share found within so many sessions, and false alarms."""
    faulty = Scenario(ramp=((288, 0.10),), leak=0.055)
    honest = Scenario(ramp=((288, 0.10),))
    found = np.mean([_alarm(made) <= within for made in runs(faulty, count, seed)])
    false = np.mean([math.isfinite(_alarm(made)) for made in runs(honest, count, seed + 1)])
    return float(found), float(false)


def _alarm(made: Stream) -> float:
    """Sessions until the sample-ratio check alarms."""
    stable, canary = (np.cumsum(units) for units in made.units)
    for s, c in zip(stable, canary, strict=True):
        if sample_ratio.log_bayes_factor(int(c), int(s), float(made.shares[0])) >= -math.log(sample_ratio.ALPHA):
            return float(s + c)
    return math.inf


def sequence_coverage(count: int, seed: int, *, ratio: float = 1.3) -> float:
    """The share of rollouts whose confidence sequence holds the true ratio at every tenth of the way."""
    scenario = Scenario(ramp=SPLIT, ratio=ratio)
    return float(np.mean([_covered(made, ratio) for made in runs(scenario, count, seed)]))


def _covered(made: Stream, ratio: float) -> bool:
    closed = looks(made, every=12)
    steps = range(1, len(closed) + 1, max(1, len(closed) // 10))
    return all(i.lower <= ratio <= i.upper for i in (confidence_sequence(closed[:n], ALPHA) for n in steps))
