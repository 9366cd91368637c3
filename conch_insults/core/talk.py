"""One conversation as it stands: who it is with, and what was said last.

What its commands read and change; the commands themselves are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conch_insults.core.appearance import Appearance

if TYPE_CHECKING:
    from conch_insults.core.insulter import Insulter, Said
    from conch_insults.core.person import Person

__all__ = ["Talk"]


@dataclass(slots=True)
class Talk:
    """The state of one conversation.

    Attributes:
        insulter: who thinks of the answers.
        person: whom it is with; they may have other conversations at the same time.
        classic: whether an unknown topic gets the terse answer of old, and status 1.
        appearance: what the person wants things to look like, wherever there is something to see.
        is_quiet: whether nothing is suggested.
        topic: what they asked about last, as it was typed.
        last: what they were told last.
    """

    insulter: Insulter
    person: Person
    classic: bool = False
    appearance: Appearance = field(default_factory=Appearance)
    is_quiet: bool = False
    topic: str | None = None
    last: Said | None = None
