"""Which files of a context go into a build: the patterns of a `.dockerignore`, as far as projects use them."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# What Python and its tools leave behind, for a context that has no file of its own.
LITTER = ("**/__pycache__", "**/*.pyc", "**/.git", "**/.mypy_cache", "**/.ruff_cache", "**/.pytest_cache")


@dataclass(frozen=True)
class Rule:
    """One line: the later one wins; `!` takes back."""

    text: str
    excludes: bool

    @classmethod
    def parse(cls, line: str) -> "Rule":
        """From the file."""
        return cls(line.removeprefix("!").strip("/"), excludes=not line.startswith("!"))

    def matches(self, path: str) -> bool:
        """Whether it speaks of the path, or of a folder that the path is in."""
        return re.fullmatch(f"{_regex(self.text)}(/.*)?", path) is not None


def _regex(pattern: str) -> str:
    special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(special.get(part, re.escape(part)) for part in parts)


def rules(context: Path) -> list[Rule]:
    """The context's rules, or our own."""
    file = context / ".dockerignore"
    lines = file.read_text().splitlines() if file.exists() else LITTER
    stripped = (line.strip() for line in lines)
    return [Rule.parse(line) for line in stripped if line and not line.startswith("#")]


def is_ignored(path: str, rules: Sequence[Rule]) -> bool:
    """What the last rule that speaks of it says."""
    verdicts = [rule.excludes for rule in rules if rule.matches(path)]
    return bool(verdicts and verdicts[-1])


def files(context: Path) -> Iterator[Path]:
    """The files that go in, in a fixed order."""
    found = rules(context)
    for folder, inner, names in os.walk(context):
        here = Path(folder).relative_to(context)
        inner[:] = sorted(name for name in inner if _may_hold(str(here / name), found))
        yield from (Path(folder) / name for name in sorted(names) if not is_ignored(str(here / name), found))


def _may_hold(folder: str, rules: Sequence[Rule]) -> bool:
    taken_back = (rule.text for rule in rules if not rule.excludes)
    return not is_ignored(folder, rules) or any(text.startswith((f"{folder}/", "*")) for text in taken_back)
