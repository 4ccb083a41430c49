"""The forms of keys and tokens that providers document, each with the literal that it begins with."""

from __future__ import annotations

_ID = "[A-Za-z0-9]"
_WORD = "[A-Za-z0-9_]"
_SLUG = "[A-Za-z0-9_-]"

FORMATS: tuple[tuple[str, str], ...] = (
    *((f"A{kind}A", "[A-Z0-9]{16}") for kind in ("KI", "SI", "BI", "CC", "ID", "IP", "NP", "NV")),  # AWS
    ("AGPA", "[A-Z0-9]{16}"),
    ("AROA", "[A-Z0-9]{16}"),
    ("AIza", f"{_SLUG}{{35}}"),  # GCP
    ("ya29.", f"{_SLUG}{{20,2000}}"),
    ("GOCSPX-", f"{_SLUG}{{20,60}}"),
    *((f"gh{kind}_", f"{_ID}{{36,255}}") for kind in "opsur"),  # GitHub
    ("github_pat_", f"{_WORD}{{22,255}}"),
    *(
        (f"gl{kind}-", rf"{_SLUG}{{20,255}}(?:\.{_SLUG}{{2,20}}){{0,2}}")
        for kind in ("pat", "dt", "rt", "ft", "soat", "cbt")
    ),
    *((f"xox{kind}-", "[A-Za-z0-9-]{10,255}") for kind in "abceoprs"),  # Slack
    ("xapp-", "[A-Za-z0-9-]{10,255}"),
    ("hooks.slack.com/services/", "[A-Za-z0-9/_-]{10,120}"),
    *((f"{kind}_{mode}_", f"{_ID}{{16,255}}") for kind in ("sk", "rk", "pk") for mode in ("live", "test")),  # Stripe
    ("whsec_", "[A-Za-z0-9+/=]{24,128}"),
    ("sk-", f"{_SLUG}{{20,255}}"),  # OpenAI, Anthropic and those that copied the form
    ("hf_", f"{_ID}{{30,255}}"),
    ("npm_", f"{_ID}{{36}}"),
    ("pypi-", f"AgE{_SLUG}{{50,400}}"),
    ("SG.", rf"{_SLUG}{{16,32}}\.{_SLUG}{{16,64}}"),  # SendGrid
    ("SK", "[0-9a-f]{32}"),  # Twilio
    ("AC", "[0-9a-f]{32}"),
    ("dop_v1_", "[0-9a-f]{64}"),
    ("dapi", "[0-9a-f]{32}"),
    ("shpat_", "[0-9a-fA-F]{32}"),
    ("sq0", f"(?:atp|csp|idp)-{_SLUG}{{22,60}}"),
    ("key-", "[0-9a-f]{32}"),
    ("hvs.", f"{_SLUG}{{24,255}}"),
    ("ATATT3", r"[A-Za-z0-9_=+/-]{60,300}"),
    ("glsa_", f"{_WORD}{{32,80}}"),
    ("lin_api_", f"{_ID}{{32,64}}"),
    ("ntn_", f"{_ID}{{40,60}}"),
    ("PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}"),
    ("AGE-SECRET-KEY-1", "[0-9A-Z]{58}"),
    ("EAACEdEose0cBA", f"{_ID}{{20,255}}"),
    ("r8_", f"{_ID}{{37}}"),
    ("gsk_", f"{_ID}{{40,64}}"),
    ("nvapi-", f"{_SLUG}{{40,90}}"),
    ("tfp_", f"{_ID}{{40,64}}"),
)
"""Literal and what follows it."""
