"""The kinds of files by name, and the stream that remembers what went wrong beneath a writer."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from reports import export_csv, export_ndjson, export_parquet, export_xlsx
from reports.export import Field, Row

Write = Callable[[Iterable[Sequence[Row]], Sequence[Field], IO[bytes]], None]
WRITERS: dict[str, Write] = {
    "csv": export_csv.write,
    "ndjson": export_ndjson.write,
    "parquet": export_parquet.write,
    "xlsx": export_xlsx.write,
}
BINARY = ("parquet", "xlsx")
DELICATE = ("parquet",)  # Arrow panics, with a traceback, when Ctrl-C meets it at the wrong instant


def write(form: str, pages: Iterable[Sequence[Row]], fields: Sequence[Field], out: IO[bytes]) -> None:
    """Write every page. What the pages or `out` raise comes out as it was, also through Arrow's writer."""
    watched = _Watched(out)
    try:
        WRITERS[form](watched.pages(pages), fields, watched)  # type: ignore[arg-type]
    except Exception:
        if watched.problem is None:
            raise
    if watched.problem is None:
        watched.flush()
    if watched.problem is not None:
        raise watched.problem


class _Watched(io.RawIOBase):
    """Passes everything on; `problem` is the first exception that came from outside of the writer, or the
    Ctrl-C that came while it was outside.

    A write that fails ends the pages instead of the writer: Arrow's panics, and a panic prints a traceback.
    """

    def __init__(self, out: IO[bytes]) -> None:
        super().__init__()
        self._out = out
        self.problem: BaseException | None = None

    def pages(self, pages: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        try:
            for page in pages:
                yield page
                if self.problem is not None:
                    return
        except GeneratorExit:  # the writer has had enough
            raise
        except BaseException as problem:
            self.problem = self.problem or problem
            raise

    def write(self, data: Any) -> int:
        if self.problem is None:
            try:
                self._out.write(data)
            except BaseException as problem:
                self.problem = problem
        return len(data)

    def flush(self) -> None:
        if self.problem is None and not self._out.closed:
            try:
                self._out.flush()
            except BaseException as problem:
                self.problem = problem

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._out.seekable()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._out.seek(offset, whence)

    def tell(self) -> int:
        return self._out.tell()
