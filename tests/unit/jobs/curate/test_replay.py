import pytest

from tests.unit.jobs.curate.world import Log, golden, pack, reasons, rows, used

TOPICS = [item for n in range(8) for item in golden(f"t{n}", f"golden {n}", match=[f"topic {n}"])]


def log_with_corrections(count: int = 8) -> Log:
    log = Log(golden=TOPICS)
    for n in range(count):
        log.correct(f"topic 0 variant {n}", "right", ["ann", "ben", "cy"], answer="wrong")
    return log


def teaching(count: int) -> Log:
    """A log whose corrections leave exactly `count` training rows after the split."""
    logs = (log_with_corrections(n) for n in range(count, 10 * count))
    return next(log for log in logs if len(log.curate().training.corrections) == count)


def test_accepted_answers_are_replayed_one_for_each_correction() -> None:
    log = log_with_corrections()
    for n in range(1, 8):
        for variant in range(5):
            log.like(f"topic {n} variant {variant}", f"fact {n}", ["ann", "ben"])
    data = log.curate()
    assert len(data.training.replayed) == len(data.training.corrections) > 0
    assert data.reasons()["NotDrawn"] == 2 * (35 - len(data.training.replayed))


def test_replay_is_spread_over_the_topics() -> None:
    log = log_with_corrections()
    for variant in range(50):
        log.like(f"topic 1 variant {variant}", "fact", ["ann"])
    for n in range(2, 5):
        log.like(f"topic {n}", "fact", ["ann"])
    assert {row.topic for row in log.curate().training.replayed} == {"t1", "t2", "t3", "t4"}


def test_replay_never_takes_a_topic_with_an_accepted_correction() -> None:
    log = log_with_corrections()
    votes = log.like("topic 0 variant 99", "wrong", ["lenient", "spam"])
    both = log.like("topic 0 and topic 1", "both", ["lenient", "spam"])
    data = log.curate()
    assert {reasons(data)[e] for e in votes + both} == {"TopicCorrected"}


@pytest.mark.parametrize(("ratio", "expected"), [("0", 0), ("0.5", 3), ("1.0", 5), ("1e-1", 1), ("100", 30)])
def test_the_ratio_says_how_much_is_replayed_as_far_as_there_is_anything(ratio: str, expected: int) -> None:
    log = teaching(5).with_(replay_ratio=ratio)
    for n in range(1, 7):
        for variant in range(5):
            log.like(f"topic {n} variant {variant}", "fact", ["ann"])
    assert len(log.curate().training.replayed) == expected


def test_an_answer_that_most_of_its_voters_dislike_is_not_replayed() -> None:
    log = log_with_corrections()
    ups = log.like("topic 1", "wrong", ["spam", "lenient"])
    log.like("topic 1", "wrong", ["dee", "eve", "flo"], value=False)
    data = log.curate()
    assert {reasons(data)[e] for e in ups} == {"NotAccepted"}


def test_a_spammer_who_votes_a_hundred_times_is_one_voice() -> None:
    log = log_with_corrections()
    spam = log.like("topic 1", "wrong", ["spam"] * 100)
    log.like("topic 1", "wrong", ["dee"], value=False)
    data = log.curate()
    assert data.training.replayed == ()
    assert reasons(data)[spam[-1]] == "NotAccepted"
    assert {reasons(data)[e] for e in spam[:-1]} == {"Superseded"}


def test_a_prompt_that_only_a_spammer_typed_is_judged_by_its_topic() -> None:
    log = log_with_corrections()
    spam = log.like("topic 1 please please", "wrong", ["spam"])
    log.like("topic 1", "wrong", ["dee", "eve"], value=False)
    assert reasons(log.curate())[spam[0]] == "NotAccepted"


def test_votes_on_the_same_answer_in_several_sessions_are_one_row() -> None:
    log = log_with_corrections()
    votes = log.like("Topic 1?", "The Fact.", ["ann", "ben"]) + log.like("topic 1", "the fact", ["cy"])
    data = log.curate()
    assert len(data.training.replayed) == 1
    assert set(votes) <= used(data)


def test_a_golden_prompt_is_not_replayed() -> None:
    log = log_with_corrections()
    votes = log.like("GOLDEN 1!", "fact", ["ann", "ben"])
    assert {reasons(log.curate())[e] for e in votes} == {"GoldenLeak"}


def test_training_rows_carry_the_prompt_as_it_was_typed() -> None:
    log = log_with_corrections()
    log.like("  Topic 1, please?!", "The fact.", ["ann"])
    row = {"prompt": [{"content": "  Topic 1, please?!", "role": "user"}]}
    row |= {"completion": [{"content": "The fact.", "role": "assistant"}]}
    assert row in rows(pack(log), "train.jsonl")


def test_another_seed_draws_other_answers() -> None:
    log = log_with_corrections(20)
    for n in range(1, 8):
        for variant in range(20):
            log.like(f"topic {n} variant {variant}", "fact", ["ann"])
    drawn = [{r.prompt.key for r in log.with_(seed=s).curate().training.replayed} for s in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_no_subject_contributes_more_than_its_share() -> None:
    log = log_with_corrections(12)
    for n in range(1, 8):
        log.like(f"topic {n}", "fact", [f"user {n}"])
        log.like(f"topic {n} again", "fact", ["busy"])
    log = log.with_(max_subject_share="0.1", replay_ratio="2")
    made = log.curate().training
    own = [row for row in made.rows if row.subjects == {"busy"}]
    assert len(own) <= max(1, len(made.rows) // 10)
    assert log.curate().reasons()["SubjectCap"] > 0
