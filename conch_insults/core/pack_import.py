"""Packs of other formats turned into native ones: what is taken over, and what is left out.

A text that cannot be used is left out, and so is one that is there already; nothing else is lost.
Knows nothing of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.pack_text import fold_topic
from conch_insults.core.written_pack import PackInfo, Problem, Row, WrittenPack

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["import_pack"]


def import_pack(
    pack: WrittenPack, info: PackInfo, topic: str | None = None
) -> tuple[WrittenPack, Sequence[Problem]]:
    """Return a pack as a native one, and the lines that are not in it, with the reasons.

    Args:
        pack: a pack without templates, as it was read.
        info: what the new one says about itself.
        topic: what all of the texts are about; without it they keep their topics.
    """
    left_out = list(pack.problems)
    kept: dict[tuple[str, str], Row] = {}
    for row in pack.rows:
        moved = row._replace(topic=topic or row.topic)
        first = kept.setdefault((fold_topic(moved.topic), moved.text), moved)
        if first is not moved:
            left_out.append(Problem(row.line, f"says the same as line {first.line}"))
    return WrittenPack(info, "toml", list(kept.values())), sorted(left_out)
