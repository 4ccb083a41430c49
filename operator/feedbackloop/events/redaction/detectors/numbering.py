"""Numbering plans: whether digits could have been dialled, by the metadata of `phonenumbers` (libphonenumber).

Its own functions take a millisecond over all these regions; the patterns of its metadata, compiled once, a few
microseconds.
"""

from __future__ import annotations

import re
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

TRUNK = ("GB", "DE", "FR", "IT", "NL", "AT", "CH", "BE", "SE", "AU", "IN", "JP", "CN", "ZA", "TR", "UA", "ID", "IL")
"""Where national numbers are dialled with a leading 0."""
SPACED = ("US", "ES", "PL", "PT", "NO", "DK", "CZ", "BR", "MX", "SG", "RU")
_TYPES = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan")


def is_international(digits: str) -> bool:
    """Whether digits (without the `+`) begin with a country code and have a length that E.164 admits."""
    return 8 <= len(digits) <= 15 and any(int(digits[:size]) in COUNTRY_CODE_TO_REGION_CODE for size in (1, 2, 3))


def is_national(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether the digits, with or without trunk prefix, are a number of one of the regions' plans."""
    return any(_plan(region).fullmatch(digits) is not None for region in regions)


@lru_cache(maxsize=64)
def _plan(region: str) -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, region
    described = (getattr(metadata, name) for name in _TYPES)
    patterns = [each.national_number_pattern for each in described if each is not None and each.national_number_pattern]
    prefix = metadata.national_prefix or ""
    # Italy's numbers keep their 0; elsewhere it is the trunk prefix.
    return re.compile(f"(?:{prefix})?(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})", re.ASCII)
