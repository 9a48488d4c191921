"""What a series is by the words of its name, where nobody says it: its role, and whether less or more of it is better.

Rules are data: the first one that fits holds. A name of which no rule knows anything has no goal, and so no best value:
a wrong one would be worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from tui_trainer.events import Goal, Kind

Role: TypeAlias = Literal["train", "held out", "lr", "system", "axis", ""]
"""`held out`: of images that do not train; `axis`: what others are drawn over; empty: the name does not say."""


LONGEST = 500
"""Characters of a name, as records have them."""


class _GoalRule(NamedTuple):
    words: frozenset[str]
    """One of them is in the name."""
    goal: Goal


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GOALS = (
    # The losses of two that play against each other, and of RL, do not tell how good either is.
    _GoalRule(_words("gan disc discriminator gen generator critic actor policy value entropy kl td"), "none"),
    _GoalRule(_words("norm lr epoch step steps time seconds count counts weight scale"), "none"),
    _GoalRule(_words("loss losses error err nll bce mse rmse mae mape xent perplexity ppl bpc bpb wer cer fid"), "min"),
    _GoalRule(_words("logloss eer lpips"), "min"),
    _GoalRule(_words("acc accuracy acc1 acc5 top1 top5 prec1 prec5 f1 auc auroc auprc ap ap50 ap75 map lrap"), "max"),
    _GoalRule(_words("iou miou dice precision recall bleu rouge meteor psnr ssim reward return"), "max"),
    _GoalRule(_words("ndcg mrr mcc kappa r2 rew"), "max"),
)
"""In their order: `dice_loss` is a loss, and `error` goes before `accuracy`."""

PHRASES: tuple[tuple[tuple[str, ...], Goal], ...] = (
    (("inception", "score"), "max"),
    (("explained", "variance"), "max"),
    *(((loss, player), "none") for loss in ("loss", "err") for player in ("d", "g")),
    *(((player, "loss"), "none") for player in ("d", "g")),
)
"""Words that mean something else together; they go before `GOALS`."""

ROLES: tuple[tuple[Role, frozenset[str]], ...] = (
    ("axis", _words("step steps epoch epochs iter iteration iterations tokens samples timestamp walltime")),
    ("lr", _words("lr lrs")),
    ("system", _words("gpu cpu memory mem ram vram power temperature temp util utilization disk throughput")),
    ("held out", _words("val valid validation validate eval evaluation test testing dev heldout")),
    ("train", _words("train training trn")),
)
"""In their order. A name is an `axis` only where it has no other word."""

NO_LR = _words("momentum weight decay betas scheduler")
"""Beside `lr` in a name, these say that it is something else of an optimizer: `lr-SGD-momentum`."""

KINDS: dict[Role, Kind] = {"train": "train", "held out": "val", "lr": "lr", "system": "system"}
"""What an event calls a role."""

ACCURACIES = _words("acc accuracy acc1 top1")
"""Of several series that were held out, a run is judged by one of these first, as one of ours is."""


def words(name: str) -> list[str]:
    """The words of a name, in small letters: apart by `/ _ - .`, spaces and capitals."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("IoU", "Iou"))  # that is one word
    return [word for word in re.split(r"[^a-z0-9]+", apart.lower()) if word]


def goal(name: str) -> Goal:
    """Whether less or more of it is better; `none` where the name does not say."""
    said = [word for word in words(name) if word not in ("step", "epoch")]  # `loss_epoch` is a loss
    for phrase, meant in PHRASES:
        if any(tuple(said[at : at + len(phrase)]) == phrase for at in range(len(said))):
            return meant
    return next((rule.goal for rule in GOALS if not rule.words.isdisjoint(said)), "none")


def role(name: str) -> Role:
    """Of what it is; empty where the name does not say."""
    said = words(name)
    if "learning" in said and "rate" in said:
        return "lr"
    for found, told in ROLES:
        if found == "axis" and said and told.issuperset(said):
            return "axis"
        if found == "lr" and not NO_LR.isdisjoint(said):
            continue
        if found != "axis" and not told.isdisjoint(said):
            return found
    return ""


def kind(name: str) -> Kind:
    """Its role, as an event has it."""
    return KINDS.get(role(name), "other")


OUR_NAMES: tuple[tuple[str, Role, frozenset[str]], ...] = (
    ("val_loss", "held out", frozenset({"loss"})),
    ("val_accuracy", "held out", ACCURACIES),
    ("train_loss", "train", frozenset({"loss"})),
    ("train_accuracy", "train", ACCURACIES),
    ("train_loss", "", frozenset({"loss"})),
)
"""What a run of ours calls a series of this role with one of these words, and no other but that of its role."""

_TESTS = _words("test testing")
"""These images are neither those that train nor those that validate."""


def our_name(name: str) -> str | None:
    """What a run of ours calls this: `val_loss` for `eval/loss`; None where it has no such series, or that is not
    known."""
    said = {word for word in words(name) if word not in ("step", "epoch")}
    if role(name) == "lr":
        return "lr" if said <= {"lr", "learning", "rate", "train"} else None
    roles = {word for of, told in ROLES if of == role(name) for word in told}
    left = said - roles
    if len(left) != 1 or not said.isdisjoint(_TESTS):
        return None
    return next((ours for ours, of, meant in OUR_NAMES if of == role(name) and left <= meant), None)


def objective_among(names: Iterable[str]) -> str | None:
    """By which of these series a run is judged; None where no name has a goal.

    Accuracies that were held out go before losses that were, these before what else was; then come those of which
    nothing says that they train, and at last losses that do. Of equals, the first one.
    """
    return min((name for name in names if goal(name) != "none"), key=_rank, default=None)


def _rank(name: str) -> int:
    said = set(words(name))
    match role(name):
        case "held out":
            return 0 if said & ACCURACIES else 1 if "loss" in said else 2
        case "":
            return 3 if goal(name) == "max" else 4
        case "train":
            return 5 if "loss" in said else 6
    return 7  # of the machine, or an axis


def parsed(asked: str) -> tuple[str, Goal | None]:
    """`NAME[:min|max]`: the name, and the goal where one is said.

    Raises:
        ValueError: there is no name, or a longer one than any series has.
    """
    name, colon, goal = asked.rpartition(":")
    if not colon or goal not in ("min", "max"):
        name, goal = asked, ""
    if not name.strip() or len(name) > LONGEST:
        raise ValueError(f"a name of 1 to {LONGEST} characters, and :min or :max behind it if the runs do not say")
    return name, "min" if goal == "min" else "max" if goal == "max" else None
