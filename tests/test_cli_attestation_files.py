"""The files of an enrolment: all that are needed, read within bounds, and verified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from conch_insults.access.authorized_keys import KeyRules
from conch_insults.cli.attestation_files import AttestationFiles, with_attestation_files
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.sample_keys import public_key
from tests.software_authenticator import (
    AAGUID,
    SecurityKey,
    SoftwareAuthenticator,
    make_attester,
    make_root,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
VALID = (NOW - timedelta(days=1), NOW + timedelta(days=1))
ROOT = make_root(valid=VALID)
OTHER_ROOT = make_root("Somebody else", private=SecurityKey.ecdsa(7).private, valid=VALID)
KEY = SecurityKey.ed25519()
CHALLENGE = b"enrolment 17"
ATTESTATION = SoftwareAuthenticator(make_attester(ROOT, valid=VALID)).attest(KEY, CHALLENGE)


class Enrolment:
    """A folder with the files, and a command that takes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("att", ATTESTATION)
        self.write("ch", CHALLENGE)
        self.write("roots.pem", ROOT.pem)

    def write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def run(
        self, *arguments: str, key: str = KEY.line, default_roots: str = "", roots: bool = True
    ) -> Result:
        @click.command()
        @with_attestation_files
        def command(*, attestation_files: AttestationFiles | None) -> None:
            """Do something."""
            if attestation_files is None:
                click.echo("nothing")
                return
            attested = attestation_files.verify(key.encode(), "k.pub", default_roots, KeyRules())
            click.echo(attested.aaguid)

        if not arguments:
            arguments = ("--attestation", f"{self.folder}/att", "--challenge", f"{self.folder}/ch")
            arguments += ("--roots", f"{self.folder}/roots.pem") if roots else ()
        return CliRunner().invoke(command, arguments)

    def refused(self, **how: str) -> str:
        error = self.run(**how).exception  # type: ignore[arg-type]
        assert isinstance(error, PublicKeyError), error
        return str(error)


@pytest.fixture
def enrolment(tmp_path: Path) -> Enrolment:
    return Enrolment(tmp_path)


def test_a_good_one_names_the_model(enrolment: Enrolment) -> None:
    assert enrolment.run().stdout == f"{AAGUID}\n"


def test_none_is_none(enrolment: Enrolment) -> None:
    assert enrolment.run("--").stdout == "nothing\n"


class TestRoots:
    def test_of_the_settings_when_no_others_are_given(self, enrolment: Enrolment) -> None:
        default = str(enrolment.folder / "roots.pem")
        assert enrolment.run(roots=False, default_roots=default).stdout == f"{AAGUID}\n"

    def test_given_ones_come_before_those_of_the_settings(self, enrolment: Enrolment) -> None:
        default = enrolment.write("other.pem", OTHER_ROOT.pem)
        assert enrolment.run(default_roots=default).exit_code == 0
        assert enrolment.run(roots=False, default_roots=default).exit_code == 1

    def test_none_at_all_is_bad_usage(self, enrolment: Enrolment) -> None:
        result = enrolment.run(roots=False)
        assert result.exit_code == 2
        assert "give --roots FILE, or set access.attestation_roots" in result.stderr

    def test_that_the_settings_name_and_are_not_there(self, enrolment: Enrolment) -> None:
        error = enrolment.run(roots=False, default_roots="/nowhere/roots.pem").exception
        assert isinstance(error, KeyFileError)
        assert str(error).startswith("/nowhere/roots.pem: there is no such file")


class TestRefused:
    def test_another_challenge(self, enrolment: Enrolment) -> None:
        enrolment.write("ch", b"enrolment 18")
        assert "is not signed for this challenge" in enrolment.refused()

    def test_a_key_that_is_no_security_key(self, enrolment: Enrolment) -> None:
        assert enrolment.refused(key=public_key(1).line)

    def test_two_keys(self, enrolment: Enrolment) -> None:
        both = f"{KEY.line}\n{SecurityKey.ed25519(2).line}"
        assert enrolment.refused(key=both) == "k.pub: holds 2 keys: an attestation is of 1"

    def test_a_key_and_rubbish(self, enrolment: Enrolment) -> None:
        assert enrolment.refused(key=f"{KEY.line}\nrubbish").startswith("k.pub:2: ")

    @pytest.mark.parametrize("name", ["att", "ch", "roots.pem"])
    def test_more_than_is_read(self, enrolment: Enrolment, name: str) -> None:
        enrolment.write(name, b"#" * (2 * 1024 * 1024))
        assert "bytes" in enrolment.refused()


@pytest.mark.parametrize(
    "names", [("attestation",), ("challenge",), ("roots",), ("challenge", "roots")]
)
def test_half_of_it_is_bad_usage(enrolment: Enrolment, names: tuple[str, ...]) -> None:
    arguments = [word for name in names for word in (f"--{name}", f"{enrolment.folder}/ch")]
    result = enrolment.run(*arguments)
    assert result.exit_code == 2
    assert "an attestation is --attestation FILE with --challenge FILE" in result.stderr
