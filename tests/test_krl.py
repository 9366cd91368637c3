from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conch_insults.access import krl as krl_module
from conch_insults.access.krl import (
    MAGIC,
    MAXIMUM_BITMAP_BYTES,
    MAXIMUM_KRL_BYTES,
    KeyRevocationList,
    parse_krl,
)
from conch_insults.errors import KeyFileError
from tests.real_keygen import NEEDS_KEYGEN, Keygen, blob_of, certificate_of

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.certificate import Certificate

pytestmark = NEEDS_KEYGEN

LARGEST = 2**64 - 1


class World(NamedTuple):
    """Two authorities, keys of every kind, and certificates for them."""

    keygen: Keygen
    offered: list[Path]

    def fill(self, text: str) -> str:
        """Put keys and fingerprints into directives: `{alice}` and `{alice.print}`."""
        for path in self.offered:
            if path.stem in ("alice", "bob", "carol", "ca"):
                listed = self.keygen.run("-l", "-f", path.name).split()[1]
                text = text.replace(f"{{{path.stem}.print}}", listed)
                text = text.replace(f"{{{path.stem}}}", path.read_text().strip())
        return text

    def certificate(self, name: str) -> Certificate:
        certificate = certificate_of(self.keygen.folder / f"{name}-cert.pub")
        assert certificate is not None
        return certificate


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    keygen = Keygen(tmp_path_factory.mktemp("krl"))
    keygen.key("ca")
    keygen.key("other", "-t", "rsa", "-b", "2048")
    alice = keygen.key("alice")
    bob = keygen.key("bob", "-t", "ecdsa", "-b", "384")
    carol = keygen.key("carol", "-t", "rsa", "-b", "2048")
    certificates = [
        keygen.certificate(alice, "ca", "alice0", "-I", "alice@work"),
        keygen.certificate(alice, "ca", "alice7", "-I", "alice@work", "-z", "7"),
        keygen.certificate(alice, "ca", "alice9", "-I", "alice", "-z", "9"),
        keygen.certificate(bob, "ca", "bob8", "-I", "bob ü", "-z", "8"),
        keygen.certificate(bob, "ca", "bobmax", "-I", "bob", "-z", str(LARGEST)),
        keygen.certificate(bob, "other", "bob7", "-I", "alice", "-z", "7"),
        keygen.certificate(carol, "other", "carol40", "-I", "", "-z", "40"),
    ]
    plain = [keygen.folder / f"{name}.pub" for name in ("alice", "bob", "carol", "ca", "other")]
    return World(keygen, [*plain, *certificates])


def is_revoked(krl: KeyRevocationList, path: Path) -> bool:
    """Ask for everything that makes sshd refuse (krl.c, ssh_krl_check_key)."""
    certificate = certificate_of(path)
    if certificate is None:
        return krl.key_reason(blob_of(path)) is not None
    reasons = (
        krl.key_reason(certificate.key.blob),
        krl.certificate_reason(certificate),
        krl.key_reason(certificate.authority.blob),
    )
    return any(reason is not None for reason in reasons)


def compare(world: World, path: Path) -> list[str]:
    """Make sure that ssh-keygen agrees on everything; return the names of what is revoked."""
    krl = parse_krl(path.read_bytes())
    ours = [is_revoked(krl, offered) for offered in world.offered]
    assert ours == world.keygen.revoked(path, world.offered)
    return [each.stem for each, said in zip(world.offered, ours, strict=True) if said]


