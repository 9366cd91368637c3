"""The tables of keys agree with each other."""

from __future__ import annotations

from conch_insults.core import keys
from conch_insults.core.keys import Key


def test_every_key_can_be_pressed() -> None:
    tables = (keys.CONTROLS, keys.ALT, keys.CSI_FINALS, keys.SS3_FINALS, keys.CSI_TILDES)
    pressed = {key for table in tables for key in table.values()} | set(keys.WORDWISE.values())
    assert pressed == set(Key)


def test_only_control_characters_are_control_keys() -> None:
    assert all(byte < 0x20 or byte == 0x7F for byte in keys.CONTROLS)


def test_application_mode_sends_the_same_finals_as_normal_mode() -> None:
    assert keys.CSI_FINALS.items() <= keys.SS3_FINALS.items()
