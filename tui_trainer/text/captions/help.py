"""What the help page says of itself."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "On the help page"

CAPTIONS = {
    "help.nothing": Caption(
        "nothing has these words", "no key and no mark has all words that are searched for", "one has"
    ),
}
