"""A real server with many SSH doors, which says of each connection what was agreed on."""

from __future__ import annotations

import json
import random
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real_server import Doors, RealServer

if TYPE_CHECKING:
    from tests.real_server import Site

__all__ = ["INPUT", "OUTPUT", "REKEY_OFTEN", "Agreed", "DoorPlan", "ObservedServer", "long_pack"]

_TAC = Path(__file__).parent / "observed.tac"

REKEY_OFTEN = 64 * 1024
_REKEY_NEVER = 2**30

_TOPICS = 97
_LINES = 3_000


def _answer(topic: int) -> str:
    return chr(0x4E00 + topic) * 340


def long_pack() -> str:
    """Make a pack whose answers are about as long as the lines of `INPUT`."""
    return "".join(f"topic-{topic}: {_answer(topic)}\n" for topic in range(_TOPICS))


# Each line is 1,024 bytes, and each answer 1,021: 3 MB either way. A topic that came
# through with one byte wrong would be another, or unknown.
_ORDER = random.Random(3).choices(range(_TOPICS), k=_LINES)
INPUT = b"".join(f"topic-{topic}".ljust(1023).encode() + b"\n" for topic in _ORDER)
OUTPUT = b"".join(_answer(topic).encode() + b"\n" for topic in _ORDER)


@dataclass(frozen=True)
class DoorPlan:
    """What one door offers.

    Attributes:
        ciphers: those offered, None for all of the profile.
        profile: the name of the profile.
        rekey_bytes: after how many bytes the server changes keys.
    """

    ciphers: tuple[str, ...] | None = None
    profile: str = "modern"
    rekey_bytes: int = _REKEY_NEVER


@dataclass(frozen=True)
class Agreed:
    """What the server says of one connection.

    Attributes:
        kex: the key exchange method.
        host_key: the algorithm that the server signed with.
        ciphers: from client to server and from server to client.
        macs: the same; empty where the cipher needs none.
        strict: whether key exchange was strict.
        exchanges: how many times keys were exchanged, the first included.
        asked_by_client: how many of these the client began before the server did.
    """

    kex: str
    host_key: str
    ciphers: list[str]
    macs: list[str]
    strict: bool
    exchanges: int
    asked_by_client: int


class ObservedServer(RealServer):
    """A server in front with a door for each plan."""

    def __init__(self, site: Site, *plans: DoorPlan) -> None:
        doors = json.dumps([asdict(plan) for plan in plans])
        (site.folder / "doors.json").write_text(doors, encoding="utf-8")
        super().__init__(site, ("twistd", "-noy", str(_TAC), "--pidfile="))
        ports = self.log.until(
            lambda content: (
                found
                if len(found := re.findall(rb"listening: ssh on [\d.]+:(\d+)\n", content))
                == len(plans)
                else None
            )
        )
        self._doors = {
            plan: Doors(site, int(port), self.tcp_port)
            for plan, port in zip(plans, ports, strict=True)
        }

    def door(self, plan: DoorPlan) -> Doors:
        """Return the door for a plan, with a new page in the log."""
        # Nobody who is still leaving may be taken for the next to come.
        self.settle()
        self.new_page()
        return self._doors[plan]

    def agreed(self) -> Agreed:
        """Return what was agreed on with the client that left last."""
        line = self.logged("agreed: ")
        return Agreed(**json.loads(line.partition("agreed: ")[2]))
