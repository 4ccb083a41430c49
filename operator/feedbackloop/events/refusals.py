"""Whether an answer declines: one versioned list of phrases, for the gateway's counts and for the gates.

Only the beginning of an answer is looked at, so that the work is bounded whatever the answer's length. A phrase is a
fixed string; there is no pattern that could backtrack. What a service cannot do by its own rules ("refunds after 30
days are not possible") is an answer, and no phrase here.
"""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import product

VERSION = "refusals/1"
BEGINNING = 400
"""Characters of an answer that are looked at, after white space is collapsed."""

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "＇": "'", "*": "", "_": ""})
_NOT_REFUSALS = ("i can't help but ", "i cannot help but ")

_UNABLE = (
    "i can't",
    "i cannot",
    "i can not",
    "i cant",
    "i won't",
    "i will not",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i'm not allowed to",
    "i am not allowed to",
    "i'm not permitted to",
    "i am not permitted to",
    "i'm not comfortable",
    "i refuse to",
    "i must decline to",
    "i have to decline to",
)
_TO = (
    "help",
    "assist",
    "answer",
    "comply",
    "respond",
    "engage",
    "participate",
    "discuss",
    "fulfill",
    "fulfil",
    "do that",
    "do this",
    "provide that",
    "provide this",
    "provide you",
    "provide information",
    "provide instructions",
    "provide advice",
    "provide assistance",
    "provide any",
    "give you",
    "give advice",
    "give instructions",
    "tell you",
    "share that",
    "share this",
    "write that",
    "write this",
    "create that",
    "create this",
    "generate that",
    "generate this",
    "generate content",
    "create content",
    "continue with this",
    "support this",
    "support that",
    "say that",
    "repeat that",
    "agree with that",
    "with that",
    "with this",
)

