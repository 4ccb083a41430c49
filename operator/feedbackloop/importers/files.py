"""Export files: a JSON list, an object around one, or a row a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from feedbackloop.importers.model import Row

_AROUND = ("data", "traces", "scores", "feedbacks", "items", "results")


class BadFile(Exception):  # noqa: N818
    """The file cannot be read as an export; the message says where."""


def rows(path: Path) -> list[Row]:
    """The rows of an export. Raises BadFile."""
    try:
        raw = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from None
    except UnicodeError:
        raise BadFile(f"{path}: is not UTF-8") from None
    try:
        return _rows(json.loads(raw), path)
    except json.JSONDecodeError:
        return _lines(raw, path)
    except RecursionError:
        raise BadFile(f"{path}: is nested too deeply") from None


def _rows(value: Any, path: Path) -> list[Row]:
    if isinstance(value, dict):
        inner = next((value[name] for name in _AROUND if isinstance(value.get(name), list)), None)
        value = [value] if inner is None else inner
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise BadFile(f"{path}: holds no list of objects")
    return value


def _lines(raw: str, path: Path) -> list[Row]:
    found = []
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError):
            raise BadFile(f"{path}: line {number} is not JSON") from None
    return _rows(found, path)
