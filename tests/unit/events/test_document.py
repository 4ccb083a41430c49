"""`docs/reference/events.md` is what the structs say now."""

from pathlib import Path

from feedbackloop.events.schema import document

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "events.md"


def test_the_page_of_events_has_not_drifted() -> None:
    assert PAGE.read_text(encoding="utf-8") == document.text(), "run make generate"
