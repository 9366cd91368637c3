from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.expiry_time import parse_expiry_time
from conch_insults.errors import PublicKeyError
from tests.sample_keys import private_key_text, public_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GOOD = [
    "20380119Z",
    "203801190314Z",
    "20380119031407Z",
    "20380119031407z",
    "20380119031407UTC",
    "20380119utc",
    "20380119",
    "203801190314",
    "20380119031407",
    "20400229Z",
    "20390229Z",
    "20390431120000Z",
    "20391231235959Z",
    "20391231235960Z",
    "20391231235961Z",
    "99991231Z",
]
BAD = [
    "",
    "Z",
    "UTC",
    "0",
    "2038",
    "203801",
    "2038011",
    "2038011903",
    "203801190314070",
    "20381301Z",
    "20380001Z",
    "20380100Z",
    "20380132Z",
    "203801192400Z",
    "203801190060Z",
    "20380119000062Z",
    "20380119ZZ",
    "20380119 ",
    "20380119\n",
    "2038-01-19",
    "20380119T0314",
    "+20380119",
    "\u0662038\u0660119",
    "2038011\u017f",
    "00000101Z",
    "19691231Z",
    "tomorrow",
]

# Of central Europe, where daylight is saved from the end of March to the end of October.
SUMMER_TIME = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.fixture
def zone() -> Iterator[Callable[[str], None]]:
    """Put this system into another time zone."""

    def move(name: str) -> None:
        patch.setenv("TZ", name)
        time.tzset()

    with pytest.MonkeyPatch.context() as patch:
        yield move
    time.tzset()


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    folder = tmp_path_factory.mktemp("signer")
    (folder / "ca").write_bytes(private_key_text(1))
    (folder / "ca").chmod(0o600)
    (folder / "key.pub").write_text(f"{public_key(2).line}\n")
    return folder


def as_ssh_keygen_reads(signer: Path, text: str) -> datetime | None:
    """Read a time as the validity of a certificate, which OpenSSH reads with the same function."""
    command = ["ssh-keygen", "-q", "-s", "ca", "-I", "x", "-V", f"19800101Z:{text}", "key.pub"]
    if subprocess.run(command, cwd=signer, capture_output=True, check=False).returncode:
        return None
    certificate = load_ssh_public_identity((signer / "key-cert.pub").read_bytes())
    assert isinstance(certificate, SSHCertificate)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=certificate.valid_before)


class TestMeaning:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("20380119Z", datetime(2038, 1, 19, tzinfo=UTC)),
            ("203801190314Z", datetime(2038, 1, 19, 3, 14, tzinfo=UTC)),
            ("20380119031407Z", datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)),
            ("20380119031407utc", datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)),
            ("20390229Z", datetime(2039, 3, 1, tzinfo=UTC)),
            ("20391231235961Z", datetime(2040, 1, 1, 0, 0, 1, tzinfo=UTC)),
            ("19700101000001Z", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ],
    )
    def test_with_z_it_is_utc(self, text: str, moment: datetime) -> None:
        assert parse_expiry_time(text) == moment
        assert parse_expiry_time(text).tzinfo is UTC

    def test_without_z_it_is_local_time(self, zone: Callable[[str], None]) -> None:
        zone("EAST-2")
        assert parse_expiry_time("20380119") == datetime(2038, 1, 18, 22, tzinfo=UTC)
        zone("WEST8")
        assert parse_expiry_time("203801190314") == datetime(2038, 1, 19, 11, 14, tzinfo=UTC)
        assert parse_expiry_time("203801190314Z") == datetime(2038, 1, 19, 3, 14, tzinfo=UTC)

    def test_in_summer_too_it_is_the_time_that_clocks_show(
        self, zone: Callable[[str], None]
    ) -> None:
        zone(SUMMER_TIME)
        assert parse_expiry_time("203807011200") == datetime(2038, 7, 1, 10, tzinfo=UTC)
        # Clocks show it twice, and the first time counts.
        assert parse_expiry_time("203810310230") == datetime(2038, 10, 31, 0, 30, tzinfo=UTC)

    def test_it_must_be_after_1970_began(self, zone: Callable[[str], None]) -> None:
        zone("EAST-2")
        with pytest.raises(PublicKeyError):
            parse_expiry_time("19700101020000")
        assert parse_expiry_time("19700101020001").timestamp() == 1

    def test_a_time_that_utc_has_no_year_for_is_none(self, zone: Callable[[str], None]) -> None:
        zone("WEST8")
        with pytest.raises(PublicKeyError):
            parse_expiry_time("99991231235959")

    @pytest.mark.parametrize("text", BAD)
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(PublicKeyError) as caught:
            parse_expiry_time(text)
        assert str(caught.value) == (
            f"{text!a} is no time: use YYYYMMDD[HHMM[SS]], with Z after it for UTC"
        )

    @given(st.text("0123456789ZUTC", max_size=18) | st.text(max_size=20))
    @settings(deadline=None, max_examples=300)
    def test_no_text_surprises_it(self, text: str) -> None:
        said = ""
        try:
            assert parse_expiry_time(text).tzinfo is UTC
        except PublicKeyError as error:
            said = str(error)
        assert "\n" not in said


class TestAgainstOpenssh:
    @pytest.mark.parametrize("text", GOOD)
    def test_the_same_moment(self, signer: Path, text: str) -> None:
        assert as_ssh_keygen_reads(signer, text) == parse_expiry_time(text)

    def test_the_same_moment_elsewhere(self, signer: Path, zone: Callable[[str], None]) -> None:
        zone("EAST-5:30")
        text = "20380119031407"
        assert as_ssh_keygen_reads(signer, text) == parse_expiry_time(text)

    def test_an_hour_earlier_in_summer_time(
        self, signer: Path, zone: Callable[[str], None]
    ) -> None:
        """OpenSSH takes every local time for one without daylight saving."""
        zone(SUMMER_TIME)
        theirs = as_ssh_keygen_reads(signer, "20380701120000")
        assert theirs == parse_expiry_time("20380701120000") + timedelta(hours=1)

    # A plus makes it a number of seconds from now, in the validity of a certificate only.
    @pytest.mark.parametrize("text", [text for text in BAD if not text.startswith("+")])
    def test_nothing_is_a_time_that_is_none_to_it(self, signer: Path, text: str) -> None:
        assert as_ssh_keygen_reads(signer, text) is None
