"""What an authorized_keys file says, line by line, in OpenSSH's syntax.

A line is understood completely or lets nobody in, and never disables another line
(sshd(8), AUTHORIZED_KEYS FILE FORMAT). Works on bytes: must not know where a file is kept, whose
it is, or what somebody offered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from conch_insults.access.key_options import KeyOptions, parse_options
from conch_insults.access.public_key import (
    MINIMUM_RSA_BITS,
    PublicKey,
    looks_like_a_key,
    parse_public_key,
)
from conch_insults.errors import PublicKeyError, at_line

__all__ = [
    "MAXIMUM_FILE_BYTES",
    "Entry",
    "KeyFile",
    "KeyRules",
    "key_in_line",
    "parse_file",
    "parse_line",
    "too_large",
]

MAXIMUM_FILE_BYTES = 1024 * 1024
MAXIMUM_LINE_BYTES = 16 * 1024
MAXIMUM_KEYS = 1024
# More than anybody reads; the lines beyond are counted.
MAXIMUM_PROBLEMS = 100

# A blank inside double quotes belongs to its option, and a backslash keeps the quote after it from
# counting. The alternatives exclude each other, so that no text is read at length.
_OPTIONS = re.compile(r'(?:[^ \t"\\]|\\"|\\(?!")|"(?:[^"\\]|\\"|\\(?!"))*")*')


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What the settings ask of a line.

    Attributes:
        minimum_rsa_bits: an RSA key of fewer may not be used.
        permitted_environment: the variables that `environment=` may set.
    """

    minimum_rsa_bits: int = MINIMUM_RSA_BITS
    permitted_environment: frozenset[str] = frozenset()


_DEFAULT_RULES = KeyRules()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with a key that may be used, on the conditions of its options."""

    key: PublicKey
    line: int
    options: KeyOptions = field(default_factory=KeyOptions)

    @property
    def text(self) -> str:
        """The entry as a line of an authorized_keys file, without the newline."""
        return f"{self.options.text} {self.key.line}".lstrip(" ")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a file holds: the lines that can be used, and why each other one cannot."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()


def parse_file(content: bytes, name: str, *, rules: KeyRules = _DEFAULT_RULES) -> KeyFile:
    """Read a whole file; every problem is one line that starts with `name`."""
    if len(content) > MAXIMUM_FILE_BYTES:
        return KeyFile(problems=(too_large(name),))
    entries: list[Entry] = []
    problems: list[str] = []
    unlisted = 0
    for number, raw in enumerate(content.split(b"\n"), 1):
        try:
            entry = parse_line(raw, number, rules=rules)
            if entry and len(entries) == MAXIMUM_KEYS:
                raise PublicKeyError(f"more than {MAXIMUM_KEYS} keys in one file")  # noqa: TRY301 - one way for every problem
        except PublicKeyError as error:
            if len(problems) < MAXIMUM_PROBLEMS:
                problems.append(at_line(name, number, str(error)))
            else:
                unlisted += 1
        else:
            if entry:
                entries.append(entry)
    if unlisted:
        problems.append(f"{name}: {unlisted} more lines cannot be used")
    return KeyFile(tuple(entries), tuple(problems))


def too_large(name: str) -> str:
    """Say that a file is not read because of its size."""
    return f"{name}: is larger than {MAXIMUM_FILE_BYTES} bytes: none of its keys is used"


def parse_line(raw: bytes, number: int, *, rules: KeyRules = _DEFAULT_RULES) -> Entry | None:
    """Read one line; a blank one or a comment is None.

    Args:
        raw: the line, with or without its line end.
        number: the line's number, from 1.
        rules: what the settings ask of it.

    Raises:
        PublicKeyError: the line has no key that may be used, or an option that is unknown,
            malformed or not permitted.
    """
    line = _decode(raw)
    if not line or line.startswith("#"):
        return None
    options_text, key_text = _split(line)
    options = parse_options(options_text, rules.permitted_environment)
    key = parse_public_key(key_text, minimum_rsa_bits=rules.minimum_rsa_bits)
    return Entry(key, number, options)


def key_in_line(raw: bytes) -> PublicKey | None:
    """Find the key of a line whatever its options are, also when they keep it from being used."""
    try:
        return parse_public_key(_split(_decode(raw))[1])
    except PublicKeyError:
        return None


def _decode(raw: bytes) -> str:
    if len(raw) > MAXIMUM_LINE_BYTES:
        raise PublicKeyError(f"line is longer than {MAXIMUM_LINE_BYTES} bytes")
    if b"\0" in raw:
        raise PublicKeyError("line has a zero byte")
    try:
        return raw.decode().lstrip(" \t").rstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise PublicKeyError("line is not UTF-8 text") from error


def _split(line: str) -> tuple[str, str]:
    """Separate the options, if any, from the key, at the first blank outside double quotes."""
    if looks_like_a_key(line):
        return "", line
    options = _OPTIONS.match(line)
    end = options.end() if options else 0
    if line.startswith('"', end):
        raise PublicKeyError("a double quote is opened and never closed")
    key_text = line[end:].lstrip(" \t")
    # A blank to whoever reads a key alone, but none to sshd.
    if key_text.startswith("\r"):
        raise PublicKeyError("a carriage return stands before the key")
    return line[:end], key_text
