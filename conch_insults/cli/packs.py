"""`conch-insults packs`: what there is to say, whether it is fit to be said, and how to carry it.

Turns arguments into calls and results into lines. What is wrong with a pack, and how one is read
or written, must not be known here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from conch_insults.access.durable_files import create_file
from conch_insults.core import pack_import
from conch_insults.core.fortune_format import write_fortune
from conch_insults.core.pack_check import check_packs
from conch_insults.core.pack_files import find_pack_files, is_offensive
from conch_insults.core.pack_text import MAX_TOPIC, cleaned, fold_topic
from conch_insults.core.packs import builtin_written, read_written, usable
from conch_insults.core.printable import printable
from conch_insults.core.talk_format import write_talk
from conch_insults.core.toml_format import MAX_HEADER, PACK_NAME, is_language
from conch_insults.core.toml_writing import write_toml
from conch_insults.core.written_pack import PackInfo
from conch_insults.errors import PackError, at_line
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conch_insults.config import Settings
    from conch_insults.core.written_pack import WrittenPack

__all__ = ["packs"]

_FILE = click.Path(path_type=Path)
_FILE_MODE = 0o644
_WRITERS = {"fortune": write_fortune, "talk": write_talk, "toml": write_toml}


class _PackName(click.ParamType[str]):
    name = "name"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not PACK_NAME.fullmatch(value):
            self.fail(f"{value!a} is not a pack's name: use up to 32 of a-z 0-9 -", param, ctx)
        return value


class _Words(click.ParamType[str]):
    name = "text"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return cleaned("text", value, MAX_HEADER, "leave it out") if value else ""
        except PackError as error:
            self.fail(str(error), param, ctx)


class _Language(click.ParamType[str]):
    name = "language"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value and not is_language(value):
            self.fail(f'{value!a} is no language tag such as "en" or "de-AT"', param, ctx)
        return value


class _Topic(click.ParamType[str]):
    name = "topic"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        kind, colon, topic = value.partition(":")
        if kind != "topic" or not colon:
            self.fail(f"{value!a} is not understood: write topic:NAME", param, ctx)
        try:
            return " ".join(cleaned("topic", topic, MAX_TOPIC, "write topic:NAME").split())
        except PackError as error:
            self.fail(str(error), param, ctx)


@click.group()
def packs() -> None:
    """Show, check and convert packs of insults."""


@packs.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
@click.pass_context
def list_packs(context: click.Context, *, as_json: bool) -> None:
    """Show the packs that a server with these settings would use.

    One a line: name, version, language, licence, topics, texts rated g, pg and r, file. What is
    passed over or cannot be used is told on standard error, and the latter is exit status 1.

    A JSON object has "name", "version", "language", "licence", "author" and "file" (strings, empty
    where the pack does not say), "format" ("toml", "talk" or "fortune"), "builtin" (a boolean),
    "topics" (a number), "texts" (an object with a number for each of "g", "pg" and "r"), and
    "templates" (a number: texts made anew each time, which are counted in "texts", too).
    """
    settings: Settings = context.obj
    found = find_pack_files(settings.insults.packs, offensive=settings.insults.offensive)
    rows = [_as_object(pack, builtin=True) for pack in builtin_written()]
    told = list(found.skipped)
    written, problems = _read_all(found.files)
    for pack in written:
        problems += [at_line(pack.info.file, *problem) for problem in pack.problems]
        if not pack.problems:
            rows.append(_as_object(pack, builtin=False))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        for line in _columns(rows):
            click.echo(line)
    for line in (*told, *problems):
        click.echo(line, err=True)
    if problems:
        context.exit(1)


@packs.command()
@click.argument("files", metavar="FILE...", type=_FILE, nargs=-1, required=True)
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Tell everything that is wrong with pack FILEs or folders.

    What a server would refuse, and beyond that: what is said twice, in these packs or in the
    built-in ones; aliases of two topics; a missing licence; slurs and words for who people are.
    One problem a line, as FILE:LINE: REASON, and exit status 1; warnings alone are exit status 0.
    """
    found = find_pack_files(files, offensive=True)
    written, problems = _read_all(found.files)
    given = {path.resolve() for path in found.files}
    others = [pack for pack in builtin_written() if Path(pack.info.file).resolve() not in given]
    findings = check_packs(written, others)
    for line in (*problems, *findings):
        click.echo(str(line))
    wrong = len(problems) + sum(not finding.is_warning for finding in findings)
    if wrong:
        context.exit(1)
    click.echo(f"{_counted(len(written), 'pack')} checked, nothing wrong", err=True)


