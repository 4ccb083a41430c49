"""What can go wrong when feedback is sent.

FeedbackError
 ├─ Refused        the gateway refused an event, or all of a request: the event or the token is wrong
 └─ Unavailable    the gateway was not reached, or could not store, for as long as we tried
"""

from __future__ import annotations


class FeedbackError(Exception):
    """The base of this client's errors."""


class Refused(FeedbackError):  # noqa: N818 - named for what happened
    """`code` and `path` are the gateway's: what is wrong, and where (a JSON path); `status` is HTTP's."""

    def __init__(self, code: str, path: str, message: str, status: int = 422) -> None:
        super().__init__(f"{code} at {path}: {message}")
        self.code, self.path, self.message, self.status = code, path, message, status


class Unavailable(FeedbackError):  # noqa: N818 - named for what happened
    """Nothing is known to be stored; the same events may be sent again, with the same ids."""
