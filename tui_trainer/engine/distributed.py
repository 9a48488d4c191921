"""Training with several processes, each with a share of every batch: as one process does it, on more devices.

Rank 0 leads: it writes the record, saves the checkpoints and takes the commands. All ranks hold the same weights and
do the same at the same step. What must be agreed on costs no step anything: rank 0 says at each sync after how
many batches the next one is, so that they sync a few times a second, however fast the steps are. Batch normalisation
is over the whole batch, of which each rank has a share.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from tui_trainer.commands import AnyCommand, decode, encode
from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.datasets import Split
from tui_trainer.engine.devices import resolve
from tui_trainer.errors import UserError
from tui_trainer.text.numbers import counted
from tui_trainer.torchrun import Rank, this_rank


def synchronised(model: nn.Module) -> nn.Module:
    """`model` itself, its batch normalisation made to see all ranks' shares; names in its `state_dict` stay."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return model
    if next(model.parameters()).is_cuda:
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return converted
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d
    return model


def unsynchronised(model: nn.Module) -> nn.Module:
    """`model` itself, a copy of one that was `synchronised`, as one process by itself has it."""
    for module in model.modules():
        if type(module) is SyncedBatchNorm2d:
            module.__class__ = nn.BatchNorm2d  # type: ignore[assignment]
    return model


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """As torch's SyncBatchNorm, which is for CUDA alone; shares may differ in size, and be empty."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        over = (0, 2, 3)
        wide = x.float()  # sums over a batch have too many digits for bfloat16
        sums = torch.cat([wide.sum(over), wide.new_tensor([x.numel() / x.shape[1]])])
        total = _Total.apply(sums)
        count = total[-1].detach()
        mean = total[:-1] / count
        centred = wide - mean.view(1, -1, 1, 1)
        variance = _Total.apply(centred.square().sum(over)) / count
        self._remember(mean.detach(), variance.detach() * (count / (count - 1)))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normalised: Tensor = centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normalised.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


class _Total(torch.autograd.Function):
    """The sum over all ranks; so is its gradient."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


T = TypeVar("T")

SYNC_EVERY = 0.2
"""Seconds between syncs: as often as losses are reported, and commands looked for."""

FARTHEST = 10_000
"""Batches from one sync to the next, at most."""


