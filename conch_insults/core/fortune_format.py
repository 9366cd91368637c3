"""The format of `fortune` as packs: texts between lines that are a single `%`.

A text of several lines becomes one line; all of them are about one topic. The index that
fortune-mod keeps beside such a file (`.dat`) is not needed. Knows nothing of files.
"""

from __future__ import annotations

import textwrap

from conch_insults.core.pack_text import MAX_INSULT, MAX_TOPIC, cleaned
from conch_insults.core.written_pack import MAX_INSULTS, PackInfo, Row, WrittenPack
from conch_insults.errors import PackError

__all__ = ["is_fortune", "read_fortune", "write_fortune"]

_SEPARATOR = "%"
_COLUMNS = 78


def is_fortune(text: str) -> bool:
    """Whether a text has a line that only this format has."""
    return f"\n{_SEPARATOR}\n" in f"\n{text}\n".replace("\r\n", "\n")


def read_fortune(text: str, info: PackInfo) -> WrittenPack:
    """Read a pack; what cannot be used is among its problems.

    Args:
        text: all of the file.
        info: what is known about it otherwise; its name is what the texts are about.
    """
    pack = WrittenPack(info, "fortune")
    try:
        topic = " ".join(cleaned("topic", info.name, MAX_TOPIC, "rename the file").split())
    except PackError as error:
        pack.refuse(1, f"the file's name is the topic: {error}")
        return pack
    first, words = 1, list[str]()
    for number, line in enumerate([*text.split("\n"), _SEPARATOR], 1):
        if line.removesuffix("\r") != _SEPARATOR:
            if not words:
                first = number
            words += line.split()
            continue
        if not words:
            continue
        try:
            said = cleaned("fortune", " ".join(words), MAX_INSULT, "remove it")
        except PackError as error:
            pack.refuse(first, str(error))
        else:
            pack.rows.append(Row(first, topic, said))
        words = []
        if len(pack.rows) > MAX_INSULTS:
            reason = f"more than {MAX_INSULTS} fortunes; split the pack"
            pack.refuse(first, reason)
            break
    return pack


def write_fortune(pack: WrittenPack) -> str:
    """Return a file with the pack's texts, wrapped; nothing else has a place in it.

    Raises:
        PackError: a text would separate others.
    """
    fortunes = []
    for row in pack.rows:
        if row.template:
            continue
        lines = textwrap.wrap(row.text, _COLUMNS, break_long_words=False, break_on_hyphens=False)
        if _SEPARATOR in lines:
            lines = [row.text]
        if row.text == _SEPARATOR:
            raise PackError('the text "%" cannot be a fortune; use toml')
        fortunes.append("\n".join([*lines, _SEPARATOR, ""]))
    return "".join(fortunes)
