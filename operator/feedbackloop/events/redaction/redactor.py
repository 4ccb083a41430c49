"""The redactor: texts of one event in, the same texts with typed tokens out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from feedbackloop.api.collection import Entity
from feedbackloop.events.errors import RedactionFailed
from feedbackloop.events.redaction import hints as hinted
from feedbackloop.events.redaction import patterns as own
from feedbackloop.events.redaction.detectors import DETECTORS
from feedbackloop.events.redaction.findings import HINT_RANK, Finding, chosen
from feedbackloop.events.redaction.gate import READING_IDS, Gate
from feedbackloop.events.redaction.views import READINGS
from feedbackloop.events.redaction.views.folding import fold, folded
from feedbackloop.events.redaction.views.view import View
from feedbackloop.events.typed_tokens import Names, tokens_in

_BETWEEN = "\x1e\n\x1e"
_ROUNDS = 8
_DEPTH = 3
"""How many times over something may be encoded and is still read."""


class Redactor:
    """Redacts the chosen entities and patterns. Counts what it replaced, by entity, never the values."""

    def __init__(self, entities: Sequence[Entity] = tuple(Entity), patterns: Sequence[own.Declared] = ()) -> None:
        """Raises ValueError, with the field and the fix, when a pattern cannot be used."""
        self._patterns = own.compile_all(patterns)
        self._detectors = tuple(detector for detector in DETECTORS if detector.entity in entities)
        ranked = list(dict.fromkeys(detector.entity for detector in self._detectors))
        self._ranks = [ranked.index(detector.entity) for detector in self._detectors]
        self._gate = Gate(self._detectors)
        self.replaced: Counter[str] = Counter()

    def redact(self, texts: Sequence[str], hints: Sequence[str] = ()) -> list[str]:
        """The texts of one event without private entities. Raises RedactionFailed: then store nothing.

        `hints` are values that the caller knows to be private, see `hints`; they are replaced by `<HINT_1>` …
        """
        try:
            known = hinted.checked(hints) if hints else ()
            joined = texts[0] if len(texts) == 1 else _BETWEEN.join(texts)
            suspects = self._gate.open_for(folded(joined))
            if not (known or self._patterns or suspects):
                return list(texts)
            names = Names(texts)
            alone = suspects if len(texts) == 1 else None
            return [self._clean(text, known, names, alone) for text in texts]
        except Exception as error:
            # Whatever went wrong: a text that was not scanned to its end must not be stored.
            raise RedactionFailed(type(error).__name__) from None

    def redact_text(self, text: str) -> str:
        """One text on its own."""
        return self.redact((text,))[0]

    def _clean(self, text: str, hints: Sequence[str], names: Names, suspects: set[int] | None) -> str:
        """`suspects` are the gate's answer for the folded text, where it is known already."""
        # A replacement can bring a look-around of another match to hold, so go on until nothing is found.
        for _ in range(_ROUNDS):
            taken = list(tokens_in(text)) if hints or self._patterns else []
            findings = chosen(self._findings(text, hints, suspects), taken)
            if not findings:
                return text
            suspects = None
            for finding in findings:
                self.replaced[finding.counted_as] += 1
            text = (
                View(text).edited((each.start, each.end, names.token(each.kind, each.value)) for each in findings).text
            )
        raise RedactionFailed("no fixed point")

    def _findings(self, text: str, hints: Sequence[str], suspects: set[int] | None) -> Iterator[Finding]:
        original = View(text)
        if self._patterns and not text.isascii():
            yield from self._own(original)
        for view, found in self._views(original, suspects):
            yield from self._detected(view, found)
            if self._patterns:
                yield from self._own(view)
            if hints:
                plain = hinted.comparable(view)
                for start, end in hinted.find(plain.text, hints):
                    yield _finding(HINT_RANK, plain, (start, end), "HINT", plain.text[start:end])

    def _views(self, original: View, known: set[int] | None) -> Iterator[tuple[View, set[int]]]:
        """The text as it stands and read anew, each with what may find something in it."""
        view = fold(original)
        suspects = self._gate.open_for(view.text) if known is None else known
        yield view, suspects
        for _ in range(_DEPTH):
            decoded = False
            for index, reading in zip(READING_IDS, READINGS, strict=True):
                other = fold(view.edited(reading.edits(view.text))) if index in suspects else view
                if other is not view:
                    view, suspects, decoded = other, self._gate.open_for(other.text), decoded or reading.decodes
                    yield view, suspects
            if not decoded:
                return

    def _detected(self, view: View, suspects: set[int]) -> Iterator[Finding]:
        for index in suspects:
            if index < len(self._detectors):
                detector = self._detectors[index]
                for start, end in detector.find(view.text):
                    value = detector.canonical(view.text[start:end])
                    yield _finding(self._ranks[index], view, (start, end), detector.token, value, detector.entity)

    def _own(self, view: View) -> Iterator[Finding]:
        for pattern in self._patterns:
            for start, end in pattern.find(view.text):
                yield _finding(HINT_RANK, view, (start, end), pattern.name, view.text[start:end], "Pattern")


def _finding(rank: int, view: View, span: tuple[int, int], kind: str, value: str, counted_as: str = "Hint") -> Finding:
    start, end = view.span(*span)
    return Finding(rank, start - end, start, end, kind, value, counted_as)
