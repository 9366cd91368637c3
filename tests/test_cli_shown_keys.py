"""How keys and lines are shown: clean, whole, and as JSON that can be read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conch_insults.access.authorized_keys import parse_line
from conch_insults.access.certificate import parse_certificate
from conch_insults.cli.shown_keys import (
    as_object,
    certificate_as_object,
    complain,
    describe,
    describe_certificate,
    echo_json,
    say,
    time_as_json,
    time_in_words,
)
from tests.certificate_authority import Draft
from tests.sample_keys import public_key

HOSTILE = "\x1b[2J\u202e\x9b"


@given(st.text())
def test_a_key_is_one_line_whatever_its_comment_says(comment: str) -> None:
    shown = describe(replace(public_key(1), comment=comment))
    assert shown.startswith(f"ssh-ed25519 {public_key(1).fingerprint}")
    assert not {"\n", "\x1b", "\x9b", "\u202e"} & set(shown)


def test_what_is_printed_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"one{HOSTILE}")
    complain(f"two{HOSTILE}")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("one[2J\n", "two[2J\n")


def test_a_certificate() -> None:
    draft = Draft(key_id=b"alice\x1b", principals=(b"alice", b"o'ps"), serial=7)
    certificate = parse_certificate(draft.signed())
    authority = certificate.authority.fingerprint
    assert describe_certificate(certificate) == (
        f"'alice\\x1b' (serial 7) of {authority} for 'alice', \"o'ps\""
    )
    assert certificate_as_object(certificate) == {
        "key_id": "alice\x1b",
        "serial": 7,
        "principals": ("alice", "o'ps"),
        "expires": None,
        "authority": authority,
    }


def test_a_certificate_for_nobody() -> None:
    certificate = parse_certificate(Draft(principals=(), valid_before=0).signed())
    assert describe_certificate(certificate).endswith(" for nobody")
    assert certificate_as_object(certificate)["expires"] == "1970-01-01T00:00:00Z"


def test_a_line() -> None:
    entry = parse_line(f"no-pty {public_key(1, 'alice').line}".encode(), 3)
    assert entry is not None
    shown = as_object(entry)
    assert (shown["comment"], shown["line"], shown["options"]) == ("alice", 3, "no-pty")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_a_list_of_rows(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"number": number, "text": HOSTILE} for number in range(count)]
    echo_json(iter(rows))
    printed = capsys.readouterr().out
    assert json.loads(printed) == rows
    assert printed.isascii()
    assert "\x1b" not in printed


def test_json_is_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> object:
        yield {"number": 1}
        assert '"number": 1' in capsys.readouterr().out
        yield {"number": 2}

    echo_json(rows())  # type: ignore[arg-type]
    assert capsys.readouterr().out.endswith("]\n")


def test_moments() -> None:
    moment = datetime(2027, 3, 1, 12, 30, 5, tzinfo=UTC)
    assert time_as_json(moment) == "2027-03-01T12:30:05Z"
    assert time_as_json(None) is None
    assert time_in_words(moment) == "2027-03-01 12:30:05 UTC"
