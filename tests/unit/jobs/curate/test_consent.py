"""The ledger at build: whoever refused since is in no row, and the data set says what it went by."""

from __future__ import annotations

import json
from collections.abc import Iterable

from feedbackloop.events.ledger.chain import Head
from feedbackloop.events.ledger.reading import Ledger
from feedbackloop.events.records import ConsentRecord
from feedbackloop.jobs.curate.dataset import DataSet, curate
from feedbackloop.jobs.curate.files import bundle
from feedbackloop.jobs.curate.reasons import Reason
from tests.unit.jobs.curate.world import Log

PEOPLE = ("ann", "ben", "cy")
LATER = 10_000


def some_log() -> Log:
    log = Log()
    for n in range(6):
        log.correct(f"hotline hours {n}", "8 to 20", PEOPLE)
    return log


def ledger(*entries: tuple[str, str, int]) -> Ledger:
    records = [
        ConsentRecord(f"c{i}", at, subject, "Improve", state, "token", pod="gw-0", seq=i)
        for i, (subject, state, at) in enumerate(entries)
    ]
    return Ledger({"gw-0": Head(len(records), "ab" * 32)}, records)


def built(log: Log, consents: Ledger | None = None) -> DataSet:
    return curate(log.interactions, log.events, {}, log.config, consents)


def people(data: DataSet, file: str = "subjects.jsonl") -> list[set[str]]:
    return [{who for who, _ in json.loads(line)} for line in bundle(data).files[file].splitlines()]


def excluded(data: DataSet, reason: Reason) -> set[str]:
    return {item.event.subject for item in data.excluded if item.reason is reason}


def without(names: Iterable[set[str]], name: str) -> bool:
    return all(name not in row for row in names)


def test_who_refused_later_is_in_no_row_and_the_others_stay() -> None:
    log = some_log()
    before, after = built(log), built(log, ledger(("ann", "given", 0), ("ann", "withdrawn", LATER)))
    assert not without(people(before), "ann")
    assert without(people(after), "ann")
    assert excluded(after, Reason.CONSENT_WITHDRAWN) == {"ann"}


def test_a_refusal_before_the_data_does_not_bar_what_was_agreed_to_afterwards() -> None:
    data = built(some_log(), ledger(("ann", "refused", -5), ("ann", "given", -4)))
    assert excluded(data, Reason.CONSENT_WITHDRAWN) == set()


def test_the_author_of_a_conversation_takes_the_votes_of_others_along() -> None:
    log = Log()
    for n in range(6):
        for rater in PEOPLE:
            log.send(rater, log.ask(f"fee {n} {rater}", subject="dee"), "fix", "4 euros")
    data = built(log, ledger(("dee", "withdrawn", LATER)))
    assert data.training.rows == ()
    assert excluded(data, Reason.CONSENT_WITHDRAWN) == set(PEOPLE)


def test_the_manifest_names_the_heads_and_the_rows_name_their_people() -> None:
    data = built(some_log(), ledger(("zoe", "given", 1)))
    made = bundle(data)
    assert json.loads(made.manifest)["ledger"] == {"gw-0": {"seq": 1, "hash": "ab" * 32}}
    assert len(made.files["subjects.jsonl"].splitlines()) == len(made.files["train.jsonl"].splitlines()) > 0


def test_preferences_name_their_raters() -> None:
    log = Log()
    first = log.ask("which", "a", "b", subject="dee")
    for rater in PEOPLE:
        log.prefer(rater, first, first.replace(".0", ".1"), "a")
    assert people(built(log), "preference_subjects.jsonl") == [{"dee", *PEOPLE}]
