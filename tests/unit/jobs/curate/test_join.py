from dataclasses import replace

import pytest

from tests.unit.jobs.curate.world import SIGNALS, Log, reasons

HOUR = 3_600_000
WINDOW = 24 * HOUR


def later(log: Log, event_id: str, at: int) -> None:
    """Moves an event to another time."""
    index = next(n for n, event in enumerate(log.events) if event.event_id == event_id)
    log.events[index] = replace(log.events[index], order=(at, "gateway-0", index))


def test_feedback_whose_interaction_is_not_known_waits_for_it_and_then_expires() -> None:
    log = Log()
    old, young = log.send("ann", "nowhere", "helpful", True), log.send("ann", "nowhere", "note", "x")
    later(log, young, HOUR)
    assert reasons(log.curate()) == {old: "Waiting", young: "Waiting"}
    log.ask("something else", received_at=WINDOW + 1)
    assert reasons(log.curate()) == {old: "OrphanExpired", young: "Waiting"}


def test_an_interaction_may_come_after_its_feedback_but_not_too_late() -> None:
    for at, reason in ((WINDOW, None), (WINDOW + 1, "OrphanExpired")):
        log = Log()
        event = log.send("ann", "o0.0", "helpful", False)
        log.ask("q", received_at=at)
        assert reasons(log.curate()).get(event) == (reason or "DownVote")


def test_a_preference_waits_until_both_sides_are_known() -> None:
    log = Log()
    log.ask("which?", "one", "two")
    event = log.prefer("ann", "o0.0", "o1.0", "a")
    assert reasons(log.curate()) == {event: "Waiting"}


def test_an_answer_is_found_by_the_servers_own_id_or_its_span() -> None:
    log = Log()
    log.ask("q", "a", response_id="chatcmpl-1", span="t/s")
    by_response = log.send("ann", "", "helpful", False, output_id=None, response_id="chatcmpl-1")
    by_span = log.send("ben", "", "helpful", False, output_id=None, span="t/s")
    assert reasons(log.curate()) == {by_response: "DownVote", by_span: "DownVote"}


def test_a_judgement_of_a_turn_or_a_session_is_joined_and_trains_nothing() -> None:
    log = Log()
    log.ask("q", "a", session="s", turn_id="t-1")
    turn = log.send("ann", "", "helpful", True, output_id=None, level="turn", session="s", turn_id="t-1")
    whole = log.send("ann", "", "helpful", True, output_id=None, level="session", session="s")
    other = log.send("ann", "", "helpful", True, output_id=None, level="turn", session="s", turn_id="t-2")
    assert reasons(log.curate()) == {turn: "NotTrainable", whole: "NotTrainable", other: "Waiting"}


def test_a_changed_vote_speaks_in_the_place_of_the_first_in_either_order() -> None:
    for first_at, second_at in ((1, 2), (2, 1)):
        log = Log()
        log.ask("q", "a", "b")
        first = log.send("ann", "o0.0", "helpful", True)
        second = log.send("ann", "o0.0", "helpful", False, supersedes=first)
        later(log, first, first_at)
        later(log, second, second_at)
        assert reasons(log.curate()) == {first: "Superseded", second: "DownVote"}


def test_a_vote_that_was_taken_back_is_none_and_brings_none_back() -> None:
    log = Log()
    log.ask("q", "a")
    first = log.send("ann", "o0.0", "helpful", True)
    second = log.send("ann", "o0.0", "helpful", False)
    gone = log.send("ann", "o0.0", "helpful", None, supersedes=second, retracted=True)
    assert reasons(log.curate()) == {first: "Superseded", second: "Retracted", gone: "Retracted"}


def test_a_chain_of_changes_ends_with_its_last_word() -> None:
    log = Log()
    log.ask("q", "a")
    first = log.send("ann", "o0.0", "helpful", True)
    second = log.send("ann", "o0.0", "helpful", False, supersedes=first)
    third = log.send("ann", "o0.0", "helpful", True, supersedes=second)
    found = reasons(log.curate())
    assert (found[first], found[second]) == ("Superseded", "Superseded")
    assert found.get(third) not in ("Superseded", "Retracted")
    again = log.send("ann", "o0.0", "helpful", None, supersedes=third, retracted=True)
    assert reasons(log.curate()) == {first: "Superseded", second: "Superseded", third: "Retracted", again: "Retracted"}


def test_nobody_changes_or_takes_back_anothers_vote() -> None:
    log = Log()
    log.ask("q", "a")
    vote = log.send("ann", "o0.0", "helpful", False)
    log.send("ben", "o0.0", "helpful", None, supersedes=vote, retracted=True)
    assert reasons(log.curate())[vote] == "DownVote"


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
