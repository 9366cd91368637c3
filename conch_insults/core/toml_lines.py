"""Where in a TOML file each key and each value stands.

The standard library's parser keeps no lines, so a second, simple one reads the same text for them
alone: tables, keys, arrays and inline tables as in TOML 1.0, and any scalar unread. It runs first
and also bounds what the other one would be slow at, dotted keys and nesting. Knows nothing of
packs.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

__all__ = ["MAX_NESTING", "MAX_VALUES", "Lines", "find_lines"]

MAX_NESTING = 8
"""The most parts of one key, and the most arrays and inline tables inside one another."""

MAX_VALUES = 400_000
"""The most keys and values that one file may have."""

# How much the real parser gets to see of a line that is none, to say what it is.
_REST_OF_LINE = 200

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t]+|\#[^\n]*)
    |(?P<newline>\r?\n[ \t\r\n]*)
    |(?P<string>
        \"{3}(?:[^"\\]++|\\.|""?(?!"))*+\"{3,5}
        |'{3}(?:[^']++|''?(?!'))*+'{3,5}
        |"(?:[^"\\\n]++|\\[^\n])*+"
        |'[^'\n]*+'
    )
    |(?P<mark>[][{}=,.])
    |(?P<bare>[^][{}=,.\s\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


class Lines(NamedTuple):
    """What stands where.

    Attributes:
        by_path: the line of each key and value, by the keys and indices that lead there.
        understood: how many characters were read: all of them, or up to the end of the line (but
            not far beyond the place) where the text stopped being TOML.
        problem: the line and the reason of what must not be read further.
    """

    by_path: dict[Path, int]
    understood: int
    problem: tuple[int, str] | None = None

    def of(self, *path: str | int) -> int:
        """Return the line of a key or value, or of the nearest thing around it."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path.get(path, 1)


def find_lines(text: str) -> Lines:
    """Read a text for its lines; nothing is too broken for it."""
    reader = _Reader(text)
    try:
        reader.read()
    except _TooMuchError as error:
        return Lines(reader.lines, 0, (reader.token.line, str(error)))
    except _NotTomlError:
        rest = text[reader.token.end : reader.token.end + _REST_OF_LINE]
        return Lines(reader.lines, reader.token.end + len(rest.partition("\n")[0]))
    return Lines(reader.lines, len(text))


class _NotTomlError(Exception):
    pass


class _TooMuchError(Exception):
    pass


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    end: int


class _Reader:
    """Goes through the tokens once, with the one that comes next in `token`."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self.token = _Token("newline", "", 1, 0)
        self._advance()

    def read(self) -> None:
        """Read all statements: keys with values, and headers of tables."""
        table: Path = ()
        while self.token.kind != "end":
            if self.token.kind == "newline":
                self._advance()
            elif self._skip("["):
                doubled = self._skip("[")
                table = self._key(())
                for _ in range(1 + doubled):
                    self._expect("]")
                self._end_statement()
            else:
                key = self._key(table)
                self._expect("=")
                self._value(key, 0)
                self._end_statement()

    def _advance(self) -> None:
        """Go to the next token that is no space and no comment."""
        kind, text, line, end = self.token
        line += text.count("\n")
        while match := _TOKEN.match(self._text, end):
            kind, end = str(match.lastgroup), match.end()
            if kind != "space":
                self.token = _Token(kind, match.group(), line, end)
                return
        self.token = _Token("end" if end == len(self._text) else "broken", "", line, end)

    def _skip(self, mark: str) -> bool:
        """Pass a mark if it comes next."""
        found = self.token.kind == "mark" and self.token.text == mark
        if found:
            self._advance()
        return found

    def _skip_newlines(self) -> None:
        while self.token.kind == "newline":
            self._advance()

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise _NotTomlError

    def _end_statement(self) -> None:
        if self.token.kind not in {"newline", "end"}:
            raise _NotTomlError

    def _key(self, path: Path) -> Path:
        """Read a key of one part or several; each part has its line."""
        for _ in range(MAX_NESTING):
            kind, text, line, _ = self.token
            if kind == "string" and not text.startswith(('"""', "'''")):
                text = _unquoted(text)
            elif kind != "bare":
                raise _NotTomlError
            path = (*path, text)
            self._note(path, line)
            self._advance()
            if not self._skip("."):
                return path
        raise _TooMuchError(f"a key of more than {MAX_NESTING} parts; a pack needs no such key")

    def _note(self, path: Path, line: int) -> None:
        self.lines.setdefault(path, line)
        if len(self.lines) > MAX_VALUES:
            raise _TooMuchError(f"more than {MAX_VALUES} keys and values; split the pack")

    def _value(self, path: Path, depth: int) -> None:
        if depth > MAX_NESTING:
            raise _TooMuchError(f"nested more than {MAX_NESTING} deep; a pack needs no such value")
        self._note(path, self.token.line)
        if self.token.kind == "string":
            self._advance()
        elif self._skip("["):
            self._array(path, depth)
        elif self._skip("{"):
            self._inline_table(path, depth)
        elif self.token.kind == "bare":
            # Dates have spaces, and fractions have dots.
            while self.token.kind == "bare" or self.token.text == ".":
                self._advance()
        else:
            raise _NotTomlError

    def _array(self, path: Path, depth: int) -> None:
        index = 0
        self._skip_newlines()
        while not self._skip("]"):
            self._value((*path, index), depth + 1)
            index += 1
            self._skip_newlines()
            if not self._skip(","):
                self._expect("]")
                return
            self._skip_newlines()

    def _inline_table(self, path: Path, depth: int) -> None:
        self._skip_newlines()
        while not self._skip("}"):
            key = self._key(path)
            self._expect("=")
            self._value(key, depth + 1)
            self._skip_newlines()
            if not self._skip(","):
                self._expect("}")
                return
            self._skip_newlines()


def _unquoted(text: str) -> str:
    """Return the key that is written as a string."""
    if "\\" not in text:
        return text[1:-1]
    try:
        return str(tomllib.loads(f"key = {text}")["key"])
    except ValueError:
        raise _NotTomlError from None
