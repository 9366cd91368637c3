"""The settings: one TOML file, each value also by an environment variable, errors that name both.

Reading them is all that happens here. Whether an endpoint can be opened or a pack can be read is
for those who open and read; this module must not know them, nor Twisted.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID  # noqa: TC003 - pydantic reads it

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from conch_insults.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_settings import PydanticBaseSettingsSource

__all__ = [
    "CONFIG_VARIABLE",
    "FILE_NAME",
    "AccessSettings",
    "InsultSettings",
    "LimitSettings",
    "LogSettings",
    "ServerSettings",
    "Settings",
    "SshSettings",
    "TcpSettings",
    "load_settings",
    "read_settings",
]

FILE_NAME = "conch_insults.toml"
PREFIX = "CONCH_INSULTS_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"

_STRICT = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(BaseModel):
    """What runs it all."""

    model_config = _STRICT
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that serve; 1 is this one alone, more are for more cores.",
    )


class SshSettings(BaseModel):
    """The SSH door: terminal, pipe and command."""

    model_config = _STRICT
    endpoint: str = Field(
        default="tcp:2222", description='A Twisted endpoint string; "" closes the door.'
    )
    profile: Literal["modern", "strict"] = Field(
        default="modern",
        description='Algorithms: "strict" has only post-quantum key exchange and AES-GCM.',
    )
    banner: str = Field(
        default="", max_length=2000, description="What everybody is told before they log in."
    )
    rekey_bytes: int = Field(
        default=2**30, ge=2**16, le=2**36, description="Bytes carried before keys are changed."
    )
    rekey_seconds: float = Field(
        default=3600, ge=10, description="Seconds before keys are changed."
    )


class LimitSettings(BaseModel):
    """How much of the server one peer, or all of them, can have."""

    model_config = _STRICT
    max_startups: str = Field(
        default="10:30:100",
        description="Connections not yet logged in, start:rate:full as in sshd_config(5).",
    )
    max_connections: PositiveInt = Field(default=1000, description="Open connections in all.")
    connections_per_source: PositiveInt = Field(
        default=64, description="Open connections of one IPv4 address or IPv6 /64."
    )
    rate_per_source: PositiveInt = Field(
        default=120, description="New connections of one source a minute, in the long run."
    )
    exempt_sources: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description="Networks that no per-source limit, rate or penalty applies to.",
    )
    login_grace: float = Field(
        default=30, gt=0, le=600, description="Seconds from connecting to being logged in."
    )
    channels: PositiveInt = Field(default=4, description="Open channels of one connection.")
    pending_output: int = Field(
        default=1024 * 1024, ge=256 * 1024, description="Bytes held for a peer that reads slowly."
    )
    keepalive_interval: PositiveFloat = Field(
        default=30, description="Seconds of silence before a peer is asked for a sign of life."
    )
    keepalive_count: PositiveInt = Field(
        default=3, description="Unanswered questions before the connection is given up."
    )
    idle_timeout: NonNegativeFloat = Field(
        default=15 * 60, description="Seconds that nothing may happen in; 0 is for ever."
    )
    session_limit: NonNegativeFloat = Field(
        default=0, description="Seconds that a connection may last; 0 is for ever."
    )


class TcpSettings(BaseModel):
    """The plain TCP door."""

    model_config = _STRICT
    endpoint: str = Field(
        default="tcp:8080:interface=127.0.0.1",
        description='A Twisted endpoint string; "" closes the door.',
    )
    greeting: tuple[str, ...] = Field(
        default=(
            "You have reached the insult server. It is not pleased to see you.",
            "Name a topic, or type help if even that is too much for you.",
        ),
        description="What somebody who connects is told first, a line each.",
    )


class AccessSettings(BaseModel):
    """Who may come in."""

    model_config = _STRICT
    keys_dir: Path = Field(
        default=Path("keys"), description="The folder with host/ and authorized_keys.d/."
    )
    minimum_rsa_bits: int = Field(
        default=2048, ge=2048, le=16384, description="RSA keys of fewer bits are refused."
    )
    strict_modes: bool = Field(
        default=True,
        description="Refuse key files and folders that others may write to, as sshd does.",
    )
    permit_environment: tuple[str, ...] = Field(
        default=(), description="Variables that environment= may set; with others it refuses."
    )
    guests: Literal["off", "key", "anyone"] = Field(
        default="off",
        description='Who may come in under a name that nobody has: "key" is holders of any key.',
    )
    guest_rating: Literal["g", "pg", "r"] = Field(
        default="g", description="The most that guests may hear."
    )
    guest_lines_per_minute: PositiveInt = Field(
        default=30,
        le=6000,
        description="Lines a minute that guests are answered, after 10.",
    )
    guest_session_limit: PositiveFloat = Field(
        default=600, description="Seconds that a guest may stay."
    )
    require_attestation: bool = Field(
        default=False,
        description="Refuse security keys that were not added with an attestation.",
    )
    attested_aaguids: tuple[UUID, ...] = Field(
        default=(),
        description="With require_attestation: the only models of security keys; empty is any.",
    )
    attestation_roots: str = Field(
        default="",
        description='PEM file of the makers that `keys add --attestation` believes; "" is none.',
    )


class InsultSettings(BaseModel):
    """What is said."""

    model_config = _STRICT
    packs: tuple[Path, ...] = Field(
        default=(), description="Pack files or folders beside the built-in."
    )
    rating: Literal["g", "pg", "r"] = Field(
        default="pg", description="The most that anybody may hear; what has no rating counts as r."
    )
    offensive: bool = Field(
        default=False,
        description="Read folders called off and files ending in -o, too, as fortune has them.",
    )
    unknown_topic: Literal["improvise", "classic"] = Field(
        default="improvise",
        description='How an unknown topic is answered; "classic" is "I\'ve got nothing."',
    )


class LogSettings(BaseModel):
    """What the log holds."""

    model_config = _STRICT
    level: Literal["info", "debug"] = Field(
        default="info", description='"debug" adds what the SSH library has to say.'
    )


class Settings(BaseSettings):
    """All settings, with absolute paths."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )
    server: ServerSettings = ServerSettings()
    ssh: SshSettings = SshSettings()
    tcp: TcpSettings = TcpSettings()
    limits: LimitSettings = LimitSettings()
    access: AccessSettings = AccessSettings()
    insults: InsultSettings = InsultSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose values come by the constructor."""
        del settings_cls, dotenv_settings, file_secret_settings
        return (env_settings, init_settings)


def load_settings(base_dir: Path) -> Settings:
    """Read the settings as a server started in `base_dir` does.

    The file is the one that `CONCH_INSULTS_CONFIG` names, or `conch_insults.toml` in the working
    directory if there is one; without either, every setting has its default and relative paths
    start at `base_dir`.

    Raises:
        SettingsError: as `read_settings`.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return read_settings(Path(named))
    default = Path(FILE_NAME)
    if default.exists():
        return read_settings(default)
    return _validated({}, base_dir, source="settings")


