"""The SSH clients of others, each talking to a door of a real server in its own way.

All do the same: log in as alice, with the key that the site made for her, to a host whose key
they know; run a command, or a shell that is fed through a pipe; change keys as often as told.
"""

from __future__ import annotations

import asyncio
import os
import pty
import shutil
import subprocess
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncssh
import paramiko
import pytest

from conch_insults.ssh.host_keys import host_key_path, host_public_keys
from tests.real_server import DEADLINE, Stream, program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real_server import Doors, Word

__all__ = [
    "CLIENTS",
    "CONCH",
    "AsyncSsh",
    "Client",
    "Dbclient",
    "OpenSsh",
    "Paramiko",
    "Plink",
    "Wishes",
    "installed",
]

_GCM = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com")
_CHACHA = "chacha20-poly1305@openssh.com"
_CTR = ("aes256-ctr", "aes128-ctr")
_SHA256 = "hmac-sha2-256-etm@openssh.com"
_SHA512 = "hmac-sha2-512-etm@openssh.com"

_AEAD = ((_GCM[0], ""), (_GCM[1], ""), (_CHACHA, ""))
_CTR_SHA256 = tuple((cipher, _SHA256) for cipher in _CTR)
_CTR_SHA512 = tuple((cipher, _SHA512) for cipher in _CTR)


@dataclass(frozen=True)
class Wishes:
    """What a client is told to do beside logging in.

    Attributes:
        cipher: the only cipher to offer; empty for the client's own choice.
        mac: the only MAC to offer; empty for the client's own choice.
        rekey_bytes: after how many bytes to change keys; 0 for the client's own choice.
        command: a command to run; empty for a shell.
        input: what to send, and then EOF.
    """

    cipher: str = ""
    mac: str = ""
    rekey_bytes: int = 0
    command: str = ""
    input: bytes = b""


@dataclass(frozen=True)
class Client(ABC):
    """A kind of client.

    Attributes:
        name: the program or library.
        needs: the programs that must be installed.
        shared: each cipher, with its MAC, that it shares with the modern profile.
        rekeys: whether it can be told when to change keys.
        chooses: whether it can be told which cipher to use.
    """

    name: str
    needs: tuple[str, ...] = ()
    shared: tuple[tuple[str, str], ...] = field(default=_AEAD + _CTR_SHA256 + _CTR_SHA512)
    rekeys: bool = True
    chooses: bool = True

    @property
    def missing(self) -> str:
        """Name the programs that are not installed here."""
        return " and ".join(name for name in ("ssh-keygen", *self.needs) if not shutil.which(name))

    @abstractmethod
    def run(self, doors: Doors, wishes: Wishes) -> tuple[bytes, int]:
        """Log in and return all that was answered, and the exit status."""

    @abstractmethod
    def terminal(self, doors: Doors, line: str) -> tuple[bytes, int]:
        """Say a line at a terminal's prompt, and quit; return what the terminal got, and status."""


class _Program(Client):
    """A program of its own."""

    @abstractmethod
    def command(self, doors: Doors, wishes: Wishes, *, terminal: bool = False) -> list[Word]:
        """Return the command line that logs in."""

    def run(self, doors: Doors, wishes: Wishes) -> tuple[bytes, int]:
        finished = self.finished(doors, wishes)
        assert finished.returncode != 255, finished.stderr.decode()
        return finished.stdout, finished.returncode

    def finished(self, doors: Doors, wishes: Wishes) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end, whatever that is."""
        return subprocess.run(
            self.command(doors, wishes),
            cwd=doors.site.folder,
            env=_environment(doors),
            input=wishes.input,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )

    def terminal(self, doors: Doors, line: str) -> tuple[bytes, int]:
        master, slave = pty.openpty()
        stream = Stream(master)
        with os.fdopen(slave, "wb", buffering=0) as tty:
            process = subprocess.Popen(
                self.command(doors, Wishes(), terminal=True),
                cwd=doors.site.folder,
                env=_environment(doors),
                stdin=tty,
                stdout=tty,
                stderr=tty,
            )
        with process:
            try:
                stream.until(lambda content: b"> " in content)
                os.write(master, f"{line}\rquit\r".encode())
                return stream.to_the_end(), process.wait(DEADLINE)
            finally:
                process.kill()
                os.close(master)


class OpenSsh(_Program):
    """OpenSSH's `ssh`."""

    def command(self, doors: Doors, wishes: Wishes, *, terminal: bool = False) -> list[Word]:
        options: list[Word] = ["-v"]
        if wishes.cipher:
            options += ["-c", wishes.cipher]
        if wishes.mac:
            options += ["-m", wishes.mac]
        if wishes.rekey_bytes:
            # It takes the bytes of the next packet for blocks, and so is early.
            options += ["-o", f"RekeyLimit={2 * wishes.rekey_bytes}"]
        options += ["-tt"] if terminal else ["-T"]
        return doors.ssh_command(*options, *([wishes.command] if wishes.command else []))


