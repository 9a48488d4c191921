"""The trace: what a watched process tells of its calls, and how it is written down.

A watched process writes files `PID-START.N.trace` into the folder that `TUI_TRAINER_WATCH` names: `START` is the
process's start in hexadecimal, `N` counts from 0 and a new file begins every few megabytes, so that whoever reads can
delete what was read. A file is a row of frames:

| bytes | what |
| --- | --- |
| 4 | length of the payload, little-endian |
| 1 | kind: `J`, a definition as an object of JSON, or `C`, calls |
| n | the payload |

Calls are rows of four little-endian doubles: `site, begin, end, value`. `site` is the number of a `Site` that was
defined before; `begin` and `end` are seconds of `time.perf_counter()` in that process; what `value` is depends on the
call (`CALLS`). Rows stand in the order in which calls *ended*, so one within another stands before it. A row of site 0
is a value that came late, from a device: `begin` is the number of the row that it belongs to, counted from 0 over the
whole of the process, rows of site 0 included. A value that is nan itself is told like a late one, however early it is
known: a row whose value is nan and that none of site 0 follows has no value.

A file may end in a torn frame: its process was killed, or is still writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

CALLS = (
    "data",  # a DataLoader gave a batch: 0; it began: -1; it had no more: 1
    "zero_grad",  # 0
    "backward",  # the loss that it was called on; nan where it has none, or where it comes late
    "optimizer.step",  # the number of the step of this optimizer, counted from 1
    "scheduler.step",  # the LR of the first group after it
    "lr",  # the LR that the next step of an optimizer's group uses: told as it changes
    "momentum",  # the same of its momentum, or the first of its betas
    "weight_decay",  # the same of its weight decay
    "clip_grad",  # the norm before it was clipped
    "scaler.unscale_",  # 0
    "scaler.step",  # 0; 1 where the step was skipped
    "scaler.update",  # 0
    "scale",  # the scale of a GradScaler: told as it changes
    "train",  # 1: a network was put in training mode; 0: in evaluation mode
    "item",  # a number that was read from a tensor without gradients
    "held",  # 0: the program was held, in a pause or in slow motion; a call around it took so much less
)
"""The calls that are told, by the names that the record uses; beside each what `value` of its rows is."""

LATE = 0
"""The site of a row that brings a value which came late."""

LONGEST_FRAME = 8 << 20
_HEAD = Struct("<IB")
_CALLS_FRAME, _DEFINITION_FRAME = ord("C"), ord("J")

Text: TypeAlias = Annotated[str, Meta(max_length=4000)]
Plain: TypeAlias = dict[Text, Any]
"""Plain values by name: numbers, texts, None, lists of them."""


class Definition(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """The base of all that is defined."""


class Hello(Definition, frozen=True, kw_only=True):
    """The first frame of a process, as its first optimizer steps or its first loss goes backward."""

    pid: int
    parent: int
    argv: list[Text]
    cwd: Text
    script: Text
    """The path of what `__main__` is; empty where that is no file."""
    python: Text
    torch: Text
    clock: float
    """What `time.perf_counter()` showed at `at`."""
    at: float
    """Unix time in seconds."""
    rank: int | None = None
    local_rank: int | None = None
    world_size: int | None = None
    group: Text = ""
    """Alike in all ranks of one run and in no others: master address, port and the launcher's own id of a run."""
    environment: dict[Text, Text] = {}
    """What of it was allowed to be told: `CUDA_VISIBLE_DEVICES`, `OMP_NUM_THREADS` and the like."""
    arguments: Plain = {}
    """What its argparse came to, and the program made of it until it trained, as far as it is plain: a hint at the
    number of epochs, a seed."""


class Site(Definition, frozen=True, kw_only=True):
    """A place in the program where a call is made, of one object."""

    id: int
    call: Text
    """One of `CALLS`."""
    file: Text = ""
    """The path of the program's own file, libraries' frames skipped; empty where all are libraries'."""
    lineno: int = 0
    function: Text = ""
    name: Text = ""
    """What the caller calls the object: `loss`, `errD_real`, `train_loader`; empty where that is unknown."""
    text: Text = ""
    """The line of the program, without its indent; empty where there is none to read."""
    target: int = 0
    """The id of the optimizer, scheduler, loader, scaler or network that it is of; 0 where it is of none."""
    part: int = 0
    """Of `lr`, `momentum` and `weight_decay`: which group of the optimizer's, counted from 0."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group of an optimizer's parameters."""

    parameters: int
    """Numbers, not tensors."""
    tensors: int
    lr: float | None
    """None where it lies on a device and was not read."""
    options: Plain = {}
    """Momentum, weight decay and so on, as far as they are plain."""
    name: Text = ""


