"""What is wrong with the trials that are to be made of one preset: `compare/sweep.py`, `cli/sweep.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Trials of one preset"

CAPTIONS = {
    "sweep.no_values": Caption(
        "write TABLE.KEY=VALUE,VALUE, such as optimizer.lr=0.01,0.03",
        "`--grid` has no key, or no values",
        "it has both, be they none of a preset's",
    ),
    "sweep.no_space": Caption(
        "write TABLE.KEY=SPACE, such as optimizer.lr=log:1e-4:1e-1 or optimizer.name=SGD,Adam",
        "`--space` has no key, or nothing behind it",
        "it has both",
    ),
    "sweep.no_range": Caption(
        "{space} has no two ends; write log:LOW:HIGH, uniform:LOW:HIGH or int:LOW:HIGH, LOW less than HIGH and for log "
        "more than 0",
        "the ends of a space are no numbers, or not in their order",
        "they are; values are listed",
    ),
    "sweep.random_and_space": Caption(
        "--random N draws from what --space says: give both, or neither", "one of the two is missing", "both are there"
    ),
    "sweep.too_few_draws": Caption(
        "only {count} different trials came of it: ask for no more, or for wider spaces",
        "the spaces have fewer different values than trials are asked for",
        "they have as many, or more",
    ),
    "sweep.value_missing": Caption(
        "a value is missing: two commas follow each other, or one stands at the end",
        "between two commas, or behind the last one, there is nothing",
        "there is something between all",
    ),
    "sweep.no_value": Caption(
        "{value} is no value of TOML; write a number, true, false, a [list] or a word",
        "a value cannot be read",
        "it can, be it one that the key does not take",
    ),
    "sweep.value_twice": Caption("{value} is there twice", "two values of a key are the same", "they differ"),
    "sweep.key_twice": Caption(
        "{key} is varied twice; name all its values at once", "two options vary one key", "each varies another one"
    ),
    "sweep.no_such_key": Caption(
        "no key of a preset that can be varied; {hint}",
        "the key does not begin with a table of numbers of a preset's",
        "it does, be the key itself unknown there",
    ),
    "sweep.meant": Caption("did you mean {meant}?", "behind that, where a key is like it", "none is"),
    "sweep.tables": Caption("its table is one of {tables}", "behind that, where none is like it", "one is"),
    "sweep.no_rule_by": Caption(
        "--stop-worse-than goes by what the end of an epoch tells: leave --metric {metric} out, or name val_accuracy "
        "or val_loss",
        "trials are to be stopped by a rule, and compared by a series that the end of an epoch does not tell, or of "
        "which neither less nor more is better",
        "they are compared by their accuracy or their loss",
    ),
    "sweep.rule_stays": Caption(
        "--stop-worse-than: {session} was begun without it; a new comparison can have it",
        "a comparison that was begun without the rule is opened again with it",
        "it was begun with it; it is a new one",
    ),
    "sweep.one_preset": Caption(
        "{option} makes trials of one preset: name one", "none is named beside it, or several are", "one is"
    ),
    "sweep.session_has_trials": Caption(
        "{session} goes on with the trials that it was begun with: leave {option} out",
        "a comparison is opened again with it",
        "it is a new one",
    ),
    "sweep.too_many": Caption(
        "{count} runs are more than a comparison may have, {most}",
        "trials times seeds are more",
        "they are as many, or fewer",
    ),
    "sweep.by_option": Caption(
        "{option} says it for all trials: leave one of the two out",
        "epochs or batch size are varied, and an option has them too",
        "one of the two alone has them",
    ),
}
