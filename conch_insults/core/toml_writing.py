"""Packs written down in the native format, so that reading them gives the same again.

Knows nothing of files; reading is done elsewhere.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from conch_insults.core.pack_text import fold_topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conch_insults.core.written_pack import Row, WrittenPack

__all__ = ["write_toml"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(pack: WrittenPack) -> str:
    """Return a file with all that a pack says, without its comments."""
    info = pack.info
    header = {
        "name": info.name,
        "version": info.version,
        "language": info.language,
        "licence": info.licence,
        "author": info.author,
        "rating": str(info.rating) if info.rating else "",
    }
    lines = [f"{key} = {_quoted(value)}" for key, value in header.items() if value]
    lines += _list("unknown", pack.unknown)
    aliases: dict[str, list[str]] = {}
    for alias in pack.aliases:
        aliases.setdefault(fold_topic(alias.topic), []).append(_quoted(alias.name))
    for topic, rows in _by_topic(pack.rows).items():
        lines += ["", f"[topics.{_key(topic)}]"]
        if names := aliases.get(fold_topic(topic)):
            lines.append(f"aliases = [{', '.join(names)}]")
        lines += _list("texts", [row for row in rows if not row.template])
        lines += _list("templates", [row for row in rows if row.template])
    if pack.rules:
        lines += ["", "[grammar]"]
    for symbol, rows in pack.rules.items():
        lines += _list(symbol, rows)
    return "\n".join([*lines, ""])


def _by_topic(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by topic, under its name as it is first written."""
    names: dict[str, str] = {}
    found: dict[str, list[Row]] = {}
    for row in rows:
        name = names.setdefault(fold_topic(row.topic), row.topic)
        found.setdefault(name, []).append(row)
    return found


def _list(key: str, rows: Iterable[Row]) -> list[str]:
    entries = [f"    {_entry(row)}," for row in rows]
    return [f"{key} = [", *entries, "]"] if entries else []


def _entry(row: Row) -> str:
    text = _quoted(row.text)
    rating = f', rating = "{row.rating}"' if row.rating else ""
    weight = f", weight = {row.weight}" if row.weight > 1 else ""
    return f"{{ text = {text}{rating}{weight} }}" if rating or weight else text


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    # JSON escapes quotes and backslashes as TOML does; a pack has no controls to escape.
    return json.dumps(text, ensure_ascii=False)
