# ruff: noqa: N818 - named for what happened, as the standard library names its conditions
"""The errors of this package.

EventsError
 ├─ RedactionFailed     a text could not be made harmless: it must not be stored
 ├─ TokenInvalid        a feedback token that is forged, altered, expired or of another loop
 ├─ EnvelopeError       ciphertext that does not belong here: wrong key, altered, swapped
 │   └─ KeyMissing       the loop has no key of that name: it never had, or it was destroyed
 ├─ KeyServiceUnavailable  the root key's service did not answer as it should: try again later
 ├─ KeyRefused          the root key does not open it: wrong key, context or bytes; a retry cannot help
 ├─ FrameError          a damaged frame or header of a log segment
 ├─ LedgerBroken         a ledger whose chain or signature does not hold: the message names the entry
 ├─ SegmentMissing      a gap in a pod's stored records before the cut
 ├─ ObjectMissing       no such object
 ├─ ObjectExists        a create-once object exists already
 ├─ ObjectChanged       a compare-and-swap found another version
 └─ StorageUnavailable  the object storage did not answer as it should: try again later

No message of these quotes stored or received text.
"""

from __future__ import annotations


class EventsError(Exception):
    """The base of all errors of this package."""


class RedactionFailed(EventsError):
    """The scanner failed; whatever was being redacted must not be stored."""


class TokenInvalid(EventsError):
    """The feedback token does not admit anything."""


class EnvelopeError(EventsError):
    """Ciphertext that cannot be opened for the purpose it was opened for."""


class KeyMissing(EnvelopeError):
    """The loop has no key of that name, or not any more."""


class KeyServiceUnavailable(EventsError):
    """The root key cannot be used now; `reason` is the class of the failure, fit for a status."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"key service unavailable: {reason}")
        self.reason = reason


class KeyRefused(EventsError):
    """The root key does not open what it was given, and never will."""


class FrameError(EventsError):
    """A segment's header or frame fails its checks."""


class LedgerBroken(EventsError):
    """A ledger fails its verification; the message names file, line and entry."""


class SegmentMissing(EventsError):
    """Records before the cut are not in object storage."""


class ObjectMissing(EventsError):
    """There is no such object."""


class ObjectExists(EventsError):
    """The create-once object is there already."""


class ObjectChanged(EventsError):
    """The object is not the version that was to be replaced."""


class StorageUnavailable(EventsError):
    """The object storage failed; `reason` is the class of the failure, fit for a status."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"object storage unavailable: {reason}")
        self.reason = reason
