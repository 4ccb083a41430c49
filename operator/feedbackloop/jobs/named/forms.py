"""Street addresses and introduced names by their form; a small language model knows cities better than streets."""

from __future__ import annotations

_CAPITAL = r"[A-Z\u00c0-\u00de\u0100-\u017f]"
_NUMBER = r"[0-9]{1,5}(?:[ ]?[A-Za-z](?![A-Za-z]))?(?:[-/][0-9]{1,4})?"
_NAME = rf"(?:{_CAPITAL}[\w'\u2019.-]*|[0-9]{{1,3}}(?:st|nd|rd|th))"
_PARTICLES = r"(?:de|del|della|di|du|des|da|do|dos|la|le|les|el|los|las|der|den|dem|van|von|the|of|y|e)"
_WORDS = rf"{_NAME}(?:[ ](?:{_PARTICLES}[ ]){{0,2}}{_NAME}){{0,3}}"
_SUFFIXED = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Squares|Sq|Terrace"
    r"|Parkway|Pkwy|Highway|Hwy|Circle|Trail|Alley|Crescent|Close|Grove|Gardens|Mews|Row|Walk|Park|Point|Ridge|View"
)
_PREFIXED = (
    r"[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Pp]lace|[Qq]uai|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Cc]alle|[Cc]/"
    r"|[Aa]venida|[Pp]aseo|[Pp]laza|[Aa]vda\.?|[Rr]ua|R\u00faa|[Aa]v\.?|[Tt]ravessa|[Uu]l\.|[Uu]lica|[Aa]leja|[Aa]l\."
)
_COMPOUND = (
    r"stra(?:\u00dfe|sse)|str\.?|weg|gasse|platz|allee|ring|damm|ufer|straat|laan|plein|gracht|kade|dijk|v\u00e4gen"
    r"|gatan|gata|vej|gade|veien|gate|utca|tie|katu|gatu"
)
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|M\u00e4r|Mai|Okt|Dez)"
_UNIT = r"(?:[ ,\n]{1,3}(?:Apt|Suite|Unit|Flat|Floor|App|Top|Stiege)\.?[ ]?#?[0-9A-Za-z]{1,5})?"
_CITY = rf"{_CAPITAL}[\w'.-]*(?:[ -]{_CAPITAL}[\w'.-]*){{0,3}}"
_REST = rf"{_UNIT}(?:(?:,[ ]|[ ]?\n[ ,]{{0,3}}){_CITY}){{0,3}}(?:[ ]{{1,2}}[0-9]{{4,6}}(?![0-9]))?"
"""Unit, city, country and postcode, on lines of their own or behind commas."""

ADDRESSES = {
    "number first": rf"(?<!\w)(?:{_NUMBER}[ ]){{1,2}}(?:{_WORDS}[ ])?(?:{_SUFFIXED})\b\.?{_REST}",
    "number behind a kind": (
        rf"(?<!\w)(?:{_NUMBER},?[ ])?(?:{_PREFIXED})[ ](?:{_PARTICLES}[ ']){{0,2}}{_WORDS}(?:,?[ ]{_NUMBER})?{_REST}"
    ),
    "compound": rf"(?<!\w)(?:{_NUMBER}[ ])?(?:{_NAME}[ -]){{0,2}}[\w\u00c0-\u024f-]+(?:{_COMPOUND})[ ]{_NUMBER}{_REST}",
    "between numbers": rf"(?<!\w){_NUMBER}[ ](?!{_MONTHS}){_WORDS}[ ]{_NUMBER}{_REST}",
    "post box": r"(?<!\w)P\.?[ ]?O\.?[ ]?Box[ ][0-9]{1,6}",
}
PEOPLE = {
    "introduced": (
        r"(?<=\b(?:[Mm]y[ ]name[ ]is|[Ii][ ]am[ ]called|[Dd]ear|[Mm]rs?\.?|[Mm]s\.?|[Dd]r\.?|[Pp]rof\.?|Herr|Frau|Mme"
        r"|Sra?\.)[ ])"
        rf"{_CAPITAL}[\w'\u2019-]+(?:[ ]{_CAPITAL}[\w'\u2019-]+){{0,2}}"
    ),
}
