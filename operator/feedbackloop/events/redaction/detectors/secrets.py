"""Keys, tokens and passwords: documented forms, PEM blocks, JSON Web Tokens, and values that are assigned."""

from __future__ import annotations

import re

from feedbackloop.api.collection import Entity
from feedbackloop.events.redaction.detectors.detector import Detector, Finder, compiled, whole
from feedbackloop.events.redaction.detectors.formats import FORMATS


def _secret(gates: tuple[str, ...], find: Finder) -> Detector:
    return Detector(Entity.SECRET, "SECRET", tuple(gate.encode() for gate in gates), find, str)


def _format(literal: str, rest: str) -> Detector:
    # The look-behind follows the literal, so that `re` searches for the literal first.
    plain = re.escape(literal)
    pattern = f"{plain}(?<![A-Za-z0-9_]{plain}){rest}"
    return _secret((plain + rest,), whole(re.compile(pattern, re.ASCII)))


_PEM = compiled(
    r"""-----BEGIN[ A-Z0-9]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----
        (?:(?!-----END)[\s\S]){0,20000}(?:-----END[ A-Z0-9]{0,60}-----)?"""
)
_JWT = compiled(r"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{6,8000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,8000}){0,3}")
_AWS = compiled(
    r"[Aa][Ww][Ss][A-Za-z_ .-]{0,24}[\"' ]{0,3}[:= ][\"' ]{0,3}(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_AZURE_KEY = compiled(r"AccountKey=(?P<value>[A-Za-z0-9+/]{86}==)")
_AZURE_SAS = compiled(r"[?&]sig=(?P<value>[A-Za-z0-9%+/]{40,128}={0,2})")
_AZURE_CLIENT = compiled(r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])")
_TELEGRAM = compiled(r"(?<![0-9A-Za-z])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}(?![A-Za-z0-9_-])")
_URL = compiled(r"://(?P<value>[^\s:/@<>]{0,64}:[^\s/@<>]{3,128})@[A-Za-z0-9]")

DETECTORS = (
    _secret((r"-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY",), whole(_PEM)),
    _secret((r"eyJ[A-Za-z0-9_-]{6}",), whole(_JWT)),
    *(_format(literal, rest) for literal, rest in FORMATS),
    _secret((r"[Aa][Ww][Ss][A-Za-z_ .-]{0,24}[\"' ]{0,3}[:= ][\"' ]{0,3}[A-Za-z0-9/+]{40}",), whole(_AWS, 1)),
    _secret((r"AccountKey=[A-Za-z0-9+/]{86}",), whole(_AZURE_KEY, 1)),
    _secret((r"[?&]sig=[A-Za-z0-9%+/]{40}",), whole(_AZURE_SAS, 1)),
    _secret((r"[0-9]Q~[A-Za-z0-9_~.-]{31}",), whole(_AZURE_CLIENT)),
    _secret((r"[0-9]{8}:AA[A-Za-z0-9_-]{32}",), whole(_TELEGRAM)),
    _secret((r"://[^\s:/@<>]{0,64}:[^\s/@<>]{3}",), whole(_URL, 1)),
)