def read_settings(path: Path) -> Settings:
    """Read one settings file and what the environment says over it.

    Relative paths, from either, are relative to the file's folder.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or has a key or value that is not
            one of ours; one problem a line, each with file or variable, key and reason.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error
    return _validated(values, path.absolute().parent, source=str(path))


def _validated(values: dict[str, Any], base_dir: Path, source: str) -> Settings:
    unknown = [name for name in values if name not in Settings.model_fields]
    problems = [
        *(f"{source}: {name}: there is no such section" for name in unknown),
        *(f"{name}: there is no such section" for name in _variables_without_section()),
    ]
    try:
        # Without the unknown: pydantic-settings takes orders from names like `_env_prefix`.
        settings = Settings(**{name: values[name] for name in values if name not in unknown})
    except ValidationError as error:
        problems += [
            f"{_origin(problem['loc'], source)}: {_reason(problem['type'], problem['msg'])}"
            for problem in error.errors()
        ]
    except SourceError:
        problems += [f"{name}: lists are written as JSON" for name in _variables_with_lists()]
    if problems:
        raise SettingsError("\n".join(problems))
    base_dir = base_dir.absolute()
    access, insults = settings.access, settings.insults
    return settings.model_copy(
        update={
            "access": access.model_copy(
                update={
                    "keys_dir": base_dir / access.keys_dir,
                    "attestation_roots": access.attestation_roots
                    and str(base_dir / access.attestation_roots),
                }
            ),
            "insults": insults.model_copy(
                update={"packs": tuple(base_dir / pack for pack in insults.packs)}
            ),
        }
    )


def _variables_without_section() -> list[str]:
    """Find what a misspelt section in a variable's name would otherwise hide."""
    sections = set(Settings.model_fields)
    return sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX)
        and name != CONFIG_VARIABLE
        and name.removeprefix(PREFIX).partition("__")[0].lower() not in sections
    )


def _variables_with_lists() -> list[str]:
    """Find the variables whose values must be JSON: one of them was not."""
    needing_json = []
    for section, described in Settings.model_fields.items():
        whole = f"{PREFIX}{section}".upper()
        settings = described.default.__class__.model_fields
        lists = [name for name in settings if isinstance(settings[name].default, tuple)]
        needing_json += [whole, *(f"{whole}__{name.upper()}" for name in lists)]
    return [name for name in needing_json if name in os.environ]


def _origin(location: tuple[int | str, ...], source: str) -> str:
    """Name the variable that a value came from, or else the file and the key."""
    keys = [str(part) for part in location]
    variable = PREFIX + "__".join(keys[:2]).upper()
    return variable if variable in os.environ else f"{source}: {'.'.join(keys)}"


def _reason(kind: str, message: str) -> str:
    return "there is no such setting" if kind == "extra_forbidden" else message
