"""A Llama in numpy, for models so small that a framework's overhead costs more than the arithmetic.

One batch is left-padded to equal length; keys and values are cached. The tests hold its tokens
against `LlamaForCausalLM.generate`, token by token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
MASKED = np.float32(-1e9)


@dataclass(frozen=True)
class Layer:
    """One block's weights, transposed and fused for `x @ w`."""

    attention_norm: Array
    qkv: Array
    out: Array
    mlp_norm: Array
    gate_up: Array
    down: Array

    @classmethod
    def of(cls, weights: Mapping[str, Array], number: int) -> Layer:
        at = f"model.layers.{number}."
        names = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        return cls(
            attention_norm=weights[f"{at}input_layernorm.weight"],
            qkv=_fused(weights, *(at + name for name in names)),
            out=_fused(weights, f"{at}self_attn.o_proj"),
            mlp_norm=weights[f"{at}post_attention_layernorm.weight"],
            gate_up=_fused(weights, f"{at}mlp.gate_proj", f"{at}mlp.up_proj"),
            down=_fused(weights, f"{at}mlp.down_proj"),
        )


def _fused(weights: Mapping[str, Array], *names: str) -> Array:
    return np.ascontiguousarray(np.concatenate([weights[f"{name}.weight"] for name in names]).T)


class NumpyLlama:
    """The decoder; `config` is the model's `config.json`."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Array], end_tokens: frozenset[int]) -> None:
        self.end_tokens = end_tokens
        self.max_positions = int(config["max_position_embeddings"])
        self.heads = int(config["num_attention_heads"])
        self.groups = self.heads // int(config.get("num_key_value_heads") or self.heads)
        self.width = int(config.get("head_dim") or config["hidden_size"] // self.heads)
        self.epsilon = np.float32(config["rms_norm_eps"])
        self.embeddings = weights["model.embed_tokens.weight"]
        self.norm = weights["model.norm.weight"]
        self.head = np.ascontiguousarray(weights.get("lm_head.weight", self.embeddings).T)
        self.layers = [Layer.of(weights, number) for number in range(int(config["num_hidden_layers"]))]
        theta = float(config["rope_parameters"]["rope_theta"])
        self.cos, self.sin = _rotations(theta, self.width, self.max_positions)

    def start(self, prompts: Sequence[Sequence[int]], room: int) -> NumpySession:
        return NumpySession(self, prompts, room)

    def normed(self, x: Array, weight: Array) -> Array:
        mean: Array = np.einsum("...i,...i->...", x, x)[..., None] / np.float32(x.shape[-1])
        scaled: Array = x / np.sqrt(mean + self.epsilon) * weight
        return scaled


def _rotations(theta: float, width: int, positions: int) -> tuple[Array, Array]:
    """Cosines and sines by position, for both halves of a head."""
    steps = np.arange(0, width, 2, dtype=np.float32) / np.float32(width)
    frequencies = (1.0 / (theta**steps)).astype(np.float32)
    angles = np.outer(np.arange(positions, dtype=np.float32), frequencies)
    doubled = np.concatenate([angles, angles], axis=-1)
    return np.cos(doubled), np.sin(doubled)


class NumpySession:
    """One batch: its padding, its positions and its cache."""

    def __init__(self, model: NumpyLlama, prompts: Sequence[Sequence[int]], room: int) -> None:
        self.model = model
        rows, longest = len(prompts), max(map(len, prompts))
        self.padding = np.array([longest - len(prompt) for prompt in prompts])
        size = longest + room
        kv_heads = model.heads // model.groups
        shape = (len(model.layers), rows, kv_heads, size, model.width)
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.hidden = np.where(np.arange(size) < self.padding[:, None], MASKED, np.float32(0))
        self.length = 0
        ids = np.array([[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
        self.logits = self._forward(ids)

    def next_tokens(self) -> list[int]:
        tokens: list[int] = self.logits.argmax(axis=-1).tolist()
        return tokens

    def feed(self, tokens: Sequence[int]) -> None:
        self.logits = self._forward(np.array(tokens)[:, None])

    def _forward(self, ids: NDArray[np.int_]) -> Array:
        """The logits after the last of `ids`, which are appended to the cache."""
        begin, self.length = self.length, self.length + ids.shape[1]
        # A finished sequence may run past its positions until the batch ends; its tokens are not used.
        positions = np.clip(np.arange(begin, self.length) - self.padding[:, None], 0, self.model.max_positions - 1)
        rotation = self.model.cos[positions][:, None], self.model.sin[positions][:, None]
        mask = self._mask(begin)
        x = self.model.embeddings[ids]
        for number, layer in enumerate(self.model.layers):
            x = x + self._attend(number, layer, x, rotation, mask)
            gate, up = np.split(self.model.normed(x, layer.mlp_norm) @ layer.gate_up, 2, axis=-1)
            x = x + (gate / (np.float32(1) + np.exp(-gate)) * up) @ layer.down
        last: Array = self.model.normed(x[:, -1], self.model.norm) @ self.model.head
        return last

    def _mask(self, begin: int) -> Array:
        """What each new token may not see: padding, and tokens after it."""
        seen = self.hidden[:, None, None, : self.length]
        if self.length - begin == 1:
            return seen
        later = np.triu(np.full((self.length - begin, self.length), MASKED), k=begin + 1)
        return seen + later

    def _attend(self, number: int, layer: Layer, x: Array, rotation: tuple[Array, Array], mask: Array) -> Array:
        model, rows, new = self.model, x.shape[0], x.shape[1]
        begin, kv_heads = self.length - new, model.heads // model.groups
        fused = (model.normed(x, layer.attention_norm) @ layer.qkv).reshape(rows, new, -1, model.width)
        fused = fused.transpose(0, 2, 1, 3)
        turned = _rotated(fused[:, : model.heads + kv_heads], *rotation)
        self.keys[number, :, :, begin : self.length] = turned[:, model.heads :]
        self.values[number, :, :, begin : self.length] = fused[:, model.heads + kv_heads :]
        keys, values = self.keys[number, :, :, : self.length], self.values[number, :, :, : self.length]
        if model.groups > 1:
            keys, values = np.repeat(keys, model.groups, axis=1), np.repeat(values, model.groups, axis=1)
        scale = np.float32(model.width**-0.5)
        weights: Array = _softmax(turned[:, : model.heads] @ keys.swapaxes(-1, -2) * scale + mask)
        mixed = (weights @ values).transpose(0, 2, 1, 3).reshape(rows, new, -1)
        out: Array = mixed @ layer.out
        return out


def _rotated(x: Array, cos: Array, sin: Array) -> Array:
    half = x.shape[-1] // 2
    turned: Array = x * cos + np.concatenate([-x[..., half:], x[..., :half]], axis=-1) * sin
    return turned


def _softmax(x: Array) -> Array:
    powers: Array = np.exp(x - x.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares
