"""A small client for feedback. It needs nothing but the standard library.

from feedbackloop.client import Feedback

feedback = Feedback("http://support-bot-gateway:8080", app_token=open("/run/app-token").read().strip())
feedback.thumbs(output_id, False, reason="inaccurate", session_id="s-1", subject_id="u-1")
"""

from feedbackloop.client.background import Stats
from feedbackloop.client.errors import FeedbackError, Refused, Unavailable
from feedbackloop.client.feedback import Feedback
from feedbackloop.client.ids import uuid7
from feedbackloop.client.sender import Rejection, Result

__all__ = ["Feedback", "FeedbackError", "Refused", "Rejection", "Result", "Stats", "Unavailable", "uuid7"]
