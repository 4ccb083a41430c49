"""Text to token ids and back: the model's tokenizer and its chat template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

Message = Mapping[str, str]


class Chat:
    """A tokenizer with its template; the template is the model's, so it runs in a sandbox."""

    def __init__(self, tokenizer: Tokenizer, template: str, specials: Mapping[str, str]) -> None:
        self._tokenizer = tokenizer
        self._specials = specials
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        self._template = environment.from_string(template)

    @classmethod
    def read(cls, directory: Path) -> Chat:
        """From `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja`."""
        config: dict[str, Any] = json.loads((directory / "tokenizer_config.json").read_text(encoding="utf-8"))
        template = directory / "chat_template.jinja"
        text = template.read_text(encoding="utf-8") if template.is_file() else str(config["chat_template"])
        specials = {key: _content(config.get(key)) for key in ("bos_token", "eos_token", "pad_token", "unk_token")}
        return cls(_tokenizer(directory / "tokenizer.json"), text, specials)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The ids of a conversation, up to where the assistant speaks; ValueError when the template refuses it."""
        try:
            text = self._template.render(messages=list(messages), add_generation_prompt=True, **self._specials)
        except TemplateError as error:
            raise ValueError(f"the chat template refuses these messages: {error}") from None
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """The text of generated ids, without special tokens."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))


def _tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"{path.name}: {error}") from None


def _content(token: Any) -> str:
    return str(token["content"]) if isinstance(token, dict) else token or ""


def _refuse(message: str) -> None:
    raise TemplateError(message)
