"""What is wrong with a key of a preset, and what would be right: `presets/wording.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What is wrong with a key of a preset"

CAPTIONS = {
    # The file
    "key.too_deep": Caption(
        "nested too deeply for a preset, which is tables of plain values",
        "lists or tables lie so deep in each other, or a dotted key has so many names, that no preset could",
        "a table lies in a table",
    ),
    "key.twice": Caption(
        "given twice, first on line {line}; keep one", "a key or a table is given again", "each is given once"
    ),
    "key.no_toml": Caption("not valid TOML: {why}", "the file breaks TOML's rules", "it keeps them"),
    # Keys that are missing, or not known
    "key.unknown": Caption(
        "not known to a preset; {hint}", "a key or a table at the top of a file is none of a preset's", "it is one"
    ),
    "key.top_meant": Caption("did you mean {meant}?", "the same, where one of a preset's is like it", "none is"),
    "key.top_has": Caption("it has {keys}", "none is like it", "one is"),
    "key.by_options": Caption(
        "a preset holds no commands and no addresses; give them on the command line",
        "the same of what is told by options, as notify and webhook",
        "of another key",
    ),
    "key.no_optimizer": Caption(
        'missing; write [optimizer] and, below it, such as name = "Adam"',
        "the table is missing",
        "it is there, or one like it",
    ),
    "key.no_table": Caption(
        "is a table; write [{table}] on a line above its keys", "a table's name has a value", "it is a table"
    ),
    "key.no_rules": Caption(
        'is a list of rules in quotes; write such as ["val_loss > 2 for 3 epochs"]',
        "alerts is something else",
        "it is a list of texts, be they no rules",
    ),
    "key.rule": Caption("item {number}, {rule}: {why}", "a rule of alerts cannot be understood", "it can"),
    "key.nameless": Caption(
        "missing; one of {names}",
        "a table of an optimizer, a scheduler, a stage or a transform has no name",
        "it has one",
    ),
    "key.missing": Caption(
        "missing; it says {what}", "a table lacks a key that it needs", "it has one that is misspelt"
    ),
    "key.meant": Caption("not known to {owner}; did you mean {meant}?", "a key like it is known", "none is like it"),
    "key.at_home": Caption("not known to {owner}; {home}", "another table, or class, takes it", "none does"),
    "key.takes": Caption(
        "not known to {owner}, which takes {known}", "nothing is like it, nor takes it", "something is"
    ),
    "key.takes_none": Caption("{owner} takes no arguments", "the same of a class without arguments", "it has some"),
    "key.takes_it": Caption("{who} takes it", "one class of the same kind knows the key", "several do"),
    "key.take_it": Caption("{who} take it", "several do; three are named", "one does"),
    "key.belongs_in": Caption("it belongs in [{table}]", "another table knows the key", "none does"),
    # Keys that have no place for a reason
    "key.speed": Caption(
        "changes speed and not results, so the program chooses it; leave it out",
        "foreach, fused, capturable or differentiable stands in [optimizer]",
        "it stands elsewhere",
    ),
    "key.maximize": Caption(
        "would climb the loss instead of going down; leave it out", "maximize stands in [optimizer]", "elsewhere"
    ),
    "key.params": Caption("are the model's own; leave it out", "params stands in [optimizer]", "elsewhere"),
    "key.verbose": Caption(
        "PyTorch has removed it, and every change of the LR is shown here anyway; leave it out",
        "verbose stands in [scheduler]",
        "elsewhere",
    ),
    "key.last_epoch": Caption(
        "is for resuming, which takes care of itself here; leave it out",
        "last_epoch stands in [scheduler]",
        "elsewhere",
    ),
    "key.optimizer": Caption(
        "is the one of the [optimizer] table; leave it out", "optimizer stands in [scheduler]", "elsewhere"
    ),
    "key.length": Caption(
        "follows from the run's length and is filled in; leave it out",
        "total_steps, epochs or steps_per_epoch stands in [scheduler]",
        "elsewhere",
    ),
    "key.scale_fn": Caption(
        "is a function, and a preset holds no code; choose a mode instead",
        "scale_fn stands in [scheduler]",
        "elsewhere",
    ),
    "key.scale_mode": Caption(
        "belongs to scale_fn, a function, and a preset holds no code; choose a mode instead",
        "scale_mode stands in [scheduler]",
        "elsewhere",
    ),
    "key.lr_lambda": Caption(
        "is a function, and a preset holds no code", "lr_lambda stands in [scheduler]", "elsewhere"
    ),
    "key.monitor": Caption(
        "{owner}: only ReduceLROnPlateau watches a metric; leave it out",
        "monitor stands in [scheduler], of another one",
        "of ReduceLROnPlateau",
    ),
    "key.interval": Caption(
        "{owner}: there is no scheduler to step; leave it out",
        "interval stands in [scheduler] of none",
        "of a scheduler",
    ),
    "key.no_val_loss": Caption(
        'there is no validation loss after a batch to watch; "epoch" is right, or leave it out',
        "ReduceLROnPlateau is to step after every batch",
        "after validation; of another scheduler",
    ),
    # The name of a class
    "key.not_a_name": Caption("{value} is not a name; one of {names}", "a name is no text", "it is"),
    "key.left_out": Caption("{name} {why}; one of {names}", "a class of torch is left out for a reason", "it is known"),
    "key.name_meant": Caption(
        "{name} is not known; did you mean {meant}?", "a name like it is known", "none is like it"
    ),
    "key.name_unknown": Caption("{name} is not known; one of {names}", "none is like it", "one is"),
    "key.function": Caption("takes a function, and a preset holds no code", "of MultiplicativeLR", "of others"),
    "key.joins": Caption(
        "multiplies several; SequentialLR puts them one after the other, and a [warmup] table a LinearLR in front",
        "of ChainedScheduler",
        "of others",
    ),
    "key.swalr": Caption(
        "is swa_lr in [training], beside swa_start, and goes on from a scheduler", "of SWALR", "of others"
    ),
    "key.lbfgs": Caption(
        "calls the loss several times a step, which this training loop does not", "of LBFGS", "of others"
    ),
    "key.sparse": Caption("is for sparse gradients, which these models have not", "of SparseAdam", "of others"),
    "key.muon": Caption(
        'takes matrices alone, in a group beside an optimizer for the rest: [[optimizer.groups]] with match = "matrix"'
        ' and optimizer = "Muon"; AdamW is the usual one beside it',
        "of Muon",
        "of others",
    ),
    "key.no_points": Caption(
        "is a list of pairs, when and which LR; write such as [[0, 0.01], [15, 0.4], [30, 0]]",
        "the points of PiecewiseLinear are no list of pairs, or a single one",
        "they are; a number in them is wrong",
    ),
    # Stages
    "key.no_stages": Caption(
        "is a list of tables; write [[scheduler.stages]] above the keys of each",
        "the stages of SequentialLR are missing, or no tables",
        "they are",
    ),
    "key.of_all_stages": Caption(
        "belongs in [scheduler], and holds for all stages", "interval or monitor stands in a stage", "in [scheduler]"
    ),
    "key.no_stage": Caption(
        "{name} cannot be a stage; one of {names}",
        "a stage is OneCycleLR, CyclicLR, ReduceLROnPlateau or SequentialLR",
        "of others",
    ),
    "key.no_early_stopping": Caption(
        'is a table; write such as {{monitor = "val_loss", patience = 3}}',
        "early_stopping is no table",
        "it is one; a key in it is wrong",
    ),
    # Augmentation
    "key.no_augmentation": Caption(
        'is a list of transforms; write such as [{{name = "RandomCrop", padding = 4}}, "RandomHorizontalFlip"]',
        "augmentation is no list, or something in it is neither a table nor a name",
        "it is one; a name in it is not known",
    ),
    "key.many_transforms": Caption(
        "{count} transforms are too many; at most {most}", "there are more in a row than may be", "there are not"
    ),
    "key.size_of_images": Caption("is that of the images; leave it out", "size stands in a transform", "elsewhere"),
    "key.mixes": Caption(
        "mixes images and their labels, and here each image is changed by itself", "of MixUp and CutMix", "of others"
    ),
    "key.done": Caption(
        "is done here anyway, with the mean and the deviation of the data set", "of Normalize and ToTensor", "of others"
    ),
    "key.other_size": Caption(
        "is for images of other sizes, and these have the one that the network takes",
        "of a transform that gives another size, such as RandomResizedCrop",
        "of RandomCrop, which keeps it",
    ),
    "key.cutout": Caption(
        "is RandomErasing here: of a square of 16 in 32×32, with p = 1.0, scale = [0.25, 0.25] and ratio = [1, 1]",
        "of Cutout",
        "of others",
    ),
    # Groups of parameters
    "key.no_groups": Caption(
        "is a list of tables; write [[optimizer.groups]] above the keys of each",
        "the groups of parameters are no tables",
        "they are",
    ),
    "key.many_groups": Caption(
        "{count} groups are too many; at most {most}", "there are more than may be", "there are not"
    ),
    # Values
    "key.many_digits": Caption("a number of far too many digits", "a whole number has 31 digits or more", "fewer"),
    "key.a_table": Caption("a table", "what a value is called that is a table", "it is a list"),
    "key.a_list": Caption("a list", "what a value is called that is a list", "it is empty"),
    "key.empty_list": Caption("an empty list", "the same of one that is empty", "it is not"),
    "key.not_bool": Caption(
        "{value} is neither true nor false; write one of them, without quotes",
        "a switch has another value",
        "it is one",
    ),
    "key.not_text": Caption("{value} is not text; put it in quotes", "a text is something else", "it is a text"),
    "key.too_long": Caption("{count} characters are too many; at most {most}", "a text is longer", "it is not"),
    "key.not_finite": Caption("{value} is not a finite number", "a number is nan or infinite", "it is finite"),
    "key.out_of_range": Caption(
        "{value} is out of range; {range} is right", "a number is beyond its bounds", "it is not"
    ),
    "key.too_large": Caption("{value} is out of range", "a whole number is too large for a number", "it is not"),
    "key.in_quotes": Caption(
        "{value} is text; write {number} without the quotes", "a number stands in quotes", "the text is no number"
    ),
    "key.not_whole": Caption(
        "{value} is not written as a whole number; write {number}", "a whole number has a point", "it has a fraction"
    ),
    "key.no_number": Caption("{value} is not a number", "a number is something else", "it is one"),
    "key.no_whole_number": Caption("{value} is not a whole number", "a whole number is something else", "it is one"),
    "key.choice_meant": Caption("{value} is not known; did you mean {meant}?", "a choice like it is known", "none is"),
    "key.choice_unknown": Caption("{value} is not known; {either}", "no choice is like it", "one is"),
    "key.either": Caption("{choices} or {last} is", "several choices are known", "one is"),
    "key.only": Caption("only {last} is", "one choice is known", "several are"),
    "key.no_pair": Caption(
        "{value} is not a pair of numbers; write such as {such}", "a pair is something else", "it is"
    ),
    "key.no_list": Caption("{value} is not a list of numbers; write such as [3, 7]", "a list is none", "it is one"),
    "key.long_list": Caption("{count} numbers are too many for a list", "a list is longer than may be", "it is not"),
}
