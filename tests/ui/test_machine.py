"""The machine: what is read of it, from where, and what is shown where something cannot be known."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import msgspec
import pytest
from textual.app import App, ComposeResult

from tests import waiting
from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import moved_to, on_device
from tui_trainer.events import AnyEvent, CallsTimed, ProgramWatched, RunConfigured, RunStarted
from tui_trainer.records.history import History
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.live.status_lines import Progress, costs
from tui_trainer.ui.machine.machine_panel import (
    Machine,
    MachinePanel,
    Part,
    StepTimes,
    in_one_line,
    machine_lines,
    step_in_short,
    step_lines,
)
from tui_trainer.ui.machine.sampling import Gpu, Gpus, Sample
from tui_trainer.ui.panel import Span, width_of

PID = os.getpid()
GPU = Gpu(
    "NVIDIA H100",
    busy=0.97,
    memory_used=32_400_000_000,
    memory_total=80_000_000_000,
    memory_ours=12_100_000_000,
    others=1,
    watts=310.4,
    watts_allowed=700.0,
    celsius=64,
    slowed_by=("its power limit",),
)
SAMPLE = Sample(16, 0.6, 0.25, 40_000_000_000, 128_000_000_000, 2_500_000_000, GPU)


# NVML, as its documentation has it


class Nvml(ModuleType):
    """A `pynvml` with devices of its own: `device[i]` answers what it has, and raises NVMLError for the rest."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    def __init__(self, *devices: dict[str, object]) -> None:
        super().__init__("pynvml")
        self.devices = devices
        self.starts = 0

    def nvmlInit(self) -> None:
        self.starts += 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, object]:
        return self.devices[index]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> dict[str, object]:
        for device in self.devices:
            if device.get("UUID") == uuid:
                return device
        raise self.NVMLError("Not Found")

    def __getattr__(self, name: str) -> object:
        if not name.startswith("nvmlDeviceGet"):
            raise AttributeError(name)

        def get(handle: dict[str, object], *_: object) -> object:
            try:
                return handle[name.removeprefix("nvmlDeviceGet")]
            except KeyError:
                raise self.NVMLError("Not Supported") from None

        return get


def process(pid: int, used: int | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=used)


IDLE = {"Name": "NVIDIA A", "UUID": "GPU-aaa", "UtilizationRates": SimpleNamespace(gpu=0, memory=0)}
BUSY = {
    "Name": "NVIDIA B",
    "UUID": "GPU-bbb",
    "UtilizationRates": SimpleNamespace(gpu=97, memory=40),
    "MemoryInfo": SimpleNamespace(total=80_000, free=50_000, used=30_000),
    "PowerUsage": 310_400,
    "EnforcedPowerLimit": 700_000,
    "TemperatureV": 64,
    "ComputeRunningProcesses": [process(PID, 12_000), process(7, 18_000)],
    "CurrentClocksEventReasons": 0x4 | 0x1,
}


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Nvml:
    fake = Nvml(IDLE, BUSY)
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


@pytest.mark.never_says(
    "machine.no_package", "machine.no_driver", "machine.which_device", "machine.not_reported", "machine.whose_memory"
)
def test_the_device_of_a_process_is_the_one_on_which_it_computes(nvml: Nvml) -> None:
    gpus = Gpus()
    assert (nvml.starts, gpus.trouble) == (1, "")
    assert gpus.read(PID, "cuda:0", "torch's name", {}) == Gpu(
        "NVIDIA B",
        busy=0.97,
        memory_used=30_000,
        memory_total=80_000,
        memory_ours=12_000,
        others=1,
        watts=310.4,
        watts_allowed=700.0,
        celsius=64,
        slowed_by=("its power limit",),
    )
    nvml.devices = (IDLE, {**BUSY, "ComputeRunningProcesses": []})
    assert gpus.read(PID, "cuda:0", "torch's name", {}).name == "NVIDIA B"  # also while it holds nothing there


