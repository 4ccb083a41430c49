from dataclasses import replace

import pytest

from tests.unit.jobs.curate.world import SIGNALS, Log, reasons


def test_feedback_on_an_output_that_nobody_stored_is_an_orphan() -> None:
    log = Log()
    event = log.send("ann", "nowhere", "helpful", True)
    assert reasons(log.curate()) == {event: "Orphan"}


def test_the_same_event_of_the_same_subject_counts_once() -> None:
    log = Log()
    log.like("q", "a", ["ann"])
    log.events.append(replace(log.events[0], order=(9, "gateway-1", 1)))
    data = log.with_(replay_ratio="1").curate()
    assert data.reasons()["DuplicateEvent"] == 1


def test_one_event_id_of_two_subjects_is_two_events() -> None:
    log = Log()
    log.like("q", "a", ["ann", "ben"])
    log.events[1] = replace(log.events[1], event_id=log.events[0].event_id)
    assert "DuplicateEvent" not in log.curate().reasons()


def test_the_last_vote_of_a_subject_on_an_output_replaces_the_earlier_ones() -> None:
    log = Log()
    output = log.ask("q", "a")
    first = log.send("ann", output, "helpful", True)
    last = log.send("ann", output, "helpful", False)
    assert reasons(log.curate()) == {first: "Superseded", last: "DownVote"}


def test_a_vote_and_a_correction_of_one_subject_on_one_output_both_count() -> None:
    log = Log()
    output = log.ask("q", "a")
    vote = log.send("ann", output, "helpful", False)
    fix = log.send("ann", output, "fix", "b")
    assert reasons(log.curate()) == {vote: "DownVote", fix: "NotCorroborated"}


@pytest.mark.parametrize(
    ("signal", "value", "reason"),
    [
        ("gone", True, "UndeclaredSignal"),
        ("helpful", "yes", "BadValue"),
        ("fix", True, "BadValue"),
        ("prefer", "c", "BadValue"),
        ("why", "inaccurate", "NotTrainable"),
        ("note", "nice", "NotTrainable"),
        ("shown", None, "NotTrainable"),
    ],
)
def test_what_no_row_can_be_made_of_says_why(signal: str, value: object, reason: str) -> None:
    log = Log()
    event = log.send("ann", log.ask("q"), signal, value)
    assert reasons(log.curate()) == {event: reason}


@pytest.mark.parametrize(
    ("required", "author", "voter", "usable"),
    [
        (True, True, True, True),
        (True, None, None, False),
        (True, True, False, False),
        (True, False, False, False),
        (False, None, None, True),
        (False, True, True, True),
        (False, False, False, False),
        (False, True, False, False),
    ],
)
def test_consent_decides_before_anything_else(
    required: bool, author: bool | None, voter: bool | None, usable: bool
) -> None:
    log = Log().with_(consent_required=required)
    event = log.send("ann", log.ask("q", consent=author), "helpful", False, consent=voter)
    assert (reasons(log.curate())[event] == "NoConsent") is not usable


def test_a_later_withdrawal_takes_the_earlier_votes_on_that_output_with_it() -> None:
    log = Log()
    output = log.ask("q", subject="ann")
    vote = log.send("ann", output, "helpful", False)
    other = log.send("ben", log.ask("q2"), "helpful", False)
    withdrawal = log.send("ann", output, "note", "no", consent=False)
    assert reasons(log.curate()) == {vote: "NoConsent", withdrawal: "NoConsent", other: "DownVote"}


def test_a_withdrawal_counts_even_when_its_signal_is_no_longer_declared() -> None:
    log = Log(config=Log().with_(signals=SIGNALS[:1]).config)
    output = log.ask("q", subject="ann")
    vote = log.send("ann", output, "helpful", False)
    log.send("ann", output, "note", "no", consent=False)
    assert reasons(log.curate())[vote] == "NoConsent"


def test_a_rater_who_withdraws_takes_its_own_vote_only_but_the_author_takes_all() -> None:
    log = Log()
    output = log.ask("q", subject="author")
    ann = log.send("ann", output, "helpful", False)
    ben = log.send("ben", output, "helpful", False, consent=False)
    assert reasons(log.curate()) == {ann: "DownVote", ben: "NoConsent"}
    log.send("author", output, "helpful", True, consent=False)
    assert reasons(log.curate())[ann] == "NoConsent"
