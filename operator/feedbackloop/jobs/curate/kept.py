"""Regression items of earlier data sets: what was corrected once must not fail again, and is never trained on.

Feedback expires and topics fall quiet; the items stay, from data set to data set. An item goes only when one of the
people behind it has refused consent since. Where its topic has an accepted correction today, that is its answer.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from feedbackloop.api.collection import Purpose
from feedbackloop.events.ledger.consents import Standings, forbidden
from feedbackloop.jobs import canonical, datasets, golden
from feedbackloop.jobs.curate.rows import Prompt
from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.golden import GoldenItem, conversation
from feedbackloop.jobs.vault import Vault

log = logging.getLogger(__name__)
HEAD = "regressions/head.json"
"""Below the loop's prefix: which data set has the items of all before it."""
ITEMS, PEOPLE = "regressions.jsonl", "regression_subjects.jsonl"
People = Sequence[Sequence[Any]]
"""`[[pseudonym, ms], …]`"""


class Kept(NamedTuple):
    """An item of an earlier data set, and the people behind it."""

    item: GoldenItem
    people: People


def identity(topic: str, prompt_key: str) -> str:
    """An item's id: the same topic asked in the same words is the same item in every data set."""
    words = f"{topic}\n{prompt_key}"
    return f"r-{canonical.sha256(words.encode())[:16]}"


def read(vault: Vault) -> tuple[Kept, ...]:
    """The items of the last data set, none before the first. Raises InvalidDataset for one that is damaged."""
    head = vault.store.get(HEAD)
    if head is None:
        return ()
    digest = str(json.loads(head)["dataset"])
    if vault.store.get(datasets.prefix(digest) + datasets.MANIFEST) is None:
        log.warning("data set %s, which had the regression items, has expired", digest)
        return ()
    try:
        return _of(vault, digest)
    except InvalidDataset as error:
        raise InvalidDataset(f"{error}; to begin without the earlier regression items, remove {HEAD}") from None


def _of(vault: Vault, digest: str) -> tuple[Kept, ...]:
    """Of a data set from before there were such items: none."""
    listed = {file.path for file in datasets.read_manifest(vault, digest).files}
    if not {ITEMS, PEOPLE} <= listed:
        return ()
    files = datasets.read(vault, digest, ITEMS, PEOPLE)
    return parse(files[ITEMS], files[PEOPLE])


def parse(items: bytes, people: bytes) -> tuple[Kept, ...]:
    found, behind = golden.parse(items, ITEMS), canonical.rows(people)
    if len(found) != len(behind):
        raise InvalidDataset(f"{PEOPLE}: names the people of {len(behind)} items, there are {len(found)}")
    return tuple(Kept(item, who) for item, who in zip(found, behind, strict=True))


def remember(vault: Vault, digest: str) -> None:
    """This data set has the items of all before it."""
    vault.store.put(HEAD, canonical.encode({"dataset": digest}))


def standing(items: Iterable[Kept], standings: Standings) -> tuple[Kept, ...]:
    """Those nobody behind which has refused since."""
    return tuple(
        kept for kept in items if not any(forbidden(standings, who, Purpose.IMPROVE, at) for who, at in kept.people)
    )


def still(items: Iterable[Kept], today: Collection[str], answers: Mapping[str, str]) -> tuple[Kept, ...]:
    """Those that today's corrections do not make anew, each with today's answer where its topic has one."""
    return tuple(_answered(kept, answers) for kept in items if kept.item.id not in today)


def _answered(kept: Kept, answers: Mapping[str, str]) -> Kept:
    text = answers.get(kept.item.topic)
    return kept if text is None else kept._replace(item=msgspec.structs.replace(kept.item, answers=(text,)))


class Barred:
    """The prompts of kept items, which nothing may be trained on."""

    def __init__(self, items: Iterable[Kept] = ()) -> None:
        items = list(items)
        self.ids = frozenset(kept.item.id for kept in items)
        # Beside the ids, since a preference pair belongs to no topic; names in the words may be tokens by now.
        self.keys = frozenset(conversation(kept.item.messages) for kept in items) - {""}

    def __contains__(self, prompt: Prompt) -> bool:
        return prompt.key in self.keys or any(identity(topic, prompt.key) in self.ids for topic in prompt.topics)


NOTHING = Barred()
