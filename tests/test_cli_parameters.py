"""What commands take for a name, a moment, an end, an address, a list of them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conch_insults.cli.parameters import ADDRESS, EXPIRY, MOMENT, SOURCES, USER_NAME


def bad(kind: click.ParamType[Any], text: str) -> str:
    with pytest.raises(click.BadParameter) as error:
        kind.convert(text, None, None)
    assert error.value.message.isprintable()
    return error.value.message


def test_a_user_name() -> None:
    assert USER_NAME.convert("alice", None, None) == "alice"
    assert bad(USER_NAME, "\x1b[2J").startswith("'\\x1b[2J' is not a user name: use up to 32 of")


class TestMoment:
    @pytest.mark.parametrize(
        "text",
        [
            *("20270301Z", "202703010000Z", "20270301000000UTC", "2027-03-01T00:00Z"),
            *("2027-03-01T00:00:00+00:00", "2027-03-01T02:30+02:30", "20270301T000000Z"),
        ],
    )
    def test_as_openssh_or_iso_8601_writes_it(self, text: str) -> None:
        assert MOMENT.convert(text, None, None) == datetime(2027, 3, 1, tzinfo=UTC)

    @pytest.mark.parametrize("text", ["20270301", "2027-03-01", "2027-03-01T00:00"])
    def test_without_a_zone_it_is_local_time(self, text: str) -> None:
        local = datetime(2027, 3, 1).astimezone(UTC)
        assert MOMENT.convert(text, None, None) == local

    @pytest.mark.parametrize(
        "text", ["", "now", "2027", "20271301", "2027-13-01", "0001-01-01T00:00+23:59", "9" * 40]
    )
    def test_that_is_none(self, text: str) -> None:
        assert f"{text!a} is no time: use YYYYMMDD[HHMM[SS]]" in bad(MOMENT, text)


class TestExpiry:
    @pytest.mark.parametrize(
        ("text", "later"),
        [
            ("12h", timedelta(hours=12)),
            ("90d", timedelta(days=90)),
            ("52w", timedelta(weeks=52)),
        ],
    )
    def test_a_time_from_now(self, text: str, later: timedelta) -> None:
        earliest = datetime.now(UTC) + later
        expires = EXPIRY.convert(text, None, None)
        assert earliest <= expires <= datetime.now(UTC) + later

    def test_a_moment(self) -> None:
        assert EXPIRY.convert("20990101Z", None, None) == datetime(2099, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["", "90", "d", "0d", "-1d", "1.5d", "90m", "90 d", "999999w", "1234567h", "٣d"]
    )
    def test_that_is_none(self, text: str) -> None:
        assert f"{text!a} is no end: use a time from now" in bad(EXPIRY, text)

    def test_that_is_past(self) -> None:
        assert bad(EXPIRY, "20200101Z") == "'20200101Z' is past"


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0"])
def test_an_address(text: str) -> None:
    assert ADDRESS.convert(text, None, None) == text


@pytest.mark.parametrize("text", ["", "localhost", "192.0.2.0/24", "192.0.2", "\x1b"])
def test_an_address_that_is_none(text: str) -> None:
    assert bad(ADDRESS, text) == f"{text!a} is no IP address"


def test_sources() -> None:
    text = "10.0.0.0/8,!10.0.0.1,192.168.?.*"
    assert str(SOURCES.convert(text, None, None)) == text
    assert "'10.0.0.1/8' is no network" in bad(SOURCES, "10.0.0.1/8")


@pytest.mark.parametrize("kind", [USER_NAME, MOMENT, EXPIRY, ADDRESS, SOURCES])
@given(text=st.text(max_size=40))
def test_nothing_but_bad_usage_is_ever_raised(kind: click.ParamType[Any], text: str) -> None:
    with contextlib.suppress(click.BadParameter):
        kind.convert(text, None, None)
