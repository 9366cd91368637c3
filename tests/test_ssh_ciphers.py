"""Packets, sealed and opened, against each other, against the standards and against asyncssh."""

from __future__ import annotations

import hmac
from typing import NamedTuple

import pytest
from asyncssh.encryption import Encryption, get_encryption
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.poly1305 import Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.ssh.ciphers import (
    AEAD_CIPHERS,
    PLAIN_OPENER,
    PLAIN_SEALER,
    Opener,
    Sealer,
    new_opener,
    new_sealer,
)
from conch_insults.wire import ProtocolError

LIMIT = 2**18
LAST = 2**32 - 1

IV = bytes(range(128))
KEY = bytes(range(64, 192))
INTEGRITY_KEY = bytes(range(128, 256))

MAC_SIZES = {b"hmac-sha2-256-etm@openssh.com": 32, b"hmac-sha2-512-etm@openssh.com": 64}


class Suite(NamedTuple):
    cipher: bytes
    mac: bytes = b""

    @property
    def key_size(self) -> int:
        if self.is_chacha:
            return 64
        return 32 if self.cipher.startswith(b"aes256") else 16

    @property
    def tag_size(self) -> int:
        return MAC_SIZES.get(self.mac, 16)

    @property
    def is_chacha(self) -> bool:
        return self.cipher == b"chacha20-poly1305@openssh.com"

    @property
    def is_gcm(self) -> bool:
        return b"gcm" in self.cipher

    def sealer(self) -> Sealer:
        return new_sealer(self.cipher, self.mac, IV, KEY, INTEGRITY_KEY)

    def opener(self) -> Opener:
        return new_opener(self.cipher, self.mac, IV, KEY, INTEGRITY_KEY)

    def __str__(self) -> str:
        return b"+".join(filter(None, self)).decode()


SUITES = [
    Suite(b"aes256-gcm@openssh.com"),
    Suite(b"aes128-gcm@openssh.com"),
    Suite(b"chacha20-poly1305@openssh.com"),
    *(Suite(cipher, mac) for cipher in (b"aes256-ctr", b"aes128-ctr") for mac in MAC_SIZES),
]

every_suite = pytest.mark.parametrize("suite", SUITES, ids=str)


class ByTheBook:
    """The first packet of a connection, made straight from the standards."""

    def __init__(self, suite: Suite, iv: bytes = IV) -> None:
        self.suite = suite
        self.key = KEY[: suite.key_size]
        self.iv = iv

    def packet(self, sequence: int, contents: bytes) -> bytes:
        """Protect contents, from the size of the padding to the padding itself."""
        length = len(contents).to_bytes(4, "big")
        if self.suite.is_gcm:
            return length + AESGCM(self.key).encrypt(self.iv[:12], contents, length)
        if self.suite.is_chacha:
            return self._chacha(sequence, length, contents)
        aes = Cipher(AES(self.key), CTR(self.iv[:16])).encryptor()
        signed = length + aes.update(contents)
        key = INTEGRITY_KEY[: self.suite.tag_size]
        digest = "sha256" if self.suite.tag_size == 32 else "sha512"
        return signed + hmac.digest(key, sequence.to_bytes(4, "big") + signed, digest)

    def _chacha(self, sequence: int, length: bytes, contents: bytes) -> bytes:
        main, header = self.key[:32], self.key[32:]
        tag_key = self._keystream(main, 0, sequence, bytes(32))
        signed = self._keystream(header, 0, sequence, length)
        signed += self._keystream(main, 1, sequence, contents)
        return signed + Poly1305.generate_tag(tag_key, signed)

    def _keystream(self, key: bytes, block: int, sequence: int, data: bytes) -> bytes:
        nonce = block.to_bytes(8, "little") + sequence.to_bytes(8, "big")
        return Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(data)


def padded(payload: bytes) -> bytes:
    """Pad to a multiple of 16 bytes with at least 4 zeros."""
    size = next(size for size in range(4, 20) if (1 + len(payload) + size) % 16 == 0)
    return bytes([size]) + payload + bytes(size)


