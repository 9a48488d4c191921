"""Code of a person's own: found and loaded where it is allowed, tried before anything is trained, and blamed in its own
words where it fails."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import tui_trainer
from tui_trainer.allowed_code import Code, refusal
from tui_trainer.engine.data_files import Part
from tui_trainer.engine.models import Shape
from tui_trainer.engine.reproducibility import Difference
from tui_trainer.errors import UserError
from tui_trainer.events import MOST_CLASSES
from tui_trainer.presets.optimizers import OwnOptimizer
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.threads import in_a_line

TRIED = 2
"""Images that a model and a loss are tried with."""


DIGITS = 8
"""Of a digest, where it must be shown."""


class UserCodeFailed(UserError):
    """Their code fails before anything is trained."""

    def __init__(self, sentence: str, lines: str = "") -> None:
        super().__init__(sentence)
        self.lines = lines


class WrongResult(Exception):
    """Code of a person's own gave what cannot be trained with."""


class OwnData(NamedTuple):
    """Images of a person's own."""

    train: Part
    val: Part
    classes: int
    """Labels go from 0 to below it."""


@dataclass(frozen=True)
class UserCode:
    """What of a run is a person's own; None is what comes with the program."""

    codes: tuple[Code, ...] = ()
    model: Callable[..., object] | None = None
    loss: Callable[[Tensor, Tensor], object] | None = None
    dataset: Callable[..., object] | None = None
    digest: str = ""
    """SHA-256 of the modules' files; empty where there are none."""

    @property
    def is_there(self) -> bool:
        return bool(self.codes)

    def read(self, data_dir: Path | None) -> OwnData:
        """The images that are theirs, as they come: what `images_of` has read is not read again.

        Of `data_dir` it is given what its function has an argument for.

        Raises:
            UserError: it fails, or what it gives are no images with labels.
        """
        assert self.dataset is not None
        (code,) = (each for each in self.codes if each.option == "dataset")
        if (read := _read.pop((code, data_dir), None)) is not None:
            return read
        try:
            given = self.dataset(**_taken(self.dataset, data_dir=data_dir))
            return _own_data(given)
        except WrongResult as error:
            raise UserError(f"{code.words} {error}") from None
        except MemoryError:
            raise
        except Exception as error:
            raise self._failed(error, "dataset") from error

    def build_model(self, shape: Shape, classes: int, seed: int) -> nn.Module:
        """Their network, its initial weights drawn from `seed` alone.

        Of `shape` (channels, height, width) and `classes` it is given what its function has arguments for.

        Raises:
            UserError: it fails, or gives no network.
        """
        assert self.model is not None
        torch.manual_seed(seed)
        try:
            made = self.model(**_taken(self.model, shape=shape, classes=classes))
            if isinstance(made, nn.Module):
                _initialise(made, shape)
        except Exception as error:
            raise self._failed(error, "model") from error
        if not isinstance(made, nn.Module) or not any(each.requires_grad for each in made.parameters()):
            raise UserError(f"{self._of('model')} {say('code.no_network', kind=type(made).__name__)}")
        return made

    def loss_of(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Their loss of a batch.

        Raises:
            WrongResult: it is not one number.
        """
        assert self.loss is not None
        loss = self.loss(outputs, target)
        if isinstance(loss, Tensor) and loss.numel() == 1:
            return loss if loss.dim() == 0 else loss.reshape(())
        raise WrongResult(f"{self._of('loss')} {say('code.no_loss', gave=_kind(loss))}")

    def check(
        self, model: nn.Module, forward: Callable[[Tensor], Tensor], batch: tuple[Tensor, Tensor], classes: int
    ) -> None:
        """Try it on a few images, so that what cannot work is known before there is a record; nothing is changed.

        Raises:
            UserError: it fails, or what it gives cannot be trained with.
        """
        images, labels = (each[:TRIED] for each in batch)
        devices = [images.device] if images.device.type == "cuda" else []
        was_training = model.training
        model.eval()
        try:
            with torch.random.fork_rng(devices):
                with torch.no_grad():
                    outputs: object = forward(images)
                self._check_outputs(outputs, len(images), classes)
                if self.loss is not None:
                    assert isinstance(outputs, Tensor)
                    loss = self.loss_of(outputs.detach().requires_grad_(), labels)
                    if not loss.requires_grad:
                        raise WrongResult(f"{self._of('loss')} {say('code.no_gradient')}")
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except WrongResult as error:
            raise UserError(str(error)) from None
        except Exception as error:
            raise self._failed(error, "model", "loss") from error
        finally:
            model.train(was_training)

    def check_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """Have theirs make a step of weights that nobody trains.

        Raises:
            UserError: it fails.
        """
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        devices = {weight.device for weight in weights if weight.device.type == "cuda"}
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        try:
            with torch.random.fork_rng(devices):
                optimizer.step()
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            raise self._failed(error, "optimizer") from error

    def _check_outputs(self, outputs: object, images: int, classes: int) -> None:
        if self.model is not None and not (isinstance(outputs, Tensor) and outputs.shape == (images, classes)):
            told = say("code.wrong_outputs", gave=_kind(outputs), images=images, wanted=f"{images}×{classes}")
            raise WrongResult(f"{self._of('model')} {told}")

    def _failed(self, error: Exception, *options: str) -> UserCodeFailed:
        blamed = self.blame(error)
        sentence = f"{self._of(*options)}: {blamed or _in_a_line(error)}"
        return UserCodeFailed(sentence, self.lines_of(error) if blamed else "")

    def changed_since(self, saved: object) -> tuple[Difference, ...]:
        """Whether its files have other bytes than those whose digest was saved in a checkpoint."""
        if not self.digest or not isinstance(saved, str) or saved == self.digest:
            return ()
        return (Difference("code", saved[:DIGITS], self.digest[:DIGITS], say("code.changed")),)

    def blame(self, error: BaseException) -> str:
        """Where in this code an error was raised, and what it says; empty where none of it was on the way."""
        if isinstance(error, WrongResult):
            return str(error)
        if own := self._own_frames(error):
            last = own[-1]
            where = {"file": plain(self._short(last.filename)), "line": last.lineno, "function": plain(last.name)}
            return say("code.failed", **where, error=_in_a_line(error))
        if isinstance(error, SyntaxError) and error.filename and self._is_own(error.filename):
            return say("code.failed_at", error=_in_a_line(error))
        return ""

    def lines_of(self, error: BaseException) -> str:
        """The lines of this code that led to an error, as Python tells them, and the error."""
        told = traceback.TracebackException.from_exception(error)
        told.stack = traceback.StackSummary.from_list(self._own_frames(error))
        return "".join(told.format(chain=False) if told.stack else told.format_exception_only())

    def _own_frames(self, error: BaseException) -> list[traceback.FrameSummary]:
        return [frame for frame in traceback.extract_tb(error.__traceback__) if self._is_own(frame.filename)]

    def _is_own(self, file: str) -> bool:
        path = Path(file)
        if any(path.is_relative_to(place) for place in _NOT_THEIRS):
            return False
        if any(path.is_relative_to(place) for place in _places(self.codes)):
            return True
        in_folder = any(path.is_relative_to(Path(code.folder).absolute()) for code in self.codes)
        return in_folder and "site-packages" not in path.parts

    def _short(self, file: str) -> str:
        for code in self.codes:
            if Path(file).is_relative_to(folder := Path(code.folder).absolute()):
                return str(Path(file).relative_to(folder))
        return file

    def _of(self, *options: str) -> str:
        return ", ".join(code.words for code in self.codes if code.option in options)


NONE = UserCode()
"""Of a run that is made of what comes with the program."""

_NOT_THEIRS = tuple(
    Path(place)
    for place in (
        Path(tui_trainer.__file__).parent,
        Path(torch.__file__).parent,
        sysconfig.get_path("stdlib") + "/importlib",
        "<frozen",
    )
)


def load(spec: RunSpec) -> UserCode:
    """The code that a run is made of.

    Raises:
        UserError: it is not allowed here, not there, or fails as it is loaded; the words say which.
    """
    if not spec.code:
        return NONE
    if refused := refusal(spec.code):
        raise UserError(refused)
    if spec.loss is not None and spec.preset.training.label_smoothing:
        raise UserError(f"--loss {plain(spec.loss)}: {say('code.own_smoothing')}")
    found = {code.option: _function(code) for code in spec.code if code.option != "optimizer"}
    return UserCode(spec.code, **found, digest=_digest(spec.code))


def own_optimizer(config: OwnOptimizer, parameters: list[Any]) -> torch.optim.Optimizer:
    """An optimizer of a person's own, of parameters or groups of them as torch's take them.

    Raises:
        UserError: it is not allowed here, not there, fails, or is none.
    """
    code = Code("optimizer", config.name, config.folder)
    if refused := refusal([code]):
        raise UserError(refused)
    own = UserCode((code,))
    make = _function(code)
    arguments = config.arguments()
    if lacks := [key for key in arguments if not _has_argument(make, key)]:
        raise UserError(f"{code.words} {say('code.no_argument', arguments=', '.join(lacks))}")
    groups = [part for part in parameters if isinstance(part, dict)]
    lrs = [group.get("lr", config.lr) for group in groups] or [config.lr]  # torch writes into them
    try:
        made = make(parameters, **arguments)
    except Exception as error:
        raise own._failed(error, "optimizer") from error
    if not isinstance(made, torch.optim.Optimizer):
        raise UserError(f"{code.words} {say('code.no_optimizer', kind=type(made).__name__)}")
    if len(made.param_groups) != len(lrs):
        there = counted(len(made.param_groups), "group")
        raise UserError(f"{code.words} {say('code.other_groups', groups=there, wanted=len(lrs))}")
    for group, lr in zip(made.param_groups, lrs, strict=True):
        if group.get("lr") != lr:
            raise UserError(f"{code.words} {say('code.other_lr', lr=plain(str(group.get('lr'))), wanted=lr)}")
    return made


def _has_argument(function: Callable[..., object], name: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return True
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


_read: dict[tuple[Code, Path | None], OwnData] = {}
"""What was read to be counted, until it is trained on."""


def images_of(code: Code, data_dir: Path | None) -> int:
    """How many images a data set of a person's own has to train on.

    Raises:
        UserError: as `load` and `UserCode.read`.
    """
    if refused := refusal([code]):
        raise UserError(refused)
    data = UserCode((code,), dataset=_function(code)).read(data_dir)
    _read[code, data_dir] = data
    return len(data.train[1])


def _own_data(given: object) -> OwnData:
    """What their function gave, looked at.

    Raises:
        WrongResult: these are no images with labels.
    """
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise WrongResult(say("code.no_two_parts", gave=_kind(given)))
    train, val = (_part(part, name) for part, name in zip(given, ("train", "val"), strict=True))
    if train[0].shape[1:] != val[0].shape[1:]:
        shapes = ("×".join(map(str, images.shape[1:])) for images, _ in (train, val))
        raise WrongResult(say("code.unlike_parts", train=next(shapes), val=next(shapes)))
    classes = 1 + max(int(labels.max()) for _, labels in (train, val))
    if classes > MOST_CLASSES:
        raise WrongResult(say("code.too_many_classes", classes=classes, most=MOST_CLASSES))
    return OwnData(train, val, classes)


def _part(given: object, name: str) -> Part:
    """Images (N, C, H, W) and labels (N) of what trains, or validates."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise WrongResult(say("code.no_pair", part=name, gave=_kind(given)))
    images, labels = (torch.as_tensor(each) for each in given)
    images = images.unsqueeze(1) if images.dim() == 3 else images
    if images.dim() != 4 or images.dtype != torch.uint8 or not images.numel():
        raise WrongResult(say("code.no_images", part=name, gave=f"{_kind(images)}, {images.dtype}"))
    is_whole = not labels.is_floating_point() and not labels.is_complex() and labels.dtype != torch.bool
    if labels.shape != images.shape[:1] or not is_whole or int(labels.min()) < 0:
        raise WrongResult(say("code.no_labels", part=name, images=len(images), gave=f"{_kind(labels)}, {labels.dtype}"))
    return images.cpu().contiguous(), labels.cpu().long()


_loaded_from: dict[str, str] = {}
"""Where modules of theirs were looked for first, by their names."""


def _function(code: Code) -> Callable[..., Any]:
    module_name, _, path = code.name.partition(":")
    module = _module(code, module_name)
    found: Any = module
    for part in path.split("."):
        if not hasattr(found, part):
            file = plain(str(getattr(module, "__file__", None) or module_name))
            raise UserError(f"{code.words}: {say('code.no_function', file=file, function=plain(path))}")
        found = getattr(found, part)
    if not callable(found):
        raise UserError(f"{code.words}: {say('code.not_callable', kind=type(found).__name__)}")
    function: Callable[..., Any] = found
    return function


def _module(code: Code, name: str) -> ModuleType:
    folder = str(Path(code.folder).absolute())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _not_loaded(code, error) from error
        told = say("code.no_module", module=plain(error.name), folder=plain(folder))
        raise UserError(f"{code.words}: {told}") from None
    except Exception as error:
        raise _not_loaded(code, error) from error
    file = str(getattr(module, "__file__", None) or "")
    if _loaded_from.setdefault(name, folder) != folder and (Path(folder) / f"{name.replace('.', '/')}.py").exists():
        where = {"module": plain(name), "file": plain(file), "folder": plain(folder)}
        raise UserError(f"{code.words}: {say('code.another_module', **where)}")
    return module


def _not_loaded(code: Code, error: Exception) -> UserCodeFailed:
    return UserCode((code,))._failed(error, code.option)


def _places(codes: Iterable[Code]) -> list[Path]:
    """Files of their modules, and folders of their packages."""
    found = []
    for code in codes:
        top = sys.modules.get(code.name.partition(":")[0].partition(".")[0])
        if (file := getattr(top, "__file__", None)) is not None:
            path = Path(file)
            found.append(path.parent if path.name == "__init__.py" else path)
    return found


def _digest(codes: Iterable[Code]) -> str:
    """Of the files of the modules that are named, in SHA-256; of one that cannot be read, its name alone."""
    found = hashlib.sha256()
    for name in sorted({code.name.partition(":")[0] for code in codes}):
        found.update(f"{name};".encode())
        file = getattr(sys.modules.get(name), "__file__", None)
        try:
            found.update(Path(file).read_bytes() if file else b"")
        except OSError:
            continue
    return found.hexdigest()


def _initialise(model: nn.Module, shape: Shape) -> None:
    """Lazy layers learn their shapes from a first image."""
    if any(nn.parameter.is_lazy(each) for each in model.parameters()):
        model.eval()
        with torch.no_grad():
            model(torch.zeros(1, *shape))
        model.train()


def _taken(function: Callable[..., object], **known: object) -> dict[str, object]:
    """Those of the arguments that a function has by name."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in known.items() if name in parameters}


def _kind(value: object) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    return say("code.tensor_of", shape="×".join(map(str, value.shape)) or "1")


def _in_a_line(error: BaseException) -> str:
    said = "".join(traceback.format_exception_only(error)) if isinstance(error, SyntaxError) else in_a_line(error)
    return plain(said)
