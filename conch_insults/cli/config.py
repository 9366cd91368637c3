"""The commands `config`: what the settings are, and whether a server would start with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conch_insults.config import load_settings, read_settings
from conch_insults.service import make_service

if TYPE_CHECKING:
    from conch_insults.config import Settings

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show and check the settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of TOML.")
def show(*, as_json: bool) -> None:
    """Print every setting as a server started here would have it."""
    settings = load_settings(Path.cwd())
    if as_json:
        click.echo(settings.model_dump_json(indent=2))
    else:
        click.echo(_as_toml(settings), nl=False)


@config.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Say whether a server would start with FILE (or with the settings found here).

    Reads all that a start reads, packs and host keys too, and opens nothing.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it

    make_service(read_settings(file) if file else load_settings(Path.cwd()), reactor)
    click.echo(f"{file or 'settings'}: good")


def _as_toml(settings: Settings) -> str:
    """Write the settings as a settings file; every value in them is written alike in JSON."""
    lines = []
    for section, values in settings.model_dump(mode="json").items():
        lines.append(f"[{section}]")
        for name, value in values.items():
            description = type(getattr(settings, section)).model_fields[name].description
            lines.append(f"# {description}")
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)
