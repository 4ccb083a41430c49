"""Obfuscations: what people, copying programs and evaders do to a value. None where one does not apply."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable
from urllib.parse import quote

from tests.bench.recall.sample import Value

Transform = Callable[[Value, random.Random], str | None]
_NUMBERS = ("Phone", "CreditCard", "Iban", "Ssn", "IpAddress")
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"


def _digits(zero: str) -> Transform:
    def change(value: Value, _source: random.Random) -> str | None:
        if value.kind == "Secret" or not any(map(str.isdigit, value.text)):
            return None
        return "".join(chr(ord(zero) + int(char)) if char in "0123456789" else char for char in value.text)

    return change


def fullwidth(value: Value, _source: random.Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in value.text)


def zero_width(value: Value, source: random.Random) -> str:
    return "".join(char + (source.choice(_INVISIBLE) if source.random() < 0.4 else "") for char in value.text)


def hyphens(value: Value, source: random.Random) -> str | None:
    changed = value.text
    if "-" not in changed and value.kind in _NUMBERS and "." not in changed and ":" not in changed:
        changed = changed.replace(" ", "-")
    if "-" not in changed:
        return None
    return "".join(source.choice(_HYPHENS) if char == "-" else char for char in changed)


def spelled(value: Value, source: random.Random) -> str | None:
    if value.kind != "Email":
        return None
    at, dot = source.choice(
        [(" at ", " dot "), (" AT ", " DOT "), ("(at)", "(dot)"), (" [at] ", " [dot] "), ("{at}", ".")]
    )
    return value.text.replace("@", at).replace(".", dot)


def spaced(value: Value, _source: random.Random) -> str | None:
    if value.kind not in _NUMBERS or ":" in value.text:
        return None
    return " ".join(char for char in value.text if char != " ")


def html_entities(value: Value, source: random.Random) -> str:
    form = source.choice(["&#{};", "&#x{:x};", "&#X{:X};"])
    everything = source.random() < 0.5
    return "".join(form.format(ord(char)) if everything or not char.isalnum() else char for char in value.text)


def percent(value: Value, source: random.Random) -> str | None:
    if source.random() < 0.5:
        return "".join(f"%{ord(char):02X}" for char in value.text)
    changed = quote(value.text, safe="").replace("-", "%2D").replace(".", "%2E").replace("_", "%5F")
    return changed if "%" in changed else None


def in_base64(value: Value, source: random.Random) -> str:
    around = source.choice(["{}", "my data: {}", '{{"value": "{}"}}', "{} und mehr"])
    data = around.format(value.text).encode()
    encoded = source.choice([base64.b64encode, base64.urlsafe_b64encode])(data).decode()
    return encoded if source.random() < 0.7 else encoded.rstrip("=")


def line_break(value: Value, source: random.Random) -> str | None:
    places = [match.end() for match in re.finditer(r"[ .@:_-]", value.text) if 2 < match.end() < len(value.text) - 1]
    if value.kind != "Email":
        places += [len(value.text) // 2]
    at = source.choice(places) if places else 0
    if at and source.random() < 0.3:
        return f"{value.text[:at]}=\n{value.text[at:]}"  # the soft break of quoted-printable
    broken = source.choice(["\n", "\r\n"])
    return f"{value.text[:at].rstrip(' ')}{broken}{value.text[at:].lstrip(' ')}" if at else None


def combining(value: Value, source: random.Random) -> str:
    marks = "\u0301\u0336\u0308\u0332"
    return "".join(
        char + (source.choice(marks) if char.isdigit() or source.random() < 0.2 else "") for char in value.text
    )


def mixed_case(value: Value, source: random.Random) -> str | None:
    if value.kind not in ("Email", "Iban", "IpAddress") or value.text.upper() == value.text.lower():
        return None
    return "".join(source.choice((char.upper(), char.lower())) for char in value.text)


def plain(value: Value, _source: random.Random) -> str:
    return value.text


TRANSFORMS: dict[str, Transform] = {
    "plain": plain,
    "fullwidth": fullwidth,
    "arabic digits": _digits("\u0660"),
    "devanagari digits": _digits("\u0966"),
    "zero-width": zero_width,
    "unicode hyphens": hyphens,
    "spelled out": spelled,
    "spaced digits": spaced,
    "html entities": html_entities,
    "percent-encoded": percent,
    "base64": in_base64,
    "line break": line_break,
    "combining marks": combining,
    "accents glued": plain,
    "mixed case": mixed_case,
    "punctuation": plain,
    "cjk glued": plain,
}

SURROUNDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "accents glued": (("\u00e9", "\u00e9"), ("\u00fc", ""), ("", "\u00f1"), ("\u0142", "\u00e0")),
    "punctuation": (
        ("(", ")."),
        ("\u00ab", "\u00bb"),
        ("\u201c", "\u201d,"),
        ("<", ">"),
        ("*", "*"),
        ("[", "]!"),
        (":", ";"),
    ),
    "cjk glued": (("\u8054\u7cfb", "\u8c22\u8c22"), ("\u3053\u308c\u306f", "\u3067\u3059"), ("\uff1a", "\u3002")),
}
"""What stands directly around the value; nothing for the other transforms."""
