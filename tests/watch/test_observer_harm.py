"""Nothing of a program changes by being watched: its numbers, its files, its output, its end, its memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.watched import run
from tui_trainer.watching.trace import Fault, Goodbye, Hello

pytestmark = pytest.mark.slow

SAME = """
    import copy, hashlib, inspect, os, pickle, random, sys, warnings
    import numpy
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, Dataset
    from torch.optim.lr_scheduler import OneCycleLR, StepLR

    def digest(*held):
        return hashlib.sha256(repr(held).encode()).hexdigest()[:12]

    class Noisy(Dataset):
        def __len__(self):
            return 64
        def __getitem__(self, index):
            return torch.randn(1, 8, 8) + index, index % 3

    torch.manual_seed(1); random.seed(2); numpy.random.seed(3)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    )
    calls = []
    def seen(*held):
        calls.append(len(held))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    optimizer.register_step_post_hook(seen)
    net.register_full_backward_hook(seen)
    early = StepLR(torch.optim.SGD(net.parameters(), lr=0.1), 2)
    early.step()                      # torch warns, at this line
    scheduler = OneCycleLR(optimizer, 0.1, total_steps=40)
    loader = DataLoader(Noisy(), batch_size=16, shuffle=True, num_workers=2)
    for epoch in range(2):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            print(loss.item().hex(), scheduler.get_last_lr()[0].hex())
        with torch.no_grad():
            print(net(images).sum().item().hex())
    warnings.warn("the program's own")
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "lr": scheduler.state_dict()}, "c.pt")
    torch.save(net, "net.pt")
    print(hashlib.sha256(pickle.dumps(scheduler.state_dict())).hexdigest())
    print(sorted(vars(pickle.loads(pickle.dumps(optimizer)))), sorted(vars(copy.deepcopy(net))))
    print(list(net._backward_hooks), list(optimizer._optimizer_step_post_hooks))
    print(digest(torch.get_rng_state().tolist(), random.getstate(), numpy.random.get_state()[1].tolist()))
    print(calls, sorted(vars(optimizer)), sorted(vars(scheduler)), sorted(vars(loader)))
    print(torch.Tensor.item.__name__, torch.nn.Module.train.__qualname__, inspect.signature(scheduler.step))
    print(sys.path, sys.argv, len(sys._current_frames()), os.environ.get("TUI_TRAINER", ""))
    try:
        loss.backward()
    except RuntimeError as error:
        print(type(error), str(error)[:60])
"""


def test_numbers_files_and_output_are_the_same_to_the_last_byte(tmp_path: Path) -> None:
    folder = tmp_path / "same"
    alone = run(folder, SAME, watch=False)
    files = [(folder / name).read_bytes() for name in ("c.pt", "net.pt")]
    watched = run(folder, SAME)
    assert (alone.code, watched.code) == (0, 0)
    assert watched.output == alone.output
    assert watched.errors == alone.errors
    assert "train.py" in alone.errors
    assert [(folder / name).read_bytes() for name in ("c.pt", "net.pt")] == files
    assert not watched.trace.all(Fault)
    assert watched.trace.values("optimizer.step") == list(range(1, 9))


BREAKS = """
    import torch
    from torch import nn
    from torch._dynamo.utils import counters
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    @torch.compile(backend="eager")
    def step(images):
        net.train()
        optimizer.zero_grad()
        loss = net(images).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss.item()
    other = torch.optim.SGD(net.parameters(), lr=0.1)
    @torch.compile(backend="eager")
    def update():
        other.step()
    for _ in range(3):
        step(torch.ones(2, 4))
        update()
        scheduler.step()
    print(dict(counters["stats"]), sorted(counters["graph_break"].values()), dict(counters["unimplemented"]))
