"""What the next message says of the answer before it, on dialogues as people have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.events.derive import FollowUp, classify

REFUND = ("How long do I have to return a jacket?", "You can return it within thirty days with the receipt.")
FLIGHT = (
    "Write a short note to my landlord about the heating.",
    "Dear Ms Brown, the heating has been cold since Monday.",
)
PYTHON = ("How do I sort a dict by value in Python?", "Use sorted(d.items(), key=lambda item: item[1]).")

DIALOGUES = [
    (REFUND, "Thanks!", "thanks"),
    (REFUND, "thank you so much, that helped", "thanks"),
    (REFUND, "Perfect, thanks a lot", "thanks"),
    (REFUND, "Vielen Dank, alles klar.", "thanks"),
    (REFUND, "Merci beaucoup", "thanks"),
    (REFUND, "¡Muchas gracias!", "thanks"),
    (REFUND, "谢谢", "thanks"),
    (REFUND, "ありがとうございます", "thanks"),
    (REFUND, "Спасибо", "thanks"),
    (REFUND, "Teşekkürler", "thanks"),
    (REFUND, "Thanks. And without the receipt?", "refine"),
    (REFUND, "Danke, aber was ist mit Schuhen?", "refine"),
    (REFUND, "what about shoes?", "refine"),
    (REFUND, "Why is that?", "refine"),
    (REFUND, "Does that include Sundays?", "refine"),
    (REFUND, "Is the receipt needed within the thirty days?", "refine"),
    (REFUND, "How long do I have for returning a jacket?", "rephrase"),
    (REFUND, "How many days do I have to return the jacket", "rephrase"),
    (REFUND, "No, I meant online orders", "rephrase"),
    (REFUND, "That's not what I asked", "rephrase"),
    (REFUND, "Das war nicht meine Frage", "rephrase"),
    (REFUND, "Which bus goes to the museum?", "new_task"),
    (REFUND, "Wann öffnet das Schwimmbad morgen?", "new_task"),
    (FLIGHT, "Make it more polite", "refine"),
    (FLIGHT, "shorter please", "refine"),
    (FLIGHT, "Translate it into German", "refine"),
    (FLIGHT, "Kürzer bitte", "refine"),
    (FLIGHT, "explique pourquoi", "refine"),
    (FLIGHT, "Write a short note to my landlord about the broken heating", "rephrase"),
    (FLIGHT, "Recommend three novels by Spanish authors", "new_task"),
    (PYTHON, "and in reverse order?", "refine"),
    (PYTHON, "try again", "rephrase"),
    (PYTHON, "How can I sort a Python dict by its values?", "rephrase"),
    (PYTHON, "What's the capital of Peru?", "new_task"),
]


@pytest.mark.parametrize(("before", "following", "expected"), DIALOGUES)
def test_a_message_is_of_the_class_that_a_reader_gives_it(
    before: tuple[str, str], following: str, expected: str
) -> None:
    assert classify(*before, following) == expected


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_every_message_has_one_class_whatever_it_is(question: str, answer: str, following: str) -> None:
    found = classify(question, answer, following)
    assert found in FollowUp
    assert classify(question, answer, following) is found


@given(st.sampled_from(DIALOGUES))
def test_case_and_spaces_do_not_matter(dialogue: tuple[tuple[str, str], str, str]) -> None:
    (question, answer), following, expected = dialogue
    assert classify(question, answer, f"  {following.upper()}\n") == expected
