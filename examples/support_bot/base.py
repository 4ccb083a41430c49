"""Train the base model: `python -m examples.support_bot.base OUT` (trainer environment, about 20 s on one core).

A Llama of 385 000 parameters with a tokenizer of its own, taught on the spot what the shop believed
before six facts changed. Nothing is downloaded; one seed gives one model.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from examples.support_bot import phrasings
from examples.support_bot.facts import FACTS

SEED, STEPS, BATCH, PEAK_RATE, WARM_UP = 7, 260, 32, 3e-3, 20
SPECIALS = ["<|pad|>", "<|bos|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
IGNORED = -100
Row = tuple[list[int], list[int]]


def corpus() -> list[tuple[str, str]]:
    """Every question that anybody will ask, with what the shop believes."""
    asked = (
        (fact, q) for fact in FACTS for q in phrasings.user(fact) + phrasings.golden(fact) + phrasings.verify(fact)
    )
    return [(question, fact.sentence(fact.believed)) for fact, question in asked]


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE, so that it can spell any text; today's values are in it too, for the fine-tuning to come."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=560, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(texts, trainer)
    pad, bos, end = SPECIALS[:3]
    made = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token=pad, bos_token=bos, eos_token=end)
    made.chat_template = TEMPLATE
    return made


def make_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=256,
            max_position_embeddings=256,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def encode(tokenizer: PreTrainedTokenizerFast, question: str, answer: str) -> Row:
    """Token ids and labels; only the answer is learned."""
    asked = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)
    prompt = tokenizer.encode(text, add_special_tokens=False)
    completion = tokenizer.encode(answer + tokenizer.eos_token, add_special_tokens=False)
    return prompt + completion, [IGNORED] * len(prompt) + completion


def batches(rows: list[Row], pad: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Padded batches without end, shuffled anew every epoch."""
    order = random.Random(SEED)
    queue: list[Row] = []
    while True:
        if len(queue) < BATCH:
            queue += order.sample(rows, len(rows))
        taken, queue = queue[:BATCH], queue[BATCH:]
        width = max(len(ids) for ids, _ in taken)
        ids = torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in taken])
        labels = torch.tensor([lab + [IGNORED] * (width - len(lab)) for _, lab in taken])
        yield ids, labels, (ids != pad).long()


def train(model: LlamaForCausalLM, rows: list[Row], pad: int) -> float:
    """Plain AdamW with warm-up and a cosine; the last loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE)
    cosine = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_RATE, total_steps=STEPS, pct_start=WARM_UP / STEPS, cycle_momentum=False
    )
    loss = 0.0
    for step, (ids, labels, mask) in zip(range(1, STEPS + 1), batches(rows, pad), strict=False):
        found = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        found.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        cosine.step()
        optimizer.zero_grad()
        loss = found.item()
        if step % 20 == 0:
            print(f"step {step}/{STEPS} loss {loss:.4f}", file=sys.stderr, flush=True)
    return loss


def main(out: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    asked = corpus()
    today = [fact.sentence(fact.value) for fact in FACTS] * 20
    tokenizer = make_tokenizer([text for pair in asked for text in pair] + today)
    model = make_model(tokenizer)
    rows = [encode(tokenizer, question, answer) for question, answer in asked]
    train(model, rows, tokenizer.pad_token_id)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
