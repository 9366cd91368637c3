"""Every decision that sshd also makes: same files, same offer, same answer.

Where this server decides otherwise on purpose, the tables say so and why, and both answers are
checked.
"""

from __future__ import annotations

import os
import subprocess
import time
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

import pytest

from conch_insults.access.grants import Grant, Offer
from conch_insults.access.policy import Policy
from conch_insults.access.signature import Proof, SignatureError, verify
from tests.access_strategies import changed_bytes, draft_fields, examples, option_texts
from tests.authority_cases import AUTHORITY_CASES
from tests.certificate_cases import CERTIFICATE_CASES
from tests.certified_cases import CERTIFIED_CASES
from tests.identities import Wallet, drafted, key, krl
from tests.line_cases import LINE_CASES, LOCAL_ZONE
from tests.offering_client import LOOPBACK, OWN_COMMAND, SHELL, USER, Verdict, connect, log_in
from tests.option_cases import OPTION_CASES
from tests.real_keygen import NEEDS_KEYGEN
from tests.real_server import Site
from tests.real_sshd import Files, RealSshd, has_ipv6
from tests.revocation_cases import REVOCATION_CASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.access_case import Case
    from tests.identities import Identity
    from tests.real_server import RealServer

T = TypeVar("T")

pytestmark = NEEDS_KEYGEN

# What is decided by an offer alone, and what takes a login to see.
OFFERS = LINE_CASES | AUTHORITY_CASES | CERTIFICATE_CASES | REVOCATION_CASES
_LOGINS = OPTION_CASES + CERTIFIED_CASES
LOGINS = {case.name: case for case in _LOGINS}
AT_THE_DOOR = (
    "a bare key",
    "options restrict",
    "a line from elsewhere first",
    "only refusals",
    "a key ecdsa_521",
    "rsa with SHA-256",
    "rsa with SHA-1",
    "an offer under another type",
    "another's signature",
    "a security key, touched",
    "a security key, not touched",
    "a certified rsa_2048",
    "a certificate without permissions",
    "a line's restrictions beside the authority of all",
)

# How many examples there are of each kind.
QUESTIONS = 80


