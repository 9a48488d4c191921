"""Databases are read so that nothing is left beside them, their writer is not kept waiting, and no trap is sprung."""

from __future__ import annotations

import sqlite3
import time
from math import inf, nan
from pathlib import Path

import pytest

from tests.foreign_records.followed import Followed, same
from tui_trainer.foreign_records import forms, sqlite_file
from tui_trainer.foreign_records.database import DatabaseKind
from tui_trainer.foreign_records.mlflow import LARGEST, MLflowDatabaseReader, MLflowFolder
from tui_trainer.foreign_records.pieces import Points
from tui_trainer.foreign_records.sqlite_file import NotReadable
from tui_trainer.foreign_records.trackio import TrackioReader

MLFLOW, TRACKIO = DatabaseKind(MLflowDatabaseReader), DatabaseKind(TrackioReader)

TABLES = """
CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT, lifecycle_stage TEXT);
CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN);
INSERT INTO runs VALUES ('a', 'first', 'FINISHED', 1, 2, 'active'), ('b', 'second', 'RUNNING', 5, NULL, 'active');
"""


def test_mlflow_has_words_of_its_own_for_what_is_not_finite_and_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.executescript(TABLES)
    row = "INSERT INTO metrics VALUES (?, ?, ?, 'b', ?, ?)"
    writer.executemany(row, [("loss", 0.5, 1000, 1, 0), ("loss", 0.0, 2000, 2, 1), ("loss", -LARGEST, 3000, 3, 0)])
    assert MLFLOW.recognises(path)
    assert not TRACKIO.recognises(path)
    followed = Followed(MLFLOW, path)
    assert same(followed.all_numbers, {"loss": {1: 0.5, 2: nan, 3: -inf}})
    assert followed.reader.name == "second"
    writer.execute(row, ("loss", 0.25, 4000, 4, 0))
    writer.execute("UPDATE runs SET status = 'FAILED', end_time = 9000 WHERE run_uuid = 'b'")
    followed.look()
    assert followed.numbers("loss")[4] == 0.25
    assert followed.history.status == "crashed"
    assert [each.name for each in tmp_path.iterdir()] == ["mlflow.db"]
    writer.close()


def test_what_mlflow_is_told_by_epochs_stands_where_the_training_was(tmp_path: Path) -> None:
    told = sorted(
        [("loss", step, 10 * step) for step in range(400)]
        + [("acc", epoch, 1000 * (epoch + 1) - 5) for epoch in range(4)]
        + [("odd", 10**30, 7)],
        key=lambda each: each[2],
    )
    writer = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    writer.executescript(TABLES)
    rows = [(name, at, step) for name, step, at in told if step < 2**63]
    writer.executemany("INSERT INTO metrics VALUES (?, 0.5, ?, 'b', ?, 0)", rows)
    writer.close()
    (metrics := tmp_path / "run" / "metrics").mkdir(parents=True)
    (tmp_path / "run" / "meta.yaml").write_text("run_id: a\n")
    for name, step, at in told:
        with (metrics / name).open("a") as file:
            file.write(f"{at} 0.5 {step}\n")
    for followed in (Followed(MLFLOW, tmp_path / "mlflow.db"), Followed(MLflowFolder(), tmp_path / "run")):
        assert [*followed.numbers("acc")] == [99, 199, 299, 399]
        assert [*followed.numbers("loss")] == [*range(400)]
        assert "steps of acc count epochs, or the like" in followed.flaws[0]


