import pytest

from feedbackloop.jobs.scorers.words import contains_answer


@pytest.mark.parametrize(
    ("output", "answers", "right"),
    [
        ("The refund window is 30 days.", ["30 days"], True),
        ("The refund window is 130 days.", ["30 days"], False),
        ("The refund window is 30 days.", ["30 day"], False),
        ("THE REFUND   window is:\n30 DAYS!", ["30 days"], True),
        ("Wir sagen ﬁnal „Straße“.", ["final STRASSE"], True),
        ("It's 8 to 20", ["its 8 to 20"], True),
        ("14 days", ["30 days", "14 days"], True),
        ("", ["30 days"], False),
        ("anything", ["..."], False),
        ("anything", [], False),
    ],
)
def test_an_answer_is_right_when_its_words_stand_in_the_output(output: str, answers: list[str], right: bool) -> None:
    assert contains_answer(output, answers) is right