def receive(opener: Opener, sequence: int, wire: bytes) -> bytes:
    size = opener.size(sequence, bytearray(wire), LIMIT)
    assert size == len(wire)
    return opener.open(sequence, wire)


class TestRoundTrip:
    @every_suite
    @settings(deadline=None, max_examples=50)
    @given(
        payloads=st.lists(
            st.binary(min_size=1, max_size=100)
            | st.builds(
                lambda piece, size: (piece * size)[:size],
                st.binary(min_size=1, max_size=64),
                st.integers(1, 35_000),
            ),
            min_size=1,
            max_size=4,
        ),
        sequence=st.integers(0, LAST) | st.integers(LAST - 3, LAST),
    )
    def test_what_is_sealed_is_opened(
        self, suite: Suite, payloads: list[bytes], sequence: int
    ) -> None:
        sealer, opener = suite.sealer(), suite.opener()
        for payload in payloads:
            wire = sealer.seal(sequence, payload)
            assert receive(opener, sequence, wire) == payload
            assert payload not in wire or len(payload) < 8
            sequence = (sequence + 1) % 2**32

    @every_suite
    def test_packets_have_the_sizes_that_rfc_4253_demands(self, suite: Suite) -> None:
        for size in range(1, 34):
            wire = suite.sealer().seal(0, bytes(size))
            length = len(wire) - 4 - suite.tag_size
            assert length % 16 == 0
            assert size + 1 + 4 <= length <= size + 1 + 19

    @every_suite
    def test_equal_messages_do_not_look_equal(self, suite: Suite) -> None:
        sealer = suite.sealer()
        wires = [sealer.seal(sequence, b"same") for sequence in range(50)]
        assert len({wire[4:] for wire in wires}) == 50

    def test_cleartext(self) -> None:
        assert PLAIN_SEALER.seal(7, b"\x15") == bytes.fromhex("0000000c 0a 15") + bytes(10)
        assert PLAIN_SEALER.seal(8, b"abc") == bytes.fromhex("0000000c 08 616263") + bytes(8)
        assert PLAIN_SEALER.seal(9, b"7 bytes") == b"\0\0\0\x0c\x04" + b"7 bytes" + bytes(4)
        assert PLAIN_SEALER.seal(9, b"8 bytes.") == b"\0\0\0\x14\x0b" + b"8 bytes." + bytes(11)

    @settings(deadline=None, max_examples=100)
    @given(st.binary(min_size=1, max_size=300))
    def test_cleartext_is_taken_as_it_is(self, payload: bytes) -> None:
        wire = PLAIN_SEALER.seal(0, payload)
        assert len(wire) % 8 == 0
        assert len(wire) >= 16
        assert receive(PLAIN_OPENER, 0, wire) == payload


