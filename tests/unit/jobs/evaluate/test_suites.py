"""The team's items, from the bucket or a ConfigMap, exactly as the loop declares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from feedbackloop.api.evaluation import Suite
from feedbackloop.jobs import canonical
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.suiteitems import probe_items, suite_digest, team_items
from tests.unit.jobs.memory import MemoryS3

LINE = b'{"id":"a","topic":"t","messages":[{"role":"user","content":"?"}],"answers":["!"],"intent":"i"}\n'


def suite(**source: Any) -> Suite:
    return Suite.model_validate({"name": "own", "source": source})


def of_config_map(data: bytes = LINE) -> Suite:
    return suite(configMap={"name": "items", "key": "own.jsonl"}, digest=canonical.digest(data))


def test_items_of_a_config_map_are_those_of_the_declared_digest(tmp_path: Path) -> None:
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "own.jsonl").write_bytes(LINE)
    bucket = MemoryS3().store()
    (item,) = team_items(of_config_map(), prefix="", bucket=bucket, mounted=tmp_path) or ()
    assert (item.id, item.intent) == ("a", "i")
    with pytest.raises(InvalidDataset, match=r"suite own: ConfigMap items, key own\.jsonl: its digest is"):
        team_items(of_config_map(b"other"), prefix="", bucket=bucket, mounted=tmp_path)


def test_a_config_map_or_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = r"suite own: ConfigMap items, key own\.jsonl: is not there; create it"
    with pytest.raises(InvalidSpec, match=said):
        team_items(of_config_map(), prefix="", bucket=MemoryS3().store(), mounted=tmp_path)


def test_items_of_the_bucket_lie_below_the_prefix(tmp_path: Path) -> None:
    bucket = MemoryS3().store()
    bucket.put("team/g.jsonl", LINE)
    declared = suite(objectName="g.jsonl", digest=canonical.digest(LINE))
    assert len(team_items(declared, prefix="team/", bucket=bucket, mounted=tmp_path) or ()) == 1
    with pytest.raises(InvalidDataset, match="no such golden file"):
        team_items(declared, prefix="other/", bucket=bucket, mounted=tmp_path)


def test_probes_come_with_the_operator_and_are_named_by_their_content(tmp_path: Path) -> None:
    probes = suite(probes="Bias")
    assert team_items(probes, prefix="", bucket=MemoryS3().store(), mounted=tmp_path) is None
    items = probe_items(probes, None) or ()
    assert items and suite_digest(probes, items) == suite_digest(probes, probe_items(probes, None) or ())
    assert probe_items(of_config_map(), None) is None


def test_a_declared_digest_names_the_items_whatever_they_are() -> None:
    assert suite_digest(of_config_map(), ()) == canonical.digest(LINE)
