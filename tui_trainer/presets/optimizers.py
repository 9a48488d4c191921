"""`[optimizer]`: the optimizers of `torch.optim`, with its own arguments and defaults (torch 2.6 to 2.14).

Left out on purpose: what changes speed and not the mathematics (`foreach`, `fused`, `capturable`,
`differentiable`), which the engine chooses, and `maximize`, which would climb the loss.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, SerializerFunctionWrapHandler, Tag, model_serializer

from tui_trainer.allowed_code import is_code
from tui_trainer.presets.fields import Betas, Decay, Fraction, MoreThanOne, NotNegative, Positive, Rate, Share, Table
from tui_trainer.presets.parameter_groups import MOST_GROUPS, AnyGroup, ParameterGroup


class Rated(Table):
    """What has a learning rate."""

    name: str
    """The class of `torch.optim`."""
    lr: Rate
    """Learning rate: how far a weight moves along its gradient. The scheduler starts from it."""


class Decaying(Rated):
    """What has weight decay, too: all but Rprop."""

    weight_decay: NotNegative = 0.0
    """How strongly weights are pulled towards zero at every step (an L2 penalty)."""


class Optimizer(Rated):
    """What all optimizers share."""

    groups: Annotated[tuple[AnyGroup, ...], Field(max_length=MOST_GROUPS, strict=False)] = ()
    """Parameters that are treated otherwise: [[optimizer.groups]], with what they match."""
    weight_decay_norm: NotNegative | None = None
    """The weight decay of normalisation layers, where it is another."""
    weight_decay_bias: NotNegative | None = None
    """The weight decay of biases, those of normalisation layers too, where it is another."""

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without groups that are not there: as records have it that know none."""
        data: dict[str, Any] = dump(self)
        return {key: value for key, value in data.items() if key not in OF_GROUPS or value not in (None, (), [])}

    @property
    def all_groups(self) -> tuple[ParameterGroup, ...]:
        """Those of the preset, and those that its shortcuts stand for; biases go before normalisation layers, as in
        torchvision's references."""
        short = (("bias", self.weight_decay_bias), ("norm", self.weight_decay_norm))
        return (*self.groups, *(_decayed(match, decay) for match, decay in short if decay is not None))

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of the class in `torch.optim`."""
        return self.model_dump(exclude={"name", *OF_GROUPS})


def _decayed(match: str, weight_decay: float) -> ParameterGroup:
    return ParameterGroup.model_validate({"match": match, "weight_decay": weight_decay})


OF_GROUPS = ("groups", "weight_decay_norm", "weight_decay_bias")
"""What torch takes as groups of parameters, and not as an argument."""


class SGD(Optimizer, Decaying):
    """Stochastic gradient descent: step straight down the gradient, with momentum if you like."""

    name: Literal["SGD"]
    """Stochastic gradient descent."""
    lr: Rate = 1e-3
    """Learning rate: how far a weight moves along its gradient. SGD wants a larger one than Adam: 0.01 to 0.1."""
    momentum: Decay = 0.0
    """How much of the last move is kept: 0.9 rolls on through small bumps, 0 forgets."""
    dampening: NotNegative = 0.0
    """How much of the new gradient is held back from the momentum."""
    nesterov: bool = False
    """Look ahead along the momentum before taking the gradient. Needs momentum, and no dampening."""


class Adam(Optimizer, Decaying):
    """Steps scaled for each weight by running averages of its gradient and of the gradient's square."""

    name: Literal["Adam"]
    """Adam: adaptive steps, works without much tuning."""
    lr: Rate = 1e-3
    """Learning rate: about how far a weight moves a step, whatever its gradient's size. 0.001 is the usual start."""
    betas: Betas = (0.9, 0.999)
    """How much of the running averages of the gradient and of its square is kept at every step."""
    eps: NotNegative = 1e-8
    """Added to the divisor, so that nothing is divided by zero."""
    amsgrad: bool = False
    """Divide by the largest average seen so far rather than by the present one."""


