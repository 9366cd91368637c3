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
    key_in_line,
    parse_file,
    parse_line,
)
from conch_insults.errors import PublicKeyError
from tests.sample_keys import private_key_text, public_key

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

    @pytest.mark.parametrize(
        ("options", "understood"),
        [
            ("restrict", ("restrict",)),
            ("RESTRICT", ("restrict",)),
            (
                "no-port-forwarding,no-agent-forwarding,no-X11-forwarding",
                ("no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding"),
            ),
        ],
    )
    def test_options_that_mean_nothing_here(
        self, options: str, understood: tuple[str, ...]
    ) -> None:
        entry = parse_line(f"{options} \t {LINE}".encode(), 1)
        assert entry == Entry(KEY, 1, understood)
        assert entry.text == f"{','.join(understood)} {LINE}"

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ('from="10.0.0.0/8"', "from"),
            ('restrict,command="say \\"a b, c\\" twice",no-x11-forwarding', "command"),
            ('command="a \\"b c"', "command"),
            ("restrict,pty", "pty"),
            ("no-pty", "no-pty"),
            ("cert-authority", "cert-authority"),
            ("port-forwarding", "port-forwarding"),
            ('restrict="yes"', "restrict"),
            ("restrict,", ""),
            (",restrict", ""),
            ("restrict,,restrict", ""),
            ('"restrict"', '"restrict"'),
            ("restrict\x1b[2J", "restrict\\x1b[2J"),
            ("\ufeffrestrict", "\\ufeffrestrict"),
            ("o" * 50, "o" * 40),
        ],
    )
    def test_any_other_option_refuses_the_line(self, options: str, named: str) -> None:
        with pytest.raises(PublicKeyError) as caught:
            parse_line(f"{options} {LINE}".encode(), 1)
        assert str(caught.value) == (
            f"option '{named}' is not understood here, so this line lets nobody in"
        )

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
    def test_no_options_but_the_understood_let_a_key_in(self, options: str) -> None:
        """Neither quotes nor backslashes hide an option, in front of a key that is good."""
        if options.strip(" \t"):
            with pytest.raises(PublicKeyError):
                parse_line(f"{options} {LINE}".encode(), 1)


class TestKeyInLine:
    def test_it_is_found_behind_any_options(self) -> None:
        assert key_in_line(LINE.encode()) == KEY
        assert key_in_line(f'from="a, b",command="c \\" d" {LINE}\n'.encode()) == KEY

    @pytest.mark.parametrize("line", [b"", b"# nothing", b"\xff", b'from="', b"ssh-rsa AAAA"])
    def test_there_may_be_none(self, line: bytes) -> None:
        assert key_in_line(line) is None


class TestFile:
    def test_a_bad_line_disables_no_other(self) -> None:
        other = public_key(2, "bob")
        content = f"# team\n\n{LINE}\nrubbish\nrestrict {other.line}".encode()
        assert parse_file(content, "keys/alice") == KeyFile(
            (Entry(KEY, 3), Entry(other, 5, ("restrict",))),
            ("keys/alice:4: option 'rubbish' is not understood here, so this line lets nobody in",),
        )

    def test_an_empty_file_has_nothing(self) -> None:
        assert parse_file(b"", "x") == KeyFile()

    def test_a_carriage_return_ends_no_line(self) -> None:
        parsed = parse_file(f"# {LINE}\r{LINE}\r\n{LINE}\r\n".encode(), "x")
        assert [entry.line for entry in parsed.entries] == [2]

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
