"""What stands in the report of a comparison, beside its verdict: `compare/report.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The report of a comparison"

CAPTIONS = {
    "report.bands": Caption(
        "Lines are the means of finished seeds, bands reach from the lowest to the highest of them.",
        "a preset has several seeds, and curves are drawn",
        "each has one",
    ),
    "report.best_marked": Caption(
        "`*` is the best of its column.", "a figure of the table is the best of its column", "no column has a best one"
    ),
    "report.goes_with": Caption(
        "What goes with {metric}", "five runs or more have finished that differ in a setting", "fewer have"
    ),
    "report.is_it_fair": Caption("Is it fair?", "over what differs but the presets", "nowhere else"),
    "report.made_by": Caption(
        "Session {session}, made by tui-trainer.", "at the end of a report, as Markdown or HTML", "in one for programs"
    ),
    "report.train_loss": Caption(
        "Training loss, smoothed, log scale", "over the chart of it, which is both", "of another curve"
    ),
    "report.not_told_by_all": Caption("not told by all", "a condition is not known of one run", "it is of all"),
    "report.nothing_differs": Caption(
        "Nothing: their presets are the same.", "no setting differs, and all are known", "one differs"
    ),
}
