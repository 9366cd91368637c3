"""The table of commands, and what is made from it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from conch_insults.core.commands import COMMANDS, completions, find_command, manual
from conch_insults.core.insulter import Insulter
from conch_insults.core.person import Person
from conch_insults.core.reply import Status
from conch_insults.core.talk import Talk
from conch_insults.rating import Rating
from tests.talks import Chat, Operator, small_pack

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
ANYBODY = Person(Rating.PG)
OPERATOR = Person(Rating.PG, operations=Operator())
TOPICS = b"""
name = "x"
rating = "g"
topics."plain text".texts = ["b"]
topics."why not".texts = ["c"]
topics."quiet quitting".texts = ["d"]
topics."color beer".texts = [{text = "e", rating = "r"}]
"""


def talk(person: Person) -> Talk:
    return Talk(Insulter(small_pack(TOPICS), Random(0)), person)


def test_every_name_is_there_once() -> None:
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_a_command_is_found_in_any_case(name: str) -> None:
    found = find_command(name.upper(), talk(OPERATOR))
    assert found is not None
    assert (found[0].name, found[1]) == (name, "")


@pytest.mark.parametrize(
    "line",
    [
        "perl",
        "helpful",
        "quit smoking",
        "whoami now",
        "again and on",
        "help me now",
        "why do you hate me",
        "rating agencies r",
        "quiet on now",
        "color of money",
        "plain old text",
        "kick the bucket",
        "plain text",
        "why not",
        "quiet Quitting",
    ],
)
def test_what_is_no_command_is_a_topic(line: str) -> None:
    assert find_command(line, talk(OPERATOR)) is None


def test_an_argument_is_all_that_follows() -> None:
    found = find_command("insult code  review", talk(ANYBODY))
    assert found is not None
    assert found[1] == "code  review"


@pytest.mark.parametrize("line", ["who", "kick c0ffee", "reload"])
def test_an_operators_commands_are_topics_to_everybody_else(line: str) -> None:
    assert find_command(line, talk(ANYBODY)) is None
    assert find_command(line, talk(OPERATOR)) is not None


@pytest.mark.parametrize("line", ["rating x", "plain textt", "why nott", "quiet beer", "insult"])
def test_an_argument_that_does_not_fit_leaves_a_command_where_there_is_no_such_topic(
    line: str,
) -> None:
    assert find_command(line, talk(ANYBODY)) is not None


def test_a_topic_that_may_not_be_said_takes_nothing_from_a_command() -> None:
    assert find_command("color beer", talk(Person(Rating.PG))) is not None
    assert find_command("color beer", talk(Person(Rating.R))) is None


def test_the_page_in_the_documentation_is_this_table() -> None:
    """Make it again: python -c 'from conch_insults.core.commands import *; print(manual())'."""
    assert manual() in PAGE.read_text(encoding="utf-8")


class TestHelp:
    def test_it_names_every_command_but_the_operators(self) -> None:
        lines = Chat().lines("help")
        for command in COMMANDS:
            assert any(line.startswith(f"  {command.usage} ") for line in lines) != (
                command.for_operators
            )

    def test_an_operator_sees_more(self) -> None:
        assert any("kick" in line for line in Chat(operations=Operator()).lines("help"))

    def test_it_fits_a_terminal(self) -> None:
        lines = Chat(operations=Operator()).lines("help")
        assert len(lines) <= 23
        assert all(len(line) <= 79 for line in lines)

    @pytest.mark.parametrize("name", [command.name for command in COMMANDS])
    def test_that_of_one_command_does_too(self, name: str) -> None:
        lines = Chat(operations=Operator()).lines(f"help {name}")
        assert all(len(line) <= 79 for line in lines)

    def test_as_an_option(self) -> None:
        assert Chat().lines("--help") == Chat().lines("zork -h") == Chat().lines("help")
        assert Chat().lines("quit smoking -h") == Chat().lines("help quit")
        assert Chat().lines("--help COLOUR") == Chat().lines("help color")
        assert Chat().lines("kick --help") == Chat().lines("help")
        assert Chat().objects("--json rating -h") == Chat().objects("help rating --json")
        assert not Chat().says("quit --help").finished

    def test_of_one_command_by_any_of_its_names(self) -> None:
        assert Chat().lines("help exit") == Chat().lines("help quit")
        assert Chat().lines("help insult")[0].startswith("insult TOPIC: ")
        assert "-n COUNT" in Chat().lines("help random")[1]
        assert "-n COUNT" not in Chat().lines("help topics")[1]

    def test_of_something_else(self) -> None:
        assert Chat().says("help me").status == Status.USAGE
        assert Chat().says("help kick").status == Status.USAGE

    def test_json(self) -> None:
        shown = Chat().objects("help --json")
        assert {entry["command"] for entry in shown} == {
            command.name for command in COMMANDS if not command.for_operators
        }
        assert set(shown[0]) == {"command", "usage", "summary"}


class TestCompletion:
    def complete(self, typed: str, chat: Chat | None = None) -> list[str]:
        chat = chat or Chat()
        return list(completions(typed, Talk(chat.insulter, chat.person)))

    def test_commands_and_topics_by_their_beginning(self) -> None:
        assert self.complete("co") == ["color", "code review"]
        assert self.complete("P") == ["plain", "perl"]
        assert self.complete("zzz") == []

    def test_nothing_typed_is_the_beginning_of_everything(self) -> None:
        assert len(self.complete("")) == 14 + 4 - 1  # quit is both

    def test_a_topic_of_two_words(self) -> None:
        assert self.complete("code r") == ["code review"]

    def test_the_arguments_of_a_command(self) -> None:
        assert self.complete("rating ") == ["rating g", "rating pg", "rating r"]
        assert self.complete("insult c") == ["insult c++", "insult code review"]
        assert self.complete("help qu") == ["help quiet", "help quit"]
        assert self.complete("whoami x") == []

    def test_a_command_that_takes_more_is_ready_for_it(self) -> None:
        assert self.complete("rat") == self.complete("RATING") == ["rating "]
        assert self.complete("whoa") == ["whoami"]
        assert self.complete("per") == ["perl"]

    def test_only_what_this_person_may_hear_and_do(self) -> None:
        assert "beer" not in self.complete("")
        assert "beer" in self.complete("", Chat(ceiling=Rating.R))
        assert self.complete("kic") == []
        assert self.complete("kic", Chat(operations=Operator())) == ["kick "]