@pytest.mark.parametrize(
    ("device", "visible", "name"),
    [
        ("cuda:0", None, "NVIDIA A"),
        ("cuda:1", None, "NVIDIA B"),
        ("cuda:0", "1", "NVIDIA B"),
        ("cuda:1", "1,0", "NVIDIA A"),
        ("cuda:0", "GPU-bbb", "NVIDIA B"),
        ("cuda:7", None, "torch's name"),
    ],
)
def test_where_processes_are_not_told_it_is_torch_s_number(
    nvml: Nvml, device: str, visible: str | None, name: str
) -> None:
    nvml.devices = (IDLE, {**BUSY, "ComputeRunningProcesses": []})
    environ = {"CUDA_VISIBLE_DEVICES": visible} if visible is not None else {}
    assert Gpus().read(PID, device, "torch's name", environ).name == name


@pytest.mark.says("machine.not_reported", "machine.no_busy", "machine.no_memory", "machine.no_power")
def test_what_a_device_does_not_tell_is_left_open(nvml: Nvml) -> None:
    nvml.devices = ({"Name": b"old bytes"},)
    assert Gpus().read(PID, "cuda:0", "", {}) == Gpu(
        "old bytes", unknown="this device does not report how busy it is, its memory and its power"
    )


@pytest.mark.says("machine.whose_memory")
@pytest.mark.never_says("machine.not_reported", "machine.no_busy", "machine.no_memory", "machine.no_power")
def test_processes_that_a_container_hides_are_said_to_be(nvml: Nvml, captions_said: set[str]) -> None:
    seen = Gpus().read(PID, "cuda:0", "", {})
    assert seen.unknown == ""
    nvml.devices = ({**BUSY, "ComputeRunningProcesses": []},)
    hidden = Gpus().read(PID, "cuda:0", "", {})
    assert (hidden.memory_ours, hidden.unknown) == (None, "whose memory it is cannot be seen from here")
    assert not {id for id in captions_said if id.startswith(("machine.no_", "machine.not_"))}


@pytest.mark.says("machine.slow_limit", "machine.slow_hardware", "machine.slow_heat", "machine.slow_supply")
@pytest.mark.never_says("machine.slow_*")
def test_what_holds_its_clocks_down_is_said_each_once_and_idleness_is_nothing(
    nvml: Nvml, captions_said: set[str]
) -> None:
    nvml.devices = ({**BUSY, "CurrentClocksEventReasons": 0xEF},)
    assert Gpus().read(PID, "cuda:0", "", {}).slowed_by == (
        "its power limit",
        "the hardware, for heat or power",
        "heat",
        "the power supply",
    )
    nvml.devices = ({**BUSY, "CurrentClocksEventReasons": 0x103},)
    captions_said.clear()
    assert Gpus().read(PID, "cuda:0", "", {}).slowed_by == ()
    assert not captions_said


@pytest.mark.parametrize("uuid", ["aaa", "bbb"])
def test_with_its_uuid_it_is_that_device_whatever_its_number(nvml: Nvml, uuid: str) -> None:
    nvml.devices = (IDLE, {**BUSY, "ComputeRunningProcesses": []})
    for number in (0, 1, 5):
        assert Gpus().read(PID, f"cuda:{number}", "", {}, uuid).name == f"NVIDIA {uuid[0].upper()}"


def test_a_slice_of_a_device_shows_its_own_memory(nvml: Nvml) -> None:
    its = SimpleNamespace(used=3_000, total=10_000)
    nvml.devices = (IDLE, BUSY, {"Name": "NVIDIA B MIG 1g.10gb", "UUID": "MIG-ccc", "MemoryInfo": its})
    gpu = Gpus().read(PID, "cuda:0", "", {}, "ccc")
    assert (gpu.name, gpu.memory_total, gpu.busy) == ("NVIDIA B MIG 1g.10gb", 10_000, None)


@pytest.mark.parametrize(
    ("environ", "name"), [({}, "NVIDIA B"), ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "NVIDIA A")], ids=["fastest", "bus"]
)
def test_on_unlike_devices_the_name_tells_which_it_is(nvml: Nvml, environ: dict[str, str], name: str) -> None:
    nvml.devices = (IDLE, {**BUSY, "ComputeRunningProcesses": []})  # by the bus; the faster one is torch's first
    assert Gpus().read(PID, "cuda:0", "NVIDIA B", environ).name == name


