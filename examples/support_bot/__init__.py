"""The demo's model: a fictional shop's support bot, its facts, its questions and its golden set."""
