"""`make bench-recall`: what redaction finds by type and transform, what it redacts wrongly; writes docs/recall.md.

Values come from seeded generators (`values`), stand in feedback sentences of many languages (`sentences`), and are
obfuscated (`transforms`); `negatives` are texts with nothing private in them. `score` compares a redacted text with
what was planted. The templates of presidio-evaluator are scored too (`evaluator`), and names by a language model
(`named`).
"""
