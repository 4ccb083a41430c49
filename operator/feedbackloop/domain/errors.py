"""The whole tree of expected errors; anything else is a bug.

- `OperatorError`: has a documented reason and a message for a person
  - `UserError`: a person must change something; no retry until then (`Stalled`)
  - `Transient`: the surroundings are not ready; says so, backs off and tries again
    - `Conflict`: somebody else wrote (409), or owns a field of ours
    - `Gone`: what was read is no longer there (or a watch's version is too old)
"""

from __future__ import annotations

from feedbackloop.api.conditions import Reason


class OperatorError(Exception):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason.value}: {message}")
        self.reason = reason
        self.message = message


class UserError(OperatorError):
    """Only a person can mend this: becomes `Stalled` with the fix in its message."""


class Transient(OperatorError):  # noqa: N818 - names a state of the surroundings
    """Passes by itself; `retry_after` is in seconds, None leaves it to the backoff."""

    def __init__(self, reason: Reason, message: str, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class Conflict(Transient):
    """A resource version or a field belongs to somebody else; `managers` and `fields` name them if known."""

    def __init__(
        self,
        message: str,
        *,
        reason: Reason = Reason.FIELD_MANAGER_CONFLICT,
        managers: tuple[str, ...] = (),
        fields: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason, message, retry_after)
        self.managers = managers
        self.fields = fields


class Gone(Transient):
    """It was there when we looked and is not any more: read again."""

    def __init__(self, message: str, *, reason: Reason = Reason.API_UNAVAILABLE) -> None:
        super().__init__(reason, message)
