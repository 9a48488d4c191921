"""Hints for who starts the screen for the first time: `ui/live/startup.py`. Each tells of keys that do in the run on
show what it says."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Hints of the first start"

CAPTIONS = {
    "hint.pace": Caption(
        "space pauses, n trains one batch, s shows every call",
        "a run of ours takes these commands",
        "it takes none; of a watched program, which takes steps",
    ),
    "hint.pace_watched": Caption(
        "space pauses, n lets one step through, s shows every call",
        "a watched program takes these commands",
        "it is watched with --no-control; of a run of ours",
    ),
    "hint.cursor": Caption(
        "← → move a cursor: values, and why the LR moved there",
        "in every run that takes commands",
        "in one that takes none",
    ),
    "hint.charts": Caption(
        "+ and - zoom, f follows again, 1 to {last} hide and show panels", "the same", "in one that takes none"
    ),
    "hint.pages": Caption(
        "p switches presets in mid-run, c compares, r lists runs", "the same of a run of ours", "of a watched program"
    ),
    "hint.pages_watched": Caption(
        "o tells of the order of calls, m shows all series, r lists runs", "the same of a watched program", "of ours"
    ),
    "hint.help": Caption("? lists all keys; q asks whether to keep training", "the same", "in one that takes none"),
    "hint.onwards": Caption("enter next · esc no more hints", "a hint is on show, and there is room", "none is"),
    "hint.next": Caption("enter next", "the same in less room", "none is; in little room"),
}
