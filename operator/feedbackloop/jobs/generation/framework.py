"""Any causal language model through transformers, for models that are worth a framework."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM


class FrameworkDecoder:
    """The decoder; on the GPU when there is one."""

    def __init__(self, directory: Path, end_tokens: frozenset[int]) -> None:
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, local_files_only=True)
        self.model = model.eval().to(self.device)
        self.end_tokens = end_tokens
        self.max_positions = int(model.config.max_position_embeddings)

    def start(self, prompts: Sequence[Sequence[int]], room: int) -> FrameworkSession:
        return FrameworkSession(self, prompts)


class FrameworkSession:
    """One batch, left-padded."""

    def __init__(self, decoder: FrameworkDecoder, prompts: Sequence[Sequence[int]]) -> None:
        self.decoder, self.cache = decoder, None
        longest = max(map(len, prompts))
        ids = [[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
        self.mask = self._tensor([[int(i >= longest - len(prompt)) for i in range(longest)] for prompt in prompts])
        positions = (self.mask.cumsum(-1) - 1).clamp(min=0)
        self.position = positions[:, -1:]
        self.logits = self._forward(self._tensor(ids), positions)

    def next_tokens(self) -> list[int]:
        tokens: list[int] = self.logits.argmax(dim=-1).tolist()
        return tokens

    def feed(self, tokens: Sequence[int]) -> None:
        self.mask = torch.nn.functional.pad(self.mask, (0, 1), value=1)
        # A finished sequence may run past its positions until the batch ends; its tokens are not used.
        self.position = (self.position + 1).clamp(max=self.decoder.max_positions - 1)
        self.logits = self._forward(self._tensor([[token] for token in tokens]), self.position)

    def _tensor(self, values: list[list[int]]) -> Any:
        return torch.tensor(values, device=self.decoder.device)

    def _forward(self, ids: Any, positions: Any) -> Any:
        with torch.inference_mode():
            found = self.decoder.model(
                input_ids=ids,
                attention_mask=self.mask,
                position_ids=positions,
                past_key_values=self.cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self.cache = found.past_key_values
        return found.logits[:, -1]
