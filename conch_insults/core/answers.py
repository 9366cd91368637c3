"""Answers about topics: insults, lists of them, and where one came from.

Says everything as lines or as JSON objects. Knows no names of commands and no doors.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from conch_insults.core.heard import Heard
from conch_insults.core.pack_text import MAX_TOPIC, fold_topic
from conch_insults.core.printable import printable
from conch_insults.core.reply import Reply, Status, objects, said, wrong_usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conch_insults.core.command_line import CommandLine
    from conch_insults.core.insulter import Meant, Said
    from conch_insults.core.pack_model import Insult
    from conch_insults.core.talk import Talk

__all__ = [
    "MAX_FOUND",
    "again",
    "insult",
    "insult_at_once",
    "list_topics",
    "random_insult",
    "search",
    "why",
]

MAX_FOUND = 20
"""The most topics, and the most texts, that a search shows."""

_NOTHING = "I've got nothing."


def insult_at_once(talk: Talk, meant: Meant) -> Reply | None:
    """Insult somebody once about what a line means, without the detours of `insult`."""
    person = talk.person
    one = talk.insulter.insult_meant(meant, person.heard, person.rating)
    if one is None:
        return None
    talk.topic, talk.last = meant.typed, one
    return Reply((one.text,))


def insult(talk: Talk, topic: str, line: CommandLine) -> Reply:
    """Insult somebody about a topic, as often as the line asks for."""
    chance, heard = _source(talk, line)
    told: list[Said] = []
    is_known = True
    for _ in range(line.count or 1):
        one = talk.insulter.insult(topic, heard, talk.person.rating, chance)
        if one is None:
            is_known = False
            one = (
                None
                if talk.classic
                else talk.insulter.improvise(
                    printable(topic, MAX_TOPIC), heard, talk.person.rating, chance
                )
            )
        if one is None:
            break
        told.append(one)
    return _tell(talk, topic, told, line, is_known=is_known)


def random_insult(talk: Talk, _argument: str, line: CommandLine) -> Reply:
    """Insult somebody about any topic; each time about another."""
    chance, heard = _source(talk, line)
    told: list[Said] = []
    for _ in range(line.count or 1):
        topic = talk.insulter.random_topic(talk.person.rating, chance)
        one = topic and talk.insulter.insult(topic, heard, talk.person.rating, chance)
        if not one:
            break
        told.append(one)
    topic = told[-1].insult.topic if told else ""
    return _tell(talk, topic, told, line, is_known=bool(told))


def again(talk: Talk, _argument: str, line: CommandLine) -> Reply:
    """Insult somebody about the last topic again."""
    if talk.topic is None:
        return wrong_usage("Again? Name a topic first.", as_json=line.as_json)
    return insult(talk, talk.topic, line)


def why(talk: Talk, name: str, line: CommandLine) -> Reply:
    """Say where the last insult came from, or the one with an id."""
    if name:
        found: Sequence[Insult] = talk.insulter.by_id(name, talk.person.rating)
        if not found:
            text = f"No insult of mine is called {printable(name, MAX_TOPIC)}."
            return said((text,), Status.UNKNOWN_TOPIC, as_json=line.as_json)
    elif talk.last is None:
        return wrong_usage("Why what? I haven't said anything yet.", as_json=line.as_json)
    else:
        found = (talk.last.insult,)
    if line.as_json:
        return objects(
            _described(one, one.text) | ({"template": True} if one.is_template else {})
            for one in found
        )
    lines: list[str] = []
    for one in found:
        if name:
            lines.append(one.text)
        lines.append(
            f"{one.id}: {one.topic or 'any topic'}, rated {one.rating}, from the pack {one.pack}"
            f" by {one.author or 'nobody who admits it'} ({one.licence or 'no licence given'})."
        )
    return said(lines)


def search(talk: Talk, word: str, line: CommandLine) -> Reply:
    """List texts and topics with a word in them."""
    rating, key = talk.person.rating, fold_topic(word)
    names = [name for name in talk.insulter.topics(rating) if key in fold_topic(name)]
    found = talk.insulter.search(word, rating, MAX_FOUND + 1)
    if not names and not found:
        text = f"Nothing here mentions {printable(word, MAX_TOPIC)}."
        return said((text,), Status.UNKNOWN_TOPIC, as_json=line.as_json)
    is_cut = len(names) > MAX_FOUND or len(found) > MAX_FOUND
    names, found = names[:MAX_FOUND], found[:MAX_FOUND]
    if line.as_json:
        topics: Iterable[dict[str, object]] = ({"topic": name} for name in names)
        return objects((*topics, *(_described(one, one.text) for one in found)))
    lines = [f"topic: {name}" for name in names]
    lines += [f"{one.id} {one.topic or '*'}: {one.text}" for one in found]
    if is_cut:
        lines.append("(There is more. Look for something rarer.)")
    return said(lines)


def list_topics(talk: Talk, prefix: str, line: CommandLine) -> Reply:
    """List the topics, or those that begin with something."""
    names: Sequence[str] = talk.insulter.topics(talk.person.rating)
    if prefix:
        key = fold_topic(prefix)
        names = [name for name in names if fold_topic(name).startswith(key)]
    if not names:
        text = f"No topic begins with {printable(prefix, MAX_TOPIC)}."
        return said((text,), Status.UNKNOWN_TOPIC, as_json=line.as_json)
    if line.as_json:
        return objects({"topic": name} for name in names)
    return Reply(tuple(names))


def _source(talk: Talk, line: CommandLine) -> tuple[Random | None, Heard]:
    """Return where choices come from: with a seed from nothing else."""
    if line.seed is None:
        return None, talk.person.heard
    return Random(line.seed), Heard()  # noqa: S311 - to be repeated, and guessed


def _tell(
    talk: Talk, topic: str, told: Sequence[Said], line: CommandLine, *, is_known: bool
) -> Reply:
    """Say what was thought of, and what else may have been meant."""
    talk.topic = topic or talk.topic
    if not told:
        return said((_NOTHING,), Status.UNKNOWN_TOPIC, as_json=line.as_json)
    talk.last = told[-1]
    if is_known and not line.as_json:
        return Reply(tuple(one.text for one in told), answers=len(told))
    meant: tuple[str, ...] = ()
    if not is_known and not talk.is_quiet:
        meant = talk.insulter.suggestions(topic, talk.person.rating)
    if line.as_json:
        more: dict[str, object] = {} if is_known else {"suggestions": meant}
        shown = printable(topic, MAX_TOPIC)
        reply = objects(
            _described(one.insult, one.text, one.insult.topic or shown) | more for one in told
        )
        return reply._replace(answers=len(told))
    aside = (f"(Did you mean {_listed(meant)}?)",) if meant else ()
    return Reply((*(one.text for one in told), *aside), answers=len(told))


def _described(one: Insult, text: str, topic: str = "") -> dict[str, object]:
    return {
        "topic": topic or one.topic,
        "text": text,
        "id": one.id,
        "pack": one.pack,
        "author": one.author,
        "licence": one.licence,
        "rating": str(one.rating),
    }


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