@pytest.mark.says("machine.which_device")
def test_where_nothing_tells_which_it_is_none_is_shown(nvml: Nvml) -> None:
    busy = {**BUSY, "ComputeRunningProcesses": []}
    nvml.devices = (IDLE, busy, busy)
    gpu = Gpus().read(PID, "cuda:0", "NVIDIA B", {})
    assert gpu == Gpu("NVIDIA B", unknown="not measured: the driver does not report which of its devices this is")


def test_older_names_of_two_functions_are_tried(nvml: Nvml) -> None:
    nvml.devices = ({"Name": "old", "Temperature": 71, "CurrentClocksThrottleReasons": 0x60},)
    gpu = Gpus().read(PID, "cuda:0", "", {})
    assert (gpu.celsius, gpu.slowed_by) == (71, ("heat",))


@pytest.mark.says("machine.no_package", "machine.no_driver")
def test_without_the_package_or_a_driver_it_says_so(monkeypatch: pytest.MonkeyPatch, nvml: Nvml) -> None:
    def no_driver() -> None:
        raise nvml.NVMLError("Driver Not Loaded")

    monkeypatch.setattr(nvml, "nvmlInit", no_driver)
    assert Gpus().trouble == "not measured: Driver Not Loaded"
    assert Gpus().read(PID, "cuda:0", "NVIDIA H100", {}) == Gpu("NVIDIA H100")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Gpus().trouble == "not measured: nvidia-ml-py is not installed"


# Samples


def history_of(events: list[AnyEvent], **started: object) -> History:
    """The state of a run that this process, on this machine, has begun."""
    ours = {"pid": PID, "host": socket.gethostname(), "at": time.time(), **started}
    history = History()
    for event in events:
        history.apply(msgspec.structs.replace(event, **ours) if isinstance(event, RunStarted) else event)
    return history


LIVE = cut(moved_to(scripted_run(epochs=4, batches=20), time.time()), 50)


def sampled(machine: Machine, history: History) -> Sample | None:
    """The first sample, or None once it is known that there is none."""

    def looked() -> bool:
        machine.look(history)
        return machine.sample is not None or bool(machine.trouble)

    waiting.until(looked)
    return machine.sample


@pytest.mark.never_says("machine.elsewhere", "machine.unseen", "machine.failed", "machine.over")
def test_a_sample_is_of_the_process_that_trains_and_of_the_whole_machine() -> None:
    sample = sampled(Machine(), history_of(LIVE))
    assert sample is not None
    assert 0 <= sample.cpu_ours <= sample.cpu <= 1.5
    assert 1e6 < sample.memory_ours < sample.memory_used < sample.memory_total
    assert sample.gpu is None


def test_of_a_watched_program_the_process_is_its_own_and_not_that_which_writes_the_record() -> None:
    gone = 2**22 + 7
    watched = ProgramWatched(at=time.time(), command=["python", "train.py"], cwd="/", pid=PID)
    sample = sampled(Machine(), history_of([*LIVE, watched], pid=gone))
    assert sample is not None
    assert sample.memory_ours > 1e6
    machine = Machine()
    for _ in range(3):  # before it is known which it is, nobody's figures are shown
        machine.look(history_of([*LIVE, msgspec.structs.replace(watched, pid=0)]))
        assert machine._thread is None
    assert machine.sample is None
    assert not machine.trouble


def test_the_device_is_asked_for_a_run_on_one_alone(nvml: Nvml) -> None:
    sampled(Machine(), history_of(LIVE))
    assert nvml.starts == 0
    on_cuda = [
        msgspec.structs.replace(event, device="cuda:0") if isinstance(event, RunConfigured) else event for event in LIVE
    ]
    sample = sampled(Machine(), history_of(on_cuda))
    assert sample is not None
    assert sample.gpu is not None
    assert sample.gpu.name == "NVIDIA B"
    assert nvml.starts == 1


def test_it_asks_once_a_second() -> None:
    now = 100.0
    asked: list[float] = []

    class Counted(Machine):
        def _ask(self, *_: object) -> None:
            asked.append(now)

    machine = Counted(clock=lambda: now)
    history = history_of(LIVE)
    for _ in range(50):
        machine.look(history)
        assert machine._thread is not None
        machine._thread.join()
        now += 0.1
    assert len(asked) == 5


