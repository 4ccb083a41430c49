"""How long a key waits after a failure: exponential by key, capped, with jitter from an injected source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from feedbackloop.engine.keys import Key


@dataclass
class Backoff:
    """Doubles from `base` to `cap`; a wait lies between half and all of it, so that keys that failed together part."""

    random: Callable[[], float]
    """Uniform in [0, 1)."""
    base: float = 0.2
    cap: float = 15.0
    bug_cap: float = 300.0
    """For errors that a repetition hardly mends."""
    _failures: dict[Key, int] = field(default_factory=dict)

    def next(self, key: Key, *, bug: bool = False) -> float:
        """The seconds to wait after one more failure."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        full = min(self.bug_cap if bug else self.cap, self.base * 2.0 ** min(count, 32))
        return full * (0.5 + 0.5 * self.random())

    def failing(self, key: Key) -> bool:
        """Whether the key's last look failed."""
        return key in self._failures

    def reset(self, key: Key) -> None:
        """The key is well again."""
        self._failures.pop(key, None)
