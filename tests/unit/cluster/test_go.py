"""Which Go is good enough to build the cluster."""

import pytest

from tests.cluster.build import is_recent


@pytest.mark.parametrize(
    ("version", "recent"),
    [
        ("go version go1.26.8 linux/amd64", True),
        ("go version go1.27.0 linux/arm64", True),
        ("go version go2.0 linux/amd64", True),
        ("go version go1.19.8 linux/amd64", False),
        ("no go at all", False),
    ],
)
def test_an_old_go_is_passed_over(version: str, recent: bool) -> None:
    assert is_recent(version) is recent
