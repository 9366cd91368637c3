"""Commands about the person and the talk itself: how rude, how shown, who is who.

Knows what may be changed; how a change is shown is for whoever shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from conch_insults.core.appearance import Colour
from conch_insults.core.reply import Reply, objects, said, wrong_usage
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from conch_insults.core.command_line import CommandLine
    from conch_insults.core.talk import Talk

__all__ = [
    "be_plain",
    "be_quiet",
    "colour",
    "explain",
    "kick",
    "rate",
    "reload",
    "who",
    "whoami",
]

_SWITCH = {"": True, "on": True, "off": False}


def rate(talk: Talk, wanted: str, line: CommandLine) -> Reply:
    """Say how rude the answers may be, or lower that; it never gets above what is allowed."""
    person = talk.person
    if wanted:
        try:
            person.wanted = Rating.parse(wanted)
        except ValueError as error:
            return wrong_usage(f"{error}.", as_json=line.as_json)
    if line.as_json:
        return objects(({"rating": str(person.rating), "ceiling": str(person.ceiling)},))
    if wanted and person.wanted > person.ceiling:
        return said((f"You may have {person.ceiling}, and not a word more.",))
    return said((f"At most {person.rating}. You may have up to {person.ceiling}.",))


def be_quiet(talk: Talk, wanted: str, line: CommandLine) -> Reply:
    """Suggest nothing any more, or again."""
    if wanted not in _SWITCH:
        return _not_a_switch("quiet", line)
    talk.is_quiet = _SWITCH[wanted]
    text = "Fine. I keep my suggestions to myself." if talk.is_quiet else "Suggestions are back."
    return said((text,), as_json=line.as_json)


def colour(talk: Talk, wanted: str, line: CommandLine) -> Reply:
    """Have colours, or none, or what the client asked for."""
    for value in get_args(Colour):
        if wanted == value:
            talk.appearance.colour = value
            break
    else:
        if wanted:
            return wrong_usage("color takes on, off or auto.", as_json=line.as_json)
    return said((f"Colours: {talk.appearance.colour}.",), as_json=line.as_json)


def be_plain(talk: Talk, wanted: str, line: CommandLine) -> Reply:
    """Show things plainly, or not."""
    if wanted not in _SWITCH:
        return _not_a_switch("plain", line)
    talk.appearance.plain = _SWITCH[wanted]
    text = "Plain it is." if talk.appearance.plain else "As fancy as before."
    return said((text,), as_json=line.as_json)


def whoami(talk: Talk, _argument: str, line: CommandLine) -> Reply:
    """Say who they are here."""
    return said(talk.person.about.whoami(), as_json=line.as_json)


def explain(talk: Talk, _argument: str, line: CommandLine) -> Reply:
    """Say what let them in and what protects them."""
    return said(talk.person.about.explain(), as_json=line.as_json)


def who(talk: Talk, _argument: str, line: CommandLine) -> Reply:
    """List who is here."""
    assert talk.person.operations is not None  # noqa: S101 - the table has seen to it
    return said(talk.person.operations.who(), as_json=line.as_json)


def kick(talk: Talk, connection: str, line: CommandLine) -> Reply:
    """Send somebody away."""
    assert talk.person.operations is not None  # noqa: S101 - as above
    text = talk.person.operations.kick(connection)
    if text is None:
        return wrong_usage("Kick whom? who lists the connections.", as_json=line.as_json)
    return said((text,), as_json=line.as_json)


def reload(talk: Talk, _argument: str, line: CommandLine) -> Reply:
    """Read everything again that can be."""
    assert talk.person.operations is not None  # noqa: S101 - as above
    return said((talk.person.operations.reload(),), as_json=line.as_json)


def _not_a_switch(name: str, line: CommandLine) -> Reply:
    return wrong_usage(f"{name} takes on or off.", as_json=line.as_json)
