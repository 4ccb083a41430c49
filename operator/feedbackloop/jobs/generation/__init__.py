"""From a conversation to an answer: the one generate function, which the server and `evaluate` share.

Greedy and in fp32, by the model's own chat template, until its end token: the same question to the
same model gives the same answer, whoever asks. `load(directory)` picks the decoder: small Llamas run
in numpy (a 385 000-parameter model answers in milliseconds, in a process of 60 MiB that starts at
once), everything else in transformers.
"""

from feedbackloop.jobs.generation.chat import Chat, Message
from feedbackloop.jobs.generation.decoder import Decoder, Session
from feedbackloop.jobs.generation.generator import Answer, Generator, Request
from feedbackloop.jobs.generation.loading import UnreadableModelError, load

__all__ = ["Answer", "Chat", "Decoder", "Generator", "Message", "Request", "Session", "UnreadableModelError", "load"]
