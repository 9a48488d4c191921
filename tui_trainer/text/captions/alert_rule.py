"""What is wrong with a rule for alerts, and what would be right: `text/alert_rule.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What is wrong with a rule for alerts"

CAPTIONS = {
    "alert_rule.too_long": Caption(
        "{count} characters are too many for a rule; at most {most}",
        "it is longer than may be",
        "it is not",
    ),
    "alert_rule.unprintable": Caption(
        "it holds characters that cannot be shown; leave them out",
        "it holds controls or line ends",
        "it does not",
    ),
    "alert_rule.too_many": Caption(
        "{count} rules are too many; at most {most}",
        "there are more than a run may be watched by",
        "there are not",
    ),
    "alert_rule.goes_on": Caption(
        "nothing follows a rule, and here does {word}",
        "a word stands behind a whole rule",
        "none does",
    ),
    "alert_rule.missing_for": Caption(
        "for how long may it be missing? Write such as `{series} is missing for 2 epochs`",
        "`is missing` has no span",
        "it has one; another test has none",
    ),
    "alert_rule.no_name": Caption(
        "it begins with no name of a series; {such}",
        "it begins with a sign, or an empty name",
        "it begins with a name",
    ),
    "alert_rule.bad_sign": Caption(
        "{sign} compares nothing; {right} is right",
        "signs that are no comparison stand where one should",
        "they are one",
    ),
    "alert_rule.bad_state": Caption(
        "nothing is {state}; `is nan`, `is inf` and `is missing for …` are known",
        "another word follows `is`",
        "one of these does",
    ),
    "alert_rule.blanks": Caption(
        "a name with blanks stands in quotes: {name}",
        "words stand before a comparison",
        "a name alone does; no comparison follows",
    ),
    "alert_rule.no_test": Caption(
        "{word} is no comparison; {such}",
        "a word follows the name, and no comparison at all",
        "one follows",
    ),
    "alert_rule.no_number": Caption(
        "{word} is no number{hint}",
        "a comparison is with something else",
        "it is with a number",
    ),
    "alert_rule.too_large": Caption("{word} is too large for a number", "it is no finite float", "it is one"),
    "alert_rule.not_whole": Caption(
        "{word} is no whole number; write such as `for 3 epochs`",
        "the span is none",
        "it is one",
    ),
    "alert_rule.no_unit": Caption(
        "{word} is none of epochs, steps, seconds, minutes, hours",
        "the unit of a span is another word",
        "it is one of them",
    ),
    "alert_rule.open_quote": Caption("a quote in it is not closed", "a quote begins, and does not end", "each ends"),
    "alert_rule.ends": Caption("{lacking}; {such}", "the text ends where more of a rule should stand", "it is whole"),
    "alert_rule.no_series": Caption("it names no series", "the text is empty", "it is not"),
    "alert_rule.nothing_told": Caption(
        "it does not say what is to be told of {series}",
        "it ends behind the name",
        "more follows",
    ),
    "alert_rule.ends_with_is": Caption("it ends with `is`", "it does", "a state follows"),
    "alert_rule.ends_with_sign": Caption("no number follows {sign}", "it ends with a comparison", "something follows"),
    "alert_rule.write_nan": Caption("; write `is nan`", "what is compared with is nan", "it is another word"),
    "alert_rule.no_span": Caption("it does not say for how long", "it ends with `for`", "a number follows"),
    "alert_rule.of_what": Caption(
        "for {number} of what? Epochs, steps, seconds, minutes or hours",
        "it ends with the number of a span",
        "a unit follows",
    ),
    "alert_rule.such": Caption(
        "write such as `val_loss > 2 for 3 epochs`",
        "behind what is wrong with the form of a whole rule",
        "behind what is wrong with one word of it",
    ),
}
