"""Feedback tokens that were opened lately: who floods with one token does not make us decrypt it each time."""

from __future__ import annotations

from feedbackloop.events.errors import TokenInvalid
from feedbackloop.events.tokens import Claims, TokenSealer

MOST_TOKENS = 2048
"""In each of two generations: a few megabytes at most, since long tokens are not kept."""
LONGEST_KEPT = 1024


class OpenedTokens:
    """The claims of tokens by their bytes."""

    def __init__(self, sealer: TokenSealer, most: int = MOST_TOKENS) -> None:
        self._sealer, self._most = sealer, most
        self._young: dict[bytes, Claims] = {}
        self._old: dict[bytes, Claims] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def open(self, token: bytes, now_ms: int) -> Claims:
        """Like `TokenSealer.open`. Raises TokenInvalid when the token is not ours, altered or expired."""
        claims = self._young.get(token)
        if claims is None:
            claims = self._old.get(token) or self._sealer.open(token, now_ms=now_ms)
            self._keep(token, claims)
        if claims.expires_at <= now_ms:
            raise TokenInvalid("expired")
        return claims

    def _keep(self, token: bytes, claims: Claims) -> None:
        if len(token) > LONGEST_KEPT:
            return
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[token] = claims
