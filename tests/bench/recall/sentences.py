"""Feedback sentences into which values are planted: with words that say what the value is, and without."""

from __future__ import annotations

import random

_BY_LANGUAGE: dict[str, tuple[str, ...]] = {
    "en": (
        "The answer was wrong, please get back to me: {} thanks.",
        "I gave the bot {} and it simply repeated it.",
        "Why does it show {} in the reply? That is mine.",
        "Still waiting since Monday. My data: {}, as in the form.",
        "{} is what I typed, and the summary left it out.",
    ),
    "de": (
        "Die Antwort war falsch, bitte melden: {} danke.",
        "Ich habe {} eingegeben und nichts kam zurück.",
        "Warum steht da {} in der Antwort?",
    ),
    "fr": ("La réponse est fausse, voici mes coordonnées : {} merci.", "J'ai donné {} et rien n'est venu."),
    "es": ("La respuesta es incorrecta, mis datos: {} gracias.", "Escribí {} y no pasó nada."),
    "it": ("La risposta è sbagliata, i miei dati: {} grazie.", "Ho scritto {} e non è successo nulla."),
    "pt": ("A resposta está errada, os meus dados: {} obrigado.", "Escrevi {} e nada aconteceu."),
    "nl": ("Het antwoord klopt niet, mijn gegevens: {} bedankt.", "Ik heb {} ingevuld en er gebeurde niets."),
    "pl": ("Odpowiedź jest błędna, moje dane: {} dziękuję.", "Podałem {} i nic się nie stało."),
    "sv": ("Svaret är fel, mina uppgifter: {} tack.", "Jag skrev {} och inget hände."),
    "ja": ("回答が間違っています。{}です。よろしくお願いします。", "私は{}と入力しました。"),
    "zh": ("回答不对，请联系我{}谢谢。", "我输入了{}，没有结果。"),
    "ko": ("답변이 틀렸습니다. 제 정보는 {} 입니다.",),
    "hi": ("उत्तर गलत था, मेरी जानकारी: {} धन्यवाद।", "मैंने {} लिखा और कुछ नहीं हुआ।"),
    "ar": ("الإجابة خاطئة، بياناتي: {} شكرا.", "كتبت {} ولم يحدث شيء."),
    "ru": ("Ответ неверный, мои данные: {} спасибо.", "Я написал {} и ничего не произошло."),
}
_PHONE: dict[str, tuple[str, ...]] = {
    "en": ("Please call me at {} tomorrow.", "My phone number is {}, nobody rang.", "Text me on {}."),
    "de": ("Bitte unter Telefon {} anrufen.", "Meine Handynummer ist {}."),
    "fr": ("Appelez-moi au {} demain.", "Mon téléphone est le {}."),
    "es": ("Mi teléfono es {} y nadie llama.", "Llámame al {}."),
    "it": ("Il mio cellulare è {}.", "Chiamatemi al {}."),
    "pt": ("O meu telefone é {}.", "Meu celular: {}"),
    "nl": ("Mijn telefoonnummer is {}.", "Bel me op {}."),
    "pl": ("Mój telefon to {}.", "Proszę dzwonić pod {}."),
    "sv": ("Mitt telefonnummer är {}.", "Ring mig på {}."),
    "ja": ("電話番号は{}です。",),
    "zh": ("我的电话是{}。", "手机{}"),
    "ko": ("전화번호는 {} 입니다.",),
    "hi": ("मेरा फ़ोन नंबर {} है।",),
    "ar": ("رقم هاتفي {} من فضلك.",),
    "ru": ("Мой телефон {}, звоните.",),
}


def language(locale: str) -> str:
    """The language whose sentences are used; English where there are none."""
    short = locale.partition("_")[0]
    return short if short in _BY_LANGUAGE else "en"


def sentence(source: random.Random, kind: str, locale: str) -> str:
    """A sentence with one place for a value; a phone's says two times out of three that it is one."""
    spoken = language(locale)
    if kind == "Phone" and source.random() < 2 / 3:
        return source.choice(_PHONE[spoken])
    return source.choice(_BY_LANGUAGE[spoken])