class OptimizerSeen(Definition, frozen=True, kw_only=True, tag="optimizer"):
    """An optimizer that stepped."""

    id: int
    class_name: Text
    module: Text
    name: Text
    """What the program calls it; empty where that is unknown."""
    groups: list[Group]
    wraps: int = 0
    """The id of an optimizer that it only passes its steps to (Accelerate's)."""


class SchedulerSeen(Definition, frozen=True, kw_only=True, tag="scheduler"):
    """A scheduler that stepped, or was made for an optimizer that did."""

    id: int
    class_name: Text
    module: Text
    name: Text
    optimizer: int
    state: Plain
    """What its `state_dict` holds, as far as it is plain."""
    file: Text = ""
    """Where it was made."""
    lineno: int = 0


class SchedulerState(Definition, frozen=True, kw_only=True, tag="scheduler_state"):
    """Where a scheduler stands after a step: told of ReduceLROnPlateau after each, of others as they are loaded."""

    id: int
    state: Plain
    metric: float | None = None
    """What it was given."""


class Planned(Definition, frozen=True, kw_only=True, tag="plan"):
    """A rehearsal of a scheduler's copy."""

    scheduler: int
    from_count: int
    """The scheduler's steps that were made already; `lrs[group][i]` holds after `from_count + i * every` of them."""
    lrs: list[list[float]]
    """For each group."""
    every: int = 1
    """More than 1 in a long schedule, which is told at 20,000 places at most."""
    length: int | None
    """Steps of the scheduler until its end; None where that is unknown."""
    length_from: Text = ""
    """How that is known: `total_steps`, `T_max`, `num_training_steps`, `get_cycle_length`, `--epochs`."""
    reached: int | None = None
    """The step of the scheduler at which the rehearsal was left, as it took too long; None where it is whole."""


class LoaderSeen(Definition, frozen=True, kw_only=True, tag="loader"):
    """A DataLoader that was iterated."""

    id: int
    class_name: Text
    name: Text
    batches: int | None
    """None where it has no length."""
    batch_size: int | None
    dataset: Text
    """The class of its data set."""
    samples: int | None
    """Of a pass, which a sampler may make fewer or more than the data set has; None where that is unknown."""
    sampler: Text
    """The class of its sampler."""
    map_style: bool
    """Whether its data set has an order that a sampler could shuffle."""
    shuffles: bool | None
    """None where that cannot be told."""
    workers: int = 0
    drop_last: bool = False


class ModelSeen(Definition, frozen=True, kw_only=True, tag="model"):
    """A network whose parameters an optimizer moves."""

    id: int
    class_name: Text
    name: Text
    parameters: int
    trainable: int
    in_optimizer: int
    """Of the trainable ones."""
    device: Text
    device_name: Text
    device_uuid: Text = ""
    dtype: Text
    modules: int
    mode_matters: bool
    """Whether training and evaluation mode differ: it has BatchNorm or Dropout that does something."""
    compiled: bool = False
    threads: int = 0


class Saved(Definition, frozen=True, kw_only=True):
    """A file was written, of weights or a checkpoint."""

    file: Text
    size: int
    by: Text
    """`torch.save`, `safetensors`, `torch.distributed.checkpoint`."""
    clock: float


class Loaded(Definition, frozen=True, kw_only=True):
    """A state was loaded into an object."""

    what: Text
    """`model`, `optimizer`, `scheduler`."""
    target: int
    clock: float


class Logged(Definition, frozen=True, kw_only=True):
    """Numbers that the program logs itself, by its own names."""

    by: Text
    """`SummaryWriter`, `wandb`, `mlflow`, `Lightning`, `Trainer`, `tui_trainer`."""
    values: dict[Text, float | int | None]
    """None is nan; infinities are left out of JSON as `null`, and so nan too."""
    step: int | None
    epoch: float | None = None
    clock: float


class Observed(Definition, frozen=True, kw_only=True):
    """Something that findings are made of, which only the process itself can see."""

    fact: Text
    """`validation_mode`, `no_gradient`, `kept_graph` and so on: `findings` lists them. `divided`: the losses of a
    `backward` site are what came of a division by the plain number `by`, told once, of the first of them. `epochs`:
    what a global variable says that stayed as it was until the program ended. `argument_moves`: one of
    `Hello.arguments` that tells a number of epochs is another one by now."""
    site: int = 0
    values: Plain = {}
    clock: float = 0.0


class Obeyed(Definition, frozen=True, kw_only=True):
    """What was asked of the process was done."""

    serial: int
    what: Text
    """`pause`, `one`, `run`, `stop`, `pace`, `lr`; `no_lr` where an LR is a tensor, and was left alone."""
    step: int
    clock: float
    pace: float = 0.0
    """Seconds that each call is held from here on."""


class Fault(Definition, frozen=True, kw_only=True):
    """Our own code failed in the process; after three such it is off."""

    where: Text
    error: Text
    off: bool


