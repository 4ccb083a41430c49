"""One draw of the world: everything follows from the population and the seed."""

from __future__ import annotations

import numpy as np

from tests.simulator.columns import Bools, Columns, Floats, Ints, Truth
from tests.simulator.population import RATES, Kind, Population

START_MS = 1_790_000_000_000
DAY_MS = 86_400_000


def simulate(population: Population, seed: int) -> tuple[Columns, Truth]:
    """The columns that curation sees, and the truth behind them."""
    rng = np.random.default_rng(seed)
    kinds = _kinds(population, rng)
    loud = rng.random(population.users) < population.loud_share
    user = rng.choice(population.users, population.interactions, p=_activity(population, rng))
    segment = rng.choice(len(population.segments), population.users, p=population.segment_shares)[user]
    region = rng.choice(len(population.regions), population.users, p=population.region_shares)[user]
    template = rng.integers(0, population.templates, population.interactions)
    quality = _quality(population, template, rng)
    seen = np.clip(quality + _taste(population, segment) + population.loud_taste * loud[user], 0, 1)
    at = START_MS + np.sort(rng.integers(0, population.days * DAY_MS, population.interactions))
    rated = np.flatnonzero(rng.random(population.interactions) < _response(population, segment, loud[user]))
    down = rng.random(len(rated)) < _down(kinds[user[rated]], seen[rated])
    delay = _delays(kinds[user[rated]], rng)
    columns = Columns(user, template, segment, region, at, rated, down, delay)
    return columns, Truth(kinds, quality, seen, loud)


def _kinds(population: Population, rng: np.random.Generator) -> Ints:
    kinds, shares = list(population.shares), np.array(list(population.shares.values()))
    drawn = rng.choice(len(kinds), population.users, p=shares / shares.sum())
    return np.array([int(kind) for kind in kinds], dtype=np.int64)[drawn]


def _activity(population: Population, rng: np.random.Generator) -> Floats:
    """How often each user asks: a few ask much more than most, and the loud no more often than others."""
    weights = rng.pareto(2.5, population.users) + 0.2
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _quality(population: Population, template: Ints, rng: np.random.Generator) -> Floats:
    quality = population.quality + population.quality_spread * rng.standard_normal(len(template))
    for number, missing in population.bad_templates.items():
        quality[template == number] -= missing
    return np.clip(quality, 0, 1)


def _taste(population: Population, segment: Ints) -> Floats:
    tastes: Floats = np.array([population.taste.get(name, 0.0) for name in population.segments])[segment]
    return tastes


def _response(population: Population, segment: Ints, loud: Bools) -> Floats:
    """The probability that an interaction is rated; the loud rate so often that they have `loud_votes` of the votes."""
    shares = np.array([population.response.get(name, population.base_response) for name in population.segments])
    response: Floats = shares[segment]
    if not population.loud_votes or not loud.any():
        return response
    others = response[~loud].sum()
    wanted = others * population.loud_votes / (1 - population.loud_votes) / loud.sum()
    factor = min(1.0, 0.95 / wanted)
    rated: Floats = np.where(loud, min(0.95, wanted), response * factor)
    return rated


def _down(kinds: Ints, seen: Floats) -> Floats:
    base = np.array([RATES[kind].base for kind in Kind])[kinds]
    slope = np.array([RATES[kind].slope for kind in Kind])[kinds]
    return np.clip(base + slope * (1 - seen), 0, 1)


def _delays(kinds: Ints, rng: np.random.Generator) -> Ints:
    """Milliseconds from answer to vote: seconds to minutes, of spammers far less than reading takes."""
    human = 1_500 + rng.lognormal(9.5, 1.0, len(kinds))
    return np.where(kinds == Kind.SPAMMER, rng.integers(50, 600, len(kinds)), human).astype(np.int64)
