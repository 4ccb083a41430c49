from __future__ import annotations

from xml.etree import ElementTree as ET

from feedbackloop.api.jobs import JudgeQuality
from feedbackloop.domain.gates import Evidence, ItemRow
from feedbackloop.jobs.evaluate import picture, report
from feedbackloop.jobs.evaluate.axes import axes, draw
from tests.unit.domain.gates.given import evidence, gate, numbers, pairs

KEPT: list[Evidence] = [
    evidence(gate("NonInferiority", "0.05", name="kept"), pairs(both=170, losses=4, gains=6)),
    evidence(gate("Superiority", name="better"), pairs(both=2, gains=18)),
    evidence(gate("Ceiling", "0.02", name="safe"), pairs(both=160)),
    evidence(gate("Bootstrap", "2", name="short", metric="output_tokens"), numbers([(9.0, 10.0), (9.0, 8.5)] * 40)),
    evidence(gate("NoNewFailures", name="told", effect="Advisory"), [ItemRow("a < b", True, False)]),
    evidence(gate("Superiority", name="broken"), []),
]


def test_gates_of_one_unit_share_an_axis_and_those_without_an_interval_have_none() -> None:
    drawn = axes(KEPT)
    assert [[line.name for line in axis.lines] for axis in drawn] == [["kept", "better", "told"], ["safe"], ["short"]]
    svg = ET.fromstring(draw(drawn[0]))
    shapes = [element.tag.rsplit("}", 1)[1] for element in svg]
    assert shapes.count("circle") == 3
    assert {"kept", "better", "told"} <= {element.text for element in svg}


def test_bounds_are_marked_where_the_interval_must_not_reach() -> None:
    shares, failing, growth = axes(KEPT)
    assert [line.bound for line in shares.lines] == [-0.05, 0.0, None]
    assert [line.bound for line in (*failing.lines, *growth.lines)] == [0.02, 1.0]


def test_an_axis_begins_at_zero_when_nothing_lies_below() -> None:
    svg = ET.fromstring(draw(axes(KEPT)[1]))
    labels = [e.text for e in svg if e.get("text-anchor") == "middle"]
    assert labels[0] == "0" and labels[-1] == "2 %"


def test_the_page_sums_up_and_escapes_what_it_quotes() -> None:
    page = picture.page(KEPT, {"golden": {"champion": 0.75, "candidate": 1.0}})
    assert "4 of 5 required gates are Successful; 1 more is advisory." in page
    assert "75.0%" in page
    assert "a &lt; b" in page and "a < b" not in page


def test_churn_says_how_many_items_a_margin_needs() -> None:
    assert picture.power(KEPT[0]) == (
        "kept: 5.56 % of the items changed sides (churn). To show 5 % at this churn, with an equal candidate and 85 %"
        " power, you need about 223 items; it has 180."
    )
    assert picture.power(KEPT[1]) == ""


def test_the_judge_is_shown_with_its_agreement() -> None:
    quality = JudgeQuality(
        model="m", prompt_digest="sha256:0", labels=90, consistent=80, agreement=0.9, kappa=0.8, kappa_lower=0.7
    )
    assert "agrees with people in 90 %, kappa 0.80 (at least 0.70)" in picture.page(KEPT, {}, quality)


def test_the_table_has_a_column_for_every_number_of_a_verdict() -> None:
    columns = report.columns(KEPT)
    assert columns["verdict"][:2] == ["Successful", "Successful"]
    assert columns["only_candidate"][:2] == [6, 18]
    assert columns["lower"][-1] is None
    assert columns["evidence_digest"][0] == KEPT[0].digest


def test_a_gates_items_are_listed_lost_ones_first() -> None:
    found = report.items(KEPT[0].items)
    assert found["change"][:4] == ["lost"] * 4
    assert found["change"][4:10] == ["gained"] * 6
    assert len(found["id"]) == 180


def test_every_measure_is_a_finite_number() -> None:
    names = {measure.name: measure.value for measure in report.measures({}, KEPT)}
    assert names["gate.better.passed"] == 1.0
    assert "gate.broken.estimate" not in names
