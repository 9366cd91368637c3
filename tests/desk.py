"""An operator's terminal: commands in, lines out, files on the side.

desk = Desk(tmp_path / "keys", guests="key")
desk.said("keys", "add", "alice", typed=ALICE.line)        # stdout of a command that must succeed
desk.error("keys", "list")                                 # the one line of one that must not
desk.write("alice", 'no-pty', ...)                         # a user's file, as by hand
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from conch_insults.access.key_directory import make_key_directory
from conch_insults.access_rules import access_rules
from conch_insults.cli.access import access
from conch_insults.cli.keys import keys
from conch_insults.config import AccessSettings, Settings
from conch_insults.errors import ConchInsultsError

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from conch_insults.access.policy import AccessRules

__all__ = ["Desk"]

GROUPS: dict[str, click.Group] = {"access": access, "keys": keys}


class Desk:
    """A keys directory and the commands that work on it."""

    def __init__(self, keys_dir: Path, **access_settings: Any) -> None:
        self.keys_dir = keys_dir
        self.users = keys_dir / "authorized_keys.d"
        self.user_ca = keys_dir / "user_ca.pub"
        self.revoked = keys_dir / "revoked_keys"
        self.settings = Settings()
        self.rule(**access_settings)

    def rule(self, **access_settings: Any) -> None:
        """Have these settings from now on."""
        self.settings = Settings(access=AccessSettings(keys_dir=self.keys_dir, **access_settings))

    @property
    def rules(self) -> AccessRules:
        return access_rules(self.settings.access)

    def run(self, group: str, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(GROUPS[group], arguments, input=typed, obj=self.settings)

    def said(self, *arguments: str, typed: str = "") -> str:
        """Return what a command prints that has nothing to complain about."""
        result = self.run(*arguments, typed=typed)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def error(self, *arguments: str, typed: str = "") -> ConchInsultsError:
        """Return what stops a command."""
        error = self.run(*arguments, typed=typed).exception
        assert isinstance(error, ConchInsultsError), error
        assert "\n" not in str(error)
        return error

    def misused(self, *arguments: str, typed: str = "") -> str:
        """Return what is said of bad usage."""
        result = self.run(*arguments, typed=typed)
        assert result.exit_code == 2, result.output
        return result.stderr

    def file(self, user: str) -> Path:
        return self.users / user

    def let_in(self, user: str, *lines: str) -> Path:
        """Write a user's file by hand."""
        return self.write(self.file(user), *lines)

    def write(self, path: Path, *lines: str) -> Path:
        """Write a file that nobody else may write to, whatever the umask says."""
        make_key_directory(self.keys_dir)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        path.chmod(0o644)
        # As if it had always been like this.
        os.utime(path, (0, 0))
        return path
