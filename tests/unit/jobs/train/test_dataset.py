import pytest

from feedbackloop.jobs.errors import InvalidDataset
from feedbackloop.jobs.train.dataset import parse

GOOD = b'{"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"a"}]}'


def test_rows_are_prompts_with_completions() -> None:
    (row,) = parse(GOOD + b"\n\n")
    assert row.prompt[0].content == "q"
    assert row.completion[0].role == "assistant"


def test_a_data_set_without_rows_cannot_be_trained_on() -> None:
    with pytest.raises(InvalidDataset, match="no rows"):
        parse(b"\n")


@pytest.mark.parametrize(
    "line",
    [
        b"SECRET",
        b'{"prompt":[],"completion":[{"role":"assistant","content":"SECRET"}]}',
        b'{"prompt":[{"role":"user","content":"SECRET"}]}',
        b'{"prompt":"SECRET","completion":[{"role":"assistant","content":"a"}]}',
        b'{"prompt":[{"role":"","content":"SECRET"}],"completion":[{"role":"assistant","content":"a"}]}',
    ],
)
def test_a_bad_row_is_named_by_its_line_and_never_quoted(line: bytes) -> None:
    with pytest.raises(InvalidDataset, match="line 2") as found:
        parse(GOOD + b"\n" + line)
    assert "SECRET" not in str(found.value)
