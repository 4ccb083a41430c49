"""A model must not judge its own family: it prefers what it would have said itself."""

from __future__ import annotations

import json
from pathlib import Path


def same_family(family: str, directory: Path) -> bool:
    """Whether a model directory's `config.json` says that it is of that family (`model_type` or architecture).

    The loop's spec declares both families and must not name the same twice; this catches a wrong declaration.
    """
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    named = [config.get("model_type", ""), *config.get("architectures", [])]
    wanted = _letters(family)
    return bool(wanted) and any(_letters(str(name)).startswith(wanted) for name in named)


def _letters(name: str) -> str:
    """`Llama-3.1` and `llama` are one family: the letters that it begins with."""
    lowered = name.lower()
    return lowered[: next((at for at, char in enumerate(lowered) if not char.isalpha()), len(lowered))]
