"""A bounded memory of 64-bit keys with a 32-bit value each: compact, and never forgetting the newest.

A chain of open-addressing tables in flat arrays (12 bytes a slot, at most half full), the newest first. A full table
is never made larger, since moving half a million keys would hold everything up for a second: a new one is put before
it, twice as large up to `LARGEST`. The oldest is dropped when the others hold as many keys as are to be remembered.
"""

from __future__ import annotations

from array import array

SMALLEST, LARGEST = 1 << 16, 1 << 20
"""Slots of a table; of a small memory at most as many as keys are to be remembered."""
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK64 = (1 << 64) - 1


class _Table:
    def __init__(self, slots: int) -> None:
        self.used = 0
        self.room = slots // 2
        self._mask = slots - 1
        self._keys = array("Q", (0,)) * slots
        self._values = array("I", (0,)) * slots

    def get(self, key: int) -> int | None:
        keys, mask = self._keys, self._mask
        at = ((key * _MULTIPLIER) & _MASK64) >> 20 & mask
        while (found := keys[at]) and found != key:
            at = (at + 1) & mask
        return self._values[at] if found else None

    def put(self, key: int, value: int) -> None:
        # The search of `get` once more, without the call: recovery spends most of its time here.
        keys, mask = self._keys, self._mask
        at = ((key * _MULTIPLIER) & _MASK64) >> 20 & mask
        while (found := keys[at]) and found != key:
            at = (at + 1) & mask
        self._values[at] = value
        if not found:
            keys[at] = key
            self.used += 1


class RecentMap:
    """Remembers at least the last `capacity` keys."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._largest = min(LARGEST, max(8, 1 << (capacity - 1).bit_length()))
        self._newest = _Table(min(SMALLEST, self._largest))
        self._older: list[_Table] = []

    def __len__(self) -> int:
        return self._newest.used + sum(table.used for table in self._older)

    def get(self, key: int) -> int | None:
        """The key's value, None when it is not remembered."""
        key = key or 1
        value = self._newest.get(key)
        if value is None:
            for table in self._older:
                if (value := table.get(key)) is not None:
                    return value
        return value

    def put(self, key: int, value: int) -> None:
        """Remembers a key; 0 ≤ value < 2^32."""
        newest = self._newest
        newest.put(key or 1, value)
        if newest.used >= newest.room:
            self._begin(newest.room * 4)

    def add(self, key: int) -> bool:
        """Remembers a key as a member of a set; whether it is new."""
        if self.get(key) is not None:
            return False
        self.put(key, 1)
        return True

    def expect(self, more: int) -> None:
        """Makes room for so many more keys at once."""
        slots = self._newest.room * 2
        while slots < self._largest and slots // 2 - self._newest.used < more:
            slots *= 2
        if slots > self._newest.room * 2:
            self._begin(slots)

    def _begin(self, slots: int) -> None:
        """A new table before the others; the oldest ones go that are not needed any more."""
        if self._newest.used:
            self._older.insert(0, self._newest)
        self._newest = _Table(min(slots, self._largest))
        while sum(table.used for table in self._older[:-1]) >= self._capacity:
            self._older.pop()
