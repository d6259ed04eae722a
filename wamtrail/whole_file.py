"""A file that appears under its name when it is whole, and on the disk; until then it is FILE.part."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class BeingWritten(Exception):
    """Another run writes this file; the text is one plain sentence."""


@contextmanager
def written_whole(output: str) -> Iterator[IO[bytes]]:
    """What is written goes to `output`, or nothing does: FILE.part is gone when the body fails.

    A link stays one and a file keeps its rights; a pipe or device is written to as it is.
    Raises BeingWritten.
    """
    path = Path(output).resolve()
    there = path.exists()
    if there and not path.is_file():
        with path.open("wb") as out:
            yield out
        return
    part = path.with_name(path.name + ".part")
    with _ours(part) as out:
        try:
            yield out
            out.flush()
            os.fsync(out.fileno())
            if there:
                part.chmod(stat.S_IMODE(path.stat().st_mode))
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _ours(part: Path) -> IO[bytes]:
    """The file, empty and nobody else's: of two in one, what the first to end has made would look whole."""
    while True:
        out = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT, 0o666), "wb")
        try:
            _lock(out, part)
            if _is_at(out, part):  # whoever had it before may have given it its name meanwhile
                if stat.S_ISREG(os.fstat(out.fileno()).st_mode):
                    out.truncate()
                return out
        except BaseException:
            out.close()
            raise
        out.close()


def _lock(out: IO[bytes], part: Path) -> None:
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BeingWritten(
            f"{part} is being written by another run: wait for it, or name another file."
        ) from None
    except OSError:
        pass  # a file system without locks


def _is_at(out: IO[bytes], part: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(out.fileno()), part.stat())
    except FileNotFoundError:
        return False
