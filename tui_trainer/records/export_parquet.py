"""A record's numbers as one Parquet file, which pandas, Polars and DuckDB read at once; written by pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from tui_trainer.records.errors import ExportFailed, unsaid
from tui_trainer.records.export import Reading, Recorded, export_failed, recorded, whole_files
from tui_trainer.records.metric_rows import Row, rows_of
from tui_trainer.text.captions import say

PARQUET = "metrics.parquet"

ROWS_TOGETHER = 100_000
"""Rows that are in memory at once, and in a row group of the file."""


def export_parquet(run: Path | Recorded, out: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """Write the record in folder `run` as `out/metrics.parquet`: the rows and columns of `metrics.csv`, typed.

    `step` and `epoch` are int64, `elapsed_s` (seconds) and `value` float64, `name` is text in a dictionary. Every
    number of every series has a row, those of steps among them; `epoch` and `elapsed_s` are null where untold, a value
    that was not finite is NaN or infinite. A whole number beyond 2^53 is the nearest float: `metrics.csv` is exact.

    `warn` is told, in words, of lines of the record that could not be read.

    Returns:
        The file written.

    Raises:
        ExportFailed: pyarrow or the journal is not there, or `out` cannot be written to; `ExportCutShort`, if the disk
            is at fault.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ExportFailed(say("record.needs_pyarrow")) from None
    run = recorded(run)
    columns = [
        ("step", pyarrow.int64()),
        ("epoch", pyarrow.int64()),
        ("elapsed_s", pyarrow.float64()),
        ("name", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
        ("value", pyarrow.float64()),
    ]
    schema = pyarrow.schema(columns)
    try:
        with whole_files(out, [PARQUET]) as files, parquet.ParquetWriter(files[PARQUET], schema) as writer:
            reading = Reading(run, warn)
            for rows in _together(_placed(reading)):
                cells = zip(*rows, strict=True)
                arrays = [pyarrow.array(column, kind) for column, (_, kind) in zip(cells, columns, strict=True)]
                writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
    except OSError as cause:
        raise export_failed(run, out, cause) from cause
    return [out / PARQUET]


def _placed(reading: Reading) -> Iterator[Sequence[object]]:
    rows = reading.rows
    for event in reading.again():
        for row in filter(rows.stands, rows_of(event)):
            placed = rows.placed(row)
            yield row.step, placed.epoch, placed.elapsed, rows.shown(row), _as_float(row)


def _as_float(row: Row) -> float:
    try:
        return float(row.value)
    except OverflowError:
        return float("inf") if row.value > 0 else float("-inf")


def _together(rows: Iterator[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    while some := list(islice(rows, ROWS_TOGETHER)):
        yield some
