"""Into which processes the observer comes, and what it leaves alone there."""

from __future__ import annotations

import ast
import os
import textwrap
from pathlib import Path

import pytest
import torch

from tests.ssh.together import together
from tests.watch.watched import IN_A_FORK, INJECTED, environment, forked, read_traces, run
from tui_trainer.watching.injected._tui_trainer_observer.trace_writer import TraceWriter
from tui_trainer.watching.injected._tui_trainer_observer.values import Values
from tui_trainer.watching.trace import Fault, Goodbye, Hello, LoaderSeen

pytestmark = pytest.mark.slow

CHILDREN = """
    import multiprocessing, os, sys
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    def train(steps):
        weight = torch.nn.Parameter(torch.ones(1))
        optimizer = torch.optim.SGD([weight], lr=0.1)
        for batch, in DataLoader(TensorDataset(torch.ones(steps, 1)), num_workers=2, batch_size=1):
            (weight * batch).sum().backward()
            optimizer.step()

    if __name__ == "__main__":
        for steps, method in enumerate(("fork", "spawn", "forkserver"), 3):
            child = multiprocessing.get_context(method).Process(target=train, args=(steps,))
            child.start()
            child.join()
            assert child.exitcode == 0
"""


def test_children_of_all_kinds_are_seen_to_their_end_and_none_that_do_not_train(tmp_path: Path) -> None:
    watched = run(tmp_path, CHILDREN)
    assert (watched.code, watched.errors) == (0, "")
    assert sorted(trace.values("optimizer.step")[-1] for trace in watched.traces) == [3, 4, 5]
    for trace in watched.traces:
        assert isinstance(trace.definitions[-1], Goodbye)
        assert trace.one(LoaderSeen).workers == 2
        assert not trace.all(Fault)


RANKS = """
    import atexit, os
    import torch
    # Registered first, and so run last: a rank once aborted ("terminate called without an active exception") as its
    # interpreter was taken apart, for a cause that nobody has found.
    atexit.register(os._exit, 0)
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel
    dist.init_process_group("gloo")
    net = DistributedDataParallel(torch.nn.Linear(2, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = net(torch.ones(1, 2) * dist.get_rank()).sum()
        loss.backward()
        optimizer.step()
    dist.destroy_process_group()
"""


