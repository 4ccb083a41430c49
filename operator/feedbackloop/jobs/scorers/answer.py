"""An answer as scorers see it."""

from __future__ import annotations

from dataclasses import dataclass

STOP, LENGTH, NONE = "stop", "length", "none"


@dataclass(frozen=True)
class Answer:
    """What a model said to an item; `finish` is `none` when the item was too long for it and nothing was said."""

    text: str
    finish: str = STOP
    """`stop` by the model itself, `length` at the bound, or `none`."""
    tokens: int = 0
    """Generated tokens, without the one that ends an answer."""
    latency_ms: float | None = None
    """Unset where it was not measured."""
    counterpart: Answer | None = None
    """The answer to the item's counterpart."""

    @property
    def given(self) -> bool:
        """Whether there is an answer, to the counterpart too where it was asked."""
        return self.finish != NONE and (self.counterpart is None or self.counterpart.given)
