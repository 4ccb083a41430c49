"""Which outputs this pod has seen, as far as it remembers: tells feedback that came before its interaction."""

from __future__ import annotations

import hashlib

from feedbackloop.events.records import InteractionRecord
from feedbackloop.gateway.recent import RecentMap

OUTPUTS_REMEMBERED = 100_000


class KnownOutputs:
    """A bounded memory of the newest output ids. It starts empty with the process: a hint, never a decision."""

    def __init__(self) -> None:
        self._seen = RecentMap(OUTPUTS_REMEMBERED)

    def add(self, record: InteractionRecord) -> None:
        for output in record.outputs:
            self._seen.put(_key(output.output_id), 1)

    def knows(self, output_id: str) -> bool:
        return self._seen.get(_key(output_id)) is not None


def _key(output_id: str) -> int:
    digest = hashlib.blake2b(output_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
