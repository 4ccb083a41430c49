"""What a hostile case is: an id, an input, and the answer that is expected of a real gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.hostile.world import World

CLASSES = {
    "protocol": "Protocol and parsing",
    "values": "Values and schema",
    "evasion": "PII evasion",
    "tokens": "Tokens and consent",
    "storage": "Storage and crypto",
}


@dataclass(frozen=True)
class Case:
    """`act` does it, over real sockets where that is possible; what it returns must be (one of) `answer`."""

    id: str
    what: str
    """The input, in words."""
    expected: str
    """The expected answer, in words."""
    act: Callable[[World], Any]
    answer: Any
    any_of: bool = False
    """Whether `answer` lists alternatives."""
    broken: str = ""
    """Why the gateway does not pass it yet: then it must fail."""

    def passes(self, seen: Any) -> bool:
        return seen in self.answer if self.any_of else bool(seen == self.answer)
