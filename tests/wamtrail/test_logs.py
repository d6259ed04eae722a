"""What gets into the log of an exception: its type and place, never its text."""

import logging

import pytest
import structlog

from wamtrail import logs, servers

SECRET = "+919812345678"


def _breaks() -> None:
    raise ValueError(f"Key (wamid)=({SECRET}) already exists")


def test_what_a_library_logs_of_an_exception_holds_nothing_of_its_text() -> None:
    try:
        _breaks()
    except ValueError as problem:
        info = (type(problem), problem, problem.__traceback__)
    record = logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, "Exception %s", (SECRET,), info)
    assert logs.without_values(record)
    line = logging.Formatter("%(levelname)s %(name)s %(message)s").format(record)
    assert SECRET not in line
    assert "ValueError at " in line
    assert "test_logs.py" in line


@pytest.mark.parametrize("style", ["json", "text"])
def test_our_own_lines_tell_the_place_of_an_exception_and_not_its_text(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(style)
    try:
        _breaks()
    except ValueError:
        structlog.get_logger("test").error("claim_failed", error="ValueError", exc_info=True)
    finally:
        structlog.reset_defaults()
    line = capsys.readouterr().err
    assert SECRET not in line
    assert "test_logs.py" in line


def test_every_handler_leaves_texts_of_exceptions_out(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = logging.StreamHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    logs.configure("json")
    structlog.reset_defaults()
    assert logs.without_values in handler.filters


def test_a_page_that_breaks_is_logged_by_the_server_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure("json")
    structlog.reset_defaults()
    servers._config(lambda scope, receive, send: None)  # type: ignore[arg-type]
    try:
        _breaks()
    except ValueError as problem:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=problem)
    line = capsys.readouterr().err
    assert "ValueError at " in line
    assert SECRET not in line
