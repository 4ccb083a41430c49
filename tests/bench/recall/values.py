"""Private values, valid by the rules of their type, in the ways people write them. Faker's phones and e-mails."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from faker import Faker

from tests.bench.recall.sample import Value

LOCALES = (
    *("en_US", "en_GB", "en_CA", "en_AU", "en_IN", "de_DE", "de_AT", "fr_FR", "es_ES", "es_MX", "it_IT", "pt_BR"),
    *(
        "pt_PT",
        "nl_NL",
        "pl_PL",
        "sv_SE",
        "da_DK",
        "no_NO",
        "fi_FI",
        "cs_CZ",
        "tr_TR",
        "ja_JP",
        "ko_KR",
        "zh_CN",
        "hi_IN",
    ),
    *("ar_SA", "ar_AE", "ru_RU", "uk_UA", "id_ID"),
)
_DOMAINS = ("gmail.com", "example.org", "mail.example.co.uk", "posteo.de", "orange.fr", "uni-stadt.de", "k.example.net")
_IBANS = {
    "DE": 18,
    "GB": 0,
    "FR": 23,
    "ES": 20,
    "IT": 0,
    "NL": 0,
    "PL": 24,
    "SE": 20,
    "PT": 21,
    "AT": 16,
    "BE": 12,
    "CH": 17,
}
_CARDS = (
    ("4", 16),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("3530", 16),
    ("36", 14),
    ("62", 16),
)


@lru_cache(maxsize=64)
def _faker(locale: str) -> Any:
    return Faker(locale)


def _digits(source: random.Random, count: int) -> str:
    return "".join(source.choices(string.digits, k=count))


def _some(source: random.Random, alphabet: str, count: int) -> str:
    return "".join(source.choices(alphabet, k=count))


def phone(source: random.Random, locale: str) -> str:
    fake = _faker(locale)
    fake.seed_instance(source.getrandbits(32))
    return str(fake.phone_number())


def email(source: random.Random, locale: str) -> str:
    fake = _faker("en_US")
    fake.seed_instance(source.getrandbits(32))
    first, last = fake.first_name().lower(), fake.last_name().lower()
    local = source.choice(
        [f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{_digits(source, 2)}", f"{last}+shop"]
    )
    return f"{local}@{source.choice(_DOMAINS)}"


def card(source: random.Random, _locale: str) -> str:
    prefix, size = source.choice(_CARDS)
    body = prefix + _digits(source, size - 1 - len(prefix))
    number = next(body + check for check in string.digits if _luhn(body + check))
    groups = [4, 6, 5] if size == 15 else [4, 6, 4] if size == 14 else [4, 4, 4, 4]
    return source.choice(["", " ", "-"]).join(_grouped(number, groups))


def _luhn(number: str) -> bool:
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _grouped(number: str, sizes: list[int]) -> Iterator[str]:
    at = 0
    for size in sizes:
        yield number[at : at + size]
        at += size


def iban(source: random.Random, _locale: str) -> str:
    country = source.choice(sorted(_IBANS))
    account = {
        "GB": lambda: _some(source, string.ascii_uppercase, 4) + _digits(source, 14),
        "IT": lambda: _some(source, string.ascii_uppercase, 1) + _digits(source, 22),
        "NL": lambda: _some(source, string.ascii_uppercase, 4) + _digits(source, 10),
    }.get(country, lambda: _digits(source, _IBANS[country]))()
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    plain = f"{country}{98 - number % 97:02d}{account}"
    spaced = " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
    return source.choice([plain, spaced, spaced])


def ssn(source: random.Random, _locale: str) -> str:
    area = source.choice([number for number in range(1, 900) if number != 666])
    return f"{area:03d}-{source.randint(1, 99):02d}-{source.randint(1, 9999):04d}"


def ip(source: random.Random, _locale: str) -> str:
    if source.random() < 0.6:
        return ".".join(str(source.randint(1, 254)) for _ in range(4))
    groups = [f"{source.getrandbits(16):x}" for _ in range(8)]
    return source.choice([":".join(groups), ":".join(groups[:3]) + "::" + ":".join(groups[6:])])


def secret(source: random.Random, _locale: str) -> str:
    word = string.ascii_letters + string.digits
    made: list[Callable[[], str]] = [
        lambda: "AKIA" + _some(source, string.ascii_uppercase + "234567", 16),
        lambda: "ghp_" + _some(source, word, 36),
        lambda: "github_pat_" + _some(source, word, 22) + "_" + _some(source, word, 59),
        lambda: "glpat-" + _some(source, word, 20),
        lambda: f"xoxb-{_digits(source, 12)}-{_digits(source, 12)}-{_some(source, word, 24)}",
        lambda: "sk_live_" + _some(source, word, 24),
        lambda: "sk-proj-" + _some(source, word, 48),
        lambda: "AIza" + _some(source, word, 35),
        lambda: "hf_" + _some(source, word, 34),
        lambda: "npm_" + _some(source, word, 36),
        lambda: "pypi-AgEIcHlwaS5vcmc" + _some(source, word, 80),
        lambda: f"SG.{_some(source, word, 22)}.{_some(source, word, 43)}",
        lambda: "SK" + _some(source, "0123456789abcdef", 32),
        lambda: _jwt(source),
    ]
    return source.choice(made)()


def _jwt(source: random.Random) -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": _digits(source, 8), "iat": int(_digits(source, 9))}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, _some(source, string.ascii_letters + string.digits + "-_", 43)])


def password(source: random.Random, _locale: str) -> str:
    return _some(source, string.ascii_letters + string.digits + "!#%+-", source.randint(10, 16)) + _digits(source, 2)


MAKERS: dict[str, Callable[[random.Random, str], str]] = {
    "Email": email,
    "Phone": phone,
    "CreditCard": card,
    "Iban": iban,
    "Ssn": ssn,
    "IpAddress": ip,
    "Secret": secret,
}


def values(kind: str, count: int, seed: int) -> Iterator[Value]:
    """So many values of a kind, over all locales, the same for the same seed."""
    source = random.Random(f"{kind}/{seed}")
    for index in range(count):
        locale = LOCALES[index % len(LOCALES)]
        yield Value(MAKERS[kind](source, locale), kind, locale)