class Ranks:
    """One process that trains alone: the ways in which training with several differs, all of them left out."""

    several = False
    """Whether others train with this process."""
    leads = True
    """Whether this process writes record and checkpoints."""
    count = 1

    def device(self, asked: str) -> str:
        """The device for this process, where `asked` is what `--device` says.

        Raises:
            UserError: there are more processes than devices.
        """
        return asked

    def in_turn(self, load: Callable[[], T]) -> T:
        """What `load` gives; where it fills a folder for all of a machine, one process does before the others look."""
        return load()

    def as_leader(self, value: Callable[[], T]) -> T:
        """What `value` gives on rank 0, for all."""
        return value()

    def wrap(self, model: nn.Module) -> nn.Module:
        """What to call instead of `model`, so that all ranks get the gradients of the whole batch."""
        return model

    def share(self, images: int) -> slice:
        """Which of so many images of a batch are this rank's to train on."""
        return slice(0, images)

    def images(self, labels: Tensor) -> int:
        """How many images the whole batch has that `labels` are this rank's share of."""
        return len(labels)

    def loss(self, outputs: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """This rank's part of the batch's mean loss: the parts of all ranks add up to it."""
        return functional.cross_entropy(outputs, labels, label_smoothing=label_smoothing)

    def own_loss(self, loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, labels: Tensor) -> Tensor:
        """As `loss`, of one that gives the mean over what it is given."""
        return loss(outputs, labels)

    def backward(self, loss: Tensor) -> None:
        """Leave the gradients of the whole batch's mean loss."""
        loss.backward()

    def no_sync(self) -> AbstractContextManager[None]:
        """Within it, gradients are added up on each rank by itself: those of further batches are to come."""
        return nullcontext()

    def part(self, split: Split) -> Split:
        """The images of a split that are this rank's to validate on."""
        return split

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all ranks; all must call it."""
        return values

    def lead(self, control: CommandQueue) -> CommandQueue:
        """Who is to be asked for commands."""
        return control

    def sync_due(self, *, at_once: bool = False) -> bool:
        """A batch is over: whether to report now, and do what was asked."""
        return True


ALONE = Ranks()


class ManyRanks(Ranks):
    """This process and others, joined."""

    several = True

    def __init__(self, here: Rank) -> None:
        self.this_rank = here
        self.leads = here.leads
        self.count = here.ranks
        self._whole = 0
        self._left = 0
        self._synced_at: float | None = None
        self._apart = 1

    def device(self, asked: str) -> str:
        if asked == "cpu" or (asked == "auto" and not torch.cuda.is_available()):
            return "cpu"
        if asked.startswith("cuda:"):
            raise UserError(f"--device {asked}: each of several processes has a device of its own; take cuda or cpu")
        # That there is none at all, or one that cannot compute, is said as it is to one process, and by all alike.
        if resolve(asked)[0].type == "cpu":
            return "cpu"
        there, wanted = torch.cuda.device_count(), self.this_rank.local_ranks
        if there < wanted:
            raise UserError(
                f"{wanted} processes train on this machine, which has {counted(there, 'CUDA device')}; "
                f"take --nproc-per-node {there}, or --device cpu"
            )
        for index in range(wanted):
            resolve(f"cuda:{index}")
        torch.cuda.set_device(self.this_rank.local_rank)
        return f"cuda:{self.this_rank.local_rank}"

    def in_turn(self, load: Callable[[], T]) -> T:
        everybody = torch.zeros(1)
        if self.this_rank.local_rank == 0:
            loaded = load()
            self.sum(everybody)
            return loaded
        self.sum(everybody)
        return load()

    def as_leader(self, value: Callable[[], T]) -> T:
        said: list[Any] = [value() if self.leads else None]
        dist.broadcast_object_list(said, src=0)
        told: T = said[0]
        return told

    def wrap(self, model: nn.Module) -> nn.Module:
        device = next(model.parameters()).device
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the argument's newer name is unknown to older versions
            self._wrapped = nn.parallel.DistributedDataParallel(
                synchronised(model),
                device_ids=[device.index] if device.type == "cuda" else None,
                broadcast_buffers=False,  # they are the same everywhere: batches are normalised as a whole
                gradient_as_bucket_view=True,
            )
        return self._wrapped

    def share(self, images: int) -> slice:
        self._whole = images
        each, more = divmod(images, self.count)
        rank = self.this_rank.rank
        first = rank * each + min(rank, more)
        return slice(first, first + each + (rank < more))

    def images(self, labels: Tensor) -> int:
        return self._whole

    def loss(self, outputs: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
        loss = functional.cross_entropy(outputs, labels, reduction="sum", label_smoothing=label_smoothing)
        return loss / self._whole

    def own_loss(self, loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, labels: Tensor) -> Tensor:
        if not len(labels):  # the mean over nothing is no number
            return outputs.sum() * 0.0
        return loss(outputs, labels) * (len(labels) / self._whole)

    def backward(self, loss: Tensor) -> None:
        (loss * self.count).backward()  # the ranks' gradients are averaged, not added

    def no_sync(self) -> AbstractContextManager[None]:
        context: AbstractContextManager[None] = self._wrapped.no_sync()
        return context

    def part(self, split: Split) -> Split:
        rank = self.this_rank.rank
        return Split(split.images.tensor_split(self.count)[rank], split.labels.tensor_split(self.count)[rank])

    def sum(self, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    def lead(self, control: CommandQueue) -> CommandQueue:
        return BroadcastControl(self, control)

    def sync_due(self, *, at_once: bool = False) -> bool:
        self._left -= 1
        return at_once or self._left <= 0

    def broadcast_command(self, command: AnyCommand | None) -> AnyCommand | None:
        """The command that rank 0 was given, on all ranks; None where there is none, and so the sync is over."""
        said = encode(command) if command is not None else b""
        head = torch.tensor([len(said), self._batches_to_sync() if self.leads and not said else 0])
        dist.broadcast(head, src=0)
        length, apart = head.tolist()
        if not length:
            self._left = self._apart = apart
            return None
        text = torch.tensor(list(said), dtype=torch.uint8) if said else torch.empty(length, dtype=torch.uint8)
        dist.broadcast(text, src=0)
        return decode(bytes(text.tolist()))

    def _batches_to_sync(self) -> int:
        """After how many batches to sync again, from how long those since the last time took."""
        now, synced_at = time.perf_counter(), self._synced_at
        self._synced_at = now
        if synced_at is None:
            return 1
        taken = max(1, self._apart - self._left)
        return max(1, min(int(SYNC_EVERY * taken / max(now - synced_at, 1e-9)), 2 * taken, FARTHEST))


class BroadcastControl(CommandQueue):
    """Rank 0's commands, taken by all ranks at the same place."""

    def __init__(self, ranks: ManyRanks, own: CommandQueue) -> None:
        super().__init__()
        self._ranks, self._own = ranks, own

    def send(self, command: AnyCommand) -> None:
        self._own.send(command)

    def take(self) -> AnyCommand | None:
        return self._ranks.broadcast_command(self._own.take() if self._ranks.leads else None)

    def wait(self, seconds: float) -> None:
        if self._ranks.leads:  # the others wait for it at the next sync
            self._own.wait(seconds)


def join(device: str) -> Ranks:
    """Find the processes that `torchrun` started with this one; returns as all are there.

    Raises:
        UserError: they cannot all have `device`; said before anybody is waited for, so that all say it alike.
    """
    here = this_rank()
    if here.alone:
        return ALONE
    ranks = ManyRanks(here)
    ranks.device(device)
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    return ranks


def leave() -> None:
    """Let go of the others, where there are any; nobody is waited for."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