class Plink(_Program):
    """PuTTY's `plink`, which is told most things by a saved session."""

    def command(self, doors: Doors, wishes: Wishes, *, terminal: bool = False) -> list[Word]:
        folder = doors.site.folder
        kind = {"": "aesgcm,chacha20,aes", _CHACHA: "chacha20", **dict.fromkeys(_GCM, "aesgcm")}
        sessions = folder / ".putty" / "sessions"
        sessions.mkdir(parents=True, exist_ok=True)
        settings = {
            "Protocol": "ssh",
            "Cipher": f"{kind.get(wishes.cipher, 'aes')},WARN",
            "RekeyBytes": str(wishes.rekey_bytes or 2**30),
        }
        lines = (f"{name}={value}\n" for name, value in settings.items())
        (sessions / "test").write_text("".join(lines), encoding="utf-8")
        key = _converted(folder / "id_alice.ppk", "puttygen", folder / "id_alice", "-o")
        fingerprint = host_public_keys(doors.site.keys_dir)[0].fingerprint
        where = ("-P", str(doors.ssh_port), "-l", "alice", "-hostkey", fingerprint)
        command: list[Word] = ["plink", "-v", "-load", "test", "-batch", "-i", key, *where]
        command += ["-t"] if terminal else ["-T"]
        return [*command, "127.0.0.1", *([wishes.command] if wishes.command else [])]


class Dbclient(_Program):
    """Dropbear's `dbclient`."""

    def command(self, doors: Doors, wishes: Wishes, *, terminal: bool = False) -> list[Word]:
        folder = doors.site.folder
        (folder / ".ssh").mkdir(exist_ok=True)
        known = host_public_keys(doors.site.keys_dir)[0].line
        (folder / ".ssh" / "known_hosts").write_text(f"127.0.0.1 {known}\n", encoding="utf-8")
        key = _converted(folder / "id_alice.dropbear", "dropbearconvert", folder / "id_alice")
        command: list[Word] = ["dbclient", "-p", str(doors.ssh_port), "-l", "alice", "-i", key]
        if wishes.cipher:
            command += ["-c", wishes.cipher]
        command += ["-t"] if terminal else ["-T"]
        return [*command, "127.0.0.1", *([wishes.command] if wishes.command else [])]


class Conch(_Program):
    """Conch's own `conch`."""

    def command(self, doors: Doors, wishes: Wishes, *, terminal: bool = False) -> list[Word]:
        where = ("-p", str(doors.ssh_port), "-l", "alice", "-i", doors.site.folder / "id_alice")
        command: list[Word] = [program("conch"), "--noagent", *where, "127.0.0.1"]
        return [*command, *([wishes.command] if wishes.command else [])]


class AsyncSsh(Client):
    """The asyncssh library."""

    def run(self, doors: Doors, wishes: Wishes) -> tuple[bytes, int]:
        return asyncio.run(asyncio.wait_for(self._run(doors, wishes), DEADLINE))

    def terminal(self, doors: Doors, line: str) -> tuple[bytes, int]:
        return asyncio.run(asyncio.wait_for(self._terminal(doors, line), DEADLINE))

    async def _run(self, doors: Doors, wishes: Wishes) -> tuple[bytes, int]:
        async with await self._connect(doors, wishes) as connection:
            process = await connection.create_process(wishes.command or None, encoding=None)
            output, _ = await process.communicate(wishes.input)
        assert isinstance(output, bytes)
        assert process.exit_status is not None
        return output, process.exit_status

    async def _terminal(self, doors: Doors, line: str) -> tuple[bytes, int]:
        async with await self._connect(doors, Wishes()) as connection:
            process = await connection.create_process(term_type="xterm", encoding=None)
            greeting = await process.stdout.readuntil(b"> ")
            process.stdin.write(f"{line}\rquit\r".encode())
            rest = await process.stdout.read()
            await process.wait()
        assert process.exit_status is not None
        return greeting + rest, process.exit_status

    async def _connect(self, doors: Doors, wishes: Wishes) -> asyncssh.SSHClientConnection:
        host_key = asyncssh.read_public_key(f"{host_key_path(doors.site.keys_dir)}.pub")
        return await asyncssh.connect(
            "127.0.0.1",
            doors.ssh_port,
            config=None,
            username="alice",
            client_keys=[str(doors.site.folder / "id_alice")],
            agent_path=None,
            known_hosts=([host_key], [], []),
            encryption_algs=[wishes.cipher] if wishes.cipher else (),
            mac_algs=[wishes.mac] if wishes.mac else (),
            rekey_bytes=wishes.rekey_bytes or 2**30,
        )