@pytest.mark.parametrize(
    ("started", "words"),
    [
        pytest.param(
            {"host": "else\x1bwhere"},
            "the run is on elsewhere, which cannot be measured from here",
            marks=pytest.mark.says("machine.elsewhere"),
        ),
        pytest.param(
            {"pid": 2**22 + 7},
            "the run's process cannot be seen from here",
            marks=pytest.mark.says("machine.unseen"),
        ),
        ({"at": 1.0}, "the run's process cannot be seen from here"),
    ],
    ids=["another machine", "a process that is gone", "a number that is another process's by now"],
)
def test_what_cannot_be_measured_is_said(started: dict[str, object], words: str) -> None:
    machine = Machine()
    assert sampled(machine, history_of(LIVE, **started)) is None
    assert machine.trouble == words


@pytest.mark.says("machine.failed")
def test_a_sample_that_fails_is_told_in_the_place_of_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> object:
        raise RuntimeError("no\nsuch file: /proc/meminfo")

    monkeypatch.setattr("psutil.virtual_memory", fail)
    machine = Machine()
    assert sampled(machine, history_of(LIVE)) is None
    assert machine.trouble == "the machine cannot be measured: RuntimeError: no such file: /proc/meminfo"
    monkeypatch.undo()
    another = history_of(LIVE)
    machine.look(another)
    assert sampled(machine, another) is not None
    assert machine.trouble == ""


@pytest.mark.says("machine.over")
def test_a_run_that_is_over_is_not_measured() -> None:
    machine = Machine()
    assert sampled(machine, history_of(scripted_run())) is None
    assert machine.trouble == "the run is over: there is nothing to measure"


# In lines


def text(lines: object) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]  # type: ignore[attr-defined]


def test_a_machine_in_lines() -> None:
    assert text(machine_lines(SAMPLE, 80)) == [
        "machine  16 cores: cpu 100 % is all",
        "cpu      ━━━━━━────  60 %  this run 25 %, others 35 %",
        "memory   ━━━───────  31 %  this run 2.5 of 128 GB",
        "gpu      ━━━━━━━━━╸  97 %  NVIDIA H100",
        "  memory ━━━━──────  40 %  run 12, others 20 of 80 GB",
        "  power  ━━━━╸─────  44 %  310 of 700 W, 64 °C",
        "  slowed by its power limit",
    ]
    assert text(machine_lines(SAMPLE, 40))[1:3] == [
        "cpu      ━━━──  60 % run 25 %, rest 35 %",
        "memory   ━╸───  31 % run 2.5 of 128 GB",
    ]
    assert in_one_line(SAMPLE) == (
        "cpu 60 % of all cores, run 25 % · memory 31 %, run 2.5 GB · gpu 97 % · 310 of 700 W, 64 °C"
        " · slowed by its power limit"
    )


@pytest.mark.parametrize("width", [36, 55, 64, 80])
@pytest.mark.parametrize(
    "gpu", [GPU, Gpu("A name that is very long indeed, and longer still"), replace(GPU, watts=None), None]
)
def test_lines_keep_to_their_width(gpu: Gpu | None, width: int) -> None:
    trouble = "" if gpu == GPU else "not measured: nvidia-ml-py is not installed"
    parts = StepTimes().parts(history_of(LIVE), 0.0)
    lines = [*machine_lines(replace(SAMPLE, gpu=gpu, gpu_trouble=trouble), width, ranks=4)]
    lines += step_lines(parts, width, 1.0, on_device=True)
    lines += step_in_short(parts, width, on_device=True)
    assert max(map(width_of, lines)) <= width


# A step's time


def timed(**seconds: float) -> CallsTimed:
    """A hundred batches."""
    named = {call.replace("_step", ".step"): spent for call, spent in seconds.items()}
    counts = {call: 100 for call in named if call != "data"}
    return CallsTimed(at=0.0, counts=counts, seconds=named, running="forward")


