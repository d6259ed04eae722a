"""A command that is stopped in the middle takes away what it has made by half before it ends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def tidily_stopped(out: IO[bytes], *, at_once: bool = True) -> Iterator[Callable[[], None]]:
    """Ctrl-C, SIGTERM and a closed terminal run every `finally` of the body; exit code 128 + signal.

    What libraries make of it on its way through them does not matter. Not `at_once`: for one that cannot bear
    it. The first signal then only lets what is written to `out` go nowhere, so that nothing waits there, and
    the body calls what it is given: between its steps, and when it has written all.
    A signal that whoever started us ignores (nohup) stays ignored.
    """
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        if at_once or len(stopped) > 1:
            raise KeyboardInterrupt
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())

    def look() -> None:
        if stopped:
            raise KeyboardInterrupt

    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, stop)) for number in wanted]
    try:
        yield look
    except BaseException:
        if stopped:
            raise SystemExit(128 + stopped[0]) from None
        raise
    finally:
        for number, handler in before:
            signal.signal(number, handler)