def test_its_writer_never_finds_it_locked_and_one_that_its_writer_has_locked_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without WAL, where one reader would be enough to keep a writer from its commit; it waits for nobody here."""
    monkeypatch.setattr("tui_trainer.foreign_records.mlflow.ROWS_AT_ONCE", 2)
    path = tmp_path / "mlflow.db"
    writer = sqlite3.connect(path, isolation_level=None, timeout=0)
    writer.executescript(TABLES)
    row = "INSERT INTO metrics VALUES ('loss', ?, 1000, 'b', ?, 0)"
    writer.executemany(row, [(step / 2, step) for step in range(5)])
    reader = MLFLOW.open(path)
    read = []
    for _ in range(2):
        for piece in reader.read():
            writer.execute(row, (8.0, 8 + len(read)))  # in the middle of what is read
            read.append(piece)
    assert reader.lags
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(NotReadable, match="locked"):
        list(reader.read())
    writer.execute("COMMIT")
    while pieces := list(reader.read()):
        read += pieces
    assert [step for piece in read if isinstance(piece, Points) for step in piece.steps] == [0, 1, 2, 3, 4, 8, 9]
    writer.close()
    reader.close()


def test_what_a_schema_hides_may_use_no_function_that_reaches_out(tmp_path: Path) -> None:
    path = tmp_path / "made.db"
    writer = sqlite3.connect(path)
    writer.execute("CREATE VIEW trap AS SELECT reach() AS step")
    writer.close()
    with sqlite_file.reading(path) as connection:
        connection.create_function("reach", 0, lambda: 1)  # as extensions that a system loads may have it
        assert connection.execute("SELECT reach()").fetchall() == [(1,)]
        with pytest.raises(sqlite3.OperationalError, match="unsafe use of reach"):
            connection.execute("SELECT step FROM trap")


@pytest.mark.parametrize("state", ["closed", "live", "copied while live"])
def test_trackio_in_wal_mode_is_read_and_left_as_it_was(tmp_path: Path, state: str) -> None:
    path = tmp_path / "p.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute(
        "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
    )
    row = "INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES ('2026-11-26T12:00:00+00:00', 'r', ?, ?)"
    writer.executemany(row, [(1, '{"loss": 0.5, "val": {"acc": "NaN"}}'), (2, '{"loss": "Infinity"}'), (3, "no json")])
    if state == "closed":
        writer.close()
    elif state == "copied while live":
        (tmp_path / "copy").mkdir()
        for file in (path, tmp_path / "p.db-wal"):
            (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
        path = tmp_path / "copy" / "p.db"
    before = sorted(each.name for each in path.parent.iterdir())
    followed = Followed(TRACKIO, path)
    assert same(followed.all_numbers, {"loss": {1: 0.5, 2: inf}, "val/acc": {1: nan}})
    assert not followed.flaws
    if state == "live":
        writer.execute(row, (4, '{"loss": 1}'))
        followed.look()
        assert followed.numbers("loss")[4] == 1
    assert sorted(each.name for each in path.parent.iterdir()) == before
    writer.close()


def test_each_run_of_a_database_has_a_path_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.executescript(TABLES)
    writer.execute("INSERT INTO metrics VALUES ('loss', 0.5, 1000, 'a', 1, 0)")
    assert [(record.path, record.name) for record in forms.records_in(tmp_path)] == [
        (path / "b", "second"),
        (path / "a", "first"),
    ]
    for given in ("a", "first"):
        (record,) = forms.records_in(path / given)
        assert record.kind.recognises(record.path)
        followed = Followed(MLFLOW, record.path)
        assert (followed.reader.name, followed.numbers("loss")) == ("first", {1: 0.5})
    assert forms.records_in(path / "c") == []
    writer.close()
    other = tmp_path / "p.db"
    writer = sqlite3.connect(other, isolation_level=None)
    writer.execute("CREATE TABLE metrics (id INTEGER, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)")
    row = "INSERT INTO metrics VALUES (?, '2026-11-26T12:00:00+00:00', ?, 1, '{\"loss\": 1}')"
    writer.executemany(row, [(1, "a/b %"), (2, "night")])
    found = forms.records_in(other)
    assert [record.name for record in found] == ["night", "a/b %"]
    assert Followed(TRACKIO, found[1].path).reader.name == "a/b %"
    writer.close()


def test_a_view_that_never_ends_is_no_table_and_a_query_has_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
    with sqlite3.connect(tmp_path / "p.db") as writer:
        columns = "i AS id, '' AS timestamp, 'r' AS run_name, i AS step, '{}' AS metrics"
        writer.execute(f"CREATE VIEW metrics AS {endless} {columns} FROM n")
    writer.close()
    assert not TRACKIO.recognises(tmp_path / "p.db")
    monkeypatch.setattr(sqlite_file, "LONGEST_QUERY_S", 0.05)
    began = time.monotonic()
    with pytest.raises(NotReadable), sqlite_file.reading(tmp_path / "p.db") as connection:
        connection.execute(f"{endless} max(i) FROM n").fetchall()
    assert time.monotonic() - began < 5
    (tmp_path / "broken.db").write_bytes(sqlite_file.MAGIC + b"\xff" * 5000)
    assert not MLFLOW.recognises(tmp_path / "broken.db")


def test_mlflows_folder_has_a_file_for_each_metric(tmp_path: Path) -> None:
    run = tmp_path / "1" / "abc"
    (run / "metrics" / "train").mkdir(parents=True)
    (run / "meta.yaml").write_text("end_time: null\nrun_id: abc\nrun_name: night owl\nstatus: 1\n")
    (run / "metrics" / "train" / "loss").write_text("1000 0.5 1\n2000 nan 2\nwords\n3000 inf")
    assert MLflowFolder().recognises(run)
    assert not MLflowFolder().recognises(tmp_path)
    followed = Followed(MLflowFolder(), run)
    with (run / "metrics" / "train" / "loss").open("a") as file:
        file.write(" 3\n")
    (run / "meta.yaml").write_text("end_time: 4000\nrun_id: abc\nrun_name: night owl\nstatus: 3\n")
    followed.look()
    assert same(followed.all_numbers, {"train/loss": {1: 0.5, 2: nan, 3: inf}})
    assert followed.flaws == ["1 row could not be read; left out"]
    assert (followed.reader.name, followed.history.status) == ("night owl", "finished")