@pytest.fixture(autouse=True, scope="module")
def local_zone() -> Iterator[None]:
    """Let local time differ from UTC, for sshd too."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", LOCAL_ZONE)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def wallet(tmp_path_factory: pytest.TempPathFactory) -> Wallet:
    return Wallet(tmp_path_factory.mktemp("wallet"))


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, wallet: Wallet) -> RealSshd:
    sshd = RealSshd(tmp_path_factory.mktemp("sshd"))
    if sshd.missing:
        pytest.skip(sshd.missing)
    files = files_in(tmp_path_factory.mktemp("keys"))
    LOGINS["a bare key"].write(files, USER, wallet)
    if sshd.log_in(files, key()(wallet)) is None:
        pytest.skip(f"sshd cannot let anybody in as {USER} here: {sshd.tail()}")
    return sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with Site(tmp_path_factory.mktemp("site")).start() as server:
        yield server


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return files_in(tmp_path)


def files_in(folder: Path) -> Files:
    files = Files(folder)
    files.users.mkdir()
    for writable in (files.folder, files.users):
        # Whatever the umask of whoever runs this says.
        writable.chmod(0o755)
    return files


def decided_here(
    files: Files, identity: Identity, address: str = LOOPBACK, proof: Proof | None = None
) -> Grant | None:
    policy = Policy(files.folder, lambda problem: None)
    offer = Offer(USER, identity.algorithm, identity.blob, address, proof)
    decision = policy.decide(offer, datetime.now(UTC))
    return decision if isinstance(decision, Grant) else None


def logged_in_here(files: Files, case: Case, identity: Identity) -> Verdict | None:
    """Ask as the door does: for the offer, and once more with the proof."""
    challenge = os.urandom(64)
    if decided_here(files, identity, case.address) is None:
        return None
    try:
        proof = verify(identity.algorithm, identity.blob, identity.sign(challenge), challenge)
    except SignatureError:
        return None
    grant = decided_here(files, identity, case.address, proof)
    if grant is None:
        return None
    command = grant.terms.command or OWN_COMMAND
    return Verdict(grant.terms.pty, said(command) if case.is_run else None)


def said(command: str) -> str:
    """Run a command as sshd does."""
    finished = subprocess.run([SHELL, "-c", command], check=True, capture_output=True, text=True)
    return finished.stdout


def both_take(
    sshd: RealSshd, files: Files, offers: Iterable[Identity], address: str = LOOPBACK
) -> list[tuple[bool, bool]]:
    """Say of each offer whether we take it, and whether sshd does, with the files of the moment."""
    ours: list[bool] = []

    def asked_here_first() -> Iterator[Identity]:
        for identity in offers:
            ours.append(decided_here(files, identity, address) is not None)
            yield identity

    theirs = sshd.accepts(files, asked_here_first(), address=address)
    return list(zip(ours, theirs, strict=True))


def test_each_login_has_a_name_of_its_own() -> None:
    assert len(LOGINS) == len(_LOGINS)


class TestEveryDecision:
    @pytest.mark.parametrize("table", OFFERS)
    def test_on_an_offer_is_sshds(
        self, table: str, sshd: RealSshd, wallet: Wallet, files: Files
    ) -> None:
        if "IPv6" in table and not has_ipv6():
            pytest.skip("there is no IPv6 here")
        setting = attrgetter("setting")
        disagreements = []
        for (address, *_), alike in groupby(sorted(OFFERS[table], key=setting), setting):
            cases = list(alike)
            cases[0].write(files, USER, wallet)
            taken = both_take(sshd, files, offered(cases, files, wallet), address)
            disagreements += [
                (case.name, f"{ours=}", f"{theirs=}")
                for case, (ours, theirs) in zip(cases, taken, strict=True)
                if ours != (case.ours is not None) or not case.may_be_taken(taken=theirs)
            ]
        assert disagreements == []

    @pytest.mark.parametrize("name", LOGINS)
    def test_on_a_login_is_sshds(
        self, name: str, sshd: RealSshd, wallet: Wallet, files: Files
    ) -> None:
        case = LOGINS[name]
        case.write(files, USER, wallet)
        identity = case.offer(wallet)
        theirs = sshd.log_in(files, identity, address=case.address, run=case.is_run)
        assert logged_in_here(files, case, identity) == case.ours
        assert theirs == case.sshd, sshd.tail()

    @pytest.mark.parametrize("name", AT_THE_DOOR)
    def test_is_the_same_at_the_door(self, name: str, server: RealServer, wallet: Wallet) -> None:
        case = LOGINS[name]
        case.write(Files(server.site.keys_dir), USER, wallet)
        with connect(server.ssh_port) as connection:
            assert log_in(connection, case.offer(wallet)) == case.ours


def offered(cases: Iterable[Case], files: Files, wallet: Wallet) -> Iterator[Identity]:
    for case in cases:
        case.write(files, USER, wallet)
        yield case.offer(wallet)


class TestWeNeverTakeWhatSshdRefuses:
    """Asked in one go, because a question costs milliseconds and a connection tens of them."""

    def test_whatever_the_options(self, sshd: RealSshd, wallet: Wallet, files: Files) -> None:
        texts = examples(option_texts(), QUESTIONS)
        line, identity = wallet.line("key"), key()(wallet)

        def offers() -> Iterator[Identity]:
            for text in texts:
                (files.users / USER).write_text(f"{text} {line}\n", encoding="utf-8", newline="")
                yield identity

        assert too_much(both_take(sshd, files, offers()), texts) == []

    def test_whatever_the_certificate(self, sshd: RealSshd, wallet: Wallet, files: Files) -> None:
        drafts = examples(draft_fields(), QUESTIONS)
        files.authorities.write_text(f"{wallet.line('draft_ca')}\n", encoding="utf-8")
        offers = (drafted(**{"principals": (USER.encode(),), **draft})(wallet) for draft in drafts)
        assert too_much(both_take(sshd, files, offers), drafts) == []

    def test_whatever_the_revocation_list(
        self, sshd: RealSshd, wallet: Wallet, files: Files
    ) -> None:
        revoked = krl("serial: 5-9\nid: x\nkey: {other}\nsha256: {rsa_2048}", "-s", "ca")(wallet)
        contents = examples(changed_bytes(revoked), QUESTIONS)
        identity = key()(wallet)
        (files.users / USER).write_text(f"{wallet.line('key')}\n", encoding="utf-8")
        files.revoked.write_bytes(revoked)

        def offers() -> Iterator[Identity]:
            for content in contents:
                files.revoked.write_bytes(content)
                yield identity

        assert too_much(both_take(sshd, files, offers()), contents) == []


def too_much(taken: list[tuple[bool, bool]], asked: list[T]) -> list[T]:
    """Return what only we take, after a look whether anything is taken, and refused, at all."""
    assert {(True, True), (False, False)} <= set(taken)
    return [each for each, (ours, theirs) in zip(asked, taken, strict=True) if ours and not theirs]
