"""Feedback into the log, whichever way it comes.

`bodies` cuts a request into events, `feedback` checks them (`events.validation`), redacts them in one scan and
commits them at once; `kept` makes what was refused harmless, `replay` takes it up again under a mended schema.
"""

from feedbackloop.gateway.ingest.feedback import FeedbackIngest
from feedbackloop.gateway.ingest.outcome import NotJson, Outcome, Rejected, TooManyEvents
from feedbackloop.gateway.ingest.sender import Sender

__all__ = ["FeedbackIngest", "NotJson", "Outcome", "Rejected", "Sender", "TooManyEvents"]
