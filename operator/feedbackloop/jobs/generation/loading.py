"""A model directory to a generator, and which decoder runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from feedbackloop.jobs.generation.chat import Chat
from feedbackloop.jobs.generation.decoder import Decoder
from feedbackloop.jobs.generation.generator import Generator

SMALL = 64 * 1024 * 1024
"""Bytes of weights up to which numpy wins."""


class UnreadableModelError(ValueError):
    """The directory does not hold a model that can be loaded."""


def load(directory: Path) -> Generator:
    """The generator of a model directory in Hugging Face's layout, safetensors only."""
    try:
        config: dict[str, Any] = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        return Generator(Chat.read(directory), _decoder(directory, config))
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise UnreadableModelError(f"{directory.name}: {type(error).__name__}: {error}") from error


def _decoder(directory: Path, config: Mapping[str, Any]) -> Decoder:
    ends = _end_tokens(directory, config)
    weights = directory / "model.safetensors"
    if suits_numpy(config) and weights.is_file() and weights.stat().st_size <= SMALL:
        # Matrices this small lose more to waking threads than they win; read when numpy is imported.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        from safetensors.numpy import load_file

        from feedbackloop.jobs.generation.llama import NumpyLlama

        return NumpyLlama(config, load_file(weights), ends)
    from feedbackloop.jobs.generation.framework import FrameworkDecoder

    return FrameworkDecoder(directory, ends)


def suits_numpy(config: Mapping[str, Any]) -> bool:
    """Whether the numpy decoder computes exactly this architecture."""
    wanted = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "dtype": "float32"}
    return (
        config.get("architectures") == ["LlamaForCausalLM"]
        and config.get("rope_parameters", {}).get("rope_type") == "default"
        and all(config.get(key) == value for key, value in wanted.items())
    )


def _end_tokens(directory: Path, config: Mapping[str, Any]) -> frozenset[int]:
    """Of generation_config.json, which wins over config.json."""
    path = directory / "generation_config.json"
    generation = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    ends = generation.get("eos_token_id", config.get("eos_token_id"))
    if ends is None:
        raise UnreadableModelError(f"{directory}: neither generation_config.json nor config.json has an eos_token_id")
    return frozenset(ends if isinstance(ends, list) else [ends])