def test_ranks_of_one_run_know_each_other(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(textwrap.dedent(RANKS))
    traces = tmp_path / "traces"
    told = forked(environment(traces)) | {"TORCHELASTIC_RUN_ID": "theirs"}
    with together(2, str(INJECTED), str(tmp_path / "train.py"), log=tmp_path, module=IN_A_FORK, env=told) as ranks:
        assert ranks.wait() == [0, 0], ranks.said
    told = read_traces(traces)
    hellos = sorted((trace.one(Hello) for trace in told), key=lambda hello: hello.rank or 0)
    assert [(hello.rank, hello.local_rank, hello.world_size) for hello in hellos] == [(0, 0, 2), (1, 1, 2)]
    assert hellos[0].group == hellos[1].group != ""
    assert [trace.values("optimizer.step") for trace in told] == [[1, 2, 3]] * 2


OWN = (
    "re", "json", "struct", "signal", "weakref", "functools", "collections", "types", "copy", "array", "random",
    "threading", "contextlib", "linecache", "traceback", "typing", "pathlib", "atexit2",
)  # fmt: skip


def test_a_program_gets_the_modules_that_it_would_get_alone(tmp_path: Path) -> None:
    for name in OWN:
        (tmp_path / f"{name}.py").write_text("mine = True\n")
    program = f"""
        import sys
        names = {OWN!r}
        loaded = [name for name in sys.modules if "_tui_trainer_observer" not in name]
        print(sorted(set(loaded) - {{"_json", "_struct", "__future__", "atexit", "gc", "sitecustomize"}}))
        print([hasattr(__import__(name), "mine") for name in names])
        print(sys.path, sys.flags)
    """
    alone = run(tmp_path, program, watch=False, fresh=True)
    watched = run(tmp_path, program, fresh=True)
    assert alone.code == watched.code == 0
    assert watched.output == alone.output
    assert watched.traces == []


def test_most_of_the_observer_is_loaded_with_the_first_module_that_it_listens_to(tmp_path: Path) -> None:
    program = """
        import sys
        def loaded():
            return [name for name in sys.modules if name.startswith("_tui_trainer_observer.")]
        print(len(loaded()) < 15, "_tui_trainer_observer.torch_calls" in loaded())
        import argparse
        from _tui_trainer_observer import LISTENED, current, torch_calls
        print(set(torch_calls.after_imports(current())) == set(LISTENED), "torch" in sys.modules)
    """
    watched = run(tmp_path, program, fresh=True)
    assert (watched.output, watched.errors) == ("True False\nTrue False\n", "")


@pytest.mark.parametrize("content", ["print('theirs', __name__, __file__)", "raise RuntimeError('theirs')"])
def test_a_sitecustomize_of_the_users_runs_as_ever(tmp_path: Path, content: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text(content)
    program = "import sys; print(getattr(sys.modules.get('sitecustomize'), '__file__', None))"
    alone = run(tmp_path, program, watch=False, PYTHONPATH=str(theirs), fresh=True)
    watched = run(tmp_path, program, PYTHONPATH=os.pathsep.join((str(INJECTED), str(theirs))), fresh=True)
    assert alone.output + alone.errors != ""
    assert (watched.code, watched.errors) == (alone.code, alone.errors)
    assert watched.output.startswith(alone.output.splitlines()[0]) or "RuntimeError" in alone.errors


def test_an_observer_that_cannot_be_loaded_does_no_harm(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "_tui_trainer_observer").mkdir(parents=True)
    (broken / "sitecustomize.py").write_bytes((INJECTED / "sitecustomize.py").read_bytes())
    (broken / "_tui_trainer_observer" / "__init__.py").write_text("raise ValueError")
    watched = run(tmp_path, "print('trains')", PYTHONPATH=str(broken), fresh=True)
    assert (watched.code, watched.output, watched.errors) == (0, "trains\n", "")


BEFORE_IT = {"__future__", "os", "sys", "time", "gc", "atexit", "_json", "_signal", "_struct", "_weakref"}
"""Modules that every Python has loaded as it starts, or built in, or that no program has one of the same name of."""


def imports_of(tree: ast.AST) -> set[str]:
    """What is imported, but for type checkers."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=orelse):
                found |= {name for held in orelse for name in imports_of(held)}
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module)
            case _:
                found |= imports_of(node)
    return found


def test_it_imports_nothing_of_others_and_is_python_3_9() -> None:
    files = sorted(INJECTED.rglob("*.py"))
    assert len(files) > 20
    for file in files:
        tree = ast.parse(file.read_text(), feature_version=(3, 9))
        more = {"os.path", "_tui_trainer_observer", "_frozen_importlib", "_frozen_importlib_external"}
        assert imports_of(tree) <= BEFORE_IT | (more if file.name == "sitecustomize.py" else set()), file


def test_a_trace_goes_on_in_another_file_and_ends_where_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_trainer.watching.injected._tui_trainer_observer import trace_writer

    monkeypatch.setattr(trace_writer, "LARGEST_FILE", 2000)
    writer = TraceWriter(str(tmp_path))
    writer.define("site", id=1, call="backward")
    writer.start(0.0, {"pid": 1, "parent": 1, "argv": [], "cwd": "", "script": "", "python": "", "torch": "",
                       "clock": 0.0, "at": 0.0})  # fmt: skip
    count = 0
    while not writer.ended:
        writer.call(1, count, count, count)
        writer.write()
        count += 1
        assert count < 10_000
    assert len(list(tmp_path.glob("*.trace"))) == trace_writer.MOST_UNREAD_FILES
    (trace,) = read_traces(tmp_path)
    assert trace.garbage == 0
    values = trace.values("backward")
    assert values == list(range(len(values)))
    assert trace.one(Fault).off
    assert len(values) > 1000


def test_of_a_process_that_never_trains_only_so_much_is_held(tmp_path: Path) -> None:
    writer = TraceWriter(str(tmp_path))
    for number in range(200_000):
        writer.call(1, number, number, 0.0)
        if number % 1000 == 0:
            writer.define("site", id=number, call="data", text="x" * 1000)
    held = sum(map(len, writer._frames)) + 8 * len(writer.rows)
    assert held < 3 << 20
    assert list(tmp_path.iterdir()) == []


# A device: the observer's side of CUDA, on a CPU


class FakeStream:
    """A queue of what the device has still to do: done as `finish` is called."""

    cuda_stream = 7

    def __init__(self) -> None:
        self.waiting: list[object] = []
        self.done = 0

    def submit(self, work: object) -> int:
        self.waiting.append(work)
        return self.done + len(self.waiting)

    def finish(self) -> None:
        for work in self.waiting:
            work()  # type: ignore[operator]
        self.done += len(self.waiting)
        self.waiting.clear()


class OnDevice(torch.Tensor):
    """A tensor whose copies land as the stream gets there, in its order."""

    stream: FakeStream
    is_cuda = True  # type: ignore[assignment]
    is_cpu = False  # type: ignore[assignment]


def fake_torch(stream: FakeStream, capturing: list[bool]) -> object:
    """What the observer uses of torch, with a device that is none. Waiting for it fails."""

    class Landing(torch.Tensor):
        def copy_(self, source: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:  # type: ignore[override]
            assert non_blocking
            target, plain = self.as_subclass(torch.Tensor), source.as_subclass(torch.Tensor)
            stream.submit(lambda: torch.Tensor.copy_(target, plain))
            return self

        def unbind(self) -> list[torch.Tensor]:  # type: ignore[override]
            return [held.as_subclass(Landing) for held in self.as_subclass(torch.Tensor).unbind()]

        def tolist(self) -> list[float]:
            return self.as_subclass(torch.Tensor).tolist()  # type: ignore[no-any-return]

    class Event:
        due = 0

        def record(self, on: FakeStream) -> None:
            self.due = on.submit(lambda: None)

        def query(self) -> bool:
            return stream.done >= self.due

        def synchronize(self) -> None:
            raise AssertionError("the observer waits for the device")

    class Cuda:
        @staticmethod
        def is_current_stream_capturing() -> bool:
            return capturing[0]

        @staticmethod
        def current_stream(device: object) -> FakeStream:
            return stream

    class Torch:
        cuda, float64, inference_mode = Cuda, torch.float64, torch.inference_mode
        Tensor = OnDevice
        nn = torch.nn

        @staticmethod
        def empty(size: int, dtype: torch.dtype, device: object = None, pin_memory: bool = False) -> torch.Tensor:
            return torch.full((size,), -7.0, dtype=dtype).as_subclass(Landing)

    Cuda.Event = Event  # type: ignore[attr-defined]
    return Torch


class Recorded:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, float, float, float]] = []

    def call(self, *row: float) -> None:
        self.rows.append(row)  # type: ignore[arg-type]

    def next_call(self) -> int:
        return len(self.rows)


class Hooked:
    """An observer that only says when."""

    def __init__(self) -> None:
        self.writer = Recorded()
        self.look: object = None

    def at_write(self, look: object) -> None:
        self.look = look

    def at_fork(self, forget: object) -> None:
        pass

    at_end = at_fork


def test_losses_on_a_device_come_late_each_to_its_row_and_nobody_waits() -> None:
    stream, capturing, observer = FakeStream(), [False], Hooked()
    values = Values(observer)  # type: ignore[arg-type]
    values.install(fake_torch(stream, capturing))

    def loss(number: float) -> torch.Tensor:
        return torch.tensor(number, requires_grad=True).as_subclass(OnDevice)

    def look(now: float) -> None:
        observer.look(now)  # type: ignore[operator]

    reused = torch.tensor(0.25).as_subclass(OnDevice)
    values.record(3, 0.0, 1.0, loss(0.5))
    values.record(3, 1.0, 2.0, reused)
    stream.finish()
    reused.as_subclass(torch.Tensor).fill_(99.0)  # in place, after the copy: as a captured graph does
    capturing[0] = True
    values.record(3, 2.0, 3.0, loss(4.0))  # would become a part of the graph: never told
    capturing[0] = False
    rows = observer.writer.rows
    assert [row[0] for row in rows] == [3, 3, 3]
    assert all(row[3] != row[3] for row in rows)
    look(1e9)
    look(2e9)
    assert len(rows) == 3  # the device is not there yet
    stream.finish()
    look(3e9)
    assert [(row[0], row[1], row[3]) for row in rows[3:]] == [(0, 0, 0.5), (0, 1, 0.25)]
    for number in range(3000):  # more than buffers hold, on a device that stands still
        values.record(3, 0.0, 1.0, loss(float(number)))
    for at in range(4, 9):
        stream.finish()
        look(at * 1e9)
    late = [(row[1], row[3]) for row in rows[5:] if row[0] == 0]
    assert len(late) == 1024
    assert all(row - 5 == value for row, value in late)
    values.record(3, 0.0, 1.0, torch.tensor([0.75]).as_subclass(OnDevice))
    told = len(rows)
    values._device_values.finish(0.01)  # type: ignore[union-attr]
    assert len(rows) == told  # at the end a device that stands still is not waited for
