"""One way to write JSON, so that equal content has equal bytes and equal digests. Standard library only."""

from __future__ import annotations

import json
from typing import Any


def encode(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8 as it is, no NaN. Raises ValueError for a NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()
