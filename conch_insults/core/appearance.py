"""How somebody wants things shown: in colour or not, plainly, in ASCII.

Read from what a client sends of its environment, and changed by its person's own commands. Knows
no terminal sequences and no commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Appearance", "Colour"]

Colour: TypeAlias = Literal["auto", "on", "off"]

# What terminals are called that do nothing but print (terminfo's own names), and what those say
# who do not know.
_DUMB = {"", "dumb", "unknown"}
# Terminals that wrap rows anew when their window narrows, and that give their own name. Many more
# do, but call themselves xterm, which does not.
_REFLOWING = ("alacritty", "contour", "foot", "tmux", "wezterm", "xterm-ghostty", "xterm-kitty")
_ASCII_LOCALES = {"C", "POSIX"}


@dataclass(slots=True)
class Appearance:
    """What one conversation looks like; whoever shows anything looks here each time.

    Attributes:
        colour: whether there is colour; `auto` leaves it to `coloured_by_default`.
        plain: for screen readers and paper: no colour, nothing on the screen is taken back, lists
            have one column.
        ascii: whether only ASCII is printed.
        dumb: whether the terminal knows no escape sequences at all.
        reflows: whether rows are wrapped anew when the window narrows.
        coloured_by_default: what the client's environment says about colour.
    """

    colour: Colour = "auto"
    plain: bool = False
    ascii: bool = False
    dumb: bool = False
    reflows: bool = False
    coloured_by_default: bool = False

    @classmethod
    def from_environment(cls, term: str, environment: Mapping[str, str]) -> Self:
        """Make the appearance that a client's terminal and environment ask for.

        Args:
            term: the TERM of its pty-req (RFC 4254, section 6.2).
            environment: what it sent in env requests (section 6.4). Of these count NO_COLOR
                (no-color.org), CLICOLOR and CLICOLOR_FORCE (bixense.com/clicolors), COLORTERM,
                and LC_ALL, LC_CTYPE and LANG (POSIX, Base Definitions, section 8.2).
        """
        dumb = term in _DUMB and not (term == "" and environment.get("COLORTERM"))
        return cls(
            plain=dumb,
            ascii=not _is_utf8(environment),
            dumb=dumb,
            reflows=term.startswith(_REFLOWING),
            coloured_by_default=not dumb and _wants_colour(environment),
        )

    @property
    def is_coloured(self) -> bool:
        """Whether to print colours now."""
        if self.plain or self.dumb:
            return False
        return self.colour == "on" or (self.colour == "auto" and self.coloured_by_default)

    @property
    def is_final(self) -> bool:
        """Whether what has been printed stays as it is."""
        return self.plain or self.dumb


def _wants_colour(environment: Mapping[str, str]) -> bool:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    return environment.get("CLICOLOR") != "0"


def _is_utf8(environment: Mapping[str, str]) -> bool:
    """Say whether the locale's character set is UTF-8; one that names none is taken for it."""
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "").partition("@")[0]
    if locale in _ASCII_LOCALES:
        return False
    charset = locale.partition(".")[2]
    return not charset or charset.lower().replace("-", "") == "utf8"
