"""A small OpenAI-compatible server for a model directory: `python -m feedbackloop.jobs.serve`.

Real generation, one answer for one question. It names the model by a constant, so that nothing in an
answer tells which revision gave it. Without a model it runs and reports unready.
"""
