"""Consent at training start: what was withdrawn since the data set was built is not trained on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedbackloop.events.ledger.consents import latest
from feedbackloop.events.records import ConsentRecord
from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import ConsentWithdrawn, InvalidDataset, exit_code
from feedbackloop.jobs.train.consent import allowed

ROWS = canonical.lines([{"n": n} for n in range(3)])
PEOPLE = canonical.lines([[["ann", 5]], [["ann", 9], ["ben", 9]], [["cy", 7]]])


def standings(*entries: tuple[str, str, int], purpose: str = "Improve") -> Any:
    return latest(
        ConsentRecord(f"c{i}", at, subject, purpose, state, "app", pod="gw-0", seq=i)
        for i, (subject, state, at) in enumerate(entries)
    )


def numbers(data: bytes) -> list[int]:
    return [json.loads(line)["n"] for line in data.splitlines()]


def test_without_a_ledger_all_rows_are_used_as_they_are() -> None:
    found = allowed(ROWS, PEOPLE, {})
    assert (found.data, found.rows, found.withdrawn) == (ROWS, 3, 0)


def test_a_withdrawal_takes_every_row_that_the_person_is_behind() -> None:
    found = allowed(ROWS, PEOPLE, standings(("ann", "withdrawn", 20)))
    assert (numbers(found.data), found.rows, found.withdrawn) == ([2], 1, 2)
    assert found.digest == canonical.digest(found.data) != canonical.digest(ROWS)


def test_one_voter_of_many_is_enough() -> None:
    assert numbers(allowed(ROWS, PEOPLE, standings(("ben", "refused", 20))).data) == [0, 2]


def test_another_purpose_and_a_refusal_before_the_data_take_nothing() -> None:
    assert allowed(ROWS, PEOPLE, standings(("ann", "withdrawn", 20), purpose="Analyze")).withdrawn == 0
    assert allowed(ROWS, PEOPLE, standings(("ann", "refused", 1), ("ann", "given", 2))).withdrawn == 0


def test_when_nothing_is_left_the_end_says_so_with_a_class_of_its_own() -> None:
    everybody = standings(*((who, "withdrawn", 20) for who in ("ann", "ben", "cy")))
    with pytest.raises(ConsentWithdrawn) as caught:
        allowed(ROWS, PEOPLE, everybody)
    assert exit_code(caught.value) == 16


def test_an_old_data_set_that_names_nobody_is_used_only_while_nobody_refused() -> None:
    assert allowed(ROWS, None, standings(("ann", "given", 20))).rows == 3
    with pytest.raises(ConsentWithdrawn):
        allowed(ROWS, None, standings(("zoe", "refused", 20)))


def test_people_that_do_not_fit_the_rows_are_refused() -> None:
    with pytest.raises(InvalidDataset):
        allowed(ROWS, PEOPLE + canonical.lines([[]]), {})