def test_a_step_is_that_of_the_last_seconds() -> None:
    history, times = history_of(LIVE[:3]), StepTimes()
    assert times.parts(history, 0.0) == []
    history.apply(timed(data=0.1, forward=0.3, backward=0.6))
    assert [(part.call, part.seconds, part.share) for part in times.parts(history, 1.0)] == [
        ("data", 0.001, 0.1),
        ("forward", 0.003, 0.3),
        ("backward", 0.006, 0.6),
    ]
    history.apply(timed(data=1.0, forward=1.0))
    assert [part.seconds for part in times.parts(history, 30.0)] == pytest.approx([0.01, 0.01])
    whole = times.parts(history, 90.0)  # nothing more was trained: all of the run
    assert [part.seconds for part in whole] == pytest.approx([1.1 / 200, 1.3 / 200, 0.6 / 200], abs=1e-9)


def test_what_is_called_at_an_epoch_s_end_is_not_in_a_step() -> None:
    history = history_of(scripted_run(scheduler="StepLR"))
    history.apply(CallsTimed(at=0.0, counts={"scheduler.step": 3}, seconds={"scheduler.step": 9.0}, running="forward"))
    assert "scheduler.step" not in [part.call for part in StepTimes().parts(history, 0.0)]


# On the screen


def shown_lines(shown: Shown) -> str:
    return "\n".join(shown.the(MachinePanel).plain())


@pytest.fixture
def here() -> list[AnyEvent]:
    """A live run of this very process."""
    ours = {"pid": PID, "host": socket.gethostname(), "at": time.time()}
    return [msgspec.structs.replace(event, **ours) if isinstance(event, RunStarted) else event for event in LIVE]


async def until(shown: Shown, words: str) -> None:
    await shown.until(lambda: words in shown_lines(shown))


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (250, 70)], ids=str)
async def test_5_shows_the_machine_and_hides_it_again(show: Show, here: list[AnyEvent], size: tuple[int, int]) -> None:
    async with show(here, size=size) as shown:
        panel = shown.the(MachinePanel)
        assert not panel.is_on_screen
        await shown.press("5")
        if size == (80, 24):
            await until(shown, "machine  cpu ")
            assert len(shown_lines(shown).splitlines()) == 1
            await shown.press("5")
        await until(shown, "backward")
        await until(shown, " GB")
        for part in ("machine", "cpu", "memory", "run", "a step", "forward", "optimizer.step", "screen"):
            assert part in shown_lines(shown)
        await shown.press("5")
        assert not panel.is_on_screen


async def test_with_the_log_under_it_a_step_is_told_in_short(show: Show, here: list[AnyEvent]) -> None:
    async with show(here, size=(140, 30)) as shown:
        await shown.press("5", "6")
        await until(shown, "a step   9.90 ms · ")
        assert "forward 31 %" in shown_lines(shown)
        assert "launched" not in shown_lines(shown)


async def test_in_short_too_the_step_of_a_device_is_said_to_be_launched(show: Show, here: list[AnyEvent]) -> None:
    async with show(on_device(here, "cuda:0"), size=(140, 30)) as shown:
        await shown.press("5", "6")
        await until(shown, "a step   launched in 9.90 ms · ")


@pytest.mark.parametrize("width", [36, 60])
def test_a_step_is_said_to_be_launched_where_that_is_what_was_timed(width: int) -> None:
    parts = StepTimes().parts(history_of(LIVE), 0.0)
    for on in (True, False):
        full = [" ".join(span.text for span in line) for line in step_lines(parts, width, 0.1, on_device=on)]
        short = [" ".join(span.text for span in line) for line in step_in_short(parts, width, on_device=on)]
        for lines in (full, short):
            assert ("launched in 9.90 ms" in lines[0]) == on
            assert ("launched" in " ".join(lines)) == on
        assert (full[-1] == "as the cpu hands them to the gpu") == on


def test_of_no_step_nothing_is_said_to_be_launched() -> None:
    assert "launched" not in str([*step_lines([], 60, 0.1, on_device=True), *step_in_short([], 60, on_device=True)])


