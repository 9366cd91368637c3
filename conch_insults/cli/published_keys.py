"""Keys that people publish about themselves: where they are, and getting them over HTTPS.

What comes back is bounded in size and time and is believed in nothing; what it means is not known
here, nor is it ever fetched while somebody logs in.
"""

from __future__ import annotations

import re
import ssl
import threading
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from typing_extensions import override

from conch_insults.errors import ClientError

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from typing import IO

__all__ = ["MAXIMUM_BYTES", "PublishedKeys", "fetch", "published_keys"]

MAXIMUM_BYTES = 256 * 1024
"""How much is read of an answer."""

TIME_LIMIT = 10.0
"""How long everything may take, in seconds."""

MAXIMUM_REDIRECTS = 3
MAXIMUM_URL = 500

# What the two sites allow as names, and nothing that would mean something in a URL.
_SITES = {
    "gh": (re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}", re.ASCII), "https://github.com/{}.keys"),
    "gl": (
        re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII),
        "https://gitlab.com/{}.keys",
    ),
}
_PRINTABLE_ASCII = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """Where somebody's keys are published; `name` is how whoever asks for them calls it."""

    name: str
    url: str


def published_keys(text: str) -> PublishedKeys:
    """Understand `gh:NAME`, `gl:NAME` or an https URL.

    Raises:
        ValueError: it is none of them; the text is one line.
    """
    site, _, name = text.partition(":")
    if site in _SITES:
        names, url = _SITES[site]
        if not names.fullmatch(name):
            raise ValueError(f"{name[:60]!a} is no name that somebody can have there")
        return PublishedKeys(text, url.format(name))
    try:
        _refuse_url(text)
    except ValueError as error:
        raise ValueError(f"{error}: give gh:NAME, gl:NAME or https://...") from error
    return PublishedKeys(text, text)


def fetch(url: str, *, time_limit: float = TIME_LIMIT) -> bytes:
    """Get what is published at an https URL.

    Certificates are verified by what the system trusts, redirects lead to https only, and no
    name or password is sent to anybody, except to a proxy whose URL has them.

    Args:
        url: the address.
        time_limit: how long it may take from the first look at the address on, in seconds.

    Raises:
        ClientError: there is no answer, or none that can be used; one line.
    """
    outcome: list[bytes | ClientError] = []

    def run() -> None:
        try:
            outcome.append(_get(url, time_limit))
        except ClientError as error:
            outcome.append(error)

    # A time-out of a socket starts anew with every byte, and a look at the DNS knows none.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(time_limit)
    if not outcome:
        raise ClientError(f"{url}: no answer within {time_limit:g} seconds")
    if isinstance(outcome[0], ClientError):
        raise outcome[0]
    return outcome[0]


class _HttpsOnly(HTTPRedirectHandler):
    """Follows redirects as long as they stay what was asked for."""

    max_redirections = MAXIMUM_REDIRECTS

    @override
    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        try:
            _refuse_url(newurl)
        except ValueError as error:
            fp.close()
            raise ClientError(f"{req.full_url}: leads elsewhere: {error}") from error
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _get(url: str, time_limit: float) -> bytes:
    opener = OpenerDirector()
    # Not `build_opener`, which would also open http, ftp and files.
    for handler in (
        ProxyHandler(),
        HTTPSHandler(context=ssl.create_default_context()),
        _HttpsOnly(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "conch-insults")]
    try:
        with opener.open(url, timeout=time_limit) as answer:
            content: bytes = answer.read(MAXIMUM_BYTES + 1)
            missing: int = answer.length or 0
    except HTTPError as error:
        error.close()
        raise ClientError(f"{url}: answers {error.code}: is the name right?") from error
    except URLError as error:
        raise ClientError(f"{url}: cannot be fetched: {_in_one_line(error.reason)}") from error
    # A host name of impossible length is a UnicodeError.
    except (OSError, HTTPException, ValueError) as error:
        raise ClientError(f"{url}: cannot be fetched: {_in_one_line(error)}") from error
    if len(content) > MAXIMUM_BYTES:
        raise ClientError(f"{url}: answers with more than {MAXIMUM_BYTES} bytes: nothing is used")
    if missing:
        raise ClientError(f"{url}: the answer was cut short: try again")
    return content


def _refuse_url(url: str) -> None:
    if len(url) > MAXIMUM_URL or not _PRINTABLE_ASCII.fullmatch(url):
        raise ValueError(f"{url[:60]!a} is no URL of up to {MAXIMUM_URL} printable characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url[:60]!a} is no URL: {error}") from error
    if parts.scheme != "https" or not host:
        raise ValueError(f"{url[:60]!a} is no https URL")
    if "@" in parts.netloc:
        raise ValueError(f"{url[:60]!a} has a name or password in it, which is sent to nobody")


def _in_one_line(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
