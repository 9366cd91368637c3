"""What --option, --expires and --from make of a line."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner, Result

from conch_insults.access.address_patterns import parse_patterns
from conch_insults.access.authorized_keys import KeyRules
from conch_insults.access.key_options import parse_options
from conch_insults.cli.line_options import LineOptions, with_line_options

RULES = KeyRules()
END = datetime(2099, 12, 31, 18, 30, 15, tzinfo=UTC)


def test_nothing_asked_for_is_no_option() -> None:
    assert LineOptions((), None, None).text(RULES) == ""
    assert LineOptions(("",), None, None).text(RULES) == ""


def test_everything_in_one_text() -> None:
    asked = LineOptions(("restrict", "pty"), END, parse_patterns("10.0.0.0/8,!10.0.0.1"))
    text = asked.text(RULES, 'rating@conch-insults="g"')
    assert text == (
        'restrict,pty,from="10.0.0.0/8,!10.0.0.1",expiry-time="20991231183015Z",'
        'rating@conch-insults="g"'
    )
    options = parse_options(text)
    assert options.expires == END
    assert str(options.sources) == "10.0.0.0/8,!10.0.0.1"


def test_a_quote_in_a_pattern_stays_one() -> None:
    text = LineOptions((), None, parse_patterns('1"*')).text(RULES)
    assert str(parse_options(text).sources) == '1"*'


def test_options_that_belong_together_may_come_apart() -> None:
    asked = LineOptions(("cert-authority", 'principals="ops"'), None, None)
    assert asked.text(RULES) == 'cert-authority,principals="ops"'


def test_the_settings_decide_about_environment() -> None:
    asked = LineOptions(('environment="LANG=C"',), None, None)
    with pytest.raises(click.UsageError, match="permit_environment"):
        asked.text(RULES)
    assert asked.text(KeyRules(permitted_environment=frozenset({"LANG"})))


@pytest.mark.parametrize("option", ["nonsense", 'command="', "restrict ssh-ed25519 AAAA", "a\nb"])
def test_what_is_not_understood_is_bad_usage(option: str) -> None:
    with pytest.raises(click.UsageError):
        LineOptions((option,), None, None).text(RULES)


class TestCommand:
    def run(self, *arguments: str) -> Result:
        @click.command()
        @with_line_options
        def command(*, line_options: LineOptions) -> None:
            """Do something."""
            click.echo(line_options.text(RULES))

        return CliRunner().invoke(command, arguments)

    def test_takes_them(self) -> None:
        arguments = ("--option", "restrict", "--option", "pty", "--from", "::1")
        result = self.run(*arguments, "--expires", "20991231183015Z")
        assert result.stdout == 'restrict,pty,from="::1",expiry-time="20991231183015Z"\n'

    def test_explains_them(self) -> None:
        assert all(
            name in self.run("--help").stdout for name in ("--option", "--expires", "--from")
        )
