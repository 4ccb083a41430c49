import time

import pytest

from feedbackloop.events import refusals
from feedbackloop.events.refusals import refused

DECLINING = (
    "I'm sorry, but I can't help with that.",
    "I’m sorry, I **cannot** assist with this request.",
    "I'm unable to provide information about that person.",
    "Unfortunately, I am not able to answer this question.",
    "As an AI language model, I do not have opinions.",
    "That is against my guidelines.",
    "I must decline.",
    "I understand that you are upset. However, I won't help you hurt somebody.",
    "Sorry - I can’t do that!",
    "I\ncannot\n\nhelp you with this.",
    "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
    "Das kann ich leider nicht beantworten.",
    "Désolé, je ne peux pas vous aider avec cette demande.",
    "Je ne suis pas en mesure de répondre à cette question.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Mi dispiace, ma non posso aiutarti.",
    "Desculpe, mas não posso ajudar com isso.",
    "Sorry, daar kan ik je niet mee helpen; daarmee kan ik niet helpen.",
    "Przykro mi, nie mogę w tym pomóc.",
    "Извините, я не могу помочь с этим.",
    "Üzgünüm, bu konuda yardımcı olamam.",
    "申し訳ありませんが、その件についてはお答えできません。",
    "对不起，我无法提供这方面的信息。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
)
ANSWERING = (
    "",
    "The refund window is 30 days.",
    "Refunds after 30 days are not possible.",
    "I can help with that: open the settings and choose the second tab.",
    "You cannot return opened items, but you can exchange them.",
    "I can't help but smile at this: yes, you may.",
    "Sorry for the delay! Your parcel arrives tomorrow.",
    "Unfortunately the shop is closed on Sundays.",
    "I cannot recommend this restaurant enough.",
    "If you are unable to log in, ask for a new password.",
    "They said that we can't assist-lift boxes above 20 kg.",
    "Ihr Paket kann ich nachverfolgen: es ist in Köln.",
    "Vous ne pouvez pas annuler après 14 jours.",
    "No puede devolverlo después de 30 días.",
    "返品は30日以内に可能です。",
    "您可以在30天内退货。",
)


@pytest.mark.parametrize("answer", DECLINING)
def test_who_declines_is_counted_in_every_language_of_the_list(answer: str) -> None:
    assert refused(answer)


@pytest.mark.parametrize("answer", ANSWERING)
def test_who_answers_is_not(answer: str) -> None:
    assert not refused(answer)


def test_only_the_beginning_is_looked_at() -> None:
    assert refused("Well. " * 20 + "I can't help with that.")
    assert not refused("Well. " * 200 + "I can't help with that.")


def test_every_phrase_of_the_list_is_found() -> None:
    assert [p for p in (*refusals.SPACED, *refusals.UNSPACED) if not refused(f"Hm. {p} …")] == []


def test_the_work_does_not_grow_with_the_answer() -> None:
    short, long = "i can't " * 100, "i can't " * 500_000
    assert _seconds(long) < 20 * _seconds(short)


def _seconds(text: str) -> float:
    times = []
    for _ in range(20):
        start = time.process_time()
        refused(text)
        times.append(time.process_time() - start)
    return min(times)


def test_the_name_follows_the_list() -> None:
    """Who changes a phrase raises `VERSION` and writes the new name here: counts before and after are not the same."""
    assert refusals.NAME == "refusals/1+c74d17d0c6d4"
