"""FakeObjects: `ObjectsPort` on a dictionary."""

from __future__ import annotations

import hashlib
import json

from feedbackloop.adapters.ports import Json
from feedbackloop.api.conditions import Reason
from feedbackloop.domain.errors import Transient
from tests.support.fakeworld.state import State

SERVICE = "s3"


class FakeObjects:
    """Reads what fake jobs have written."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def read_json(self, endpoint_name: str, bucket: str, key: str) -> tuple[Json, str] | None:
        del endpoint_name
        if SERVICE in self.state.away:
            raise Transient(Reason.STORAGE_UNAVAILABLE, "object storage does not answer")
        text = self.state.objects.get(f"{bucket}/{key}")
        if text is None:
            return None
        return json.loads(text), hashlib.sha256(text.encode()).hexdigest()

    def keeps_versions(self, endpoint_name: str, bucket: str) -> bool | None:
        """No bucket does."""
        return False

    def create(self, bucket: str, key: str, text: str) -> bool:
        """Write it unless it is there, as a job does with its result."""
        created = self.state.objects.setdefault(f"{bucket}/{key}", text) is text
        self.state.changed()
        return created
