from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.authorized_keys import (
    MAXIMUM_FILE_BYTES,
    MAXIMUM_KEYS,
    MAXIMUM_LINE_BYTES,
    MAXIMUM_PROBLEMS,
    Entry,
    KeyFile,
    KeyRules,
    key_in_line,
    parse_file,
    parse_line,
)
from conch_insults.access.key_options import KeyOptions, parse_options
from conch_insults.errors import PublicKeyError
from tests.sample_keys import private_key_text, public_key, public_rsa_key

KEY = public_key(1, "alice@home")
LINE = KEY.line


class TestLine:
    def test_a_key(self) -> None:
        assert parse_line(LINE.encode(), 7) == Entry(KEY, 7)

    @pytest.mark.parametrize("line", [b"", b" \t ", b"\r\n", b"# ssh-ed25519", b"  #x", b"\n"])
    def test_nothing(self, line: bytes) -> None:
        assert parse_line(line, 1) is None

    @pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " \t{}\t ", "{} \r"])
    def test_blanks_around_do_not_count(self, around: str) -> None:
        assert parse_line(around.format(LINE).encode(), 1) == Entry(KEY, 1)

    @pytest.mark.parametrize("around", ["\r{}", "\v{}", "\u00a0{}", "\ufeff{}"])
    def test_anything_else_before_the_key_is_an_option(self, around: str) -> None:
        with pytest.raises(PublicKeyError, match="is not understood here"):
            parse_line(around.format(LINE).encode(), 1)

    @pytest.mark.parametrize(
        "options",
        [
            "restrict",
            "no-port-forwarding,no-agent-forwarding,No-X11-Forwarding",
            'from="10.0.0.0/8"',
            'restrict,command="say \\"a b, c\\" twice",pty',
            'command="a \\"b c"',
            'command="tab\there"',
            'cert-authority,principals="alice,bob"',
            'rating@conch-insults="pg",role@conch-insults="operator"',
            "restrict,",
            ",restrict",
            ",",
        ],
    )
    @pytest.mark.parametrize("blank", [" ", "\t", " \t "])
    def test_options_before_the_key(self, options: str, blank: str) -> None:
        entry = parse_line(f"{options}{blank}{LINE}".encode(), 1)
        assert entry == Entry(KEY, 1, parse_options(options))
        assert entry.options != KeyOptions()
        assert entry.text == f"{options} {LINE}"

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ('frm="10.0.0.0/8"', "option 'frm' is not understood here"),
            ("restrict, pty", "unknown key type 'pty'"),
            ("restrict\r", "option 'restrict\\\\r' is not understood here"),
            ("restrict \r", "a carriage return stands before the key"),
            ('"restrict pty"', "option '\"restrict pty\"' is not understood here"),
            ("restrict\x1b[2J", r"option 'restrict\\x1b\[2J' is not understood here"),
            ('principals="alice"', "option 'principals' means nothing without 'cert-authority'"),
            ('from="10.0.0.1/8"', "option 'from': '10.0.0.1/8' is no network"),
            ("o" * 50, "what stands here is not understood here"),
        ],
    )
    def test_an_option_that_is_none_refuses_the_line(self, options: str, said: str) -> None:
        with pytest.raises(PublicKeyError, match=said):
            parse_line(f"{options} {LINE}".encode(), 1)

    def test_the_rules_say_what_is_permitted(self) -> None:
        raw = f'environment="LANG=C" {LINE}'.encode()
        entry = parse_line(raw, 1, rules=KeyRules(permitted_environment=frozenset({"LANG"})))
        assert entry
        assert entry.options.environment == (("LANG", "C"),)
        with pytest.raises(PublicKeyError, match=r"access\.permit_environment"):
            parse_line(raw, 1)

    def test_the_rules_say_how_long_an_rsa_key_is(self) -> None:
        raw = public_rsa_key().line.encode()
        assert parse_line(raw, 1) == Entry(public_rsa_key(), 1)
        with pytest.raises(PublicKeyError, match="RSA key of 2048 bits is too weak, 3072"):
            parse_line(raw, 1, rules=KeyRules(minimum_rsa_bits=3072))

    def test_a_certificate_is_no_key(self) -> None:
        line = LINE.replace("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com")
        for options in ("", "restrict ", "cert-authority "):
            with pytest.raises(PublicKeyError, match="certificates are not accepted"):
                parse_line(f"{options}{line}".encode(), 1)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (f'command="x {LINE}'.encode(), "a double quote is opened and never closed"),
            (f'command="x\\" {LINE}'.encode(), "a double quote is opened and never closed"),
            (b"restrict", "unknown key type ''"),
            (b"ssh-foo AAAA", "unknown key type 'ssh-foo'"),
            (f"restrict {LINE[:40]}".encode(), "key is"),
            (LINE.encode() + b" caf\xe9", "line is not UTF-8 text"),
            (LINE.encode() + b" \0", "line has a zero byte"),
            (b"#" * (MAXIMUM_LINE_BYTES + 1), "line is longer than 16384 bytes"),
            (private_key_text(1).split(b"\n")[0], "that is a private key"),
        ],
    )
    def test_what_is_wrong_is_said(self, line: bytes, said: str) -> None:
        with pytest.raises(PublicKeyError, match=said):
            parse_line(line, 1)

    @given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
    @settings(deadline=None, max_examples=200)
    def test_no_bytes_surprise_it(self, raw: bytes) -> None:
        try:
            entry = parse_line(raw, 1)
        except PublicKeyError:
            entry = None
        assert entry is None

    @given(st.text(alphabet='ab"\\, \t=', max_size=30))
    @settings(deadline=None, max_examples=200)
    def test_no_quotes_nor_backslashes_hide_an_option(self, options: str) -> None:
        """Nothing but commas is nothing, in front of a key that is good."""
        written = options.strip(" \t")
        if set(written) <= {","}:
            assert parse_line(f"{options} {LINE}".encode(), 1) == Entry(KEY, 1, KeyOptions(written))
        else:
            with pytest.raises(PublicKeyError):
                parse_line(f"{options} {LINE}".encode(), 1)

    @given(
        st.lists(
            st.sampled_from(
                [
                    *("restrict", "pty", "cert-authority", 'from="10.0.0.1"', 'command="a \\" b"'),
                    *('principals="a"', 'tunnel="any"', '"', "\\", " ", "\t", ",", "=", "\r", "#"),
                    *("ssh-ed25519", LINE, 'rating@conch-insults="r"', "\u00e9"),
                ]
            ),
            max_size=9,
        ).map("".join)
    )
    @settings(deadline=None, max_examples=300)
    def test_what_is_understood_is_written_as_it_was_read(self, line: str) -> None:
        try:
            entry = parse_line(f"{line} {LINE}".encode(), 1)
        except PublicKeyError:
            entry = None
        if entry:
            assert parse_line(entry.text.encode(), 1) == entry


