"""Words near a number that say what it is, in the languages that most users write."""

from __future__ import annotations

import re

_BEFORE = 48
_AFTER = 24

PHONE = re.compile(
    r"""\b(?:phone|telephone|call|mobile|cell|tel|whats?app|signal|sms|office|text\s+me|texted|dial|ring|reach|contact|fax
      |hotline|telefon|handy|anruf|ruf|rückruf|téléphone|appel|joindre|joign|portable|numéro|teléfono|móvil|movil
      |celular|llam|cellulare|chiam|telem|ligue|ligar|liga|bel|bellen|telefoonnummer|zadzwo|dzwoń|komórk|numer\b
      |nummer\b|mobil|number\b)
      |電話|携帯|連絡|电话|手机|拨打|联系|फ़ोन|फोन|मोबाइल|कॉल|नंबर|هاتف|جوال|اتصل|رقم|тел|звон|전화|연락""",
    re.VERBOSE | re.IGNORECASE,
)
SSN = re.compile(
    r"\bssn\b|\bssn#|social[\s_-]{0,2}security|\bsoc\.?[\s_-]{0,2}sec|\bss\#|\bss[\s_-]{0,2}(?:no|num)",
    re.IGNORECASE,
)
REFERENCE = re.compile(
    r"""(?:\b(?:orders?|invoice|ticket|case|ref|reference|tracking|serial|sku|article|item|product|part|model|build
      |commit|version|issue|parcel|booking|customer|account|id|isbn|issn|ean|upc|gtin|imei|doi|pid|uid|hash|code|zip
      |row|line|page|bytes|timestamp|epoch|bestell\w*|rechnung\w*|auftrag\w*|artikel\w*|vorgang\w*|sendung\w*|kunden\w*
      |commande|facture|référence|pedido|factura|fattura|ordine|fatura|zamówieni\w*|faktur\w*|ordernr|ordrenr)
      |注文|订单|ऑर्डर|طلب|\#|№)
      [\s:.\#=№/"'()-]{0,4}(?:(?:no|nr|num|number|nummer|id|numéro|número|numero|is|was)\b)?[\s:.\#=№°"'()-]{0,4}$""",
    re.VERBOSE | re.IGNORECASE,
)
VERSION = re.compile(
    r"(?:\bv|\b(?:version|release|firmware|driver|build|section|chapter|kapitel|abschnitt|update|patch)|§)[\s.:=-]{0,3}$",
    re.IGNORECASE,
)
_MONEY = "[$€£¥₹]|(?:eur|usd|gbp|chf|inr|pln|sek|brl|jpy|zł|kr|rs)\\b"
CURRENCY_BEFORE = re.compile(rf"(?:{_MONEY})\.?\s?$", re.IGNORECASE)
UNIT_AFTER = re.compile(
    rf"""\s?(?:%|{_MONEY}|(?:euros?|dollars?|bytes?|kb|mb|gb|ms|people|users|rows|items|km|kg|inhabitants|einwohner
      |habitants|times|tokens)\b)""",
    re.VERBOSE | re.IGNORECASE,
)


def before(text: str, start: int) -> str:
    """What stands before a span."""
    return text[max(0, start - _BEFORE) : start]


def around(text: str, start: int, end: int) -> str:
    """What stands before and a little behind a span."""
    return f"{before(text, start)} {text[end : end + _AFTER]}"
