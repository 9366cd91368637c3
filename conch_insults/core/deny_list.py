"""Words that no pack of ours may hold: slurs, and words for who a person is.

They are kept as parts of their SHA-256, so that nobody has to read them here. The list is short on
purpose: what has a harmless meaning in this trade (a black box, a native method) is left to a
reader's judgement. Knows nothing of packs.

The part to add for a word is what `fingerprint` returns; give every form of the word its own.
"""

from __future__ import annotations

import functools
import hashlib
import re

from conch_insults.core.pack_text import fold_topic

__all__ = ["denied_words", "fingerprint"]

_WORD = re.compile(r"[^\W\d_]+")
_LENGTH = 16

_FINGERPRINTS = """
044eb98b18769b88 045e7a2e0ca23af2 07578d48f6985411 08a841e996781e9e 0a6b4744298d1dd0
0ce875d620076b53 0ef49a3c92f37310 10339b67b32b537b 11cf8376a1575fdc 11f4eb428409e55a
120f6e5b4ea32f65 12e6274e4309293e 13a5e8d66449776f 158869a97379229b 16ea09fc78ca83ca
17a110e533284872 17bde8b4064612e2 1802d081455e60cd 1e02eec4f1095143 22fc75e65a0e9d34
268651b3ece98010 27eb0c4ad7072067 304bf48b8274c460 333f7618092958c7 33740da8a87dc7de
341d56384afc0f47 353e5d16112c5f1b 3b1e0d7c5dd45583 3fb6f6b9de1d92a9 402f7ebd98864afe
431ba1c6936744f6 4426e54cf6f33618 45cd3e1bb472d8e2 4b18aefe826adf55 517ae3f73216da64
554047c304e24928 566f532d486c9477 586acb3c6bac4893 5a9d9dcefb56e593 5b3ae48be122f7ed
613ddd9aff46e2a0 61dd29f2fd298a27 6cfcdedf5407199c 7122c9a14ba2d20e 82159dd02870c13e
84ef9e571add28dc 8f5083e3e5c7dc89 937d56e49744d206 94a877e2ce63725e 96c91fa847821d6e
98980840dd2f3d5b 98b52c4b6b7d1f48 9915ba2d822280f2 9a7ac3fa64aa7211 9ae315a94e428a7e
a90abe7031a7eef6 a9f41dffb6c61175 aaf3aa110255875f ab0f4de8e463ff02 b5a352efc424b060
bb209d506bb8b178 bd331fb1d24298f5 c1cabb6f6e431f9c c22f315f1b330bfd c2c3b68b48832afd
c3de533e9b7fe63b c74677aba35aef49 c79b4cf863e6ba63 cc02032349c833ac cf2e5bff1ef03dcd
d0ed535c3299efd5 d208a0f7bb59f752 d284d1cb239ca96d d4d9ca1862b05c91 d75a838dc758ba17
da0a6b1b9213d48f dcb85fcf872ebfc6 dd84d17471327ccb ddc919bea86b4131 e35a01bb6bf5a69f
e84dde508a606a3e eafd51205382cc3c eef3bd091670c344 f0c913ecf11318b1 f2b5ed7f94e6762a
f59e28f8bb6499dd f6a9dcb187642124 f9d0d9b18ae9033a fa7418ee05920ee3
"""
_DENIED = frozenset(_FINGERPRINTS.split())


def denied_words(text: str) -> list[str]:
    """Return the words of a text that are on the list, each once, folded."""
    words = dict.fromkeys(_WORD.findall(fold_topic(text)))
    return [word for word in words if fingerprint(word) in _DENIED]


@functools.lru_cache(maxsize=8192)
def fingerprint(word: str) -> str:
    """Return what a word is known by: the first 16 hexadecimal digits of its SHA-256, folded."""
    return hashlib.sha256(fold_topic(word).encode()).hexdigest()[:_LENGTH]