class TestByTheBook:
    @every_suite
    @pytest.mark.parametrize("size", [1, 10, 11, 12, 15, 16, 17, 200, 32_768])
    def test_the_first_packet(self, suite: Suite, size: int) -> None:
        payload = bytes(i % 251 for i in range(size))
        for sequence in (0, 3, LAST):
            wire = ByTheBook(suite).packet(sequence, padded(payload))
            assert suite.sealer().seal(sequence, payload) == wire
            assert receive(suite.opener(), sequence, wire) == payload

    @pytest.mark.parametrize("suite", [suite for suite in SUITES if suite.is_gcm], ids=str)
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("00010203 0405060708090a0b", "00010203 0405060708090a0c"),
            ("ffffffff 00000000ffffffff", "ffffffff 0000000100000000"),
            ("ffffffff ffffffffffffffff", "ffffffff 0000000000000000"),
        ],
    )
    def test_gcm_counts_by_itself(self, suite: Suite, first: str, second: str) -> None:
        iv = bytes.fromhex(first)
        sealer = new_sealer(suite.cipher, b"", iv + bytes(116), KEY, b"")
        opener = new_opener(suite.cipher, b"", iv + bytes(116), KEY, b"")
        for nonce in (iv, bytes.fromhex(second)):
            wire = ByTheBook(suite, nonce).packet(0, padded(b"counted"))
            # As under strict key exchange, the sequence number starts again.
            assert sealer.seal(0, b"counted") == wire
            assert receive(opener, 0, wire) == b"counted"

    def test_ctr_goes_on_where_the_packet_before_ended(self) -> None:
        suite = Suite(b"aes256-ctr", b"hmac-sha2-256-etm@openssh.com")
        sealer = suite.sealer()
        first, second = sealer.seal(0, b"first"), sealer.seal(1, b"second")
        aes = Cipher(AES(KEY[:32]), CTR(IV[:16])).decryptor()
        assert aes.update(first[4:-32]) == padded(b"first")
        assert aes.update(second[4:-32]) == padded(b"second")

    def test_chacha_depends_on_nothing_but_the_packet_s_number(self) -> None:
        suite = Suite(b"chacha20-poly1305@openssh.com")
        sealer = suite.sealer()
        before = sealer.seal(5, b"again")
        sealer.seal(6, b"something else")
        assert sealer.seal(5, b"again") == before

    @every_suite
    def test_longer_keys_are_cut(self, suite: Suite) -> None:
        iv = IV[: 12 if suite.is_gcm else 16]
        sealer = new_sealer(
            suite.cipher,
            suite.mac,
            iv,
            KEY[: suite.key_size],
            INTEGRITY_KEY[: suite.tag_size],
        )
        assert sealer.seal(0, b"cut") == suite.sealer().seal(0, b"cut")

    def test_those_that_take_no_mac(self) -> None:
        assert {suite.cipher for suite in SUITES if not suite.mac} == AEAD_CIPHERS


class TestAsyncssh:
    def encryption(self, suite: Suite) -> Encryption:
        return get_encryption(
            suite.cipher,
            KEY[: suite.key_size],
            IV[: 12 if suite.is_gcm else 16],
            suite.mac,
            INTEGRITY_KEY[: suite.tag_size],
            etm=True,
        )

    @every_suite
    def test_reads_what_we_seal(self, suite: Suite) -> None:
        sealer, peer = suite.sealer(), self.encryption(suite)
        for sequence, payload in enumerate((b"a", b"more", bytes(32_768), b"and more")):
            wire = sealer.seal(sequence, payload)
            first, rest, tag = wire[:16], wire[16 : -suite.tag_size], wire[-suite.tag_size :]
            first, header = peer.decrypt_header(sequence, first, 4)
            # The encrypted header of ChaCha20 is part of what is signed.
            signed = wire[:16] if suite.is_chacha else first
            contents = peer.decrypt_packet(sequence, signed, rest, 4, tag)
            assert contents == padded(payload)
            assert int.from_bytes(header, "big") == len(contents)

    @every_suite
    def test_seals_what_we_read(self, suite: Suite) -> None:
        opener, peer = suite.opener(), self.encryption(suite)
        for sequence, payload in enumerate((b"a", b"more", bytes(32_768), b"and more")):
            contents = padded(payload)
            length = len(contents).to_bytes(4, "big")
            packet, tag = peer.encrypt_packet(sequence, length, contents)
            assert receive(opener, sequence, packet + tag) == payload


