"""New versions of the loop's keys, and the end of old ones. Data objects are never touched.

An inner key ends in two steps, so that no pod can write a table under a key that is about to go: first all
tables come under the newest key, and every pod takes it up within `shards.LOOK_SECONDS`; only when that time has
passed and another look finds no table under an old key, the old one is destroyed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from feedbackloop.events.errors import ObjectMissing
from feedbackloop.events.keyring.blob import Blob, Family, KeyName
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.shards import LOOK_SECONDS
from feedbackloop.events.keyring.subjects import THREADS

SETTLE_SECONDS = 4 * LOOK_SECONDS
"""So long after a new inner key no pod writes under an old one any more."""
_AHEAD_SECONDS = 86_400
"""A key from further in the future was made by a clock that was wrong."""

logger = logging.getLogger(__name__)


def due(keyring: Keyring, period_seconds: int, now: float) -> Iterator[Family]:
    """The families whose newest version has been in use for the period. `now` in Unix seconds."""
    for family in Family:
        age = now - keyring.created(family)
        if age >= period_seconds or age < -_AHEAD_SECONDS:
            yield family


def finish(keyring: Keyring, *, settled: bool) -> int:
    """Brings every table under the newest inner key and, when `settled`, destroys the old ones; how many.

    Safe to repeat and to break off anywhere. Raises StorageUnavailable, KeyServiceUnavailable, EnvelopeError.
    """
    old = keyring.storage.names(Family.INNER)[:-1]
    if not old:
        return 0
    keyring.refresh()
    shards = keyring.subjects.shards
    with ThreadPoolExecutor(THREADS, thread_name_prefix="rotation") as pool:
        moved = sum(pool.map(shards.rewrap, list(shards.names())))
    if moved:
        logger.info("%d tables of subject keys are under a newer inner key", moved)
    if moved or not settled:
        return 0
    for name in old:
        keyring.storage.destroy(name)
        logger.info("keys/%s is destroyed", name.ident)
    keyring.refresh()
    keyring.subjects.forget()
    return len(old)


def rewrap(keyring: Keyring) -> int:
    """Brings every loop key under the current root; how many were under another.

    A raw root key that ceases to be the root is kept as outer 0, under the new one: data of before loops
    had keys is under it. Raises ObjectChanged when another pod does the same, and as `finish`.
    """
    _keep_raw(keyring)
    names = [name for family in Family for name in keyring.storage.names(family)]
    done = sum(keyring.storage.replace(name, _rewrapped(keyring, name)) for name in names)
    if done:
        logger.info("%d keys are under the root key %s", done, keyring.roots.current.ident)
    return done


def _rewrapped(keyring: Keyring, name: KeyName) -> Callable[[Blob], Blob]:
    return lambda blob: keyring.roots.rewrapped(name, blob)


def _keep_raw(keyring: Keyring) -> None:
    raw, name = keyring.roots.retired_raw(), KeyName(Family.OUTER, 0)
    if raw is None:
        return
    try:
        keyring.storage.read(name)
    except ObjectMissing:
        keyring.storage.create(name, keyring.roots.wrap(name, raw))
