"""What is wrong with the order of calls of a watched loop, from its trace: a rule, or a family of them, in each file.

The words are in `text.mistakes` and `text.captions.order`, by the codes that rules tell.
"""

from tui_trainer.watching.findings.fold import Findings

__all__ = ["Findings"]
