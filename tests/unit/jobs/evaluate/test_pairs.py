from feedbackloop.api.evaluation import Gate
from feedbackloop.events.records import Message
from feedbackloop.jobs.evaluate.pairs import Scores
from feedbackloop.jobs.evaluate.suites import Exam, topics
from feedbackloop.jobs.golden import GoldenItem

UNCHANGED = Gate.model_validate(
    {"name": "kept", "suite": "golden", "slice": "unchanged", "type": "NonInferiority", "margin": "0.05"}
)
ALL = Gate.model_validate({"name": "all", "suite": "golden", "type": "Superiority"})


def item(number: int, topic: str) -> GoldenItem:
    return GoldenItem(str(number), topic, (Message("user", "?"),), ("!",))


def scores(champion: list[bool], candidate: list[bool], corrected: set[str]) -> Scores:
    items = tuple(item(n, topic) for n, topic in enumerate(("old", "old", "new", "new", "new")))
    return Scores(Exam({"golden": items}, frozenset(corrected)), {"golden": champion}, {"golden": candidate})


def test_pairs_are_counted_item_by_item() -> None:
    found = scores([True, True, False, False, True], [True, False, True, False, True], set()).count(ALL)
    assert (found.n, found.both, found.only_champion, found.only_candidate, found.neither) == (5, 2, 1, 1, 1)


def test_the_unchanged_slice_leaves_out_topics_with_an_accepted_correction() -> None:
    found = scores([True] * 5, [True, False, False, False, True], {"new"}).count(UNCHANGED)
    assert (found.n, found.both, found.only_champion) == (2, 1, 1)


def test_a_slice_may_be_empty() -> None:
    assert scores([True] * 5, [True] * 5, {"new", "old"}).count(UNCHANGED).n == 0


def test_accuracies_are_given_by_suite_and_by_the_slices_of_gates() -> None:
    found = scores([True, True, False, False, False], [True] * 5, {"new"}).accuracy([ALL, UNCHANGED])
    assert found == {
        "golden": {"champion": 0.4, "candidate": 1.0},
        "golden/unchanged": {"champion": 1.0, "candidate": 1.0},
    }


def test_an_empty_slice_has_no_accuracy() -> None:
    assert "golden/unchanged" not in scores([True] * 5, [True] * 5, {"new", "old"}).accuracy([UNCHANGED])


def test_corrected_topics_are_a_list_of_names() -> None:
    assert topics(b'["a","b"]') == {"a", "b"}
