"""What is true in the scenario's world, and when a user calls an answer right.

The only place that knows the scenario: users ask it, the loop never does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from examples.support_bot import phrasings
from examples.support_bot.facts import FACTS, REVERTED, TODAY, Fact
from feedbackloop.jobs.scorers.words import contains_answer


@dataclass(frozen=True)
class Question:
    fact: Fact
    text: str


@dataclass
class World:
    """The facts as they are now; `turn` is the drift scenario's one event."""

    values: Mapping[str, str] = field(default_factory=lambda: TODAY)
    turned: bool = False

    def turn(self) -> None:
        """What users corrected holds no longer: the old values are true again."""
        self.values, self.turned = REVERTED, True

    def question(self, rng: random.Random) -> Question:
        """A question as users type it."""
        fact = rng.choice(FACTS)
        return Question(fact, rng.choice(phrasings.user(fact)))

    def truth(self, fact: Fact) -> str:
        """The right answer as a sentence."""
        return fact.sentence(self.values[fact.topic])

    def right(self, fact: Fact, answer: str) -> bool:
        return contains_answer(answer, [self.values[fact.topic]])


def held_out(kind: str) -> list[Question]:
    """Questions that no user types: `golden` (ten a fact) or `verify` (six a fact)."""
    ask = {"golden": phrasings.golden, "verify": phrasings.verify}[kind]
    return [Question(fact, text) for fact in FACTS for text in ask(fact)]
