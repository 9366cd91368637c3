"""The talk's format of packs: `topic: insult`, one a line, with comments and blank lines.

It cannot say who wrote a pack, or how rude it is. Knows nothing of files.
"""

from __future__ import annotations

from conch_insults.core.pack_text import MAX_INSULT, MAX_TOPIC, cleaned
from conch_insults.core.written_pack import MAX_INSULTS, PackInfo, Row, WrittenPack
from conch_insults.errors import PackError

__all__ = ["read_talk", "write_talk"]

_REMEDY = 'write "topic: insult"'


def read_talk(text: str, info: PackInfo) -> WrittenPack:
    """Read a pack; what cannot be used is among its problems.

    Args:
        text: all of the file.
        info: what is known about it otherwise.
    """
    pack = WrittenPack(info, "talk")
    for number, line in enumerate(text.split("\n"), 1):
        try:
            entry = _parse_line(line.removesuffix("\r"))
        except PackError as error:
            pack.refuse(number, str(error))
            continue
        if entry:
            pack.rows.append(Row(number, *entry))
        if len(pack.rows) > MAX_INSULTS:
            reason = f"more than {MAX_INSULTS} insults; split the pack"
            pack.refuse(number, reason)
            break
    return pack


def write_talk(pack: WrittenPack) -> str:
    """Return a file with the pack's texts; templates, aliases and ratings have no place in it.

    Raises:
        PackError: a topic cannot be written so that it is read again.
    """
    lines = []
    for row in pack.rows:
        if row.template:
            continue
        if ":" in row.topic or row.topic.startswith("#"):
            raise PackError(
                f'the topic "{row.topic}" cannot be written in "topic: insult"; use toml'
            )
        lines.append(f"{row.topic}: {row.text}\n")
    return "".join(lines)


def _parse_line(line: str) -> tuple[str, str] | None:
    """Return the topic and the insult of a line, none for a comment or a blank line."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    topic, colon, insult = line.partition(":")
    if not colon:
        raise PackError(f"no colon; {_REMEDY}")
    topic = cleaned("topic", topic, MAX_TOPIC, _REMEDY)
    return " ".join(topic.split()), cleaned("insult", insult, MAX_INSULT, _REMEDY)
