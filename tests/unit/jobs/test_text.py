import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.jobs.text import contains_words, normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's  NEW?", "whats new"),
        ("what’s new", "What's new!"),
        ("Straße", "STRASSE"),
        ("ﬁne", "fine"),
        ("30-day", "30 day"),
        ("60 days—not 30.", "60 days not 30"),
        ("a\u00a0b\tc\n", "a b c"),
        ("Ａ１", "a1"),
    ],
)
def test_texts_that_differ_in_spelling_only_are_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), [("$5", "€5"), ("c++", "c"), ("1 2", "12")])
def test_texts_that_mean_something_else_differ(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text())
def test_the_normal_form_is_stable(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(codec="ascii")))
def test_plain_text_takes_no_other_way_than_any_text(text: str) -> None:
    assert normalise(text + " é").removesuffix("é").strip() == normalise(text)


def test_words_are_found_whole_or_not_at_all() -> None:
    assert contains_words("the refund window is open", "refund window")
    assert not contains_words("private prices", "vat")
    assert not contains_words("anything", "")
