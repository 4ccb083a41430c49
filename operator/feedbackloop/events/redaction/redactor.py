"""The redactor: texts of one event in, the same texts with typed tokens out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from feedbackloop.api.collection import Entity
from feedbackloop.events.errors import RedactionFailed
from feedbackloop.events.redaction import hints as hint_values
from feedbackloop.events.redaction.detectors import DETECTORS, Detector, Span
from feedbackloop.events.redaction.gate import Gate
from feedbackloop.events.redaction.normalise import fold, folded
from feedbackloop.events.redaction.views.view import Edit, View

_BETWEEN = "\x1e\n\x1e"
_ROUNDS = 8
_TOKEN = re.compile(r"<[A-Z][A-Z0-9_]{0,30}_[0-9]{1,6}>")


class _Names:
    """The tokens of one event: the same value gets the same token, numbering goes on from tokens in the text."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._by_value: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def token(self, kind: str, value: str) -> str:
        key = (kind, value)
        if key not in self._by_value:
            number = self._last.get(kind) or self._highest(kind)
            self._last[kind] = number + 1
            self._by_value[key] = f"<{kind}_{number + 1}>"
        return self._by_value[key]

    def _highest(self, kind: str) -> int:
        pattern = re.compile(rf"<{kind}_([0-9]{{1,6}})>", re.ASCII)
        return max((int(number) for text in self._texts for number in pattern.findall(text)), default=0)


class Redactor:
    """Redacts the chosen entities. Counts what it replaced, by entity, never the values."""

    def __init__(self, entities: Sequence[Entity] = tuple(Entity)) -> None:
        self._detectors = tuple(detector for detector in DETECTORS if detector.entity in entities)
        self._gate = Gate(self._detectors)
        self.replaced: Counter[str] = Counter()

    def redact(self, texts: Sequence[str], hints: Sequence[str] = ()) -> list[str]:
        """The texts of one event without private entities. Raises RedactionFailed: then store nothing.

        `hints` are values that the caller knows to be private, see `hints`; they are replaced by `<HINT_1>` …
        """
        try:
            if hints:
                texts = self._replace_hints(texts, hint_values.checked(hints))
            joined = texts[0] if len(texts) == 1 else _BETWEEN.join(texts)
            suspects = self._gate.open_for(folded(joined))
            return self._replace_all(list(texts), suspects) if suspects else list(texts)
        except Exception as error:
            # Whatever went wrong: a text that was not scanned to its end must not be stored.
            raise RedactionFailed(type(error).__name__) from None

    def redact_text(self, text: str) -> str:
        """One text on its own."""
        return self.redact((text,))[0]

    def _replace_hints(self, texts: Sequence[str], hints: Sequence[str]) -> list[str]:
        names = _Names(texts)
        return [self._without_hints(View(text), hints, names) for text in texts]

    @staticmethod
    def _without_hints(original: View, hints: Sequence[str], names: _Names) -> str:
        view = hint_values.comparable(original)
        taken = [match.span() for match in _TOKEN.finditer(original.text)]
        edits: list[Edit] = []
        for start, end in _disjoint(hint_values.find(view.text, hints)):
            first, last = view.span(start, end)
            if all(last <= left or first >= right for left, right in taken):
                edits.append((first, last, names.token("HINT", view.text[start:end])))
        return original.edited(edits).text

    def _replace_all(self, texts: list[str], suspects: set[int]) -> list[str]:
        # A replacement can bring a look-around of another match to hold, so go on until nothing is found.
        names = _Names(texts)
        for _ in range(_ROUNDS):
            before = texts
            for index in sorted(suspects):
                texts = [self._replace(text, self._detectors[index], names) for text in texts]
            if texts == before:
                return texts
            suspects = self._gate.open_for(folded(_BETWEEN.join(texts)))
        raise RedactionFailed("no fixed point")

    def _replace(self, text: str, detector: Detector, names: _Names) -> str:
        folding = fold(text)
        parts: list[str] = []
        at = 0
        for start, end in _disjoint(detector.find(folding.text)):
            first, last = folding.span(start, end, text)
            parts += (text[at:first], names.token(detector.token, _canonical(folding.text[start:end])))
            self.replaced[detector.entity] += 1
            at = last
        return "".join((*parts, text[at:])) if parts else text


def _disjoint(spans: Iterator[Span]) -> list[Span]:
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not chosen or span[0] >= chosen[-1][1]:
            chosen.append(span)
    return chosen


def _canonical(value: str) -> str:
    return re.sub(r"[ ().\-/]", "", value).casefold() if "@" not in value else value.casefold()