MADE_BY_KEYGEN = {
    "a serial": (["-s", "ca.pub"], "serial: 7", ["alice7-cert"]),
    "a range": (["-s", "ca.pub"], "serial: 8-9", ["alice9-cert", "bob8-cert"]),
    "from one on": (["-s", "ca.pub"], f"serial: 9-{LARGEST}", ["alice9-cert", "bobmax-cert"]),
    "the largest": (["-s", "ca.pub"], f"serial: {LARGEST}", ["bobmax-cert"]),
    "an RSA CA": (["-s", "other.pub"], "serial: 7\nserial: 40", ["bob7-cert", "carol40-cert"]),
    "every CA": (["-s", "none"], "serial: 7", ["alice7-cert", "bob7-cert"]),
    "all but 0": (
        ["-s", "ca.pub"],
        f"serial: 1-{LARGEST}",
        ["alice7-cert", "alice9-cert", "bob8-cert", "bobmax-cert"],
    ),
    "an ID": (["-s", "ca.pub"], "id: alice@work", ["alice0-cert", "alice7-cert"]),
    "an ID of any CA": (["-s", "none"], "id: alice", ["alice9-cert", "bob7-cert"]),
    "an ID not ASCII": (["-s", "none"], "id: bob ü\nid: bo", ["bob8-cert"]),
    "a key": (
        [],
        "key: {alice}",
        ["alice", "alice0-cert", "alice7-cert", "alice9-cert"],
    ),
    "a CA's key": (
        [],
        "key: {ca}",
        ["ca", "alice0-cert", "alice7-cert", "alice9-cert", "bob8-cert", "bobmax-cert"],
    ),
    "a SHA1 fingerprint": ([], "sha1: {carol}", ["carol", "carol40-cert"]),
    "a SHA256 fingerprint": ([], "sha256: {carol}", ["carol", "carol40-cert"]),
    "a hash": ([], "hash: {bob.print}", ["bob", "bob8-cert", "bobmax-cert", "bob7-cert"]),
    "a certificate": (["alice9-cert.pub"], "", ["alice9-cert"]),
    "one without a serial": (["alice0-cert.pub"], "", ["alice0-cert", "alice7-cert"]),
    "nothing": ([], "", []),
    "everything": (
        ["-s", "other.pub", "-z", "5", "alice9-cert.pub"],
        "id: x\nserial: 40\nserial: 70-90\nkey: {alice}\nsha1: {bob}\nhash: {ca.print}",
        None,
    ),
}


class TestMadeByKeygen:
    @pytest.mark.parametrize("name", MADE_BY_KEYGEN)
    def test_a_list_revokes_what_it_does_for_openssh(self, world: World, name: str) -> None:
        options, directives, expected = MADE_BY_KEYGEN[name]
        path = world.keygen.krl("one.krl", world.fill(directives), *options)
        revoked = compare(world, path)
        assert expected is None or revoked == expected

    def test_an_update_adds_to_what_is_there(self, world: World) -> None:
        world.keygen.krl("updated.krl", "serial: 7", "-s", "ca.pub")
        world.keygen.krl("updated.krl", "id: alice", "-u", "-s", "other.pub")
        path = world.keygen.krl("updated.krl", world.fill("key: {carol}"), "-u")
        assert compare(world, path) == ["carol", "alice7-cert", "bob7-cert", "carol40-cert"]

    @settings(max_examples=12, deadline=None)
    @given(
        st.sets(
            st.one_of(st.integers(1, 300), st.integers(5000, 5200), st.integers(1, LARGEST)),
            max_size=200,
        )
    )
    def test_serials_in_whatever_sections_keygen_chooses(
        self, world: World, serials: set[int]
    ) -> None:
        directives = "\n".join(f"serial: {serial}" for serial in serials)
        path = world.keygen.krl("serials.krl", directives, "-s", "ca.pub")
        krl = parse_krl(path.read_bytes())
        certificate = world.certificate("alice7")
        near = {serial + step for serial in serials for step in (-1, 0, 1)} | {0, 1, LARGEST}
        for serial in near:
            reason = krl.certificate_reason(replace(certificate, serial=serial))
            assert reason == (f"certificate serial {serial}" if serial in serials else None)
        compare(world, path)

    def test_a_bitmap_is_among_them(self, world: World) -> None:
        directives = "\n".join(f"serial: {serial}" for serial in range(7, 2000, 2))
        path = world.keygen.krl("bitmap.krl", directives, "-s", "ca.pub")
        assert path.stat().st_size < 1000
        assert compare(world, path) == ["alice7-cert", "alice9-cert"]

    def test_a_bitmap_longer_than_keygen_can_read_itself(self, world: World) -> None:
        directives = "\n".join(f"serial: {serial}" for serial in range(2, 40_000, 2))
        path = world.keygen.krl("long.krl", directives, "-s", "ca.pub")
        assert world.keygen.revoked(path, world.offered) is None
        with pytest.raises(KeyFileError, match="bitmap of more than 2048 bytes, which OpenSSH"):
            parse_krl(path.read_bytes())