async def test_the_strip_above_the_keys_has_what_the_run_takes(show: Show, here: list[AnyEvent]) -> None:
    async with show(here) as shown:
        await shown.until(lambda: "memory" in shown.the(Progress).plain()[0])
        line = shown.the(Progress).plain()[0]
        assert re.search(r"cpu +\d+ %, screen +\d+\.\d % of all cores$", line.rstrip())


def test_one_base_of_cpu_shares_is_told_wherever_one_stands() -> None:
    """Half of sixteen cores is 50 % in the panel, in its one line and in the strip above the keys."""
    busy = replace(SAMPLE, cpu=0.75, cpu_ours=0.5)
    panel = "\n".join(text(machine_lines(busy, 80)))
    for told in (panel, in_one_line(busy), costs(0.014, busy)):
        assert "50 %" in told
        assert "of all cores" in told or "cpu 100 % is all" in told
    assert costs(0.014, None) == "screen  1.4 % of all cores"


async def test_of_a_finished_run_it_says_where_the_time_went(show: Show) -> None:
    async with show(scripted_run()) as shown:
        await shown.press("5")
        assert "the run is over: there is nothing to measure" in shown.text()
        assert "backward       ━━━━━╸────  55 %  5.40 ms" in shown_lines(shown)


# In words


NO_GPU = replace(SAMPLE, gpu=None)
COLD = replace(GPU, watts=None, slowed_by=(), celsius=70)
UNLIMITED = replace(GPU, watts_allowed=None, celsius=None, slowed_by=())
PARTS = [Part("forward", 0.001, 0.4), Part("backward", 0.0015, 0.6)]
ROOMY_WORDS = {"machine.cores", "machine.this_run", "machine.others"}
SMALL_WORDS = {"machine.cores", "machine.run", "machine.rest"}
STEP = {"machine.of_all_cores"}

WORDS: dict[str, tuple[Callable[[], object], set[str], list[str]]] = {
    "a processor": (
        lambda: machine_lines(NO_GPU, 80),
        ROOMY_WORDS,
        ["16 cores: cpu 100 % is all", "this run 25 %, others 35 %"],
    ),
    "over the keys": (
        lambda: [[Span(costs(0.014, NO_GPU))]],
        {"machine.screen", "machine.memory_ours", "machine.cpu_ours"},
        ["screen  1.4 % of all cores"],
    ),
    "over the keys, of a run that cannot be measured": (
        lambda: [[Span(costs(0.0, None))]],
        {"machine.screen"},
        ["screen  0.0 % of all cores"],
    ),
    "in little room": (lambda: machine_lines(NO_GPU, 40), SMALL_WORDS, ["run 25 %, rest 35 %"]),
    "of several processes": (
        lambda: machine_lines(NO_GPU, 80, ranks=4),
        {"machine.cores", "machine.first_of", "machine.others"},
        ["first of 4 25 %, others 35 %"],
    ),
    "a device": (
        lambda: machine_lines(SAMPLE, 80),
        ROOMY_WORDS | {"machine.power", "machine.allowed", "machine.heat", "machine.slowed_by"},
        ["310 of 700 W, 64 °C", "slowed by its power limit"],
    ),
    "one that tells no power": (
        lambda: machine_lines(replace(SAMPLE, gpu=COLD), 80),
        ROOMY_WORDS | {"machine.heat"},
        ["70 °C"],
    ),
    "one without a limit": (
        lambda: machine_lines(replace(SAMPLE, gpu=UNLIMITED), 80),
        ROOMY_WORDS | {"machine.power"},
        ["310 W"],
    ),
    "a line": (
        lambda: [[Span(in_one_line(SAMPLE))]],
        {
            "machine.busy",
            "machine.memory",
            "machine.gpu",
            "machine.power",
            "machine.allowed",
            "machine.heat",
            "machine.slowed_by",
        },
        ["cpu 60 % of all cores, run 25 %", "memory 31 %, run 2.5 GB", "gpu 97 %", "slowed by its power limit"],
    ),
    "a line without a device": (
        lambda: [[Span(in_one_line(NO_GPU))]],
        {"machine.busy", "machine.memory"},
        ["cpu 60 % of all cores, run 25 %"],
    ),
    "a step": (
        lambda: step_lines(PARTS, 80, 0.01),
        STEP | {"machine.on_average"},
        ["2.50 ms on average", "of all cores"],
    ),
    "a step in little room": (
        lambda: step_lines(PARTS, 40, 0.01),
        {"machine.of_cores", "machine.on_average"},
        ["2.50 ms on average", " of cores"],
    ),
    "a step on a device": (
        lambda: step_lines(PARTS, 80, 0.01, on_device=True),
        STEP | {"machine.launched", "machine.handed_over"},
        ["launched in 2.50 ms", "as the cpu hands them to the gpu"],
    ),
    "no step yet": (lambda: step_lines([], 80, 0.01, on_device=True), STEP | {"machine.no_step_yet"}, ["none yet"]),
    "no step that is told": (
        lambda: step_lines([], 80, 0.01, untold=True),
        STEP | {"machine.step_untold"},
        ["not told"],
    ),
    "steps whose calls are not told": (
        lambda: step_lines([], 80, 0.01, untold=True, apart=0.0125),
        STEP | {"machine.steps_apart"},
        ["12.5 ms from one to the next"],
    ),
    "the same in short": (
        lambda: step_in_short([], 40, untold=True, apart=0.0125),
        {"machine.steps_apart"},
        ["12.5 ms from one to the next"],
    ),
    "neither in short": (lambda: step_in_short([], 40, untold=True), {"machine.step_untold"}, ["not told"]),
}


