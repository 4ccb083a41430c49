"""Validation against the loop's declared schema: an accepted event, or a refusal with code and JSON path.

The structs of `events.incoming` say what decodes at all; `explain` says why something does not. What depends on
the loop (its signals, its required context) or on the sender (its claims) is checked here.
"""

from feedbackloop.events.validation.codes import MESSAGES, NOT_KEPT, Code, Refusal
from feedbackloop.events.validation.explain import explain, fits
from feedbackloop.events.validation.feedback import Checked, check_feedback
from feedbackloop.events.validation.interactions import ContextPolicy, check_interaction

__all__ = [
    "MESSAGES",
    "NOT_KEPT",
    "Checked",
    "Code",
    "ContextPolicy",
    "Refusal",
    "check_feedback",
    "check_interaction",
    "explain",
    "fits",
]
