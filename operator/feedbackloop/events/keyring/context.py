"""What a wrapped key is bound to."""

from __future__ import annotations

import json
from collections.abc import Mapping


def canonical(context: Mapping[str, str]) -> bytes:
    """A context as associated data."""
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
