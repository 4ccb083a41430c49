"""Signals that nobody sends and everybody gives: computed from what a session did, in order (pure).

`derive` takes the answers and the actions of a cut and gives what they mean for the signals that a loop declares:
follow-ups by class, regenerations, abandonment, and how far corrections are from what they correct. Equal input
gives equal output; the classes carry the version of the rules that gave them.
"""

from feedbackloop.events.derive.derive import Derivation, derive
from feedbackloop.events.derive.distance import edit_distance
from feedbackloop.events.derive.followup import CLASSIFIER_VERSION, FollowUp, classify
from feedbackloop.events.derive.model import Action, Answer, Correction, Derived

__all__ = [
    "CLASSIFIER_VERSION",
    "Action",
    "Answer",
    "Correction",
    "Derivation",
    "Derived",
    "FollowUp",
    "classify",
    "derive",
    "edit_distance",
]
