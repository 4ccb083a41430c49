"""What curation makes of the demo's users, in short: corrections of the stale facts and replayed answers."""

from __future__ import annotations

import random
from typing import Any

from examples.support_bot import golden, phrasings
from examples.support_bot.facts import FACTS, STALE, Fact

Row = dict[str, Any]


def row(question: str, answer: str) -> Row:
    return {"prompt": [{"role": "user", "content": question}], "completion": [{"role": "assistant", "content": answer}]}


def corrections(count: int, seed: int = 0) -> list[Row]:
    """So many corrected questions of every stale fact."""
    source = random.Random(seed)
    return [row(q, f.sentence(f.value)) for f in STALE for q in source.sample(phrasings.user(f), count)]


def replayed(count: int, seed: int = 0) -> list[Row]:
    """Liked answers about the other facts, taken from the facts in turn, as curation does."""
    source = random.Random(seed)
    fresh = [fact for fact in FACTS if not fact.stale]
    asked = {fact: source.sample(phrasings.user(fact), len(phrasings.user(fact))) for fact in fresh}
    source.shuffle(fresh)
    turns = [(asked[fact][turn], fact) for turn in range(len(phrasings.USER)) for fact in fresh]
    return [row(question, fact.sentence(fact.value)) for question, fact in turns[:count]]


def regressions(count: int) -> list[Row]:
    """Corrected questions that are held out of training, as golden items."""
    return [_item(fact, question) for fact in STALE for question in phrasings.user(fact)[-count:]]


def _item(fact: Fact, question: str) -> Row:
    return {
        "id": f"r-{fact.topic}-{question}",
        "topic": fact.topic,
        "messages": [{"role": "user", "content": question}],
        "answers": [fact.sentence(fact.value)],
        "match": list(fact.names),
    }


def golden_set() -> bytes:
    """The demo's golden file."""
    return golden.render()