class TestSize:
    @every_suite
    def test_four_bytes_tell(self, suite: Suite) -> None:
        wire = suite.sealer().seal(9, b"somewhat longer than a block")
        opener = suite.opener()
        for end in range(4):
            assert opener.size(9, bytearray(wire[:end]), LIMIT) is None
        for end in range(4, len(wire) + 1):
            assert opener.size(9, bytearray(wire[:end]), LIMIT) == len(wire)
        assert opener.size(9, bytearray(wire + b"the next"), LIMIT) == len(wire)
        # To have asked changes nothing.
        assert opener.open(9, wire) == b"somewhat longer than a block"

    def test_four_bytes_of_cleartext_tell(self) -> None:
        for end in range(4):
            assert PLAIN_OPENER.size(0, bytearray(end), LIMIT) is None
        assert PLAIN_OPENER.size(0, bytearray(b"\0\0\0\x14"), LIMIT) == 24
        assert PLAIN_OPENER.size(0, bytearray(b"\0\0\0\x14" + bytes(99)), LIMIT) == 24

    @every_suite
    @pytest.mark.parametrize("length", [0, 1, 4, 5, 15, 17, 44, LIMIT + 16, 2**31, LAST - 15, LAST])
    def test_bad_lengths(self, suite: Suite, length: int) -> None:
        with pytest.raises(ProtocolError, match=rf"^bad packet length {length}$"):
            suite.opener().size(3, bytearray(self.start(suite, 3, length)), LIMIT)

    @every_suite
    def test_as_much_as_the_limit_and_no_more(self, suite: Suite) -> None:
        start = bytearray(self.start(suite, 3, 4096))
        assert suite.opener().size(3, start, 4096) == 4 + 4096 + suite.tag_size
        with pytest.raises(ProtocolError, match=r"^bad packet length 4096$"):
            suite.opener().size(3, start, 4095)

    @pytest.mark.parametrize("length", [0, 4, 5, 11, 13, 16, LIMIT + 4, LAST - 3, LAST])
    def test_bad_lengths_of_cleartext(self, length: int) -> None:
        with pytest.raises(ProtocolError, match=rf"^bad packet length {length}$"):
            PLAIN_OPENER.size(0, bytearray(length.to_bytes(4, "big")), LIMIT)

    def test_as_much_cleartext_as_the_limit(self) -> None:
        start = bytearray((34_996).to_bytes(4, "big"))
        assert PLAIN_OPENER.size(0, start, 34_996) == 35_000
        with pytest.raises(ProtocolError, match=r"^bad packet length 34996$"):
            PLAIN_OPENER.size(0, start, 34_995)

    def test_chacha_may_pad_to_eight_bytes(self) -> None:
        suite = Suite(b"chacha20-poly1305@openssh.com")
        wire = ByTheBook(suite).packet(0, b"\6\x15" + bytes(6))
        assert receive(suite.opener(), 0, wire) == b"\x15"

    def start(self, suite: Suite, sequence: int, length: int) -> bytes:
        """Return the first four bytes of a packet that claims some length."""
        clear = length.to_bytes(4, "big")
        if not suite.is_chacha:
            return clear
        nonce = bytes(8) + sequence.to_bytes(8, "big")
        return Cipher(ChaCha20(KEY[32:64], nonce), mode=None).encryptor().update(clear)


