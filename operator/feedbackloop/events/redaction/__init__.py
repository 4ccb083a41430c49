"""Redaction: the one choke point that every text passes before it touches a disk.

`Redactor.redact` takes all texts of one event. A Vectorscan gate over their joined, normalised
form decides in one pass which detectors have work; almost every text needs none. What is found
becomes a typed token (`<EMAIL_1>`) that is the same for the same value inside the event.
"""

from feedbackloop.events.redaction.redactor import Redactor

__all__ = ["Redactor"]