class Paramiko(Client):
    """The paramiko library."""

    def run(self, doors: Doors, wishes: Wishes) -> tuple[bytes, int]:
        transport = paramiko.Transport(("127.0.0.1", doors.ssh_port))
        try:
            channel = self._open(transport, doors, wishes)
            if wishes.command:
                channel.exec_command(wishes.command)
            else:
                channel.invoke_shell()
            return self._feed(channel, wishes.input)
        finally:
            transport.close()

    def terminal(self, doors: Doors, line: str) -> tuple[bytes, int]:
        transport = paramiko.Transport(("127.0.0.1", doors.ssh_port))
        try:
            channel = self._open(transport, doors, Wishes())
            channel.get_pty()
            channel.invoke_shell()
            greeting = b""
            while b"> " not in greeting:
                chunk = channel.recv(4096)
                assert chunk, greeting
                greeting += chunk
            rest, status = self._feed(channel, f"{line}\rquit\r".encode())
            return greeting + rest, status
        finally:
            transport.close()

    def _open(
        self, transport: paramiko.Transport, doors: Doors, wishes: Wishes
    ) -> paramiko.Channel:
        options = transport.get_security_options()
        if wishes.cipher:
            options.ciphers = [wishes.cipher]
        if wishes.mac:
            options.digests = [wishes.mac]
        if wishes.rekey_bytes:
            transport.packetizer.REKEY_BYTES = wishes.rekey_bytes
        transport.start_client(timeout=DEADLINE)
        known = host_public_keys(doors.site.keys_dir)[0]
        assert transport.get_remote_server_key().get_base64() in known.line
        key = paramiko.Ed25519Key.from_private_key_file(str(doors.site.folder / "id_alice"))
        transport.auth_publickey("alice", key)
        channel = transport.open_session()
        channel.settimeout(DEADLINE)
        return channel

    def _feed(self, channel: paramiko.Channel, content: bytes) -> tuple[bytes, int]:
        def send() -> None:
            channel.sendall(content)
            channel.shutdown_write()

        sender = threading.Thread(target=send)
        sender.start()
        output = b"".join(iter(lambda: channel.recv(65536), b""))
        sender.join(DEADLINE)
        return output, channel.recv_exit_status()


CLIENTS: tuple[Client, ...] = (
    OpenSsh("OpenSSH", needs=("ssh",)),
    # PuTTY 0.78 has no other MAC that we have, and its own opinion of key sizes.
    Plink("PuTTY", needs=("plink", "puttygen"), shared=_AEAD + _CTR_SHA256, chooses=False),
    # Dropbear has no MAC that we have, and changes keys when it likes to: each gigabyte.
    Dbclient(
        "Dropbear", needs=("dbclient", "dropbearconvert"), shared=((_CHACHA, ""),), rekeys=False
    ),
    AsyncSsh("asyncssh"),
    Paramiko(
        "paramiko",
        shared=tuple((name, "") for name in _GCM) + _CTR_SHA256 + _CTR_SHA512,
    ),
)
"""All of them; what they share with us is said in our words: no MAC where a cipher needs none."""


CONCH = Conch("Conch", shared=())
"""Conch's own client, which shares no cipher that has a MAC with us."""


def _environment(doors: Doors) -> dict[str, str]:
    return doors.site.environment({"HOME": str(doors.site.folder)})


def _converted(target: Path, converter: str, source: Path, *options: str) -> Path:
    """Return alice's key in another program's format, made when first asked for."""
    if not target.exists():
        formats = () if options else ("openssh", "dropbear")
        command: list[Word] = [converter, *formats, source, *options, target]
        subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)
    return target


def installed(client: Client) -> object:
    """Make a parameter of a client, skipped by name where its programs are missing."""
    missing = client.missing
    mark = pytest.mark.skipif(bool(missing), reason=f"needs {missing}")
    return pytest.param(client, id=client.name, marks=mark)