class Goodbye(Definition, frozen=True, kw_only=True):
    """The interpreter of the process ends."""

    clock: float
    raised: Text = ""
    """The class of an error that nobody caught, as far as the interpreter knows it; empty where there was none."""


AnyDefinition: TypeAlias = (
    Hello
    | Site
    | OptimizerSeen
    | SchedulerSeen
    | SchedulerState
    | Planned
    | LoaderSeen
    | ModelSeen
    | Saved
    | Loaded
    | Logged
    | Observed
    | Obeyed
    | Fault
    | Goodbye
)

Rows: TypeAlias = NDArray[np.float64]
"""Of shape (calls, 4): site, begin, end, value."""

_decoder: msgspec.json.Decoder[AnyDefinition] = msgspec.json.Decoder(AnyDefinition)


class TraceReader:
    """Reads what one process has written since the last look, from one file to the next."""

    def __init__(self, folder: Path, process: str) -> None:
        """Nothing is read yet.

        Args:
            folder: the one that traces lie in.
            process: the names of its files up to the first dot: `PID-START`.
        """
        self._folder = folder
        self._process = process
        self._file = 0
        self._offset = 0
        self.garbage = 0
        """Frames that could not be understood."""

    def read(self) -> Iterator[AnyDefinition | Rows]:
        """What came since the last call, in order.

        Raises:
            OSError: a file of it cannot be read.
        """
        while True:
            path = self._path(self._file)
            try:
                with path.open("rb") as file:
                    file.seek(self._offset)
                    chunk = file.read(4 * LONGEST_FRAME)
            except FileNotFoundError:
                return
            end = 0
            for end, frame in self._frames(chunk):  # noqa: B007
                if frame is not None:
                    yield frame
            self._offset += end
            if end:
                continue
            if not self._path(self._file + 1).exists():
                return
            path.unlink(missing_ok=True)  # a torn frame at its end comes to nothing any more
            self._file, self._offset = self._file + 1, 0

    def _path(self, file: int) -> Path:
        return self._folder / f"{self._process}.{file}.trace"

    def _frames(self, chunk: bytes) -> Iterator[tuple[int, AnyDefinition | Rows | None]]:
        """Each whole frame, None for garbage, and where it ends."""
        place = 0
        while place + _HEAD.size <= len(chunk):
            length, kind = _HEAD.unpack_from(chunk, place)
            begin, end = place + _HEAD.size, place + _HEAD.size + length
            if length > LONGEST_FRAME:  # no frame of ours: nothing behind it can be found
                self.garbage += 1
                yield len(chunk), None
                return
            if end > len(chunk):
                return
            yield end, self._frame(kind, chunk[begin:end])
            place = end

    def _frame(self, kind: int, payload: bytes) -> AnyDefinition | Rows | None:
        try:
            if kind == _CALLS_FRAME:
                return np.frombuffer(payload, "<f8").reshape(-1, 4)
            if kind == _DEFINITION_FRAME:
                return _decoder.decode(payload)
        except (ValueError, msgspec.MsgspecError, RecursionError):
            pass
        self.garbage += 1
        return None


def processes(folder: Path) -> list[str]:
    """The processes that have written traces, by the names that `TraceReader` takes, in the order of their first file.

    Raises:
        OSError: the folder cannot be read.
    """
    first = [path for path in folder.iterdir() if path.name.endswith(".trace")]
    return list(dict.fromkeys(path.name.split(".")[0] for path in sorted(first, key=lambda path: path.stat().st_mtime)))


# What is asked of the processes

CONTROL_SIZE = 128
OPTIONS_FILE = "options.json"


def control_file(process: str) -> str:
    """The name of the file that says what is asked of a process, by the name that `TraceReader` takes."""
    return f"control-{process}"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a watched process is to do, in a file of `CONTROL_SIZE` bytes that is written over in place: an object of
    JSON, filled up with spaces. It looks at it after each step of its first optimizer, at most some times a second; the
    file comes after its `Hello` was read."""

    serial: int = 0
    """Rises with each thing that is asked."""
    do: str = "run"
    """`run`, `pause`, `one` (one step, then pause), `stop` (raise an exception at a step's end)."""
    at: int = 0
    """From which step of the process on: ranks of one run take it up together. 0: at once."""
    pace: float = 0.0
    """Seconds that each watched call is held; 0 is full speed."""
    lr_factor: float = 1.0
    """What each LR is multiplied with."""
    alive: int = 0
    """The process that asks: a pause is over once it is gone."""

    def in_bytes(self) -> bytes:
        """The content of the file."""
        return msgspec.json.encode(self).ljust(CONTROL_SIZE)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to watch: `options.json` in the folder of traces, read as a process begins."""

    calls: str = "light"
    """`off`, `light`, `full`."""
    control: bool = True
    rehearse: bool = False
    """Whether schedulers that are not torch's or a known library's own are rehearsed as well."""
    epochs: int | None = None
    steps: int | None = None
    """How long the run will be, where the person said so."""
