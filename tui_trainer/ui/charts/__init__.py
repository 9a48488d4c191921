"""The charts of a run, drawn with plotext into cached lines, on one x axis."""

from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart

__all__ = ["LRChart", "LossChart", "XAxis"]
