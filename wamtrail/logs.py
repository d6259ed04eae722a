"""Structured logs on stderr: JSON lines for machines, plain lines on a terminal.

Nothing for a 200, one line for what a person should know; never a body, number, wamid or secret.
"""

import logging
import sys
from typing import Any

import structlog

_LOUD = ("httpx", "httpcore", "uvicorn.access")  # they write whole addresses


def configure(style: str, *, level: int = logging.INFO) -> None:
    """`style` is json, text or auto (text on a terminal)."""
    as_text = style == "text" or (style == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if as_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            typed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(without_values)


def without_values(record: logging.LogRecord) -> bool:
    """Of an exception that a library logs (uvicorn does, of a page that broke) its type and place alone: its
    text may hold what a database or a caller said."""
    problem = record.exc_info[1] if record.exc_info else None
    if problem is not None:
        record.msg = f"{type(problem).__name__} at {_place(problem)}"
        record.args, record.exc_info, record.exc_text = None, None, None
    return True


def typed(_logger: Any, _name: str, said: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The same of our own lines: `exc_info` becomes the place where it broke."""
    asked = said.pop("exc_info", None)
    problem = asked if isinstance(asked, BaseException) else sys.exc_info()[1] if asked else None
    return {**said, "place": _place(problem)} if problem is not None else said


def _place(problem: BaseException) -> str:
    """File and line of where it was raised, never a value."""
    step = problem.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}" if step else "?"