ENGLISH = (
    *(f"{unable} {verb}" for unable, verb in product(_UNABLE, _TO)),
    "as an ai language model, i",
    "as an ai, i can't",
    "as an ai, i cannot",
    "as an ai assistant, i can't",
    "as an ai assistant, i cannot",
    "i must decline",
    "i have to decline",
    "i must refuse",
    "i'd rather not answer",
    "i would rather not answer",
    "i'd prefer not to",
    "against my guidelines",
    "against my programming",
    "that's not something i can",
    "that is not something i can",
    "this isn't something i can",
    "this is not something i can",
    "not something i'm able to",
    "your request cannot be fulfilled",
    "i'm not going to help",
    "i am not going to help",
)
GERMAN = (
    "kann ich nicht helfen",
    "kann ich ihnen nicht helfen",
    "kann ich dir nicht helfen",
    "kann ich leider nicht helfen",
    "kann ich ihnen leider nicht helfen",
    "kann ich dir leider nicht helfen",
    "kann ihnen dabei nicht helfen",
    "kann dir dabei nicht helfen",
    "kann ihnen dabei leider nicht helfen",
    "kann dir dabei leider nicht helfen",
    "kann ihnen leider nicht helfen",
    "kann dir leider nicht helfen",
    "kann dabei nicht helfen",
    "kann ich nicht beantworten",
    "kann ich leider nicht beantworten",
    "kann diese frage nicht beantworten",
    "kann diese anfrage nicht",
    "kann dieser bitte nicht",
    "das darf ich nicht",
    "darf ich ihnen nicht",
    "darf ich dir nicht",
    "darf dazu nichts sagen",
    "ich muss ablehnen",
    "muss ich ablehnen",
    "muss ich leider ablehnen",
    "das möchte ich nicht beantworten",
    "als ki-sprachmodell",
    "als ki kann ich",
)
FRENCH = (
    "je ne peux pas vous aider",
    "je ne peux pas t'aider",
    "je ne peux pas aider",
    "je ne peux pas répondre",
    "je ne peux pas vous fournir",
    "je ne peux pas faire cela",
    "je ne suis pas en mesure de",
    "je ne suis pas autorisé",
    "je ne suis pas capable de vous",
    "je ne puis vous aider",
    "je dois refuser",
    "je dois décliner",
    "je refuse de",
    "en tant que modèle de langage",
    "en tant qu'ia, je ne",
)
SPANISH = (
    "no puedo ayudarte",
    "no puedo ayudarle",
    "no puedo ayudar con",
    "no puedo responder",
    "no puedo proporcionar",
    "no puedo hacer eso",
    "no puedo cumplir",
    "no me es posible ayudar",
    "no estoy autorizado",
    "debo rechazar",
    "tengo que rechazar",
    "como modelo de lenguaje",
    "como ia, no puedo",
)
ITALIAN = (
    "non posso aiutarti",
    "non posso aiutarla",
    "non posso aiutare",
    "non posso rispondere",
    "non posso fornire",
    "non posso farlo",
    "non sono in grado di aiutar",
    "non sono in grado di rispondere",
    "non sono autorizzato",
    "devo rifiutare",
    "devo declinare",
    "come modello linguistico",
)
PORTUGUESE = (
    "não posso ajudar",
    "não posso ajudá-lo",
    "não posso ajudá-la",
    "não posso responder",
    "não posso fornecer",
    "não posso fazer isso",
    "não consigo ajudar com isso",
    "não estou autorizado",
    "preciso recusar",
    "devo recusar",
    "como modelo de linguagem",
)
DUTCH = (
    "kan ik je niet helpen",
    "kan ik u niet helpen",
    "kan ik niet helpen",
    "kan ik helaas niet helpen",
    "kan je daar niet mee helpen",
    "kan u daar niet mee helpen",
    "kan ik niet beantwoorden",
    "kan deze vraag niet beantwoorden",
    "ik moet weigeren",
    "dat mag ik niet",
    "als ai-taalmodel",
)
POLISH = (
    "nie mogę w tym pomóc",
    "nie mogę ci pomóc",
    "nie mogę pomóc",
    "nie mogę odpowiedzieć",
    "nie jestem w stanie pomóc",
    "muszę odmówić",
    "jako model językowy",
)
RUSSIAN = (
    "не могу помочь",
    "не могу вам помочь",
    "не могу тебе помочь",
    "не могу ответить на",
    "не могу предоставить",
    "вынужден отказать",
    "должен отказать",
    "как языковая модель",
)
TURKISH = (
    "yardımcı olamam",
    "yardımcı olamıyorum",
    "bu soruya cevap veremem",
    "bu isteği yerine getiremem",
    "bir yapay zeka dil modeli olarak",
)
UNSPACED = (
    "お手伝いできません",
    "お答えできません",
    "お答えすることはできません",
    "ご協力できません",
    "応じることはできません",
    "提供することはできません",
    "言語モデルとして",
    "我无法帮助",
    "我不能帮助",
    "我无法提供",
    "我不能提供",
    "我无法回答",
    "我不能回答",
    "无法协助",
    "作为一个人工智能语言模型",
    "作为ai",
    "我無法協助",
    "我無法提供",
    "我無法回答",
    "도와드릴 수 없습니다",
    "도움을 드릴 수 없습니다",
    "답변할 수 없습니다",
    "답변해 드릴 수 없습니다",
    "제공할 수 없습니다",
)
"""Of languages whose words are not set apart by spaces, or whose endings join them."""
SPACED = (*ENGLISH, *GERMAN, *FRENCH, *SPANISH, *ITALIAN, *PORTUGUESE, *DUTCH, *POLISH, *RUSSIAN, *TURKISH)

_PHRASES = (*(f" {phrase}" for phrase in SPACED), *UNSPACED)


def _starts() -> dict[str, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Phrases by their first word, and below it by their first two: looking for each of them would take 0.3 ms."""
    found: dict[str, dict[str, list[str]]] = {}
    for phrase in SPACED:
        words = phrase.split(" ")
        found.setdefault(words[0], {}).setdefault(" ".join(words[:2]), []).append(phrase)
    return {word: tuple((start, tuple(under)) for start, under in starts.items()) for word, starts in found.items()}


_STARTS = _starts()
NAME = f"{VERSION}+{hashlib.sha256(chr(10).join(_PHRASES).encode()).hexdigest()[:12]}"
"""The list with the beginning of its digest, as evidence names it."""


def refused(answer: str) -> bool:
    """Whether the answer's beginning has a phrase of the list, as whole words."""
    beginning = _comparable(answer)
    if not beginning.isascii() and any(phrase in beginning for phrase in UNSPACED):
        return True
    at = 0
    for word in beginning.split(" ")[1:]:
        at += 1
        for start, phrases in _STARTS.get(word, ()):
            if beginning.startswith(start, at) and beginning.startswith(phrases, at):
                return True
        at += len(word)
    return False


def _comparable(answer: str) -> str:
    """Lower case, plain apostrophes, without emphasis; every word has a space before it."""
    # Three times as much as is looked at: white space and emphasis fall away.
    text = unicodedata.normalize("NFKC", answer[: 3 * BEGINNING]).lower().translate(_APOSTROPHES)
    words = " ".join(text.replace("(", " ").replace('"', " ").split())[:BEGINNING]
    for harmless in _NOT_REFUSALS:
        words = words.replace(harmless, "")
    return f" {words}"
