"""The items of a suite, from whatever source it names, verified. Curation counts them, evaluation asks them."""

from __future__ import annotations

from pathlib import Path

from feedbackloop.api.evaluation import ConfigMapSource, Suite
from feedbackloop.jobs import canonical, golden, probes
from feedbackloop.jobs.errors import InvalidDataset, InvalidSpec
from feedbackloop.jobs.golden import GoldenItem
from feedbackloop.jobs.storage import Store

Items = tuple[GoldenItem, ...]


def team_items(suite: Suite, *, prefix: str, bucket: Store, mounted: Path) -> Items | None:
    """The items of a suite whose file is the team's own, in the bucket or in a ConfigMap; None for other sources.

    Raises InvalidSpec when the file is not there, InvalidDataset when it is another one or does not parse.
    """
    source = suite.source
    if source.object_name is not None and source.digest is not None:
        return golden.fetch(bucket, prefix + source.object_name, source.digest)
    if source.config_map is not None and source.digest is not None:
        return _of_config_map(suite.name, source.config_map, source.digest, mounted)
    return None


def probe_items(suite: Suite, training: probes.Training | None) -> Items | None:
    """The synthetic items of a suite; None for other sources."""
    return None if suite.source.probes is None else probes.items(suite.source.probes, training)


def suite_digest(suite: Suite, items: Items) -> str:
    """What names these items: the digest that the loop declares for them, else that of the canonical items."""
    return suite.source.digest or probes.digest(items)


def _of_config_map(suite: str, source: ConfigMapSource, digest: str, mounted: Path) -> Items:
    place = f"suite {suite}: ConfigMap {source.name}, key {source.key}"
    try:
        data = (mounted / source.name / source.key).read_bytes()
    except OSError:
        raise InvalidSpec(f"{place}: is not there; create it in the loop's namespace or correct configMap") from None
    if canonical.digest(data) != digest:
        raise InvalidDataset(f"{place}: its digest is {canonical.digest(data)}, the loop declares {digest}")
    return golden.parse(data, place)
