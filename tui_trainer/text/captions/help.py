"""What the help page says of itself."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "On the help page"

CAPTIONS = {
    "help.nothing": Caption(
        "nothing has these words", "no key and no mark has all words that are searched for", "one has"
    ),
    "help.marks": Caption("On the screen", "over the marks at its end", "none of them has what is searched for"),
    "help.in_focus": Caption("the panel in focus", "behind the keys of a panel that has the focus", "no panel has it"),
    "help.keys": Caption(
        "↑ ↓ pgup pgdn scroll    / searches    esc closes", "in its last line", "a text is searched for"
    ),
    "help.show_all": Caption("esc shows all again", "a text is searched for", "nothing is: esc closes it"),
    # In the command palette
    "help.theme_dark": Caption("dark", "the name of the dark theme", "of another"),
    "help.theme_light": Caption("light", "of the light one", "of another"),
    "help.theme_colour_blind": Caption(
        "for the colour-blind",
        "of the one whose colours are told apart by those who see no red or no green",
        "of another",
    ),
    "help.remembered": Caption(
        "remembered for the next start", "beside a theme: it is kept in the settings", "of what is not kept"
    ),
    "help.for_fonts": Caption(
        "for fonts that lack the others; remembered for the next start",
        "beside a way to draw curves: it is kept, too",
        "of what is not kept",
    ),
}
