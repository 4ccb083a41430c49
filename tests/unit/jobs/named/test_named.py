"""Names in rows: pieces of long texts, tokens stable in a row, and when there is no model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackloop.api.collection import Named
from feedbackloop.api.jobs import NamedEntities
from feedbackloop.jobs.curate.dataset import DataSet
from feedbackloop.jobs.curate.files import bundle
from feedbackloop.jobs.named import choosing
from feedbackloop.jobs.named.engine import Found
from feedbackloop.jobs.named.pieces import find, pieces
from feedbackloop.jobs.named.rows import without_names
from feedbackloop.jobs.named.stage import without_names as step
from tests.unit.jobs.curate.world import Log, golden


class Capitals:
    """Takes every pair of capitalised words for a person, whatever language it is."""

    name, model = "capitals", "none 1"

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        pattern = re.compile(r"(?i:anna|ben) [A-Za-z]+")
        return [[Found(*match.span(), "PERSON") for match in pattern.finditer(text)] for text in texts]


def curated() -> DataSet:
    log = Log(golden=golden("fees", "the fee of Anna Berg?", match=["fee"]))
    log.correct("Who helps me, Anna Berg?", "Ben Ode helps Anna Berg", ["ann", "ben", "cy"])
    for n in range(6):
        log.correct(f"Where sits Ben Ode, room {n}?", f"In room {n}, says anna berg", ["ann", "ben", "cy"])
    first, second = log.ask("Which, Anna Berg?", "left, Ben Ode", "right"), f"o{len(log.interactions) - 1}.1"
    log.prefer("ann", first, second, "a")
    log.correct("a fee for Anna Berg", "none for Anna Berg", ["ann", "ben", "cy"])
    return log.curate()


def test_no_file_of_the_data_set_names_anybody_and_tokens_are_those_of_the_row() -> None:
    data, report = without_names(curated(), Capitals())
    files = bundle(data).files
    assert not [path for path, content in files.items() if re.search(rb"(?i)anna berg|ben ode", content)]
    rows = [json.loads(line) for line in files["train.jsonl"].splitlines() + files["regressions.jsonl"].splitlines()]
    told = [row for row in rows if "helps" in json.dumps(row)]
    assert [("<PERSON_1>" in json.dumps(row), "<PERSON_2>" in json.dumps(row)) for row in told] == [(True, True)]
    pairs = [json.loads(line) for line in files["preferences.jsonl"].splitlines()]
    assert pairs[0]["prompt"][0]["content"] == "Which, <PERSON_1>?"
    assert pairs[0]["chosen"][0]["content"] == "left, <PERSON_2>"
    assert report.replaced["PERSON"] > 10
    assert report.model == "none 1"


def test_which_rows_there_are_was_decided_before_names_went() -> None:
    before = curated()
    after, _ = without_names(before, Capitals())
    assert after.excluded == before.excluded
    assert len(after.training.rows) == len(before.training.rows)
    assert after.counts() == before.counts()


def test_a_topic_that_the_team_named_keeps_its_name() -> None:
    data, _ = without_names(curated(), Capitals())
    assert "fees" in data.training.topics
    assert "who helps me <person 1>" in data.training.topics
    assert {row.topic for row in (*data.training.rows, *data.training.regressions)} <= set(data.training.topics)


@given(st.text(alphabet="ab \n", max_size=200), st.integers(5, 40), st.integers(0, 4))
def test_pieces_are_bounded_and_leave_nothing_out(text: str, size: int, overlap: int) -> None:
    cut = list(pieces([text], size, overlap))
    assert all(len(piece.content) <= size for piece in cut)
    assert all(text[piece.offset : piece.offset + len(piece.content)] == piece.content for piece in cut)
    covered = {at for piece in cut for at in range(piece.offset, piece.offset + len(piece.content))}
    assert covered == set(range(len(text)))


def test_a_name_at_the_cut_is_found_once() -> None:
    text = "x" * 8185 + " Anna Berg " + "y " * 200 + "Ben Ode"
    assert [text[each.start : each.end] for each in find(Capitals(), [text])[0]] == ["Anna Berg", "Ben Ode"]


def test_what_is_found_already_stays() -> None:
    log = Log()
    log.correct("To Anna Berg <PERSON_7>", "see Ben Ode <EMAIL_1>", ["ann", "ben", "cy"])
    data, _ = without_names(log.curate(), Capitals())
    row = (*data.training.rows, *data.training.regressions)[0]
    assert (row.messages[0].content, row.text) == ("To <PERSON_8> <PERSON_7>", "see <PERSON_9> <EMAIL_1>")


def test_a_loop_that_wants_none_gets_none() -> None:
    assert choosing.choose(Named.NEVER, {}) == NamedEntities(reason="Never")


def test_without_the_packages_names_stay_and_the_result_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "find_spec", lambda _name: None)
    data = curated()
    made = step(Named.BEFORE_TRAINING, data)
    assert made.training == data.training
    assert made.named is not None
    assert (made.named.reason, made.named.message) == ("NoModel", "not installed: presidio_analyzer, spacy")
    assert json.loads(bundle(made).files["card.json"])["named"]["reason"] == "NoModel"


def test_a_model_that_is_not_installed_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "find_spec", lambda name: name if name in ("presidio_analyzer", "spacy") else None)
    said = choosing.choose(Named.BEFORE_TRAINING, {choosing.MODEL: "en_core_web_trf"})
    assert isinstance(said, NamedEntities)
    assert said.message == "FL_NAMED_MODEL names en_core_web_trf, which is not installed"
    assert isinstance(choosing.choose(Named.BEFORE_TRAINING, {}), NamedEntities)