class AdamW(Optimizer, Decaying):
    """Adam with weight decay taken from the weights themselves, not mixed into the gradient."""

    name: Literal["AdamW"]
    """Adam with decoupled weight decay."""
    lr: Rate = 1e-3
    """Learning rate: about how far a weight moves a step. 0.001 is the usual start."""
    betas: Betas = (0.9, 0.999)
    """How much of the running averages of the gradient and of its square is kept at every step."""
    eps: NotNegative = 1e-8
    """Added to the divisor, so that nothing is divided by zero."""
    weight_decay: NotNegative = 1e-2
    """How much of every weight is taken off at a step, times the learning rate."""
    amsgrad: bool = False
    """Divide by the largest average seen so far rather than by the present one."""


class RMSprop(Optimizer, Decaying):
    """Steps divided by a running average of the gradient's size."""

    name: Literal["RMSprop"]
    """Gradient descent, divided by the recent size of the gradient."""
    lr: Rate = 1e-2
    """Learning rate. 0.001 suits most networks better than torch's default of 0.01."""
    alpha: Fraction = 0.99
    """How much of the running average of the squared gradient is kept at every step."""
    eps: NotNegative = 1e-8
    """Added to the divisor, so that nothing is divided by zero."""
    momentum: Decay = 0.0
    """How much of the last move is kept."""
    centered: bool = False
    """Divide by the gradient's spread about its mean rather than by its size."""


class Adadelta(Optimizer, Decaying):
    """Steps sized by the ratio of recent moves to recent gradients."""

    name: Literal["Adadelta"]
    """Adaptive steps that need hardly any learning rate."""
    lr: Rate = 1.0
    """A factor on the step that Adadelta finds by itself."""
    rho: Fraction = 0.9
    """How much of the running averages is kept at every step."""
    eps: NotNegative = 1e-6
    """Added under the square roots; it also sets the size of the first steps."""


class Adagrad(Optimizer, Decaying):
    """Steps divided by the sum of all squared gradients so far: they only ever shrink."""

    name: Literal["Adagrad"]
    """Steps that shrink as gradients add up."""
    lr: Rate = 1e-2
    """Learning rate of the first step."""
    lr_decay: NotNegative = 0.0
    """A further decay inside the optimizer, unseen by schedulers: the LR is divided by 1 + step x lr_decay."""
    initial_accumulator_value: NotNegative = 0.0
    """What the sum of squared gradients starts from: more makes the first steps smaller."""
    eps: NotNegative = 1e-10
    """Added to the divisor, so that nothing is divided by zero."""


class NAdam(Optimizer, Decaying):
    """Adam that looks ahead along its momentum, as Nesterov does."""

    name: Literal["NAdam"]
    """Adam with Nesterov momentum."""
    lr: Rate = 2e-3
    """Learning rate: about how far a weight moves a step."""
    betas: Betas = (0.9, 0.999)
    """How much of the running averages of the gradient and of its square is kept at every step."""
    eps: NotNegative = 1e-8
    """Added to the divisor, so that nothing is divided by zero."""
    momentum_decay: NotNegative = 4e-3
    """How fast the momentum approaches its full value at the start of a run."""
    decoupled_weight_decay: bool = False
    """Take weight decay from the weights themselves, as AdamW does."""


class RAdam(Optimizer, Decaying):
    """Adam that holds back its adaptive steps until their averages can be trusted: a warm-up built in."""

    name: Literal["RAdam"]
    """Adam with a warm-up built in."""
    lr: Rate = 1e-3
    """Learning rate: about how far a weight moves a step."""
    betas: Betas = (0.9, 0.999)
    """How much of the running averages of the gradient and of its square is kept at every step."""
    eps: NotNegative = 1e-8
    """Added to the divisor, so that nothing is divided by zero."""
    decoupled_weight_decay: bool = False
    """Take weight decay from the weights themselves, as AdamW does."""


class Adamax(Optimizer, Decaying):
    """Adam that divides by the largest recent gradient rather than by their mean square."""

    name: Literal["Adamax"]
    """Adam by the largest gradient."""
    lr: Rate = 2e-3
    """Learning rate: about how far a weight moves a step. 0.002 is the usual start."""
    betas: Betas = (0.9, 0.999)
    """How much of the running average of the gradient, and of the largest one, is kept at every step."""
    eps: NotNegative = 1e-8
    """Added to the size of each gradient, so that nothing is divided by zero."""


