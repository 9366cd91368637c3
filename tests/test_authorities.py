from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.authorities import parse_authorities
from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES, KeyRules
from tests.certificate_authority import KEY_OPTIONS, Authority, needs_ssh_keygen
from tests.sample_keys import public_key, public_rsa_key

if TYPE_CHECKING:
    from pathlib import Path

FIRST = public_key(1, "first")
SECOND = public_key(2, "second")
RSA = public_rsa_key()


def read(content: bytes) -> tuple[dict[bytes, int], tuple[str, ...]]:
    parsed = parse_authorities(content, "user_ca.pub")
    return {blob: entry.line for blob, entry in parsed.value.items()}, parsed.problems


def test_each_key_has_its_line() -> None:
    content = f"# ours\n\n{FIRST.line}\r\n\t{SECOND.line}\n".encode()
    assert read(content) == ({FIRST.blob: 3, SECOND.blob: 4}, ())


def test_of_two_lines_with_one_key_the_first_counts() -> None:
    assert read(f"{FIRST.line}\n{FIRST.line}\n".encode()) == ({FIRST.blob: 1}, ())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"cert-authority {SECOND.line}".encode(), "a line of this file is a key without options"),
        (f'from="*" {SECOND.line}'.encode(), "a line of this file is a key without options"),
        (f"nonsense {SECOND.line}".encode(), "option 'nonsense' is not understood"),
        (b"ssh-ed25519 AAAA", "copy the whole line again"),
        (b"ssh-ed25519-cert-v01@openssh.com AAAA", "certificates are not accepted"),
        (b"ssh-dss AAAA", "too weak"),
        (SECOND.line.encode() + b" caf\xe9", "line is not UTF-8 text"),
        (SECOND.line.encode() + b" \0", "line has a zero byte"),
        (SECOND.line.encode() + b" " + b"x" * 20_000, "line is longer than"),
    ],
)
def test_a_line_that_cannot_be_used_does_not_disable_others(line: bytes, reason: str) -> None:
    lines, problems = read(line + b"\n" + FIRST.line.encode())
    assert lines == {FIRST.blob: 2}
    assert len(problems) == 1
    assert problems[0].startswith("user_ca.pub:1: ")
    assert reason in problems[0]


def test_an_authority_must_be_as_strong_as_a_user() -> None:
    parsed = parse_authorities(RSA.line.encode(), "user_ca.pub", rules=KeyRules(3072))
    assert not parsed.value
    assert "RSA key of 2048 bits is too weak" in parsed.problems[0]


def test_what_is_too_large_is_not_read() -> None:
    content = FIRST.line.encode() + b"\n" * MAXIMUM_FILE_BYTES
    lines, problems = read(content)
    assert not lines
    assert "is larger than" in problems[0]


@pytest.mark.no_cover
def test_a_file_of_nothing_but_problems_does_not_flood_a_log() -> None:
    _, problems = read(b"x\n" * 100_000)
    assert len(problems) <= 101


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_no_content_is_an_error(content: bytes) -> None:
    read(content)


@needs_ssh_keygen
@pytest.mark.parametrize("options", KEY_OPTIONS.values(), ids=list(KEY_OPTIONS))
def test_real_keys_of_every_type_can_be_authorities(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    authority = Authority(tmp_path, "ca", *options)
    lines, problems = read(authority.public.read_bytes())
    assert (list(lines.values()), problems) == ([1], ())
