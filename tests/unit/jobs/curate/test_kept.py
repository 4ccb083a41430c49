"""Regression items stay from data set to data set, and are never trained on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.events.keys import Kek
from feedbackloop.events.ledger.consents import Standing, State
from feedbackloop.jobs import datasets
from feedbackloop.jobs.curate import kept
from feedbackloop.jobs.curate.dataset import DataSet, curate
from feedbackloop.jobs.curate.files import Bundle, bundle
from feedbackloop.jobs.curate.kept import Kept
from feedbackloop.jobs.curate.rows import Row
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.vault import Vault
from tests.unit.jobs.curate.world import Log, golden, reasons, rows
from tests.unit.jobs.memory import MemoryS3

THREE = ("a", "b", "c")
ASKED = [f"hotline hours number {at}?" for at in range(12)]


def hours() -> Log:
    return Log(golden=golden("hours", "When?", match=["hotline hours"]))


def corrected(prompts: list[str], text: str = "8 to 20") -> Log:
    log = hours()
    for prompt in prompts:
        log.correct(prompt, text, THREE)
    return log


def made(log: Log, earlier: tuple[Kept, ...] = ()) -> DataSet:
    return curate(log.interactions, log.events, {"golden": log.golden}, log.config, earlier=earlier)


def items(packed: Bundle) -> tuple[Kept, ...]:
    return kept.parse(packed.files[kept.ITEMS], packed.files[kept.PEOPLE])


def item_of(row: Row) -> Kept:
    """As an earlier data set would have it."""
    return Kept(GoldenItem(kept.identity(row.topic, row.prompt.key), row.topic, row.messages, ("old",)), [["p", 1]])


def test_items_outlive_the_feedback_that_they_were_made_of() -> None:
    first = items(bundle(made(corrected(ASKED))))
    assert len(first) >= 2
    later = bundle(made(hours(), first))
    assert items(later) == first
    assert rows(later, "train.jsonl") == []
    assert json.loads(later.files["card.json"])["slices"]["regressions"] == len(first)


def test_what_was_held_out_once_is_never_trained_on() -> None:
    """Alone in its topic, or moved there as a witness: without the earlier item, some of these would be taught."""
    taught = made(corrected(ASKED)).training.corrections
    assert len(taught) > 1
    again = made(corrected(ASKED), tuple(item_of(row) for row in taught))
    keys = {row.prompt.key for row in taught}
    assert keys.isdisjoint(row.prompt.key for row in again.training.rows)
    assert keys <= {row.prompt.key for row in again.training.regressions}
    assert again.kept == ()


def test_a_liked_answer_to_an_earlier_item_is_not_replayed() -> None:
    first = items(bundle(made(corrected(ASKED))))
    log = hours()
    log.correct("something else?", "yes it is", THREE)
    log.correct("something else again?", "yes it is", THREE)
    sent = log.like(first[0].item.messages[-1].content, "8 to 20", THREE)
    log.like("another thing?", "fine", THREE)
    found = made(log, first)
    assert {reasons(found)[event] for event in sent} == {"HeldOut"}


def test_todays_correction_is_the_answer_of_an_earlier_item() -> None:
    first = items(bundle(made(corrected(ASKED[:6]))))
    second = made(corrected(ASKED[6:], "9 to 17"), first)
    assert {answer for one in second.kept for answer in one.item.answers} == {"9 to 17"}
    assert len(second.kept) == len(first)


def test_an_item_goes_when_somebody_behind_it_refuses() -> None:
    first = items(bundle(made(corrected(ASKED))))
    gone = kept.standing(first, {("a", "Improve"): Standing(State.WITHDRAWN, 1 << 50)})
    assert gone == ()
    assert kept.standing(first, {("z", "Improve"): Standing(State.WITHDRAWN, 1 << 50)}) == first


def test_the_last_data_set_hands_its_items_on() -> None:
    vault = Vault(MemoryS3().store(), Kek.of(bytes(32)))
    assert kept.read(vault) == ()
    packed = bundle(made(corrected(ASKED)))
    kept.remember(vault, datasets.write(vault, packed.files, packed.manifest))
    assert kept.read(vault) == items(packed)


def test_a_data_set_that_has_expired_hands_nothing_on() -> None:
    vault = Vault(MemoryS3().store(), Kek.of(bytes(32)))
    kept.remember(vault, "sha256:" + "0" * 64)
    assert kept.read(vault) == ()


def test_items_without_their_people_are_refused() -> None:
    packed = bundle(made(corrected(ASKED)))
    with pytest.raises(InvalidDataset, match="names the people of 0 items"):
        kept.parse(packed.files[kept.ITEMS], b"")


@settings(deadline=None, max_examples=15)
@given(st.lists(st.lists(st.sampled_from(ASKED), min_size=1, max_size=6, unique=True), min_size=1, max_size=4))
def test_items_only_accumulate_and_curating_again_changes_nothing(cycles: list[list[str]]) -> None:
    earlier: tuple[Kept, ...] = ()
    for asked in cycles:
        packed = bundle(made(corrected(asked), earlier))
        assert {one.item.id for one in earlier} <= {one.item.id for one in items(packed)}
        assert items(bundle(made(corrected(asked), items(packed)))) == items(packed)
        taught = {row["prompt"][-1]["content"] for row in rows(packed, "train.jsonl")}
        assert taught.isdisjoint(one.item.messages[-1].content for one in items(packed))
        earlier = items(packed)
