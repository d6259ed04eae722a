"""The only reader of the environment: WAMTRAIL_* variables, `.env`, NAME_FILE for secrets kept in files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from receiver.endpoints import Endpoint
from store import money
from store.ledger import Budget
from store.rates import Limits
from store.retention_ages import Ages, MessageAge, fitted, impossible
from wamtrail import duration

PREFIX = "WAMTRAIL_"


class SettingsError(Exception):
    """A setting is missing or cannot be used; the text is one plain sentence."""


def _split(value: Any) -> Any:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]


class Bind(str):
    """HOST:PORT."""

    __slots__ = ()

    @property
    def host(self) -> str:
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])

    @classmethod
    def read(cls, value: Any) -> "Bind | None":
        if value in (None, ""):
            return None
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError("is not HOST:PORT, for instance 127.0.0.1:8080")
        return cls(value)


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not the name of a time zone, for instance UTC or Asia/Kolkata") from None


def _age(value: str) -> str:
    duration.age(value)  # raises ValueError
    return value


Age = Annotated[str, AfterValidator(_age)]
Address = Annotated[Any, BeforeValidator(Bind.read)]
Amount = Annotated[int | None, BeforeValidator(lambda value: money.micro(value) if value else None)]


class Settings(BaseSettings):
    """Every setting with its default. Secrets do not show in `repr`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    database_url: SecretStr = SecretStr("sqlite:///wamtrail.db")
    app_secrets: Secrets = ()
    verify_tokens: Secrets = ()
    secret_key: Secrets = ()
    wrapper_url: str = "https://cloud-api.in.kaleyra.io"
    wrapper_sid: str | None = None
    wrapper_api_key: SecretStr | None = None
    wrapper_timeout: float = Field(default=10.0, gt=0, le=120)
    wrapper_concurrency: int = Field(default=64, ge=1, le=4096)
    account_limit: int | None = Field(default=None, ge=1)
    receiver_bind: Address = Bind("127.0.0.1:8080")
    console_bind: Address = Bind("127.0.0.1:8081")
    metrics_bind: Address = None
    default_country: str | None = None
    keep_content: bool = False
    keep_bodies: Age = "90d"
    keep_messages: Age = "400d"
    keep_events: Age = "90d"
    keep_audit: Age = "730d"
    state_dir: Path = Path(".wamtrail")
    balance: str = Field(default="off", pattern="^(off|on)$")
    low_balance: Amount = None
    currency: str = Field(default="INR", pattern="^[A-Z]{3}$")
    report_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    reveal_reason: bool = False
    console_secure: bool = False
    api_rate: int = Field(default=600, ge=0, le=1_000_000)
    api_send_rate: int = Field(default=12_000, ge=0, le=1_000_000)
    log_format: str = Field(default="auto", pattern="^(auto|json|text)$")

    @property
    def database(self) -> str:
        return self.database_url.get_secret_value()

    def default_endpoint(self) -> Endpoint:
        return Endpoint("", _plain(self.verify_tokens), _plain(self.app_secrets))

    def secret_keys(self) -> tuple[str, ...]:
        return _plain(self.secret_key)

    def limits(self) -> Limits:
        """How fast may be sent; the rate of one number is set with `wamtrail sender rate`."""
        return Limits(account=self.account_limit)

    def budget(self) -> Budget | None:
        """None: what sending costs is not asked."""
        return Budget(self.currency) if self.balance == "on" else None

    def ages(self) -> Ages:
        """How long things are kept, in seconds. Raises SettingsError when they do not go together."""
        names = ("bodies", "messages", "events", "audit")
        found = Ages(**{name: duration.age(getattr(self, f"keep_{name}")) for name in names})
        found = fitted(found, {name for name in names if f"keep_{name}" not in self.model_fields_set})
        if (sentence := impossible(found)) is not None:
            raise SettingsError(sentence)
        return found

    def message_age(self) -> MessageAge | None:
        """What is older makes no row: at once when it was set, else from the first run of retention on."""
        seconds = self.ages().messages
        return None if seconds is None else MessageAge(seconds, "keep_messages" in self.model_fields_set)

    def require_app_secrets(self) -> None:
        if not self.app_secrets:
            raise SettingsError(
                "WAMTRAIL_APP_SECRETS is not set: without the Meta app's secret no webhook can be told from"
                " a forged one, so the receiver does not start; find it in the app dashboard, App settings >"
                " Basic."
            )

    def require_wrapper(self) -> tuple[str, str]:
        """SID and API key."""
        if not self.wrapper_sid or self.wrapper_api_key is None:
            missing = "WAMTRAIL_WRAPPER_SID" if not self.wrapper_sid else "WAMTRAIL_WRAPPER_API_KEY"
            raise SettingsError(f"{missing} is not set: sending needs Kaleyra's SID and API key.")
        return self.wrapper_sid, self.wrapper_api_key.get_secret_value()


def _plain(secrets: tuple[SecretStr, ...]) -> tuple[str, ...]:
    return tuple(secret.get_secret_value() for secret in secrets)


def load(env_file: Path | None = Path(".env"), environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsError with one sentence about the first that is wrong."""
    environ = os.environ if environ is None else environ
    try:
        in_file = DotEnvSettingsSource(Settings, env_file=env_file).env_vars if env_file else {}
        given = {name.upper(): value for name, value in {**in_file, **environ}.items() if value is not None}
        values: dict[str, Any] = {"_env_file": env_file, **_from_files(given)}
        settings = Settings(**values)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name} cannot be used: {_said(first['msg'])}.") from None
    settings.ages()  # one impossible with another is told at every start, not by night
    return settings


def _from_files(given: Mapping[str, str]) -> dict[str, str]:
    """The values of NAME_FILE settings."""
    values: dict[str, str] = {}
    for field in Settings.model_fields:
        name = PREFIX + field.upper()
        path = given.get(f"{name}_FILE")
        if not path:
            continue
        if given.get(name):
            raise SettingsError(f"Both {name} and {name}_FILE are set; leave one of them out.")
        try:
            values[field] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise SettingsError(f"{name}_FILE cannot be read: {problem}.") from None
    return values


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