class TestKeyInLine:
    def test_it_is_found_behind_any_options(self) -> None:
        assert key_in_line(LINE.encode()) == KEY
        assert key_in_line(f'from="a, b",command="c \\" d" {LINE}\n'.encode()) == KEY
        assert key_in_line(f'rubbish,frm="a b",="" {LINE}\n'.encode()) == KEY

    @pytest.mark.parametrize("line", [b"", b"# nothing", b"\xff", b'from="', b"ssh-rsa AAAA"])
    def test_there_may_be_none(self, line: bytes) -> None:
        assert key_in_line(line) is None


class TestFile:
    def test_a_bad_line_disables_no_other(self) -> None:
        other = public_key(2, "bob")
        content = f"# team\n\n{LINE}\nrubbish\nrestrict {other.line}".encode()
        assert parse_file(content, "keys/alice") == KeyFile(
            (Entry(KEY, 3), Entry(other, 5, parse_options("restrict"))),
            ("keys/alice:4: option 'rubbish' is not understood here, so this line lets nobody in",),
        )

    def test_an_empty_file_has_nothing(self) -> None:
        assert parse_file(b"", "x") == KeyFile()

    def test_a_carriage_return_ends_no_line(self) -> None:
        parsed = parse_file(f"# {LINE}\r{LINE}\r\n{LINE}\r\n".encode(), "x")
        assert [entry.line for entry in parsed.entries] == [2]

    def test_the_rules_hold_for_every_line(self) -> None:
        content = f"{public_rsa_key().line}\n{LINE}".encode()
        parsed = parse_file(content, "x", rules=KeyRules(minimum_rsa_bits=4096))
        assert [entry.line for entry in parsed.entries] == [2]
        assert parsed.problems[0].startswith("x:1: RSA key of 2048 bits is too weak")

    def test_the_same_key_may_be_on_two_lines(self) -> None:
        parsed = parse_file(f"{LINE}\n{LINE}\n".encode(), "x")
        assert [entry.line for entry in parsed.entries] == [1, 2]

    def test_a_huge_file_is_not_used(self) -> None:
        parsed = parse_file(f"{LINE}\n".encode() + b"\n" * MAXIMUM_FILE_BYTES, "keys/alice")
        assert parsed == KeyFile(
            problems=("keys/alice: is larger than 1048576 bytes: none of its keys is used",)
        )

    def test_too_many_keys_are_not_used(self) -> None:
        parsed = parse_file(f"{LINE}\n".encode() * (MAXIMUM_KEYS + 2), "x")
        assert len(parsed.entries) == MAXIMUM_KEYS
        assert parsed.problems == (
            "x:1025: more than 1024 keys in one file",
            "x:1026: more than 1024 keys in one file",
        )

    def test_too_many_problems_are_counted(self) -> None:
        parsed = parse_file(b"x\n" * (MAXIMUM_PROBLEMS + 3) + LINE.encode(), "k")
        assert len(parsed.problems) == MAXIMUM_PROBLEMS + 1
        assert parsed.problems[-1] == "k: 3 more lines cannot be used"
        assert [entry.key for entry in parsed.entries] == [KEY]

    @given(st.lists(st.sampled_from([LINE, "", "# note", "bad", 'x="', f"restrict {LINE}"])))
    @settings(deadline=None, max_examples=100)
    def test_every_line_is_an_entry_a_problem_or_nothing(self, lines: list[str]) -> None:
        parsed = parse_file("\n".join(lines).encode(), "f")
        assert [entry.line for entry in parsed.entries] == [
            number for number, line in enumerate(lines, 1) if line.endswith(LINE)
        ]
        assert [int(problem.split(":")[1]) for problem in parsed.problems] == [
            number for number, line in enumerate(lines, 1) if line in {"bad", 'x="'}
        ]
