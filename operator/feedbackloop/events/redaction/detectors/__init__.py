"""Detectors of private entities, surest first: where two overlap, the earlier one's finding stands."""

from __future__ import annotations

from feedbackloop.events.redaction.detectors import (
    addresses,
    assignments,
    cards,
    email,
    iban,
    phones,
    secrets,
    spelled,
    ssn,
)
from feedbackloop.events.redaction.detectors.detector import Detector

__all__ = ["DETECTORS", "Detector"]

DETECTORS: tuple[Detector, ...] = (
    *secrets.DETECTORS,
    email.DETECTOR,
    spelled.DETECTOR,
    assignments.HEADER,
    assignments.ASSIGNED,
    iban.DETECTOR,
    cards.DETECTOR,
    ssn.GROUPED,
    ssn.BARE,
    addresses.V6,
    addresses.V4,
    phones.DETECTOR,
)
