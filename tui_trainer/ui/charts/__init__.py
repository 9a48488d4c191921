"""The charts of a run, drawn with plotext into cached lines, on one x axis."""