def string(content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + content


def section(section_type: int, content: bytes) -> bytes:
    return bytes([section_type]) + string(content)


def uint64(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}Q", *numbers)


def header(version: int = 1, comment: bytes = b"") -> bytes:
    return MAGIC + struct.pack(">LQQQ", version, 1, 2, 3) + string(b"reserved") + string(comment)


def certificates(*details: bytes, authority: bytes = b"") -> bytes:
    return section(1, string(authority) + string(b"reserved") + b"".join(details))


def bitmap(offset: int, digits: bytes) -> bytes:
    return section(0x22, uint64(offset) + string(digits))


def extension(name: bytes, critical: int) -> bytes:
    return string(name) + bytes([critical]) + string(b"contents")


WELL_FORMED = {
    "no section": b"",
    "a comment with a zero byte at its end": header(comment=b"why\0"),
    "sections without content": section(2, b"") + section(3, b"") + section(5, b""),
    "a certificate section without details": certificates(),
    "an ID with a zero byte at its end": certificates(section(0x23, string(b"alice\0"))),
    "IDs of none": certificates(section(0x23, b"")),
    "serials of none": certificates(section(0x20, b"")),
    "serials in disorder": certificates(section(0x20, uint64(9, 7, 7, 8)), section(0x20, b"")),
    "ranges that overlap": certificates(
        section(0x21, uint64(3, 8)), section(0x21, uint64(8, 9)), section(0x21, uint64(1, 3))
    ),
    "a bitmap": certificates(bitmap(7, b"\x05")),
    "a bitmap from 0": certificates(bitmap(0, b"\x01\x80")),
    "a bitmap with leading zeros": certificates(bitmap(5, b"\0\0\0\x05")),
    "a bitmap of nothing": certificates(bitmap(7, b"")),
    "a bitmap that ends with the last serial": certificates(bitmap(LARGEST - 2, b"\x05")),
    "a bitmap as long as may be": certificates(bitmap(7, b"\0" + b"\xff" * MAXIMUM_BITMAP_BYTES)),
    "an extension": section(255, extension(b"x@y", 0)),
    "a certificate extension": certificates(section(0x39, extension(b"x@y", 0))),
    "an empty key": section(2, string(b"")),
}

MALFORMED = {
    "a newer format": header(version=2),
    "an older format": header(version=0),
    "a comment with a zero byte in it": header(comment=b"w\0hy"),
    "a section of an unknown type": section(6, b""),
    "a section of type 0": section(0, b""),
    "a section that is cut short": section(5, b"")[:-1],
    "a section type alone": b"\x02",
    "a section too long for the file": b"\x02\xff\xff\xff\xff",
    "a key that is cut short": section(2, string(b"abc")[:-1]),
    "a short SHA1 fingerprint": section(3, string(bytes(19))),
    "a long SHA1 fingerprint": section(3, string(bytes(32))),
    "a short SHA256 fingerprint": section(5, string(bytes(20))),
    "an empty fingerprint": section(5, string(b"")),
    "certificates without a CA": section(1, b""),
    "certificates without the reserved field": section(1, string(b"")),
    "certificates of an unknown type": certificates(section(0x24, b"")),
    "a CA that is no key": certificates(authority=b"ca"),
    "a CA's key that is cut short": certificates(authority=string(b"ssh-ed25519")),
    "a CA's key that is too long": certificates(
        authority=string(b"ssh-ed25519") + string(bytes(32)) + b"more"
    ),
    "a CA's key of a type that nobody knows": certificates(
        authority=string(b"ssh-ed25518") + string(bytes(32))
    ),
    "a CA's RSA key that is too weak": certificates(
        authority=string(b"ssh-rsa") + string(b"\x03") + string(b"\x01" * 127)
    ),
    "serial 0": certificates(section(0x20, uint64(0))),
    "serial 0 among others": certificates(section(0x20, uint64(5, 0))),
    "half a serial": certificates(section(0x20, uint64(5)[:-1])),
    "a range from 0": certificates(section(0x21, uint64(0, 5))),
    "a range backwards": certificates(section(0x21, uint64(8, 7))),
    "a range without an end": certificates(section(0x21, uint64(8))),
    "a range and more": certificates(section(0x21, uint64(8, 9, 10))),
    "a bitmap with serial 0": certificates(bitmap(0, b"\x01")),
    "a bitmap beyond the last serial": certificates(bitmap(LARGEST, b"\x02")),
    "a bitmap far beyond it": certificates(bitmap(LARGEST - 7, b"\x01\x01")),
    "a bitmap that is negative": certificates(bitmap(7, b"\x80")),
    "a bitmap that is too long": certificates(bitmap(7, b"\x01" + bytes(MAXIMUM_BITMAP_BYTES))),
    "a bitmap with too many zeros": certificates(bitmap(7, bytes(MAXIMUM_BITMAP_BYTES + 2))),
    "a bitmap without an offset": certificates(section(0x22, b"\0\0\0")),
    "a bitmap and more": certificates(section(0x22, uint64(7) + string(b"\x05") + b"more")),
    "an ID with a zero byte in it": certificates(section(0x23, string(b"ali\0ce"))),
    "an ID that is cut short": certificates(section(0x23, string(b"alice")[:-1])),
    "a critical extension": section(255, extension(b"x@y", 1)),
    "a critical extension by another truth": section(255, extension(b"x@y", 2)),
    "an extension and more": section(255, extension(b"x@y", 0) + b"more"),
    "an extension without contents": section(255, string(b"x@y") + b"\0"),
    "a critical certificate extension": certificates(section(0x39, extension(b"x@y", 1))),
    "a certificate extension and more": certificates(section(0x39, extension(b"x@y", 0) + b"more")),
    "a signature that is none": section(4, b"key") + string(b"signature"),
    "bytes after the last section": section(5, b"") + b"\0",
}

# Extensions came with OpenSSH 9.4; one that is older refuses the lists that have any.
UNKNOWN_TO_9_2 = {"an extension", "a certificate extension"}


def whole(content: bytes) -> bytes:
    return content if content.startswith(MAGIC) else header() + content


class TestMadeByHand:
    @pytest.mark.parametrize("name", WELL_FORMED)
    def test_openssh_agrees_on_what_is_well_formed(self, world: World, name: str) -> None:
        path = world.keygen.folder / "hand.krl"
        path.write_bytes(whole(WELL_FORMED[name]))
        if name in UNKNOWN_TO_9_2 and world.keygen.revoked(path, world.offered) is None:
            parse_krl(path.read_bytes())
        else:
            compare(world, path)

    @pytest.mark.parametrize("name", MALFORMED)
    def test_openssh_agrees_on_what_is_malformed(self, world: World, name: str) -> None:
        path = world.keygen.folder / "hand.krl"
        path.write_bytes(whole(MALFORMED[name]))
        with pytest.raises(KeyFileError, match=r"\AKRL .*: make it again with `ssh-keygen -k`\Z"):
            parse_krl(path.read_bytes())
        assert world.keygen.revoked(path, world.offered) is None

    def test_a_signed_list_is_refused_whoever_signed_it(self) -> None:
        with pytest.raises(KeyFileError, match="KRL is signed, which is not supported"):
            parse_krl(header() + section(4, b"key") + string(b"signature"))

    def test_bytes_that_are_no_list(self) -> None:
        with pytest.raises(KeyFileError, match="does not start as one does"):
            parse_krl(b"ssh-ed25519 AAAA")

    def test_a_list_too_large_is_not_looked_at(self) -> None:
        with pytest.raises(KeyFileError, match="KRL is larger than 4194304 bytes"):
            parse_krl(header() + bytes(MAXIMUM_KRL_BYTES))

    @settings(deadline=None)
    @given(
        st.integers(1, LARGEST - 64),
        st.sets(st.integers(0, 63)),
        st.integers(0, 63),
    )
    def test_a_bitmap_holds_its_bits(
        self, world: World, offset: int, bits: set[int], asked: int
    ) -> None:
        number = sum(1 << bit for bit in bits)
        digits = number.to_bytes(number.bit_length() // 8 + 1, "big")
        krl = parse_krl(header() + certificates(bitmap(offset, digits)))
        certificate = replace(world.certificate("alice7"), serial=offset + asked)
        assert (krl.certificate_reason(certificate) is not None) == (asked in bits)

    def test_gaps_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(krl_module, "MAXIMUM_RANGES", 4)
        full = certificates(section(0x20, uint64(1, 2, 3, 5, 7))) + certificates(bitmap(9, b"\x3f"))
        parse_krl(header() + full)
        with pytest.raises(KeyFileError, match="KRL has more than 4 ranges of serial numbers"):
            parse_krl(header() + full + certificates(section(0x20, uint64(20))))


class TestReasons:
    def test_they_name_what_is_listed(self, world: World) -> None:
        directives = "id: alice@work\nserial: 8\nkey: {alice}\nsha1: {bob}\nsha256: {carol}"
        path = world.keygen.krl("reasons.krl", world.fill(directives), "-s", "ca.pub")
        krl = parse_krl(path.read_bytes())
        keys = {each.stem: krl.key_reason(blob_of(each)) for each in world.offered[:4]}
        assert keys == {
            "alice": "key listed in the KRL",
            "bob": "SHA1 fingerprint listed in the KRL",
            "carol": "SHA256 fingerprint listed in the KRL",
            "ca": None,
        }
        assert krl.certificate_reason(world.certificate("alice0")) == "key ID 'alice@work'"
        assert krl.certificate_reason(world.certificate("bob8")) == "certificate serial 8"
        assert krl.certificate_reason(world.certificate("bobmax")) is None

    def test_a_key_id_cannot_talk_to_a_terminal(self, world: World) -> None:
        key_id = "\x1b[2J" + "x" * 100
        krl = parse_krl(header() + certificates(section(0x23, string(key_id.encode()))))
        reason = krl.certificate_reason(replace(world.certificate("alice7"), key_id=key_id))
        assert reason == f"key ID '\\x1b[2J{'x' * 60}'"

    def test_a_ca_is_found_however_its_numbers_are_spelt(self, world: World) -> None:
        authority = world.certificate("bob7").authority.blob
        start = string(b"ssh-rsa") + string(b"\x01\x00\x01")
        assert authority.startswith(start)
        modulus = authority[len(start) + 4 :]
        padded = start + string(b"\0\0" + modulus)
        path = world.keygen.folder / "padded.krl"
        path.write_bytes(header() + certificates(section(0x20, uint64(7)), authority=padded))
        assert compare(world, path) == ["bob7-cert"]


@pytest.fixture(scope="session")
def real(world: World) -> list[bytes]:
    """A list of every directive, and one with every type of serial section."""
    directives = "id: x\nserial: 40\nserial: 70-90\nkey: {alice}\nsha1: {bob}\nhash: {ca.print}\n"
    serials = "\n".join(f"serial: {serial}" for serial in [7, 2**40, *range(2**50, 2**50 + 99, 3)])
    paths = [
        world.keygen.krl("real1.krl", world.fill(directives), "-s", "other.pub"),
        world.keygen.krl("real2.krl", serials, "-s", "ca.pub"),
        world.keygen.krl("real3.krl", "serial: 7\nid: alice", "-s", "none"),
    ]
    return [path.read_bytes() for path in paths]


class TestHostileContent:
    @settings(deadline=None)
    @given(st.data())
    def test_a_list_that_is_cut_short_or_changed_raises_nothing_else(
        self, real: list[bytes], data: st.DataObject
    ) -> None:
        assert "\n" not in complaint(changed(real, data))

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
    @given(st.data())
    def test_a_changed_list_that_is_understood_means_the_same_to_openssh(
        self, world: World, real: list[bytes], data: st.DataObject
    ) -> None:
        content = changed(real, data)
        path = world.keygen.folder / "changed.krl"
        path.write_bytes(content)
        assume(not complaint(content))
        compare(world, path)

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_sections_of_anything_raise_nothing_else(self, content: bytes) -> None:
        for start in (header(), header() + b"\x01\0\0\0\x40" + bytes(8)):
            assert "\n" not in complaint(start + content)


def complaint(content: bytes) -> str:
    """Return what is wrong with a list, "" if nothing is."""
    try:
        parse_krl(content)
    except KeyFileError as error:
        return str(error)
    return ""


def changed(real: list[bytes], data: st.DataObject) -> bytes:
    content = bytearray(data.draw(st.sampled_from(real)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(len(MAGIC), len(content) - 1))
        change = data.draw(st.sampled_from(["set", "flip", "cut", "repeat"]))
        if change == "set":
            content[at] = data.draw(st.integers(0, 255))
        elif change == "flip":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "cut":
            del content[at:]
            content += real[0][:1]
        else:
            content[at:at] = content[at : at + data.draw(st.integers(1, 40))]
    return bytes(content)
