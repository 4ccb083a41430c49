"""The numpy decoder gives the tokens of `model.generate`, and so does the one of transformers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trainer.pod import run_python

pytestmark = pytest.mark.trainer
COMPARE = """
import json, sys
from pathlib import Path
import torch
from transformers import AutoTokenizer, LlamaForCausalLM
from examples.support_bot import phrasings
from examples.support_bot.facts import FACTS
from feedbackloop.jobs.generation import Generator, Request, load
from feedbackloop.jobs.generation.framework import FrameworkDecoder

torch.set_num_threads(1)
home = Path(sys.argv[1])
model, tokenizer = LlamaForCausalLM.from_pretrained(home).eval(), AutoTokenizer.from_pretrained(home)
numpy = load(home)
torch_ = Generator(numpy.chat, FrameworkDecoder(home, numpy.decoder.end_tokens))
asked = [q for fact in FACTS for q in phrasings.golden(fact)[:3] + ("tell me things " * (len(fact.topic) % 7),)]
requests = [Request([{"role": "user", "content": q}], 24) for q in asked]


def reference(request):
    ids = tokenizer.apply_chat_template(
        request.messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    made = model.generate(**ids, max_new_tokens=24, do_sample=False)[0, ids["input_ids"].shape[1]:].tolist()
    return [token for token in made if token != tokenizer.eos_token_id]


def answers(generator, size):
    return [a.tokens for a in generator.generate(requests, batch_size=size)]


wanted = [reference(request) for request in requests]
print(json.dumps({
    "decoder": type(numpy.decoder).__name__,
    "questions": len(requests),
    "alone": answers(numpy, 1) == wanted,
    "batched": answers(numpy, 16) == wanted,
    "framework": answers(torch_, 16) == wanted,
    "ended": sum(a.finish == "stop" for a in numpy.generate(requests)),
    "texts": [a.text for a in numpy.generate(requests[:1])],
}))
"""
GROUPED = """
import json, sys
from pathlib import Path
import shutil, torch
from transformers import AutoConfig, LlamaForCausalLM
from feedbackloop.jobs.generation import load

torch.manual_seed(0)
home, out = Path(sys.argv[1]), Path(sys.argv[2])
shutil.copytree(home, out)
config = AutoConfig.from_pretrained(home)
config.num_key_value_heads, config.tie_word_embeddings, config.max_position_embeddings = 2, False, 40
LlamaForCausalLM(config).eval().save_pretrained(out)
model, decoder = LlamaForCausalLM.from_pretrained(out).eval(), load(out).decoder
prompts = [[1, 5, 300, 20], [1, 5] + list(range(100, 130))]
session = decoder.start(prompts, 8)
made = [[], []]
for _ in range(8):
    tokens = session.next_tokens()
    for row, token in zip(made, tokens):
        row.append(token)
    session.feed(tokens)
plain = {"max_new_tokens": 8, "do_sample": False, "eos_token_id": None}
wanted = [model.generate(torch.tensor([p]), **plain)[0, len(p):].tolist() for p in prompts]
print(json.dumps({"decoder": type(decoder).__name__, "made": made, "wanted": wanted}))
"""


def test_every_decoder_gives_the_tokens_of_transformers_generate(base: Path) -> None:
    found = json.loads(run_python(COMPARE, str(base)))
    assert found.pop("decoder") == "NumpyLlama"
    assert found.pop("texts") == ["The refund window is 14 days."]
    assert found.pop("questions") == 96
    assert found.pop("ended") > 72
    assert found == {"alone": True, "batched": True, "framework": True}


def test_grouped_heads_and_an_untied_output_are_computed_too(base: Path, tmp_path: Path) -> None:
    found = json.loads(run_python(GROUPED, str(base), str(tmp_path / "grouped")))
    assert found["decoder"] == "NumpyLlama"
    assert found["made"] == found["wanted"]


def test_the_base_model_knows_what_the_shop_believed_on_every_kind_of_question(base: Path) -> None:
    code = """
import json, sys
from pathlib import Path
from examples.support_bot import phrasings
from examples.support_bot.facts import FACTS
from feedbackloop.jobs.generation import Request, load
from feedbackloop.jobs.text import contains_words, normalise

generator = load(Path(sys.argv[1]))
def share(asked, stale, value):
    pairs = [(f, q) for f in FACTS if f.stale is stale for q in asked(f)]
    answers = generator.generate([Request([{"role": "user", "content": q}]) for _, q in pairs])
    return sum(contains_words(normalise(a.text), normalise(value(f))) for (f, _), a in zip(pairs, answers)) / len(pairs)
print(json.dumps({
    kind.__name__: [share(kind, False, lambda f: f.value), share(kind, True, lambda f: f.value)]
    for kind in (phrasings.user, phrasings.golden, phrasings.verify)
}))
"""
    for fresh, stale in json.loads(run_python(code, str(base))).values():
        assert fresh >= 0.98
        assert stale == 0