class ASGD(Optimizer, Decaying):
    """SGD whose steps shrink by themselves; the average that torch keeps of its weights is not what is validated."""

    name: Literal["ASGD"]
    """Averaged stochastic gradient descent."""
    lr: Rate = 1e-2
    """Learning rate. A step uses what it was at the step before, shrunk by `lambd`."""
    lambd: NotNegative = 1e-4
    """How fast the steps shrink, unseen by schedulers: the LR is divided by (1 + lambd x lr x step) to `alpha`."""
    alpha: NotNegative = 0.75
    """The power of that."""
    t0: NotNegative = 1e6
    """From which step on torch averages."""


class Rprop(Optimizer):
    """Steps of each weight's own size: it grows while its gradient keeps its sign, and shrinks where it turns."""

    name: Literal["Rprop"]
    """Steps by the signs of gradients, made for batches of all images."""
    lr: Rate = 1e-2
    """How far each weight moves at its first step; later ones find their size by themselves, whatever the LR is."""
    etas: Annotated[tuple[Share, MoreThanOne], Field(strict=False)] = (0.5, 1.2)
    """What a step is multiplied by where the gradient's sign turns, and where it stays."""
    step_sizes: Annotated[tuple[Positive, Positive], Field(strict=False)] = (1e-6, 50)
    """The smallest step, and the largest."""


class Adafactor(Optimizer, Decaying):
    """Adam with little memory: of a matrix it keeps a mean of squares for each row and column, and no momentum."""

    name: Literal["Adafactor"]
    """Adaptive steps with little memory."""
    lr: Rate = 1e-2
    """Learning rate, as a part of the size of the weights that are moved; a step uses no more than 1 / sqrt(step)."""
    beta2_decay: Annotated[float, Field(le=0, allow_inf_nan=False)] = -0.8
    """How the running average of squares comes to reach back further: 1 - step to this power is kept of it."""
    eps: Annotated[tuple[NotNegative | None, NotNegative], Field(strict=False)] = (None, 1e-3)
    """Added to the squares of gradients, and the least size that weights are taken to have."""
    d: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    """How large a move may be, in its root mean square, before it is clipped."""


def _code(name: str) -> str:
    if not is_code(name):
        raise ValueError("not of the form module:function")
    return name


class OwnOptimizer(Optimizer, Decaying):
    """A person's own, in the place of the preset's: `--optimizer mine:Lion`. No file of a preset can name one."""

    name: Annotated[str, AfterValidator(_code)]
    """Code that makes it, as `module:function`."""
    folder: str
    """Where its module is looked for first."""

    def arguments(self) -> dict[str, Any]:
        """What it is given beside the parameters; a weight decay where there is one."""
        return {"lr": self.lr} | ({"weight_decay": self.weight_decay} if self.weight_decay else {})


def _whose(value: object) -> object:
    """The name of one of PyTorch's, or "own" of a person's own."""
    name = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
    return "own" if is_code(name) else name


AnyOptimizer: TypeAlias = Annotated[
    Annotated[OwnOptimizer, Tag("own")]
    | Annotated[SGD, Tag("SGD")]
    | Annotated[Adam, Tag("Adam")]
    | Annotated[AdamW, Tag("AdamW")]
    | Annotated[RMSprop, Tag("RMSprop")]
    | Annotated[Adadelta, Tag("Adadelta")]
    | Annotated[Adagrad, Tag("Adagrad")]
    | Annotated[NAdam, Tag("NAdam")]
    | Annotated[RAdam, Tag("RAdam")]
    | Annotated[Adamax, Tag("Adamax")]
    | Annotated[ASGD, Tag("ASGD")]
    | Annotated[Rprop, Tag("Rprop")]
    | Annotated[Adafactor, Tag("Adafactor")],
    Discriminator(_whose),
]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__: kind
    for kind in (SGD, Adam, AdamW, RMSprop, Adadelta, Adagrad, NAdam, RAdam, Adamax, ASGD, Rprop, Adafactor)
}
"""Every optimizer that a preset may name."""
