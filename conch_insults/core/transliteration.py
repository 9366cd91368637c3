"""What is printed for a terminal that shows nothing but ASCII.

Knows typography and how letters come apart (Unicode's compatibility decomposition). Must not know
who asks, or why.
"""

from __future__ import annotations

import unicodedata

from conch_insults.core.cells import split_cells

__all__ = ["to_ascii"]

# ruff: noqa: RUF001 - characters that look like others are what this is about
_UNKNOWN = "?"
# What does not come apart by itself, or would come apart into something worse.
_TYPOGRAPHY = {
    **dict.fromkeys("‘’‚‛′‹›", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–−─", "-"),
    **dict.fromkeys("—―", "--"),
    **dict.fromkeys("•‣·∙", "*"),
    "←": "<-",
    "→": "->",
    "↔": "<->",
    "⇐": "<=",
    "⇒": "=>",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "×": "x",
    "÷": "/",
    "⁄": "/",
    "↵": "^J",
    "©": "(c)",
    "®": "(R)",
    "€": "EUR",
    "£": "GBP",
    "¡": "!",
    "¿": "?",
    "ß": "ss",
    "ẞ": "SS",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
    "ł": "l",
    "Ł": "L",
    "ı": "i",
}
_SINGLE = {ord(character): ascii_text for character, ascii_text in _TYPOGRAPHY.items()}


def to_ascii(text: str) -> str:
    """Return printable `text` in ASCII; what has no likeness there becomes a question mark."""
    if text.isascii():
        return text
    return "".join(cell if cell.isascii() else _ascii_cell(cell) for cell in split_cells(text))


def _ascii_cell(cell: str) -> str:
    apart = unicodedata.normalize("NFKD", cell.translate(_SINGLE)).translate(_SINGLE)
    return "".join(filter(str.isascii, apart)) or _UNKNOWN
