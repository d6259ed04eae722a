"""Rows as one JSON object a line: every column in every row, null where there is nothing."""

import json
from collections.abc import Iterable, Sequence
from typing import IO

from reports.export import Field, Row
from store.times import rfc3339


def write(pages: Iterable[Sequence[Row]], fields: Sequence[Field], out: IO[bytes]) -> None:
    times = [field.name for field in fields if field.type == "time"]
    names = [field.name for field in fields]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for page in pages:
        lines = []
        for row in page:
            values = {name: row[name] for name in names}
            for name in times:
                values[name] = rfc3339(values[name])
            lines.append(encode(values) + "\n")
        out.write("".join(lines).encode())
