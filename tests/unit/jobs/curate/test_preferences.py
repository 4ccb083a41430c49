import pytest

from tests.unit.jobs.curate.world import Log, golden, pack, reasons, rows, used


def compared(*values: str, texts: tuple[str, str] = ("one", "two")) -> Log:
    log = Log()
    log.ask("which?", *texts)
    for n, value in enumerate(values):
        log.prefer(f"rater {n}", "o0.0", "o0.1", value)
    return log


def test_the_choice_of_most_raters_becomes_a_pair() -> None:
    log = compared("b", "b", "a")
    assert rows(pack(log), "preferences.jsonl") == [
        {
            "prompt": [{"role": "user", "content": "which?"}],
            "chosen": [{"role": "assistant", "content": "two"}],
            "rejected": [{"role": "assistant", "content": "one"}],
        }
    ]
    assert reasons(log.curate()) == {"e2": "Outvoted"}


@pytest.mark.parametrize(
    ("values", "reason", "ties"),
    [
        (("tie", "tie", "a"), "Tie", 1),
        (("tie", "both_bad", "a"), "Tie", 1),
        (("a", "b", "tie"), "NoMajority", 0),
        (("a", "b"), "NoMajority", 0),
    ],
)
def test_an_item_without_a_winner_is_left_out(values: tuple[str, ...], reason: str, ties: int) -> None:
    data = compared(*values).curate()
    assert set(reasons(data).values()) == {reason}
    assert data.raters.ties == ties


def test_the_place_where_an_output_was_shown_does_not_matter() -> None:
    log = compared("a")
    log.prefer("swapped", "o0.1", "o0.0", "b")
    data = log.curate()
    assert data.pairs[0].chosen == "one"
    assert data.raters.agreement == 1.0


@pytest.mark.parametrize(
    ("values", "agreement"),
    [(("a", "a", "a"), 1.0), (("a", "a", "b"), 0.333333), (("a", "b", "tie"), 0.0), (("a",), None)],
)
def test_agreement_is_the_share_of_agreeing_pairs_of_raters(values: tuple[str, ...], agreement: float | None) -> None:
    assert compared(*values).curate().raters.agreement == agreement


def test_identical_outputs_teach_nothing() -> None:
    assert set(reasons(compared("a", "a", texts=("same", "same ")).curate()).values()) == {"IdenticalOutputs"}


def test_a_preferred_answer_without_words_teaches_nothing() -> None:
    assert set(reasons(compared("a", "b", "b", texts=("x", " ")).curate()).values()) == {"Blank"}


@pytest.mark.parametrize("candidates", [("o0.0",), ("o0.0", "o0.0"), ("o0.0", "o1.0"), ("o0.0", "o0.1", "o0.1")])
def test_candidates_that_are_not_two_outputs_of_the_interaction_are_malformed(candidates: tuple[str, ...]) -> None:
    log = Log()
    log.ask("which?", "one", "two")
    log.ask("another question")
    event = log.send("ann", "", "prefer", "a", output_id=None, candidates=candidates)
    assert reasons(log.curate()) == {event: "MalformedCandidates"}


def test_the_same_pair_of_two_interactions_is_one_row() -> None:
    log = compared("a", "a")
    log.ask("Which?", "one", "two")
    for rater in ("x", "y"):
        log.prefer(rater, "o1.0", "o1.1", "a")
    data = log.curate()
    assert len(data.pairs) == 1
    assert list(reasons(data).values()) == ["DuplicatePair"] * 2


def test_a_rater_who_changes_its_mind_counts_once() -> None:
    log = compared("a", "b", "b")
    log.prefer("rater 0", "o0.0", "o0.1", "b")
    data = log.curate()
    assert reasons(data) == {"e0": "Superseded"}
    assert data.raters.agreement == 1.0


def test_preferences_on_golden_or_held_out_prompts_are_not_rows() -> None:
    log = Log(golden=golden("t", "which?", match=["zebra"]))
    log.ask("Which!", "one", "two")
    log.prefer("ann", "o0.0", "o0.1", "a")
    for n in range(4):
        log.correct(f"zebra {n}", "striped", ["ann", "ben", "cy"])
    held = next(iter(log.curate().training.held_out))
    output = log.ask(held, "one", "two")
    event = log.prefer("ann", output, output.replace(".0", ".1"), "a")
    data = log.curate()
    assert reasons(data)["e0"] == "GoldenLeak"
    assert reasons(data)[event] == "HeldOut"


def test_a_preference_data_set_needs_no_golden_set() -> None:
    log = compared("a", "a", "b")
    data = log.curate()
    assert data.training.rows == ()
    assert used(data) == {"e0", "e1"}
    assert data.slices["regressions"] == 0