"""


def test_a_compiled_step_has_no_graph_break_more(tmp_path: Path) -> None:
    alone, watched = run(tmp_path, BREAKS, watch=False), run(tmp_path, BREAKS)
    assert alone.code == 0
    assert "unique_graphs" in alone.output
    assert (watched.code, watched.output) == (0, alone.output)


WAYS = """
    import os, signal, sys, time
    import torch
    import torch._dynamo  # an optimizer's first step loads it: once here, not in each child

    def train(seconds):
        weight = torch.nn.Parameter(torch.ones(1))
        optimizer = torch.optim.SGD([weight], lr=0.1)
        begin, count = None, 0
        while count < 20 or time.perf_counter() - begin < seconds:
            optimizer.zero_grad()
            (weight ** 2).sum().backward()
            optimizer.step()
            begin = begin or time.perf_counter()  # the first step takes its time
            count += 1
        return count

    def killed(number):
        os.kill(os.getpid(), number)
        time.sleep(30)

    def raises():
        raise RuntimeError("as it is")

    ways = {
        "ends": lambda: None,
        "exit5": lambda: sys.exit(5),
        "raises": raises,
        "interrupted": lambda: killed(signal.SIGINT),
        "terminated": lambda: killed(signal.SIGTERM),
        "killed": lambda: killed(signal.SIGKILL),
        "exit9": lambda: os._exit(9),
    }
    for name, way in ways.items():
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.write(write, f"{train(0.6 if name == 'killed' else 0)} {time.perf_counter()}".encode())
            way()
            sys.exit(0)
        count = os.read(read, 99).decode()
        _, status = os.waitpid(child, 0)
        print(name, child, count, os.waitstatus_to_exitcode(status), flush=True)
"""


def test_programs_end_by_their_own_exit_codes_and_signals(tmp_path: Path) -> None:
    watched = run(tmp_path, WAYS)
    ends = {
        name: (pid, int(count), float(at), int(code))
        for name, pid, count, at, code in map(str.split, watched.output.splitlines())
    }
    codes = {name: code for name, (*_, code) in ends.items()}
    assert codes == {
        "ends": 0, "exit5": 5, "raises": 1, "interrupted": -2, "terminated": -15, "killed": -9, "exit9": 9,
    }  # fmt: skip
    assert watched.errors.count("RuntimeError: as it is") == 1
    traces = {trace.process.partition("-")[0]: trace for trace in watched.traces}
    assert len(traces) == len(ends)
    for name in ("ends", "exit5", "raises", "interrupted"):
        pid, count, *_ = ends[name]
        assert traces[pid].values("optimizer.step")[-1] == count, name
        assert isinstance(traces[pid].definitions[-1], Goodbye), name
    pid, _, killed_at, _ = ends["killed"]
    steps = [row for row in traces[pid].rows if traces[pid].site(row[0]).call == "optimizer.step"]
    assert killed_at - steps[-1][2] < 1.0


MEMORY = """
    import gc, weakref
    import torch

    def main(width=8):
        config = locals()
        net = torch.nn.Linear(width, 1)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        loop(net, optimizer, scheduler)
        print(sorted(config))
        held = [weakref.ref(net), weakref.ref(optimizer), weakref.ref(scheduler)]
        del net, optimizer, scheduler, config
        gc.collect()
        print([reference() for reference in held])

    def loop(net, optimizer, scheduler):
        for _ in range(3):
            batch = torch.ones(4, 8)
            outputs = net(batch)
            loss = outputs.sum()
            loss.backward()
            optimizer.step()
            scheduler.step()
            held = [weakref.ref(tensor) for tensor in (batch, outputs, loss)]
            del batch, outputs, loss
            print([reference() for reference in held])

    main()
"""


def test_no_batch_loss_or_network_lives_longer(tmp_path: Path) -> None:
    watched = run(tmp_path, MEMORY)
    assert watched.output.splitlines() == ["[None, None, None]"] * 3 + ["['width']", "[None, None, None]"]
    assert {name for _, name, _ in watched.trace.calls("backward")} == {"loss"}


FAULTS = """
    import atexit, gc, os, resource, sys
    import torch
    import torch._dynamo  # an optimizer's first step loads it: once here, not in each child
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    PARTS = '''
        call_sites.CallSites.of_call call_sites.CallSites._found call_sites.name_of call_sites.line_of
        trace_writer.TraceWriter.call trace_writer.TraceWriter.define trace_writer.TraceWriter.write
        trace_writer.TraceWriter.start trace_writer.TraceWriter.overdue trace_writer.TraceWriter._append
        values.Values.record values.Values.on_cpu losses.Losses._loss call_sites.LastSite.find
        optimizer_steps.OptimizerSteps._look optimizer_steps.OptimizerSteps._attend
        optimizer_steps.OptimizerSteps._first_step optimizer_steps.OptimizerSteps._told
        schedulers.Schedulers._given schedulers._number schedulers.Schedulers.define rehearsal.Rehearsal.of
        data_passes.DataPasses._began data_passes.DataPasses._define gradients.Gradients._clipped
        process.Process.hello first_steps.FirstSteps.before networks.Networks.found control.Control._after_step
        observer.Observer._written networks.Networks._put_into_mode plain.encode seen_objects.SeenObjects.of
    '''.split()
    HANDLERS = ["guard._words", "observer.Observer._tell_fault", "guard._handlers"]

    def broken(*_, **__):
        raise RuntimeError("broken on purpose")

    def break_(name):
        module, *path = name.split(".")
        held = sys.modules["_tui_trainer_observer." + module]
        for part in path:
            held = getattr(held, part)
        held.__code__ = broken.__code__

    def train():
        torch.manual_seed(0)
        loader = DataLoader(TensorDataset(torch.randn(24, 4)), batch_size=4)
        net = nn.Linear(4, 1)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
        losses = []
        net.train()
        for (batch,) in loader:
            optimizer.zero_grad()
            loss = net(batch).square().mean()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item().hex())
        return losses

    atexit.register(os._exit, 0)  # the last of them: to take all of torch apart would take longer than to train
    gc.collect()
    gc.freeze()
    overdue = ["at each call", "trace_writer.TraceWriter.write"]
    for names in [[], *([name] for name in PARTS), *([*HANDLERS, name] for name in PARTS[:3]), overdue, ["disk"]]:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            if names == ["disk"]:
                resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))
            else:
                if names == overdue:  # else that is written once, at the end
                    sys.modules["_tui_trainer_observer.trace_writer"].INTERVAL = 0
                    names = names[1:]
                for name in names:
                    break_(name)
            print(os.getpid(), ",".join(names) or "nothing", *train(), flush=True)
            sys.exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, (names, status)
