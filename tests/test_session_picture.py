"""The README's transcript and its picture are of a session that a real `ssh` has had."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from conch_insults.core.packs import builtin_pack
from docs.session_picture import COMMAND, PICTURE, README, as_svg, as_text, play, with_transcript
from tests.real_server import needs_openssh

PAGE = README.read_text(encoding="utf-8")
TRANSCRIPT = PAGE.split("```console\n")[1].split("```\n")[0]
PACK = builtin_pack()
SVG = "{http://www.w3.org/2000/svg}"


def answers(transcript: str) -> dict[str, str]:
    """Return what came between one prompt and the next, as one line, by what was typed."""
    _, *turns = re.split(r"^> ", transcript, flags=re.MULTILINE)
    return {line: " ".join(rows.split("\n")).strip() for line, _, rows in map(_parted, turns)}


def _parted(turn: str) -> tuple[str, str, str]:
    return turn.partition("\n")


def pictured(picture: str) -> list[str]:
    """Return the rows of a picture that have something in them."""
    rows = ET.fromstring(picture).iter(f"{SVG}text")
    return ["".join(span.text or "" for span in row) for row in rows]


def check(transcript: str) -> None:
    assert transcript.startswith(f"{COMMAND}\nOh. It's you, alice.\n")
    said = answers(transcript)
    assert said["perl"] in PACK.texts("perl")
    assert said["powerpoint"] in PACK.texts("powerpoint")
    assert "kubernets" in said["kubernets"]
    assert said["kubernets"].endswith("(Did you mean kubernetes?)")
    assert "powerpoint" in said["po"].split()
    assert set(said["po"].split()) <= set(PACK.topics())
    assert "fax machines" in said["fax machines"]
    assert "from the pack" in said["why"]
    assert said["quit"] == "Goodbye, loser."


def test_the_readme_shows_what_could_be_said_today() -> None:
    check(TRANSCRIPT)


def test_the_picture_shows_what_the_readme_says() -> None:
    assert pictured(PICTURE.read_text(encoding="utf-8")) == TRANSCRIPT.splitlines()


@needs_openssh
def test_a_session_can_be_played_again() -> None:
    rows = play()
    assert play() == rows
    check(as_text(rows))
    picture = as_svg(rows)
    assert pictured(picture) == as_text(rows).splitlines()
    assert len(re.findall(r'fill="#\w+" font-weight="bold">&gt; <', picture)) == len(
        answers(TRANSCRIPT)
    )
    page = with_transcript(PAGE, rows)
    assert as_text(rows) in page
    assert page.replace(as_text(rows), TRANSCRIPT) == PAGE


def test_a_page_without_a_transcript_stays_as_it_is() -> None:
    assert with_transcript("# Nothing\n", []) == "# Nothing\n"
