"""What the peers in Python share: their command line, and what they say."""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Job", "read_job"]


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer is started for.

    Attributes:
        port: on loopback.
        host_key: the file of the private key.
        authorized_keys: the file of the one key that may come in.
        table: the texts by topic.
        logs: whether the library may log what it wants to.
    """

    port: int
    host_key: Path
    authorized_keys: Path
    table: dict[str, list[str]]
    logs: bool

    def answer(self, line: str) -> str:
        """Answer a line."""
        texts = self.table.get(line.strip().lower())
        return random.choice(texts) if texts else "I've got nothing."  # noqa: S311 - a joke


def read_job() -> Job:
    """Read the command line: port, host key, authorized keys, table, and `--log`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    for name in ("host_key", "authorized_keys", "table"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--log", action="store_true")
    arguments = parser.parse_args()
    table: dict[str, list[str]] = defaultdict(list)
    for line in arguments.table.read_text(encoding="utf-8").splitlines():
        topic, _, text = line.partition(": ")
        table[topic].append(text)
    return Job(
        arguments.port,
        arguments.host_key,
        arguments.authorized_keys,
        dict(table),
        arguments.log,
    )
