"""What the modifiers of a grammar do to a word: an article, a plural, a capital.

English only, and by rules of thumb; none makes a text longer than it says, so that the length of a
sentence is known before it is written. Knows nothing of grammars.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MODIFIERS", "Modifier"]

_VOWELS = ("a", "e", "i", "o", "u")
# Written with a vowel and spoken with "you" or "wun"; but not the next.
_SPOKEN_WITH_A = re.compile(r"eu|on(e|ce)\b|u([bt]i|fo|k|n?i|r[il]|s|u)")
_SPOKEN_WITH_AN = re.compile(r"uni[dmn]|ush|heir|hono|honest|hour|8|1[18]\b")
# The letters whose names begin with a vowel.
_LETTERS_WITH_AN = "aefhilmnorsx"


class Modifier(NamedTuple):
    """What can stand behind a symbol.

    Attributes:
        apply: what it does to a text.
        growth: how many characters it adds at most.
    """

    apply: Callable[[str], str]
    growth: int


def _with_article(text: str) -> str:
    return f"an {text}" if _takes_an(text) else f"a {text}"


def _takes_an(text: str) -> bool:
    first = text.partition(" ")[0]
    low = text.lower()
    if first.isupper() and not any(letter in _VOWELS for letter in first.lower()):
        # Spelled out, as in "an SQL query"; a single letter is, too.
        return first[0].lower() in _LETTERS_WITH_AN
    if _SPOKEN_WITH_AN.match(low):
        return True
    if _SPOKEN_WITH_A.match(low):
        return False
    if len(first) == 1 and first.isalpha():
        return first.lower() in _LETTERS_WITH_AN
    return low.startswith(_VOWELS)


def _plural(text: str) -> str:
    low = text.lower()
    if len(low) > 1 and low[-1] == "y" and low[-2] not in _VOWELS:
        return f"{text[:-1]}ies"
    if low.endswith(("s", "x", "z", "ch", "sh")):
        return f"{text}es"
    return f"{text}s"


def _upper(text: str) -> str:
    # A letter whose capital is two letters, such as the German sharp s, stays: lengths are kept.
    return "".join(capital if len(capital := letter.upper()) == 1 else letter for letter in text)


def _capitalized(text: str) -> str:
    return _upper(text[:1]) + text[1:]


MODIFIERS: Mapping[str, Modifier] = {
    "a": Modifier(_with_article, len("an ")),
    "capitalize": Modifier(_capitalized, 0),
    "s": Modifier(_plural, len("es")),
    "upper": Modifier(_upper, 0),
}
"""The modifiers by name, as in `#symbol.name#`."""
