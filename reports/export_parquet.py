"""Rows as Parquet, a row group at a time: times are UTC with microseconds, text is text, zstd."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from reports.export import Field, Row

GROUP = 50_000  # rows of a row group; Arrow holds them encoded until it is full


def write(pages: Iterable[Sequence[Row]], fields: Sequence[Field], out: IO[bytes]) -> None:
    from arro3.core import Field as ArrowField
    from arro3.core import RecordBatchReader, Schema
    from arro3.io import write_parquet

    types = _types()
    schema = Schema([ArrowField(one.name, types[one.type], nullable=True) for one in fields])
    batches = (_batch(page, fields, schema) for page in pages if page)
    reader = RecordBatchReader.from_batches(schema, batches)
    write_parquet(reader, out, compression="zstd(3)", max_row_group_size=GROUP)


def _types() -> dict[str, Any]:
    from arro3.core import DataType

    return {
        "text": DataType.utf8(),
        "integer": DataType.int64(),
        "number": DataType.float64(),
        "flag": DataType.bool(),
        "time": DataType.timestamp("us", tz="UTC"),
    }


def _batch(page: Sequence[Row], fields: Sequence[Field], schema: Any) -> Any:
    from arro3.core import RecordBatch

    return RecordBatch.from_arrays([_array(page, one) for one in fields], schema=schema)


def _array(page: Sequence[Row], field: Field) -> Any:
    from arro3.core import Array, DataType

    types = _types()
    values = [row[field.name] for row in page]
    if field.type == "time":  # there is no constructor for times: whole microseconds, and a cast
        micro = [None if value is None else round(value * 1_000_000) for value in values]
        return Array(micro, DataType.int64()).cast(types["time"])
    if field.type == "flag":
        values = [None if value is None else bool(value) for value in values]
    return Array(values, types[field.type])


def read_rows(file: IO[bytes]) -> Iterator[Row]:
    """What a file holds, for those who check it."""
    from arro3.io import read_parquet

    for batch in read_parquet(file):
        columns = {name: batch.column(name).to_pylist() for name in batch.schema.names}
        for at in range(batch.num_rows):
            yield {name: values[at] for name, values in columns.items()}