class TestForgery:
    @every_suite
    def test_any_bit_counts(self, suite: Suite) -> None:
        wire = suite.sealer().seal(1, b"Pay alice 10 pounds.")
        for bit in range(len(wire) * 8):
            forged = bytearray(wire)
            forged[bit // 8] ^= 1 << bit % 8
            with pytest.raises(ProtocolError, match=r"^bad packet integrity$"):
                suite.opener().open(1, bytes(forged))

    @every_suite
    def test_a_packet_cut_short_or_made_longer(self, suite: Suite) -> None:
        wire = suite.sealer().seal(1, b"Pay alice 10 pounds.")
        for other in (*(wire[:end] for end in range(4, len(wire))), wire + b"\0"):
            with pytest.raises(ProtocolError, match=r"^bad packet integrity$"):
                suite.opener().open(1, other)

    @every_suite
    def test_a_packet_sent_again(self, suite: Suite) -> None:
        wire = suite.sealer().seal(LAST, b"Pay alice 10 pounds.")
        opener = suite.opener()
        assert opener.open(LAST, wire) == b"Pay alice 10 pounds."
        with pytest.raises(ProtocolError, match=r"^bad packet integrity$"):
            opener.open(0, wire)

    @every_suite
    def test_a_packet_left_out(self, suite: Suite) -> None:
        sealer, opener = suite.sealer(), suite.opener()
        sealer.seal(0, b"Pay nobody.")
        with pytest.raises(ProtocolError, match=r"^bad packet integrity$"):
            opener.open(1 if suite.is_gcm else 0, sealer.seal(1, b"Pay alice 10 pounds."))

    @every_suite
    def test_other_keys(self, suite: Suite) -> None:
        wire = suite.sealer().seal(0, b"Pay alice 10 pounds.")
        other = new_opener(suite.cipher, suite.mac, IV, KEY[::-1], INTEGRITY_KEY[::-1])
        with pytest.raises(ProtocolError, match=r"^bad packet integrity$"):
            other.open(0, wire)

    @pytest.mark.parametrize("suite", [suite for suite in SUITES if suite.mac], ids=str)
    def test_the_mac_is_checked_before_anything_is_decrypted(self, suite: Suite) -> None:
        wire = suite.sealer().seal(0, b"Pay alice 10 pounds.")
        opener = suite.opener()
        with pytest.raises(ProtocolError):
            opener.open(0, wire[:-1] + bytes([wire[-1] ^ 1]))
        # The keystream has not moved.
        assert opener.open(0, wire) == b"Pay alice 10 pounds."

    @every_suite
    @settings(deadline=None, max_examples=50)
    @given(st.binary(max_size=200), st.integers(0, LAST))
    def test_noise(self, suite: Suite, noise: bytes, sequence: int) -> None:
        opener = suite.opener()
        try:
            size = opener.size(sequence, bytearray(noise), LIMIT)
        except ProtocolError:
            return
        assert size is None or size > 16
        with pytest.raises(ProtocolError):
            opener.open(sequence, noise)


BAD_CONTENTS = [
    ("bad padding length", b"\0" + bytes(15)),
    ("bad padding length", b"\3" + bytes(15)),
    ("packet without payload", b"\x0f" + bytes(15)),
    ("bad padding length", b"\x10" + bytes(15)),
    ("bad padding length", b"\xff" + bytes(15)),
    ("packet without payload", b"\x1f" + bytes(31)),
]


class TestContents:
    @every_suite
    @pytest.mark.parametrize(("reason", "contents"), BAD_CONTENTS)
    def test_bad_contents_under_a_good_tag(
        self, suite: Suite, reason: str, contents: bytes
    ) -> None:
        wire = ByTheBook(suite).packet(0, contents)
        with pytest.raises(ProtocolError, match=f"^{reason}$"):
            receive(suite.opener(), 0, wire)

    @every_suite
    def test_least_and_most_padding(self, suite: Suite) -> None:
        for size, payload in ((4, b"eleven byte"), (255, b"\x15" * 16), (14, b"\x15")):
            wire = ByTheBook(suite).packet(0, bytes([size]) + payload + b"x" * size)
            assert receive(suite.opener(), 0, wire) == payload

    @pytest.mark.parametrize(
        ("reason", "contents"),
        [
            ("bad padding length", b"\3" + bytes(11)),
            ("packet without payload", b"\x0b" + bytes(11)),
            ("bad padding length", b"\x0c" + bytes(11)),
            ("bad padding length", b"\xff" + bytes(11)),
        ],
    )
    def test_bad_cleartext(self, reason: str, contents: bytes) -> None:
        with pytest.raises(ProtocolError, match=f"^{reason}$"):
            receive(PLAIN_OPENER, 0, b"\0\0\0\x0c" + contents)

    @settings(deadline=None, max_examples=200)
    @given(st.binary(min_size=12, max_size=12))
    def test_any_cleartext_is_taken_or_refused(self, contents: bytes) -> None:
        if 4 <= contents[0] <= 10:
            payload = contents[1 : 12 - contents[0]]
            assert PLAIN_OPENER.open(0, b"\0\0\0\x0c" + contents) == payload
        else:
            with pytest.raises(ProtocolError):
                PLAIN_OPENER.open(0, b"\0\0\0\x0c" + contents)
