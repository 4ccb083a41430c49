"""The judge is judged: the simulated world has the truth that it says it has."""

from __future__ import annotations

import numpy as np

from tests.simulator import Campaign, Kind, Population, corrections, planted, simulate
from tests.simulator.corrections import answer
from tests.simulator.leaks import Disguise


def test_the_same_seed_is_the_same_world_and_another_is_not() -> None:
    first, again, other = (simulate(Population(), seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first.vote_down, again.vote_down)
    assert not np.array_equal(first.user, other.user)


def test_harsh_and_lenient_raters_see_the_same_quality_and_say_other_things() -> None:
    columns, truth = simulate(Population(interactions=60_000), 3)
    kind = truth.kind[columns.vote_user]
    seen = {k: truth.quality[columns.vote_interaction][kind == k].mean() for k in (Kind.HARSH, Kind.LENIENT)}
    said = {k: columns.vote_down[kind == k].mean() for k in (Kind.HARSH, Kind.LENIENT)}
    assert abs(seen[Kind.HARSH] - seen[Kind.LENIENT]) < 0.01
    assert said[Kind.HARSH] - said[Kind.LENIENT] > 0.2


def test_few_loud_users_have_most_of_the_votes_and_tilt_the_plain_rate() -> None:
    loud = Population(
        users=4_000, interactions=80_000, base_response=0.04, loud_share=0.05, loud_votes=0.6, loud_taste=-0.6
    )
    columns, truth = simulate(loud, 4)
    share = truth.loud[columns.vote_user].mean()
    assert 0.5 < share < 0.7
    assert columns.vote_down.mean() - truth.down_rate() > 0.1


def test_a_bad_template_is_worse_and_spammers_are_quick() -> None:
    columns, truth = simulate(Population(templates=50, bad_templates={7: 0.4}), 5)
    of = columns.template[columns.vote_interaction]
    assert columns.vote_down[of == 7].mean() > columns.vote_down[of != 7].mean() + 0.2
    spam = truth.kind[columns.vote_user] == Kind.SPAMMER
    assert columns.vote_delay_ms[spam].max() < 700 < np.quantile(columns.vote_delay_ms[~spam], 0.01)


def test_a_campaign_is_as_large_and_as_wide_as_it_says() -> None:
    rows = corrections(6, campaign=Campaign(sybils=10, documents=250, rows=500))
    bad = [row for row in rows if row.campaign]
    assert len(bad) == 500
    assert len({row.user for row in bad}) == 10
    assert len({row.prompt for row in bad}) == 250
    assert all(answer(row.prompt).split()[1] in row.text.lower() for row in rows if not row.campaign)
    assert rows == sorted(rows, key=lambda row: row.at_ms)


def test_leaks_hide_in_every_disguise() -> None:
    items = [f"What is the return time of article number {n} in your shop?" for n in range(20)]
    leaks = planted(items, 50, 7)
    assert {leak.disguise for leak in leaks} == set(Disguise)
    assert all((leak.text == items[leak.item]) == (leak.disguise is Disguise.EXACT) for leak in leaks)
