import json

import pytest

from feedbackloop.events.records import Message
from feedbackloop.jobs import golden
from feedbackloop.jobs.errors import InvalidDataset

ITEM = {
    "id": "a",
    "topic": "t",
    "messages": [{"role": "user", "content": "q"}],
    "answers": ["x"],
    "match": ["some words"],
}


def line(**changes: object) -> bytes:
    return json.dumps(ITEM | changes).encode() + b"\n"


def test_a_golden_file_is_read_line_by_line() -> None:
    items = golden.parse(line() + b"\n" + line(id="b", note="more fields are fine"), "g.jsonl")
    assert [item.id for item in items] == ["a", "b"]
    assert items[0].messages == (Message("user", "q"),)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"{", "line 1"),
        (line() + b"[]", "line 2"),
        (line(answers=[]), "answers"),
        (line(answers=[3]), "answers"),
        (line(id=""), "id"),
        (line(messages=[]), "messages"),
        (line() + line(), "same id"),
    ],
)
def test_a_wrong_line_is_named_without_its_text(data: bytes, place: str) -> None:
    with pytest.raises(InvalidDataset, match=place) as caught:
        golden.parse(data, "g.jsonl")
    assert "some words" not in str(caught.value)


def test_the_question_is_the_last_message_of_the_user() -> None:
    turns = [
        Message("system", "Be kind."),
        Message("user", "Hi!"),
        Message("assistant", "Hello."),
        Message("user", "Fee?"),
    ]
    assert golden.question(turns) == "fee"
    assert golden.conversation(turns) == "hi\nhello\nfee"


def test_a_prompt_belongs_to_every_topic_whose_words_it_contains() -> None:
    items = golden.parse(line() + line(id="b", topic="u", match=["Words", "fee?"]), "g.jsonl")
    topics = golden.Topics.of(items)
    assert topics.find("some words on it", "own") == ("t", "u")
    assert topics.find("the fee", "own") == ("u",)
    assert topics.find("wordsmith", "own") == ("own",)
