"""Paramiko with the smallest correct shell: a thread or two for every connection, no terminals."""

from __future__ import annotations

import socket
import threading
from base64 import b64decode

import paramiko

from benchmarks.peers.common import Job, read_job


class Server(paramiko.ServerInterface):
    """Decides about one connection."""

    def __init__(self, job: Job, authorized: paramiko.PKey) -> None:
        self._job, self._authorized = job, authorized

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - the same for all
        """Return the methods."""
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Let the one key in."""
        known = username == "bench" and key == self._authorized
        return int(paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - any number
        """Open sessions."""
        return int(
            paramiko.OPEN_SUCCEEDED
            if kind == "session"
            else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        )

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        """Start the conversation."""
        threading.Thread(target=self._talk, args=(channel,), daemon=True).start()
        return True

    def _talk(self, channel: paramiko.Channel) -> None:
        unread = b""
        while data := channel.recv(32768):
            *lines, unread = (unread + data).split(b"\n")
            answers = "".join(f"{self._job.answer(line.decode())}\n" for line in lines)
            if answers:
                channel.sendall(answers.encode())
        channel.send_exit_status(0)
        channel.close()


def main() -> None:
    """Serve until killed."""
    job = read_job()
    host_key = paramiko.Ed25519Key(filename=str(job.host_key))
    blob = job.authorized_keys.read_text(encoding="utf-8").split()[1]
    authorized = paramiko.PKey.from_type_string("ssh-ed25519", b64decode(blob))
    listener = socket.create_server(("127.0.0.1", job.port), backlog=1024)
    while True:
        connection, _ = listener.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(host_key)
        try:
            transport.start_server(event=threading.Event(), server=Server(job, authorized))
        except (EOFError, paramiko.SSHException):
            transport.close()


if __name__ == "__main__":
    main()
