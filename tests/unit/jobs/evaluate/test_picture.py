from xml.etree import ElementTree as ET

from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.jobs.evaluate import picture, report


def result(name: str, verdict: Verdict, **numbers: str) -> GateResult:
    counts = {"n": 10, "both": 7, "only_champion": 1, "only_candidate": 2}
    return GateResult(name=name, verdict=verdict, **counts, **numbers, message="a < b")


RESULTS = [
    result("golden", Verdict.SUCCESSFUL, estimate="0.1", lower="-0.02", upper="0.3"),
    result("fixed", Verdict.ERROR),
]


def test_every_gate_has_its_line_and_those_without_an_estimate_only_their_name() -> None:
    drawn = ET.fromstring(picture.intervals(RESULTS))
    shapes = [element.tag.rsplit("}", 1)[1] for element in drawn]
    assert shapes.count("circle") == 1
    assert {"golden", "fixed"} <= {element.text for element in drawn}


def test_the_page_shows_verdicts_and_escapes_what_it_quotes() -> None:
    page = picture.page(RESULTS, {"golden": {"champion": 0.75, "candidate": 1.0}})
    assert "Successful" in page and "75.0%" in page
    assert "a &lt; b" in page and "a < b" not in page


def test_the_table_has_a_column_for_every_number_of_a_verdict() -> None:
    columns = report.columns(RESULTS)
    assert columns["verdict"] == ["Successful", "Error"]
    assert columns["only_candidate"] == [2, 2]
    assert columns["lower"] == ["-0.02", None]
