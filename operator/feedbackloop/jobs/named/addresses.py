"""Street addresses by their form, in the order that a language writes them; a language model knows cities only."""

from __future__ import annotations

NUMBER = r"[0-9]{1,5}(?:[ ]?[A-Za-z](?![A-Za-z]))?(?:[-/][0-9]{1,4})?"
_NAME = r"(?:[A-Z\u00c0-\u00dd][\w'\u2019.-]*|[0-9]{1,3}(?:st|nd|rd|th))"
_PARTICLES = r"(?:de|del|della|di|du|des|da|do|dos|la|le|les|el|los|las|der|den|dem|van|von|the|of|y|e)"
_WORDS = rf"{_NAME}(?:[ ](?:{_PARTICLES}[ ]){{0,2}}{_NAME}){{0,3}}"
_SUFFIXED = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|Parkway"
    r"|Pkwy|Highway|Hwy|Circle|Trail|Alley|Crescent|Close|Grove|Gardens|Mews|Row|Walk|Park|Point|Ridge|View|Heights"
)
_PREFIXED = (
    r"[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Pp]lace|[Qq]uai|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Cc]alle|[Cc]/|[Aa]venida"
    r"|[Pp]aseo|[Pp]laza|[Aa]vda\.?|[Rr]ua|[Aa]v\.?|[Tt]ravessa|[Uu]l\.|[Uu]lica|[Aa]leja|[Aa]l\."
)
_COMPOUND = (
    r"stra(?:\u00dfe|sse)|str\.?|weg|gasse|platz|allee|ring|damm|ufer|straat|laan|plein|gracht|kade|dijk|v\u00e4gen|gatan"
    r"|gata|vej|gade|veien|gate|utca|tie|katu"
)
_UNIT = r"(?:,?[ ](?:Apt|Suite|Unit|Flat|Floor|App|Top|Stiege)\.?[ ]?#?[0-9A-Za-z]{1,5})?"
PATTERNS = {
    "number first": rf"(?<!\w){NUMBER}[ ](?:{_WORDS}[ ])?(?:{_SUFFIXED})\b\.?{_UNIT}",
    "number behind a kind": (
        rf"(?<!\w)(?:{NUMBER},?[ ])?(?:{_PREFIXED})[ ](?:{_PARTICLES}[ ']){{0,2}}{_WORDS}(?:,?[ ]{NUMBER})?"
    ),
    "compound": rf"(?<!\w)(?:{_NAME}[ -]){{0,2}}[\w\u00c0-\u024f-]+(?:{_COMPOUND})[ ]{NUMBER}{_UNIT}",
    "post box": r"(?<!\w)P\.?[ ]?O\.?[ ]?Box[ ][0-9]{1,6}",
}
