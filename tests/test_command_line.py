"""Lines taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conch_insults.core.command_line import (
    MAX_COUNT,
    CommandLine,
    UsageError,
    asks_for_json,
    parse_command_line,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("perl", CommandLine("perl")),
        ("  code \t review ", CommandLine("code review")),
        ("on-call", CommandLine("on-call")),
        ("-", CommandLine("-")),
        ("--json perl", CommandLine("perl", as_json=True)),
        ("perl --json", CommandLine("perl", as_json=True)),
        ("code --json review", CommandLine("code review", as_json=True)),
        ("-n 3 perl", CommandLine("perl", count=3)),
        ("perl -n3", CommandLine("perl", count=3)),
        ("perl -n=3", CommandLine("perl", count=3)),
        ("perl --count=3", CommandLine("perl", count=3)),
        ("perl --count 3", CommandLine("perl", count=3)),
        (f"perl -n {MAX_COUNT}", CommandLine("perl", count=MAX_COUNT)),
        ("perl --seed 0", CommandLine("perl", seed=0)),
        (f"perl --seed {2**64 - 1}", CommandLine("perl", seed=2**64 - 1)),
        ("perl -n 1 -n 2", CommandLine("perl", count=2)),
        ("--json -- -n --json", CommandLine("-n --json", as_json=True)),
        ("-- --", CommandLine("--")),
        ("--json", CommandLine("", as_json=True)),
        ("rating --help g", CommandLine("rating g", wants_help=True)),
        ("-h", CommandLine("", wants_help=True)),
        ("-- -h", CommandLine("-h")),
    ],
)
def test_what_a_line_asks_for(line: str, expected: CommandLine) -> None:
    assert parse_command_line(line) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-x perl", "'-x' is no option here"),
        ("perl --jsonx", "'--jsonx' is no option here"),
        ("perl --json=1", "'--json=1' is no option here"),
        ("perl -n", "^-n needs a number from 1 to 100$"),
        ("perl --count=", "^-n needs a number from 1 to 100$"),
        ("perl --seed", "^--seed needs a number from 0 to 18446744073709551615$"),
        ("perl -n 0", "not '0'"),
        ("perl -n 101", "not '101'"),
        ("perl -n -1", "not '-1'"),
        ("perl -n ٣", r"not '\\u0663'"),
        ("perl -nx", "not 'x'"),
        ("perl --seed=-1", "--seed takes a number from 0 to 18446744073709551615, not '-1'"),
        (f"perl --seed {2**64}", "not '18446744073709551616'"),
        ("perl --seed " + "9" * 900, "not '9999"),
    ],
)
def test_what_cannot_be_understood(line: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refusal:
        parse_command_line(line)
    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("-x --json", True), ("--json -- -x", True), ("-x -- --json", False), ("-x --jso", False)],
)
def test_what_a_line_that_is_not_understood_is_answered_in(line: str, *, wanted: bool) -> None:
    assert asks_for_json(line) is wanted


@given(st.text(st.sampled_from("-n= 1ax") | st.characters(), max_size=40))
def test_any_line_is_understood_or_refused_in_ascii(line: str) -> None:
    try:
        parsed = parse_command_line(line)
    except UsageError as refusal:
        said = str(refusal)
        assert said.isascii()
    else:
        assert parsed.words == " ".join(parsed.words.split())
