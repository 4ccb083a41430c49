"""A bounded memory of 64-bit keys with a 32-bit value each: compact, and never forgetting the newest.

Two generations of open-addressing tables in flat arrays (12 bytes a slot, at most half full). When
the younger one is full the older one is dropped, so that at least the last `capacity` keys are known.
"""

from __future__ import annotations

from array import array

_INITIAL = 1 << 12
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK64 = (1 << 64) - 1


class _Table:
    def __init__(self, slots: int = _INITIAL) -> None:
        self.used = 0
        self._mask = slots - 1
        self._keys = array("Q", bytes(8 * slots))
        self._values = array("I", bytes(4 * slots))

    def slot(self, key: int) -> int:
        keys, mask = self._keys, self._mask
        at = ((key * _MULTIPLIER) & _MASK64) >> 20 & mask
        while (found := keys[at]) and found != key:
            at = (at + 1) & mask
        return at

    def get(self, key: int) -> int | None:
        at = self.slot(key)
        return self._values[at] if self._keys[at] else None

    def put(self, key: int, value: int) -> None:
        # `slot` once more, without the call: recovery spends most of its time here.
        keys, mask = self._keys, self._mask
        at = ((key * _MULTIPLIER) & _MASK64) >> 20 & mask
        while (found := keys[at]) and found != key:
            at = (at + 1) & mask
        self._values[at] = value
        if not found:
            keys[at] = key
            self.used += 1
            if self.used * 2 > mask:
                self._grow()

    def expect(self, more: int) -> None:
        """Makes room for so many more keys at once."""
        slots = self._mask + 1
        while (self.used + more) * 2 >= slots:
            slots *= 2
        if slots > self._mask + 1:
            self._grow(slots)

    def _grow(self, slots: int = 0) -> None:
        old = [(key, value) for key, value in zip(self._keys, self._values, strict=True) if key]
        self.__init__(slots or (self._mask + 1) * 2)  # type: ignore[misc]
        for key, value in old:
            self.put(key, value)


class RecentMap:
    """Remembers at least the last `capacity` keys."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._young, self._old = _Table(), _Table()

    def __len__(self) -> int:
        return self._young.used + self._old.used

    def get(self, key: int) -> int | None:
        """The key's value, None when it is not remembered."""
        key = key or 1
        value = self._young.get(key)
        return self._old.get(key) if value is None else value

    def put(self, key: int, value: int) -> None:
        """Remembers a key; 0 ≤ value < 2^32."""
        if self._young.used >= self._capacity:
            self._old, self._young = self._young, _Table()
        self._young.put(key or 1, value)

    def expect(self, more: int) -> None:
        """So many keys are about to come."""
        self._young.expect(min(more, self._capacity - self._young.used))

    def add(self, key: int) -> bool:
        """Remembers a key as a member of a set; whether it is new."""
        if self.get(key) is not None:
            return False
        self.put(key, 1)
        return True
