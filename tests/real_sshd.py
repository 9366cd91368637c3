"""OpenSSH's sshd on loopback, a process for each connection.

sshd = RealSshd(folder)
sshd.missing                                     # why there can be none here, or ""
sshd.log_in(files, identity)                     # a Verdict, or None
sshd.accepts(files, identities)                  # which of many it would take
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.offering_client import LOOPBACK, ask, connect, log_in
from tests.real_server import DEADLINE
from tests.sample_keys import private_key_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.identities import Identity
    from tests.offering_client import Verdict

__all__ = ["Files", "RealSshd", "has_ipv6"]

# On Debian it is not in the path of ordinary users.
_SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
_CHROOT = Path("/run/sshd")

# What this server is like by default, and nothing that reads the account's files: bash takes only a
# shell of the first level for one that logs in.
_CONFIGURATION = """\
HostKey {folder}/host_key
StrictModes no
UsePAM no
PermitRootLogin yes
AuthenticationMethods publickey
RequiredRSASize 2048
UseDNS no
MaxAuthTries 100000
LoginGraceTime 0
PermitUserRC no
SetEnv SHLVL=9
PrintMotd no
PrintLastLog no
PidFile none
LogLevel DEBUG
"""


@dataclass(frozen=True)
class Files:
    """The files of a keys directory, which mean the same to sshd."""

    folder: Path

    @property
    def users(self) -> Path:
        return self.folder / "authorized_keys.d"

    @property
    def authorities(self) -> Path:
        return self.folder / "user_ca.pub"

    @property
    def revoked(self) -> Path:
        return self.folder / "revoked_keys"

    @property
    def options(self) -> list[str]:
        """What sshd is told of them; it trusts nobody without `RevokedKeys` if told of any."""
        options = ["-o", f"AuthorizedKeysFile={self.users}/%u"]
        if self.authorities.exists():
            options += ["-o", f"TrustedUserCAKeys={self.authorities}"]
        if self.revoked.exists():
            options += ["-o", f"RevokedKeys={self.revoked}"]
        return options


class RealSshd:
    """Runs sshd as inetd would, so that every connection has a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self._configuration = folder / "sshd_config"
        self._configuration.write_text(_CONFIGURATION.format(folder=folder), encoding="utf-8")
        host_key = folder / "host_key"
        host_key.write_bytes(private_key_text(1))
        host_key.chmod(0o600)
        self.missing = self._find_out_what_is_missing()

    def log_in(
        self,
        files: Files,
        identity: Identity,
        *,
        address: str = LOOPBACK,
        run: bool = False,
    ) -> Verdict | None:
        """Log in from an address, and run a command if told to; None if sshd says no."""
        with self._connection(files, address) as connection:
            return log_in(connection, identity, run=run)

    def accepts(
        self, files: Files, offers: Iterable[Identity], *, address: str = LOOPBACK
    ) -> list[bool]:
        """Say of each identity whether sshd would take it, without logging in.

        The files are read again for every offer, so that whoever makes the offers may change them;
        only which ones there are must be known when the first one is made.
        """
        with self._connection(files, address) as connection:
            return ask(connection, offers)

    def tail(self) -> str:
        """Return the end of what the last sshd has said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def _find_out_what_is_missing(self) -> str:
        if _SSHD is None:
            return "sshd is not installed"
        if os.getuid() == 0:
            # What sshd's service does first.
            with contextlib.suppress(OSError):
                _CHROOT.mkdir(mode=0o755, exist_ok=True)
        checked = subprocess.run(
            [_SSHD, "-t", "-f", self._configuration], capture_output=True, text=True, check=False
        )
        return f"sshd does not run here: {checked.stderr.strip()}" if checked.returncode else ""

    @contextlib.contextmanager
    def _connection(self, files: Files, address: str) -> Iterator[socket.socket]:
        assert _SSHD is not None
        client, server = _connected(address)
        with client, self.log.open("wb") as log:
            with server:
                process = subprocess.Popen(
                    [_SSHD, "-i", "-e", "-f", self._configuration, *files.options],
                    env={"PATH": os.defpath, "TZ": os.environ.get("TZ", "UTC")},
                    stdin=server.fileno(),
                    stdout=server.fileno(),
                    stderr=log,
                )
            with process:
                try:
                    yield client
                    process.wait(DEADLINE)
                finally:
                    process.kill()


def has_ipv6() -> bool:
    """Say whether anything can be reached by IPv6 here."""
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def _connected(address: str) -> tuple[socket.socket, socket.socket]:
    """Connect from an address of this machine; return the client's end and the server's."""
    is_ipv6, is_mapped = ":" in address, address.startswith("::ffff:")
    ours = address.removeprefix("::ffff:")
    where = (address if is_ipv6 else LOOPBACK, 0)
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    with socket.create_server(where, family=family, dualstack_ipv6=is_mapped) as listener:
        target = ours if is_ipv6 and not is_mapped else LOOPBACK
        client = connect(listener.getsockname()[1], ours, to=target)
        server, _ = listener.accept()
    # Otherwise each end waits for the other, 40 ms every time.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server