"""


def test_training_goes_on_whatever_of_the_observer_breaks(tmp_path: Path) -> None:
    watched = run(tmp_path, FAULTS, fresh=True)  # it prints into a pipe: the size of files is limited in it
    assert (watched.code, watched.errors) == (0, "")
    ends = {name: (pid, losses) for pid, name, *losses in map(str.split, watched.output.splitlines())}
    assert len(ends) > 30
    (_, right) = ends["nothing"]
    assert len(right) == 6
    assert {name: losses for name, (_, losses) in ends.items() if losses != right} == {}
    traces = {trace.process.partition("-")[0]: trace for trace in watched.traces}
    assert not traces[ends["nothing"][0]].all(Fault)
    faults = traces[ends["call_sites.LastSite.find"][0]].all(Fault)
    wheres = ["zero_grad", "backward", "optimizer.step"]
    assert [(fault.where, fault.off) for fault in faults] == list(zip(wheres, (False, False, True), strict=True))
    assert "broken on purpose" in faults[0].error
    full = traces[ends["disk"][0]]
    assert full.garbage == 0
    assert full.all(Hello)


INTERRUPTED = """
    import os, signal, sys
    import torch
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    sites = sys.modules["_tui_trainer_observer.call_sites"].CallSites
    signals = [signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2]

    class Alarm:
        def __call__(self, number, frame):
            raise OSError("the program's own too")

    def handler(number, frame):
        raise ValueError("the program's own")

    signal.signal(signal.SIGUSR1, handler)
    signal.signal(signal.SIGUSR2, Alarm())
    def interrupted(*_, **__):
        import os, sys
        os.kill(os.getpid(), sys.modules["__main__"].signals[0])
        return 1
    (weight ** 2).sum().backward()
    optimizer.step()
    sites.of_call.__code__ = interrupted.__code__
    while signals:
        try:
            optimizer.step()
        except BaseException as error:
            print(repr(error))
        signals.pop(0)
"""


def test_what_a_signal_raises_while_the_observer_works_reaches_the_program(tmp_path: Path) -> None:
    watched = run(tmp_path, INTERRUPTED)
    assert watched.output.splitlines() == [
        "KeyboardInterrupt()",
        'ValueError("the program\'s own")',
        'OSError("the program\'s own too")',
    ]
    assert not watched.trace.all(Fault)


@pytest.mark.parametrize("calls", ["off", "full"])
def test_options_leave_the_losses_as_they_are(tmp_path: Path, calls: str) -> None:
    from tests.watch.watched import TRAINING
    from tui_trainer.watching.trace import Options

    watched = run(tmp_path, TRAINING + "    print(*losses)\n", options=Options(calls=calls))
    assert watched.trace.values("backward") == [float(loss) for loss in watched.output.split()]
    assert (len(watched.trace.values("zero_grad")) > 0) == (calls == "full")
    assert watched.trace.values("data") == ([-1, 1] * 2 if calls == "off" else [-1, 0, 0, 0, 1] * 2)
