"""Bytes in, keys out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.key_decoder import KeyDecoder
from conch_insults.core.keys import Key, KeyEvent
from conch_insults.core.printable import printable

ESC = b"\x1b"
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"


def decode(*chunks: bytes) -> list[KeyEvent]:
    """Return the keys of the chunks, with text that came in pieces joined."""
    decoder = KeyDecoder()
    events: list[KeyEvent] = []
    for chunk in chunks:
        for event in decoder.feed(chunk):
            if isinstance(event, str) and events and isinstance(events[-1], str):
                events[-1] += event
            else:
                events.append(event)
    return events


def decode_bytewise(data: bytes) -> list[KeyEvent]:
    return decode(*(bytes([byte]) for byte in data))


class TestText:
    def test_utf8_may_be_split_anywhere(self) -> None:
        assert decode_bytewise("aé日🚀".encode()) == ["aé日🚀"]

    @pytest.mark.parametrize("junk", [b"\xff", b"\xc3(", b"\xed\xa0\x80"])
    def test_invalid_bytes_become_replacement_characters(self, junk: bytes) -> None:
        events = decode(b"a" + junk + b"b")
        assert len(events) == 1
        assert isinstance(events[0], str)
        assert "\ufffd" in events[0]
        assert events[0][0] + events[0][-1] == "ab"

    def test_a_control_character_ends_an_unfinished_character(self) -> None:
        assert decode(b"\xe2\x82", b"\r") == ["\ufffd", Key.ENTER]

    def test_nothing_a_terminal_acts_on_is_text(self) -> None:
        assert decode("a\x9b1m\u202eb\u2028c".encode()) == ["a1mbc"]
        assert decode("\u202e".encode()) == []


class TestEnter:
    @pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\r\0"])
    def test_is_one_key_however_it_is_sent_and_split(self, ending: bytes) -> None:
        assert decode(b"a" + ending + b"b") == ["a", Key.ENTER, "b"]
        assert decode_bytewise(b"a" + ending + b"b") == ["a", Key.ENTER, "b"]

    def test_twice_is_two_keys(self) -> None:
        for endings in (b"\r\r", b"\n\n", b"\r\n\r\n", b"\r\n\n"):
            assert decode(endings) == [Key.ENTER, Key.ENTER]

    def test_a_newline_after_another_key_counts(self) -> None:
        assert decode(b"\r\x1b[C\n") == [Key.ENTER, Key.RIGHT, Key.ENTER]
        assert decode(b"\rx\n") == [Key.ENTER, "x", Key.ENTER]


SEQUENCES = [
    (b"\x1b[A", Key.UP),
    (b"\x1bOA", Key.UP),
    (b"\x1b[B", Key.DOWN),
    (b"\x1bOB", Key.DOWN),
    (b"\x1b[C", Key.RIGHT),
    (b"\x1bOC", Key.RIGHT),
    (b"\x1b[D", Key.LEFT),
    (b"\x1bOD", Key.LEFT),
    (b"\x1b[1;2D", Key.LEFT),
    (b"\x1b[1;5D", Key.WORD_LEFT),
    (b"\x1b[1;3D", Key.WORD_LEFT),
    (b"\x1b[1;5C", Key.WORD_RIGHT),
    (b"\x1bO5C", Key.WORD_RIGHT),
    (b"\x1bOd", Key.WORD_LEFT),
    (b"\x1b[1;5A", Key.UP),
    (b"\x1b[H", Key.HOME),
    (b"\x1bOH", Key.HOME),
    (b"\x1b[1~", Key.HOME),
    (b"\x1b[7~", Key.HOME),
    (b"\x1b[1;5H", Key.HOME),
    (b"\x1b[F", Key.END),
    (b"\x1bOF", Key.END),
    (b"\x1b[4~", Key.END),
    (b"\x1b[8~", Key.END),
    (b"\x1b[3~", Key.DELETE),
    (b"\x1b[3;5~", Key.DELETE),
    (b"\x1bOM", Key.ENTER),
    (b"\x1bb", Key.WORD_LEFT),
    (b"\x1bf", Key.WORD_RIGHT),
    (b"\x1bd", Key.KILL_WORD_RIGHT),
    (b"\x1b\x7f", Key.KILL_WORD_LEFT),
    (b"\x08", Key.BACKSPACE),
    (b"\x7f", Key.BACKSPACE),
    (b"\x03", Key.INTERRUPT),
    (b"\x04", Key.DELETE_OR_LEAVE),
    (b"\t", Key.TAB),
    (b"\x07", Key.CANCEL),
    (b"\x12", Key.SEARCH),
    (b"\x1f", Key.UNDO_KILL),
]
# Each is followed by nothing, however it is cut in two.
SWALLOWED = [
    b"\x00",
    b"\x1a",
    b"\x1b[2~",
    b"\x1b[15~",
    b"\x1b[24;5~",
    b"\x1b[I",
    b"\x1b[?1;2c",
    b"\x1b[>0;276;0c",
    b"\x1b[97;5u",
    b"\x1b[<0;12;7M",
    b"\x1b[ q",
    b"\x1bOP",
    b"\x1bx",
    b"\x1b[M !!",
    b"\x1b[M\x60\xff\xfe",
    b"\x1b[[A",
    b"\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1bP>|XTerm(390)\x1b\\",
    b"\x1b_Gi=1;OK\x1b\\",
    b"\x1b^private\x1b\\",
    "\x1b]0;título 日本\x1b\\".encode(),
]


class TestSequences:
    @pytest.mark.parametrize(("data", "key"), SEQUENCES)
    def test_are_keys_however_they_are_split(self, data: bytes, key: Key) -> None:
        assert decode(b"a" + data + b"b") == ["a", key, "b"]
        assert decode_bytewise(b"a" + data + b"b") == ["a", key, "b"]

    @pytest.mark.parametrize("data", SWALLOWED)
    def test_that_mean_nothing_here_are_swallowed_whole(self, data: bytes) -> None:
        whole = b"a" + data + b"b"
        for cut in range(len(whole) + 1):
            assert decode(whole[:cut], whole[cut:]) == ["ab"]

    @pytest.mark.parametrize("key", [b"x", b"P", b"]", b"_"])
    def test_a_lone_escape_swallows_no_more_than_the_next_key(self, key: bytes) -> None:
        assert decode(ESC, key, b"erl", b"\r") == ["erl", Key.ENTER]

    def test_an_escape_before_another_sequence_changes_nothing(self) -> None:
        assert decode(ESC + ESC + b"[D") == [Key.LEFT]
        assert decode(ESC, "é".encode()) == ["é"]

    @pytest.mark.parametrize(
        "opening", [ESC, b"\x1b[", b"\x1b[1;", b"\x1bO", b"\x1b]0;ti", b"\x1bPq", b"\x1b[M!"]
    )
    def test_no_broken_sequence_eats_an_enter_or_an_interrupt(self, opening: bytes) -> None:
        assert decode(opening + b"\r") == [Key.ENTER]
        assert decode(opening + b"\x03a") == [Key.INTERRUPT, "a"]

    def test_a_byte_that_cannot_end_a_sequence_is_a_key(self) -> None:
        assert decode(b"\x1b[1\x7f") == [Key.BACKSPACE]
        assert decode("\x1b[1é".encode()) == ["é"]

    @pytest.mark.parametrize("opening", [b"\x1b[", b"\x1b[?", b"\x1bO", b"\x1b]", b"\x1bP"])
    def test_an_endless_sequence_is_dropped_without_being_kept(self, opening: bytes) -> None:
        decoder = KeyDecoder()
        assert list(decoder.feed(opening)) == []
        for _ in range(100):
            assert list(decoder.feed(b"1;" * 500)) == []
            assert kept(decoder) < 100
        assert list(decoder.feed(b"D\x07\x1b\\b"))[-1] == "b"

    def test_an_overlong_sequence_is_not_the_key_it_begins_like(self) -> None:
        assert decode(b"\x1b[" + b"1" * 100_000 + b"D!") == ["!"]
        assert decode(b"\x1b[" + b"0" * 32 + b"D") == [Key.LEFT]


class TestPaste:
    def test_is_text_however_it_is_split(self) -> None:
        assert decode(PASTE + b"perl" + PASTED) == ["perl"]
        assert decode_bytewise(PASTE + b"perl" + PASTED) == ["perl"]

    def test_line_breaks_are_one_newline_and_run_nothing(self) -> None:
        assert decode(PASTE + b"a\r\nb\n\n\tc\r" + PASTED + b"d\r") == ["a\nb\ncd", Key.ENTER]
        assert decode_bytewise(PASTE + b"a\r\nb" + PASTED) == ["a\nb"]

    def test_tabs_are_one_space(self) -> None:
        assert decode(PASTE + b"a\t\tb\t\nc\t" + PASTED + b"d") == ["a b\ncd"]

    def test_keys_inside_do_not_act(self) -> None:
        assert decode(PASTE + b"a\x04\x15\x1b[D\x1bOD\x1bd\x1b[3~b" + PASTED) == ["ab"]

    def test_an_interrupt_ends_one_whose_end_was_lost(self) -> None:
        assert decode(PASTE + b"a\n\x03b\r") == ["a", Key.INTERRUPT, "b", Key.ENTER]

    def test_an_end_without_a_beginning_is_nothing(self) -> None:
        assert decode(b"a" + PASTED + b"b\r") == ["ab", Key.ENTER]


class TestWhatIsLeft:
    @pytest.mark.parametrize(
        ("data", "left"),
        [
            (b"a\r", [True, False]),
            (b"a\r\n", [True, False]),
            (b"a\r\0", [True, False]),
            (b"\r\nb", [True, False]),
            (b"\r\n\r\n", [True, False]),
            (b"\n\n", [True, False]),
            (b"\r\x1b[A", [True, False]),
        ],
    )
    def test_is_known_with_each_key(self, data: bytes, left: list[bool]) -> None:
        decoder = KeyDecoder()
        assert [decoder.has_more for _ in decoder.feed(data)] == left
        assert not decoder.has_more


def kept(decoder: KeyDecoder) -> int:
    """Return the size of everything the decoder remembers."""
    pending, _ = decoder._utf8.getstate()
    return len(decoder._parameters) + len(pending)


FRAGMENTS = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([data for data, _ in SEQUENCES] + SWALLOWED + [ESC, PASTE, PASTED, b"\x1b["]),
    st.text(max_size=5).map(lambda text: text.encode(errors="surrogatepass")),
)


@given(st.lists(FRAGMENTS, max_size=30), st.integers(1, 7))
@settings(deadline=None, max_examples=200)
def test_any_bytes_in_any_pieces_are_keys_and_printable_text(
    fragments: list[bytes], size: int
) -> None:
    data = b"".join(fragments)
    decoder = KeyDecoder()
    for start in range(0, len(data), size):
        for event in decoder.feed(data[start : start + size]):
            assert isinstance(event, Key) or event.replace("\n", "") == printable(event) != ""
        assert kept(decoder) < 40


@given(st.lists(FRAGMENTS.filter(lambda data: not data.endswith(ESC)), max_size=20), st.data())
@settings(deadline=None, max_examples=200)
def test_reading_in_two_pieces_changes_nothing_but_a_lone_escape(
    fragments: list[bytes], draw: st.DataObject
) -> None:
    data = b"".join(fragments)
    cut = draw.draw(st.integers(0, len(data)).filter(lambda at: data[at - 1 : at] != ESC))
    assert decode(data[:cut], data[cut:]) == decode(data)
