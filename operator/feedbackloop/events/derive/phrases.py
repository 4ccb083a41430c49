"""The words that the follow-up rules know, plain (no case, no accents), longest thanks first."""

from __future__ import annotations

from feedbackloop.events.derive.words import plain

_THANKS = (
    "thank you so much", "thank you very much", "many thanks", "thanks a lot", "thank you", "thanks", "thx", "cheers",
    "vielen dank", "danke schön", "dankeschön", "danke sehr", "danke", "merci beaucoup", "merci", "muchas gracias",
    "gracias", "grazie mille", "grazie", "muito obrigado", "obrigado", "obrigada", "dank je wel", "dank u wel",
    "dank je", "bedankt", "tack så mycket", "tack", "tusen takk", "takk", "mange tak", "kiitos", "dziękuję", "dzięki",
    "děkuji", "díky", "köszönöm", "mulțumesc", "teşekkür ederim", "teşekkürler", "ευχαριστώ", "спасибо", "дякую",
    "شكرا", "תודה", "धन्यवाद", "terima kasih", "cảm ơn", "ขอบคุณ", "ありがとうございます", "ありがとう", "谢谢", "謝謝",
    "多谢", "감사합니다", "고마워",
)  # fmt: skip
_CONTENT = (
    "that helped helps help worked works perfect great good nice awesome excellent cool super lovely clear useful "
    "helpful wonderful brilliant ok okay got it makes sense fine all set exactly needed what i now bye "
    "das hat geholfen hilft perfekt prima gut klasse wunderbar alles klar verstanden sehr genau tschüss "
    "parfait génial très bien super utile compris c'est ça marche au revoir "
    "perfecto genial muy bien excelente útil entendido claro eso era adiós ayuda ayudó"
)
_REFINING = (
    "and", "but", "so", "also", "what about", "how about", "what if", "why", "why is that", "can you also",
    "could you also", "make it", "make that", "please make", "shorter", "longer", "more", "less", "in more", "explain",
    "please explain", "expand", "summarise", "summarize", "rewrite", "translate", "continue", "go on", "add", "remove",
    "change", "use", "instead", "for example", "give me an", "und", "aber", "auch", "was ist mit", "wie wäre", "warum",
    "kürzer", "länger", "mehr", "weniger", "erkläre", "erklär", "übersetze", "fasse", "schreib es", "mach es", "weiter",
    "et", "mais", "aussi", "pourquoi", "plus court", "plus long", "explique", "traduis", "résume", "continue", "y",
    "pero", "también", "por qué", "más corto", "más largo", "explica", "traduce", "resume", "continúa", "ahora",
)  # fmt: skip
_REFUSING = (
    "i meant", "that's not what", "that is not what", "not what i asked", "no i", "i asked", "wrong", "that's wrong",
    "that is wrong", "not right", "try again", "again please", "you misunderstood", "didn't answer", "did not answer",
    "ich meinte", "das war nicht", "nicht was ich", "falsch", "nochmal", "noch einmal", "stimmt nicht",
    "je voulais dire", "ce n'est pas", "c'est faux", "essaie encore", "quise decir", "no es lo que", "incorrecto",
    "inténtalo de nuevo", "otra vez",
)  # fmt: skip
_POINTING = (
    "it that this those these they them he she him her one ones there dies diese dieser dieses es sie ihn ihm dort "
    "davon dazu ça cela celui celle ceux il elle lui eso esto esa ese ello ella"
)
_STOP = (
    "a an the is are was were be do does did to of in on at for with and or so but i you me my your we us can could "
    "would will please how what when where who which it that this der die das ein eine ist sind war zu von im in auf "
    "für mit und oder ich du mir mein wie was wann wo wer bitte kann le la les un une est sont de du des en pour avec "
    "et ou je tu me mon ma comment que quand où qui el los las una es son para con y o yo mi cómo qué cuándo dónde "
    "quién"
)

THANKS: tuple[str, ...] = tuple(sorted(map(plain, _THANKS), key=lambda phrase: (-len(phrase), phrase)))
CONTENT = frozenset(plain(_CONTENT).split())
REFINING = frozenset(map(plain, _REFINING))
REFUSING = frozenset(map(plain, _REFUSING))
POINTING = frozenset(plain(_POINTING).split())
STOP = frozenset(plain(_STOP).split())
