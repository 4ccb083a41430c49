"""Objects inside the envelope, bound to their key, so that a swapped or altered one is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedbackloop.events import envelope
from feedbackloop.events.keys import Kek
from feedbackloop.jobs.storage import Store


@dataclass(frozen=True)
class Vault:
    """A store whose objects are encrypted under the KEK."""

    store: Store
    kek: Kek = field(repr=False)

    def put(self, key: str, plain: bytes) -> None:
        self.store.put(key, self._seal(key, plain))

    def create(self, key: str, plain: bytes) -> bool:
        """Write unless the key exists; whether this call wrote it."""
        return self.store.create(key, self._seal(key, plain))

    def get(self, key: str) -> bytes | None:
        """The plaintext, None when there is no such object; EnvelopeError for one that is not ours."""
        sealed = self.store.get(key)
        return None if sealed is None else envelope.decrypt(sealed, kek=self.kek, context=self._context(key))

    def _seal(self, key: str, plain: bytes) -> bytes:
        return envelope.encrypt(plain, kek=self.kek, context=self._context(key))

    def _context(self, key: str) -> dict[str, str]:
        return {"purpose": "feedbackloop/job/1", "object": self.store.prefix + key}
