"""What a server takes along: its settings, and what it read while it could still read everything.

All that a process needs to serve and may find no more once it has given up its user, group or
root. It fits through a pipe, for the workers of a server. What is done with it is not known here.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twisted.conch.ssh.keys import Key
from typing_extensions import override

from conch_insults.core.pack_files import pack_versions
from conch_insults.core.packs import read_packs
from conch_insults.ssh.host_keys import load_host_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conch_insults.config import Settings
    from conch_insults.core.pack_files import PackVersions
    from conch_insults.core.packs import Pack
    from conch_insults.ssh.host_keys import HostKey

__all__ = ["Provisions"]


@dataclass(frozen=True, slots=True)
class Provisions:
    """Everything that a server is made of.

    Attributes:
        settings: all of them.
        pack: what there is to say.
        pack_versions: what the pack files looked like before they were read.
        host_keys: the server's own keys, none if it has no SSH door.
    """

    settings: Settings
    pack: Pack
    pack_versions: PackVersions
    host_keys: Mapping[bytes, HostKey]

    @classmethod
    def read(cls, settings: Settings) -> Provisions:
        """Read what the settings name.

        Raises:
            ConchInsultsError: a pack or a host key cannot be used.
        """
        insults = settings.insults
        return cls(
            settings,
            # Before the packs: a change while they are read is one that has not been read.
            pack_versions=pack_versions(insults.packs),
            pack=read_packs(insults.packs, offensive=insults.offensive),
            host_keys=load_host_keys(settings.access.keys_dir) if settings.ssh.endpoint else {},
        )

    def to_bytes(self) -> bytes:
        """Return all of it, private keys too; only for a process that may have them."""
        packed = io.BytesIO()
        _Pickler(packed, pickle.HIGHEST_PROTOCOL).dump(self)
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Provisions:
        """Return what `to_bytes` was called on, in a process that can believe whoever called it."""
        provisions: Provisions = pickle.loads(packed)  # noqa: S301 - from our own parent
        return provisions


class _Pickler(pickle.Pickler):
    """Pickles the two kinds of value among the provisions that have no form of their own."""

    @override
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Key):
            return _key, (type(obj), obj.privateBlob())
        if isinstance(obj, MappingProxyType):
            return _read_only, (dict(obj),)
        return NotImplemented


def _key(kind: type[Key], blob: bytes) -> Key:
    key: Key = kind.fromString(blob, "private_blob")
    return key


def _read_only(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)
