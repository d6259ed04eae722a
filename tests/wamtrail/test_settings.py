"""Settings: environment, .env and NAME_FILE; a wrong one is one plain sentence."""

from pathlib import Path

import pytest

from wamtrail.settings import Settings, SettingsError, load


def _loaded(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load(env_file=None)


def test_without_any_setting_the_defaults_of_the_interface_hold() -> None:
    settings = load(env_file=None)
    assert settings.database == "sqlite:///wamtrail.db"
    assert (settings.receiver_bind, settings.console_bind) == ("127.0.0.1:8080", "127.0.0.1:8081")
    assert settings.metrics_bind is None
    assert settings.wrapper_url == "https://cloud-api.in.kaleyra.io"
    assert settings.wrapper_timeout == 10
    assert settings.wrapper_concurrency == 64


def test_several_secrets_are_comma_separated_and_the_first_is_current(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = _loaded(monkeypatch, WAMTRAIL_APP_SECRETS=" new , old,", WAMTRAIL_VERIFY_TOKENS="t")
    endpoint = settings.default_endpoint()
    assert endpoint.app_secrets == ("new", "old")
    assert endpoint.verify_tokens == ("t",)


def test_secrets_do_not_show_in_representations(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _loaded(
        monkeypatch,
        WAMTRAIL_APP_SECRETS="hush-1",
        WAMTRAIL_WRAPPER_API_KEY="hush-2",
        WAMTRAIL_DATABASE_URL="postgresql://u:hush-3@h/d",
    )
    assert "hush" not in repr(settings) + str(settings) + repr(settings.default_endpoint())


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    settings = _loaded(monkeypatch, WAMTRAIL_APP_SECRETS_FILE=str(tmp_path / "secret"))
    assert settings.default_endpoint().app_secrets == ("from-file",)


def test_a_secret_file_may_be_named_in_the_env_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key-in-a-file")
    (tmp_path / ".env").write_text(
        f"WAMTRAIL_WRAPPER_SID=HX1\nWAMTRAIL_WRAPPER_API_KEY_FILE={tmp_path}/secret\nOTHER=1\n"
    )
    assert load(tmp_path / ".env").require_wrapper() == ("HX1", "key-in-a-file")


def test_the_environment_beats_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WAMTRAIL_WRAPPER_TIMEOUT=5\n")
    monkeypatch.setenv("WAMTRAIL_WRAPPER_TIMEOUT", "7")
    assert load(tmp_path / ".env").wrapper_timeout == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAMTRAIL_RECEIVER_BIND", "8080"),
        ("WAMTRAIL_RECEIVER_BIND", "127.0.0.1:99999"),
        ("WAMTRAIL_WRAPPER_TIMEOUT", "soon"),
        ("WAMTRAIL_WRAPPER_TIMEOUT", "0"),
        ("WAMTRAIL_WRAPPER_CONCURRENCY", "0"),
        ("WAMTRAIL_APP_SECRETS_FILE", "/no/such/file"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        _loaded(monkeypatch, **{name: value})
    assert "\n" not in str(caught.value)


def test_a_setting_and_its_file_at_once_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("b")
    with pytest.raises(SettingsError, match="Both"):
        _loaded(monkeypatch, WAMTRAIL_APP_SECRETS="a", WAMTRAIL_APP_SECRETS_FILE=str(tmp_path / "secret"))


def test_the_accounts_limit_is_off_until_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(env_file=None).limits().of_account is None
    bucket = _loaded(monkeypatch, WAMTRAIL_ACCOUNT_LIMIT="50000").limits().of_account
    assert bucket is not None
    seconds = bucket.period / 1_000_000
    assert 300 / 50_000 <= seconds <= 300 / 50_000 / 0.97 + 0.000002
