"""How people ask: three disjoint sets of questions about every fact.

Users of the demo type only `USER`; the golden set asks `GOLDEN`; the final check asks `VERIFY`. The
base model has seen all three (with what it believes), so a wrong answer to a question that no user
typed is something forgotten, never something it could not know.
"""

from __future__ import annotations

from examples.support_bot.facts import Fact

USER = (
    "What is the {}?",
    "Whats the {}",
    "Tell me the {}.",
    "Can you tell me the {}?",
    "Could you give me the {}?",
    "I need to know the {}.",
    "Please tell me the {}.",
    "Do you know the {}?",
    "Hi, what is the {}?",
    "Hello, could you tell me the {}?",
    "Quick question: what is the {}?",
    "I am looking for the {}.",
    "How about the {}?",
    "What about the {}?",
    "Remind me of the {}.",
    "I forgot the {}.",
    "Can I ask about the {}?",
    "The {}, please.",
    "Give me the {}",
    "I would like to know the {}.",
    "Any idea what the {} is?",
    "What would the {} be?",
    "Can you check the {} for me?",
    "My question is about the {}.",
)
GOLDEN = (
    "Could you look up the {}?",
    "May I know the {}?",
    "What exactly is the {}?",
    "Please explain the {} to me.",
    "I want to find out the {}.",
    "Say, what is the {} these days?",
    "Before I order: what is the {}?",
    "Help me with the {}.",
    "Good morning, what is the {}?",
    "I could not find the {}.",
)
VERIFY = (
    "I wonder what the {} is.",
    "Please confirm the {}.",
    "So what is the {}?",
    "Let me know the {}, thanks.",
    "I have to write down the {}.",
    "Could someone tell me the {} today?",
)


def user(fact: Fact) -> tuple[str, ...]:
    """What users type: every template with every name of the fact."""
    return tuple(template.format(name) for template in USER for name in fact.names)


def golden(fact: Fact) -> tuple[str, ...]:
    """The ten questions of the golden set."""
    return _alternating(GOLDEN, fact)


def verify(fact: Fact) -> tuple[str, ...]:
    """The questions of the final check."""
    return _alternating(VERIFY, fact)


def _alternating(templates: tuple[str, ...], fact: Fact) -> tuple[str, ...]:
    return tuple(template.format(fact.names[i % 2]) for i, template in enumerate(templates))


def everything(fact: Fact) -> tuple[str, ...]:
    """All of them, which is what the base model learns."""
    return user(fact) + golden(fact) + verify(fact)
