"""Texts with nothing private in them that look as if: code, versions, prices, dates, identifiers, notation."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterator

_HEX = "0123456789abcdef"


def _n(source: random.Random, low: int, high: int) -> int:
    return source.randint(low, high)


def _text(source: random.Random, alphabet: str, count: int) -> str:
    return "".join(source.choices(alphabet, k=count))


def _isbn(source: random.Random) -> str:
    body = "978" + _text(source, string.digits, 9)
    check = -sum(int(digit) * (1 + 2 * (index % 2)) for index, digit in enumerate(body)) % 10
    return f"{body[:3]}-{body[3]}-{body[4:6]}-{body[6:12]}-{check}"


def _date(source: random.Random) -> str:
    year, month, day = _n(source, 1990, 2035), _n(source, 1, 12), _n(source, 1, 28)
    return source.choice(
        [f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month}/{day}/{year}", f"{day}/{month}/{year}",
         f"{year}-{month:02}-{day:02}T{_n(source, 0, 23):02}:{_n(source, 0, 59):02}:{_n(source, 0, 59):02}Z",
         f"{year}{month:02}{day:02}"]
    )  # fmt: skip


def _price(source: random.Random) -> str:
    whole = _n(source, 1_000, 9_999_999)
    return source.choice(
        [
            f"${whole:,}.99",
            f"{whole:,} USD".replace(",", "."),
            f"EUR {whole:,}.00".replace(",", " "),
            f"₹{whole}",
            f"{whole:,} €",
        ]
    )


_BY_NAME: dict[str, Callable[[random.Random], str]] = {
    "version": lambda s: s.choice(
        ["v{}.{}.{}", "version {}.{}.{}.4", "python {}.{}.{}rc1", "release {}.{}.{}-beta.2"]
    ).format(_n(s, 0, 30), _n(s, 0, 99), _n(s, 0, 300)),
    "date": _date,
    "price": _price,
    "time": lambda s: f"{_n(s, 0, 23):02}:{_n(s, 0, 59):02}:{_n(s, 0, 59):02}.{_n(s, 0, 999):03}",
    "uuid": lambda s: str(uuid.UUID(int=s.getrandbits(128), version=4)),
    "git hash": lambda s: "commit " + _text(s, _HEX, s.choice([7, 12, 40])),
    "sha256": lambda s: "sha256:" + _text(s, _HEX, 64),
    "order number": lambda s: s.choice(
        ["order {}", "order no. {}", "Bestellung {}", "invoice #{}", "ticket #{}", "ref {}"]
    ).format(_text(s, string.digits, s.choice([6, 8, 10, 12]))),
    "shop order": lambda s: (
        f"order {_text(s, string.digits, 3)}-{_text(s, string.digits, 7)}-{_text(s, string.digits, 7)}"
    ),
    "isbn": lambda s: "ISBN " + _isbn(s),
    "coordinates": lambda s: f"{s.uniform(-90, 90):.6f}, {s.uniform(-180, 180):.6f}",
    "chess": lambda s: " ".join(
        f"{move}. {s.choice('abcdefgh')}{_n(s, 3, 6)} N{s.choice('abcdefgh')}{_n(s, 3, 6)}" for move in range(1, 7)
    ),
    "code": lambda s: s.choice(
        [
            "for (int i = 0; i < {0}; i++) sum += a[i] * {1};",
            "std::vector<int> v{{{0}, {1}}};",
            "@app.get('/v1/items/{0}')",
            "x = np.zeros(({0}, {1}), dtype='float32')",
            "icon@2x.png {0}px",
            "git@github.com:org/repo.git#{0}",
            "SELECT * FROM t WHERE id = {0} LIMIT {1}",
            "password = os.environ['PASSWORD_{0}']",
            "rgba({0}, {1}, 0, 0.5)",
            "token: str = get_token(limit={0})",
            "a::b::c({0})",
            "0x{0:08x} 0b{1:b}",
        ]
    ).format(_n(s, 100, 99999), _n(s, 100, 99999)),
    "statistics": lambda s: s.choice(
        [
            "population {0:,}",
            "{0} of {1} rows",
            "loss {2:.6f} at step {0}",
            "{0} bytes, {1} ms",
            "mean {2:.4f} ± {3:.4f}",
            "{0} {1} {4}",
        ]
    ).format(_n(s, 1000, 9_999_999), _n(s, 1000, 9_999_999), s.random(), s.random(), _n(s, 1, 999)),
    "timestamp": lambda s: f"at {_n(s, 1_500_000_000, 1_900_000_000)}",
    "small list": lambda s: ", ".join(str(_n(s, 1, 99)) for _ in range(12)),
    "counting": lambda s: " ".join(map(str, range(1, _n(s, 12, 40)))),
    "path": lambda s: (
        f"/var/lib/feedback/segments/{_n(s, 1, 9999):020}.seg and src/components/FeedbackForm{_n(s, 1, 9)}.tsx"
    ),
    "url": lambda s: (
        f"https://docs.example.org/guide/{_n(s, 1, 99)}/getting-started?page={_n(s, 1, 500)}&sort=asc#p-{_n(s, 1, 9)}"
    ),
    "years": lambda s: f"{_n(s, 1950, 1999)}-{_n(s, 2000, 2030)}",
    "resolution": lambda s: f"{_n(s, 600, 8000)}x{_n(s, 600, 8000)} at {_n(s, 24, 240)} Hz",
    "tracking": lambda s: f"tracking number 1Z{_text(s, string.ascii_uppercase + string.digits, 16)}",
    "prose with at": lambda s: s.choice(
        [
            "look at example.com for the point of it",
            "we met at home. Then we left",
            "aim at dot three on the map",
            "The 3 dots at the end; at least 2 points",
            "see @alice at the booth @ 5pm",
            "ratio 3@5 and 7 @ once",
        ]
    ),
    "score": lambda s: f"{_n(s, 0, 120)}-{_n(s, 0, 120)}, {_n(s, 0, 7)}-{_n(s, 0, 7)} {_n(s, 0, 7)}-{_n(s, 0, 7)}",
}
_FRAMES = (
    "The answer says {} and that is not what the page says.",
    "It should have been {}, please correct it.",
    "I asked about {} twice.\nNobody looked at it.",
    "{} is shown in the table, the rest is fine.",
)


def negatives(per_name: int, seed: int) -> Iterator[tuple[str, str]]:
    """Name and text, so many for each name."""
    source = random.Random(f"negatives/{seed}")
    for name, make in _BY_NAME.items():
        for _ in range(per_name):
            yield name, source.choice(_FRAMES).format(make(source))