def said_of_the_machine(captions_said: set[str]) -> set[str]:
    return {id for id in captions_said if id.startswith("machine.")}


@pytest.mark.says("machine.*")
@pytest.mark.never_says("machine.*")
@pytest.mark.parametrize("case", WORDS)
def test_this_is_said_and_nothing_else(case: str, captions_said: set[str]) -> None:
    lines, ids, words = WORDS[case]
    told = "\n".join(text(lines()))
    for each in words:
        assert each in told
    assert said_of_the_machine(captions_said) == ids


def begun(**changes: object) -> list[AnyEvent]:
    ours = {"pid": PID, "host": socket.gethostname(), "at": time.time(), **changes}
    return [msgspec.structs.replace(event, **ours) if isinstance(event, RunStarted) else event for event in LIVE]


class Waiting(Machine):
    """Whose measurement does not come back."""

    def _ask(self, *_: object) -> None:
        """Nothing comes of it."""


@pytest.mark.says("machine.*")
@pytest.mark.never_says("machine.*")
@pytest.mark.parametrize(
    ("events", "ids", "words"),
    [
        pytest.param(begun(), {"machine.being_measured"}, "being measured", id="begun"),
        pytest.param(
            [], {"machine.not_begun", "machine.no_step_yet"}, "measured once the run has begun", id="not begun"
        ),
        pytest.param(
            [event for event in scripted_run() if not isinstance(event, CallsTimed)],
            {"machine.over", "machine.step_untold"},
            "the run is over: there is nothing to measure",
            id="over, and it told no times",
        ),
    ],
)
async def test_in_the_place_of_figures(
    events: list[AnyEvent], ids: set[str], words: str, captions_said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield MachinePanel(Waiting())

    app, history = Shown(), History()
    for event in events:
        history.apply(event)
    async with app.run_test(size=(120, 30)) as pilot:
        panel = app.query_one(MachinePanel)
        panel.add_class("-full")
        panel.show(history, 0.01)
        await pilot.pause()
        panel.show(history, 0.01)
        assert words in "\n".join(panel.plain())
    assert said_of_the_machine(captions_said) - {"machine.of_all_cores", "machine.on_average"} == ids


def test_each_is_said_in_a_case() -> None:
    above = {"machine.being_measured", "machine.not_begun", "machine.over", "machine.elsewhere", "machine.unseen"}
    above |= {"machine.failed", "machine.no_package", "machine.no_driver", "machine.which_device"}
    above |= {"machine.not_reported", "machine.whose_memory"}
    above |= {id for id in CAPTIONS if id.startswith(("machine.slow_", "machine.no_busy", "machine.no_memory"))}
    above |= {"machine.no_power"}
    ids = {id for id in CAPTIONS if id.startswith("machine.")}
    assert set().union(*(said for _, said, _ in WORDS.values())) | above == ids
