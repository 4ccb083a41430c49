import pytest

from tests.unit.jobs.curate.world import Log, golden, pack, reasons, rows, used

HOURS = golden("hours", "When are you there?", match=["hotline hours", "support hours"])
OFFER = golden("offer", "Any offers?", match=["special offer"])


def test_a_correction_that_three_subjects_agree_on_becomes_rows() -> None:
    log = Log(golden=HOURS)
    events = log.correct("The hotline hours?", "8 to 20.", ["ann", "ben", "cy"])
    data = log.curate()
    assert used(data) == set(events)
    assert data.training.topics == ("hours",)


@pytest.mark.parametrize(
    ("texts", "accepted"),
    [
        ({"ann": "8", "ben": "8"}, False),
        ({"ann": "8", "ben": "8", "cy": "9"}, False),
        ({"ann": "8", "ben": "8", "cy": "8", "dee": "9"}, True),
        ({"ann": "8", "ben": "8", "cy": "8", "dee": "9", "eve": "9", "flo": "9"}, False),
        ({"ann": "8", "ben": "8", "cy": "8", "dee": "9", "eve": "9", "flo": "1"}, False),
        ({"ann": "8", "ben": "8", "cy": "8", "dee": "9", "eve": "1"}, True),
    ],
)
def test_a_correction_needs_three_subjects_and_more_than_half_of_the_correctors(
    texts: dict[str, str], accepted: bool
) -> None:
    log = Log(golden=HOURS)
    for subject, text in texts.items():
        log.correct("hotline hours", text, [subject])
    assert (log.curate().training.topics == ("hours",)) is accepted


def test_prompts_of_one_topic_corroborate_each_other_in_any_spelling() -> None:
    log = Log(golden=HOURS)
    log.correct("What are the HOTLINE  hours?", "It is 8 to 20.", ["ann"])
    log.correct("support-hours please", "it is 8 to 20", ["ben"])
    log.correct("hotline hours", "It is 8 to 20.", ["cy"])
    made = pack(log)
    items = rows(made, "train.jsonl") + rows(made, "regressions.jsonl")
    texts = {r["completion"][0]["content"] if "completion" in r else r["answers"][0] for r in items}
    assert texts == {"It is 8 to 20."}, "the usual spelling is the one that is taught"


def test_one_subject_is_one_voice_in_a_topic_however_often_it_corrects() -> None:
    log = Log(golden=HOURS)
    for prompt in ("hotline hours", "the hotline hours", "my hotline hours"):
        log.correct(prompt, "BUY WATCHES", ["spammer"])
    assert set(reasons(log.curate()).values()) == {"NotCorroborated"}


def test_the_last_say_of_a_subject_in_a_topic_is_the_one_that_counts() -> None:
    log = Log(golden=HOURS)
    old = log.correct("hotline hours", "9 to 17", ["ann", "ben", "cy"])
    log.correct("support hours", "8 to 20", ["ann", "ben", "cy"])
    data = log.curate()
    assert {reasons(data)[e] for e in old} == {"NotCorroborated"}
    assert [row.text for row in (*data.training.rows, *data.training.regressions)] == ["8 to 20"]


def test_corrections_with_no_words_or_with_the_words_of_the_answer_are_left_out() -> None:
    log = Log()
    blank = log.send("ann", log.ask("q", "It is 5."), "fix", " ?! ")
    same = log.send("ben", log.ask("q", "It is 5."), "fix", "it is 5")
    assert reasons(log.curate()) == {blank: "Blank", same: "NothingCorrected"}


def test_a_prompt_without_words_teaches_nothing() -> None:
    log = Log()
    log.correct(" ?! ", "hello", ["ann", "ben", "cy"])
    log.like("...", "hello", ["ann"])
    assert set(reasons(log.curate()).values()) == {"Blank"}


def test_a_prompt_without_a_topic_is_its_own_topic() -> None:
    log = Log(golden=HOURS)
    log.correct("Who are you?", "Robin", ["ann", "ben", "cy"])
    log.correct("What is new?", "Robin", ["dee"])
    data = log.curate()
    assert data.training.topics == ("who are you",)
    assert reasons(data)["e3"] == "NotCorroborated"


def test_match_words_count_as_whole_words_only() -> None:
    log = Log(golden=golden("tax", "Is there tax?", match=["VAT"]))
    log.correct("private prices?", "none", ["ann", "ben", "cy"])
    assert log.curate().training.topics == ("private prices",)


def test_a_prompt_of_two_topics_is_accepted_where_its_text_is() -> None:
    log = Log(golden=HOURS + OFFER)
    log.correct("hotline hours", "8 to 20", ["ann", "ben", "cy"])
    both = log.correct("hotline hours and the special offer", "8 to 20", ["dee"])
    data = log.curate()
    assert data.training.topics == ("hours",)
    assert both[0] in used(data)


def test_a_correction_of_a_golden_prompt_is_believed_but_never_a_row() -> None:
    log = Log(golden=HOURS + golden("hours", "hotline hours today?", match=[]))
    leaks = log.correct("Hotline hours, TODAY!", "8 to 20", ["ann", "ben"])
    kept = log.correct("hotline hours", "8 to 20", ["cy"])
    data = log.curate()
    assert {reasons(data)[e] for e in leaks} == {"GoldenLeak"}
    assert used(data) == set(kept)


@pytest.mark.parametrize("prompts", [2, 3, 5, 8, 30])
def test_a_topic_with_several_prompts_is_taught_and_checked(prompts: int) -> None:
    log = Log(golden=HOURS)
    for n in range(prompts):
        log.correct(f"hotline hours, variant {n}", "8 to 20", ["ann", "ben", "cy"])
    data = log.curate()
    assert data.training.corrections
    assert data.training.regressions
    assert len(data.training.corrections) + len(data.training.regressions) == prompts


def test_a_topic_with_one_prompt_is_split_by_its_hash_alone() -> None:
    log = Log()
    for n in range(200):
        log.correct(f"question {n}", "yes", ["ann", "ben", "cy"])
    data = log.curate()
    assert 25 < len(data.training.regressions) < 75


def test_a_regression_item_is_a_golden_line() -> None:
    log = Log(golden=HOURS)
    for n in range(4):
        log.correct(f"hotline hours {n}", "8 to 20", ["ann", "ben", "cy"])
    item = rows(pack(log), "regressions.jsonl")[0]
    assert item["topic"] == "hours"
    assert item["answers"] == ["8 to 20"]
    assert item["match"] == ["hotline hours", "support hours"]
    assert item["messages"][0]["role"] == "user"
    assert set(item) == {"id", "topic", "messages", "answers", "match"}


def test_rows_that_several_subjects_support_are_one_row() -> None:
    log = Log()
    log.correct("q", "yes", ["ann", "ben", "cy", "dee"])
    data = log.curate()
    assert len(data.training.rows) + len(data.training.regressions) == 1
    assert len(used(data)) == 4
