"""What a run without a screen prints, and its log keeps: `cli/console.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Lines of a run without a screen"

CAPTIONS = {
    "line.began": Caption(
        "{preset}: {model} ({parameters}) on {dataset} ({images}), {device}{ranks}, seed {seed}{length}",
        "a run has resolved what it trains",
        "before that",
    ),
    "line.watched": Caption(
        "watched: {facts}{length}",
        "another program's training is watched, and what it trains was seen",
        "it is our own",
    ),
    "line.threads": Caption(" ×{threads}", "it trains on the CPU, with so many threads", "it trains on another device"),
    "line.ranks": Caption(" in {ranks} processes", "several processes train", "one does"),
    "line.length": Caption(", {epochs} of {batches}", "its epochs and their batches are known", "no end is known"),
    "line.epoch": Caption(
        "epoch {epoch}  train_loss {train_loss}  {validation}{lr}{speed}{best}",
        "an epoch has ended",
        "within one",
    ),
    "line.lr_used": Caption("lr {lr}", "the LR of its last batch is known", "it is not"),
    "line.speed": Caption("  {speed} images/s", "its speed was measured", "it was not, as that of another program"),
    "line.best": Caption(
        "  best",
        "an epoch is the best so far, and better than guessing",
        "one before it is; it is no better than guessing",
    ),
    "line.lr": Caption("epoch {epoch}: {reason}", "the LR has moved in an epoch", "it stayed"),
    "line.switched": Caption(
        "epoch {epoch}: now {preset}, weights kept", "the run follows another preset", "it is promised"
    ),
    "line.answered": Caption(
        "{by}: {command}: {answer}", "somebody gave the run a command, and it answered", "none came"
    ),
    "line.position": Caption(
        "epoch {epoch} {unit} {batch}/{batches}  loss {loss}  {speed} images/s",
        "every ten seconds within an epoch",
        "before the first batch",
    ),
    "line.starting": Caption(
        "starting", "a bar stands there, and the run has told nothing", "it has told what it does"
    ),
    "line.ended": Caption("{status}: {reason}", "a run has ended", "it goes on"),
    "line.begins_anew": Caption(
        "begins anew: {record} had no checkpoint to go on from",
        "a comparison begins a run again that was lost before its first checkpoint",
        "the run goes on; it is the first of its kind",
    ),
    "line.nobody_reads": Caption(
        "nobody reads what is printed any more; training goes on",
        "the pipe's reader has gone",
        "a full disk, or a slow reader",
    ),
}
