"""What holds after a list of consents, however they are repeated and mixed."""

from __future__ import annotations

import itertools

from feedbackloop.events.ledger.consents import Standing, forbidden, latest
from feedbackloop.events.records import ConsentRecord


def entry(state: str, at: int, *, source: str = "app", pod: str = "gw-0", seq: int = 1, purpose: str = "Improve",
          subject: str = "s") -> ConsentRecord:  # fmt: skip
    return ConsentRecord(
        event_id=f"{pod}-{seq}", received_at=at, subject=subject, purpose=purpose, state=state, source=source,
        pod=pod, seq=seq,
    )  # fmt: skip


def standing(*entries: ConsentRecord) -> Standing:
    return latest(entries)[("s", "Improve")]


def test_the_newest_holds_in_whatever_order_and_however_often() -> None:
    entries = [entry("given", 1), entry("withdrawn", 2, pod="gw-1"), entry("given", 3, seq=2)]
    for order in itertools.permutations(entries):
        assert standing(*order, *order) == Standing("given", 3, refused_at=2)


def test_at_one_time_the_pod_and_the_number_decide() -> None:
    assert standing(entry("given", 1, seq=2), entry("refused", 1, seq=3)).state == "refused"
    assert standing(entry("refused", 1, pod="gw-0"), entry("given", 1, pod="gw-1")).state == "given"


def test_a_request_does_not_lift_a_withdrawal_but_the_consent_api_does() -> None:
    withdrawn = entry("withdrawn", 1, source="token")
    assert standing(withdrawn, entry("given", 2, source="interaction", seq=2)).state == "withdrawn"
    assert standing(withdrawn, entry("given", 2, source="app", seq=2)).state == "given"
    refused = entry("refused", 1, source="interaction")
    assert standing(refused, entry("given", 2, source="interaction", seq=2)).state == "given"


def test_giving_again_does_not_bring_back_what_was_withdrawn() -> None:
    found = latest([entry("given", 1), entry("withdrawn", 5, seq=2), entry("given", 9, seq=3)])
    used = {at: not forbidden(found, "s", "Improve", at) for at in (2, 5, 6, 10)}
    assert used == {2: False, 5: False, 6: True, 10: True}


def test_purposes_and_subjects_are_apart_and_silence_forbids_nothing() -> None:
    found = latest([entry("withdrawn", 5, purpose="Analyze"), entry("withdrawn", 5, subject="t", seq=2)])
    assert not forbidden(found, "s", "Improve", 1)
    assert forbidden(found, "t", "Improve", 1)
    assert forbidden(found, "s", "Analyze", 1)