@packs.command(name="import")
@click.argument("file", type=_FILE)
@click.option(
    "--as", "topic", type=_Topic(), metavar="topic:NAME", help="Say all of it about that topic."
)
@click.option(
    "--rating",
    type=click.Choice([str(rating) for rating in Rating], case_sensitive=False),
    default="r",
    show_default=True,
    help="How rude it is.",
)
@click.option("--licence", type=_Words(), default="", help="What the texts may be used under.")
@click.option("--author", type=_Words(), default="", help="Who wrote them.")
@click.option("--language", type=_Language(), default="", help="Of the texts, such as en.")
@click.option("--name", type=_PackName(), help="What to call the pack; by default as the file.")
@click.option("--offensive", is_flag=True, help="Take a file that is offensive by its name.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option(
    "-o",
    "--output",
    type=_FILE,
    help="Where to write; by default NAME.toml in the first folder of insults.packs, or here.",
)
@click.pass_obj
def import_(  # noqa: PLR0913 - as many as there are options
    settings: Settings,
    file: Path,
    *,
    topic: str | None,
    rating: str,
    licence: str,
    author: str,
    language: str,
    name: str | None,
    offensive: bool,
    dry_run: bool,
    output: Path | None,
) -> None:
    """Make a native pack of FILE, a fortune file or one with a "topic: insult" in each line.

    A text that cannot be used, such as one over 512 characters or with control characters, is left
    out, and so is one that is there already; each is told with its line. A fortune file is about
    the topic that it is named for, unless told --as. No file is ever overwritten.
    """
    shown = printable(str(file))
    if is_offensive(file) and not offensive:
        raise PackError(f"{shown}: offensive by its name; to have it anyway, say --offensive")
    read = read_written(file)
    if read.format == "toml":
        raise PackError(f"{shown}: a native pack already; use it as it is")
    if not licence:
        click.echo("no licence: `packs check` will ask for one; say it with --licence", err=True)
    info = PackInfo(
        name or _name_for(file), shown, "1.0", language, licence, author, Rating.parse(rating)
    )
    pack, left_out = pack_import.import_pack(read, info, topic)
    click.echo(f"{shown}: {read.format} format, UTF-8")
    for problem in left_out:
        click.echo(f"left out {at_line(shown, *problem)}")
    if not pack.rows:
        raise PackError(f"{shown}: nothing in it that can be used")
    path = output or _default_folder(settings.insults.packs) / f"{info.name}.toml"
    if not dry_run:
        _create(path, write_toml(pack))
    topics = len({fold_topic(row.topic) for row in pack.rows})
    click.echo(
        f"{'would write' if dry_run else 'wrote'} {printable(str(path))}:"
        f" {_counted(len(pack.rows), 'text')} in {_counted(topics, 'topic')},"
        f" rated {info.rating}, {len(left_out)} left out"
    )


@packs.command()
@click.argument("pack", metavar="NAME|FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(_WRITERS)),
    default="toml",
    show_default=True,
    help="fortune and talk have no place for templates, ratings and aliases.",
)
@click.pass_obj
def export(settings: Settings, pack: str, form: str) -> None:
    """Print the pack of that NAME, built in or in the settings, or the one in FILE."""
    written = _named(pack, settings.insults.packs)
    click.echo(_WRITERS[form](written), nl=False)
    templates = len(written.unknown) + sum(1 for row in written.rows if row.template)
    if form != "toml" and templates:
        click.echo(
            f"{_counted(templates, 'template')} left out: no place in the {form} format", err=True
        )


def _read_all(paths: Iterable[Path]) -> tuple[list[WrittenPack], list[str]]:
    """Return the packs in files, and why each other file is none."""
    written, problems = [], []
    for path in paths:
        try:
            written.append(read_written(path))
        except PackError as error:
            problems.append(str(error))
    return written, problems


def _as_object(pack: WrittenPack, *, builtin: bool) -> dict[str, Any]:
    info, rows = pack.info, (*pack.rows, *pack.unknown)
    texts = {str(rating): 0 for rating in Rating}
    for row in rows:
        texts[str(pack.rating_of(row))] += 1
    return {
        "name": info.name,
        "version": info.version,
        "language": info.language,
        "licence": info.licence,
        "author": info.author,
        "format": pack.format,
        "builtin": builtin,
        "topics": len({fold_topic(row.topic) for row in pack.rows}),
        "texts": texts,
        "templates": sum(1 for row in rows if row.template),
        "file": info.file,
    }


def _columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a table with a header."""
    cells = [["name", "version", "language", "licence", "topics", "g", "pg", "r", "file"]]
    for row in rows:
        said = [row[key] or "-" for key in ("name", "version", "language", "licence")]
        counts = [str(row["topics"]), *map(str, row["texts"].values())]
        cells.append([*said, *counts, "built in" if row["builtin"] else row["file"]])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _name_for(file: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:32]
    if not name:
        raise PackError(f"{printable(str(file))}: cannot be a pack's name; say --name")
    return name


def _default_folder(configured: Iterable[Path]) -> Path:
    return next((path for path in configured if path.is_dir()), Path())


def _create(path: Path, content: str) -> None:
    try:
        created = create_file(path, content.encode(), _FILE_MODE)
    except OSError as error:
        raise PackError(f"{path}: cannot be written: {error.strerror}") from None
    if not created:
        raise PackError(f"{path}: there already; move it away or say another --output")


def _named(name: str, configured: Iterable[Path]) -> WrittenPack:
    """Return the pack of a name, or else in a file."""
    written = list(builtin_written())
    if PACK_NAME.fullmatch(name):
        written += _read_all(find_pack_files(configured, offensive=True).files)[0]
    for pack in written:
        if pack.info.name == name:
            return usable(pack)
    if PACK_NAME.fullmatch(name) and not Path(name).exists():
        raise PackError(f"no pack and no file is named {name}; see `conch-insults packs list`")
    return usable(read_written(Path(name)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
