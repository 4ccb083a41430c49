"""Answers that wait for object storage, those who come late, and the law's two counts."""

from __future__ import annotations

import asyncio

import pytest

from feedbackloop.events.records import AuditRecord, BadRow, FeedbackRecord
from feedbackloop.gateway.law import SAMPLES, Law, events_of
from feedbackloop.gateway.meta import Duplicates
from feedbackloop.gateway.ticket import Ticket
from feedbackloop.gateway.until_stored import UntilStored
from feedbackloop.gateway.wal import LogUnavailable


def vote(number: int) -> FeedbackRecord:
    return FeedbackRecord(f"event-{number}", number, "subject", "helpful", "Thumbs", value=True, fingerprint=1)


class Answers:
    """Tickets whose ends are kept."""

    def __init__(self) -> None:
        self.ends: list[LogUnavailable | None] = []

    def ticket(self) -> Ticket:
        return Ticket([vote(1)], [(1, 1)], self.ends.append)


def held(answers: Answers, *segments: int, wait: float = 10.0) -> UntilStored:
    waiting = UntilStored(lambda ticket: ticket.end(None), wait)
    for segment in segments:
        waiting.hold(segment, answers.ticket())
    return waiting


def test_an_answer_is_given_when_its_segment_is_stored_and_not_before() -> None:
    answers = Answers()
    waiting = held(answers, 1, 2, 2, 3)
    assert (answers.ends, waiting.events) == ([], 4)
    waiting.stored(2)
    assert (answers.ends, waiting.events) == ([None, None, None], 1)


def test_who_waits_too_long_is_told_once_and_the_record_goes_on() -> None:
    answers = Answers()
    waiting = held(answers, 1, wait=0.0)
    waiting.expire()
    assert [str(error) for error in answers.ends] == ["StorageUnavailable"]
    assert (waiting.failing, waiting.events) == (True, 1)
    waiting.stored(1)
    assert (len(answers.ends), waiting.failing, waiting.events) == (1, False, 0)


async def test_a_repetition_of_a_held_event_waits_for_the_storage_too() -> None:
    waiting = UntilStored(lambda ticket: ticket.end(None), 0.0)
    ticket = Ticket([vote(1)], [(1, 1)], lambda _error: None)
    waiting.hold(1, ticket)
    waiting.expire()
    again = asyncio.ensure_future(ticket.wait())
    await asyncio.sleep(0)
    waiting.expire()
    with pytest.raises(LogUnavailable, match="StorageUnavailable"):
        await again
    again = asyncio.ensure_future(ticket.wait())
    await asyncio.sleep(0)
    waiting.stored(1)
    await again


async def test_who_comes_after_the_end_does_not_wait() -> None:
    stored, failed = Ticket([vote(1)], (), None), Ticket([vote(2)], (), None)
    stored.end(None)
    failed.end(LogUnavailable("DiskFull"))
    await stored.wait()
    with pytest.raises(LogUnavailable, match="DiskFull"):
        await failed.wait()


def test_going_back_to_the_volume_lets_all_go() -> None:
    answers = Answers()
    held(answers, 1, 5).release()
    assert answers.ends == [None, None]


def test_events_of_a_submission_are_records_and_repetitions_of_clients() -> None:
    entries = [vote(1), BadRow("b", 1, "code", "$", "{}"), AuditRecord(1, "started"), Duplicates(1, 3)]
    assert events_of(Ticket(entries, (), None)) == 5


def test_the_law_shows_what_is_missing_and_what_nobody_was_told_of() -> None:
    law = Law(taken=100)
    law.told(10, stored=True)
    assert (law.difference(110, 0), law.difference(109, 0), law.difference(112, 0)) == (0, -1, 2)


def test_what_failed_or_waits_may_be_in_the_log() -> None:
    law = Law(taken=0)
    law.told(3, stored=False)
    assert (law.difference(0, 0), law.difference(3, 0), law.difference(5, 2), law.difference(6, 2)) == (0, 0, 0, 1)


def test_only_a_difference_that_lasts_is_shown() -> None:
    law = Law(taken=0)
    law.sample(1, 0)
    law.told(1, stored=True)
    law.sample(1, 0)
    assert law.lasting == 0
    for _ in range(SAMPLES):
        law.sample(0, 0)
    assert law.lasting == -1
