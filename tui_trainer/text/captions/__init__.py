"""All that the program claims of a run, a preset, a comparison, a record or the machine; one door leads to it, `say`.

The id of a caption begins with its section, and each section is a file: the words of `plan.waits` stand in `plan.py`.
Each caption says when it is said and when it must not be, and has a test for both (`tests/test_captions.py` sees to
it). Why the LR moved or held is told by `text/reasons.py`, whose words a record keeps: they are among these, too.
"""

from __future__ import annotations

from tui_trainer.text.captions import (
    alert,
    alert_rule,
    answer,
    calls,
    card,
    chart,
    checkpoint,
    cluster,
    code,
    command,
    comparison,
    confusion,
    crash,
    data,
    device,
    doctor,
    editor,
    end,
    entry,
    epoch,
    exit,
    fairness,
    find_lr,
    foreign,
    form,
    groups,
    health,
    help,
    hint,
    key,
    line,
    log,
    loop,
    machine,
    metric,
    mistake,
    notice,
    notify,
    order,
    picker,
    plan,
    question,
    queue,
    record,
    refusal,
    remote,
    reply,
    report,
    rule,
    runs,
    screen,
    setting,
    shell,
    state,
    sweep,
    untold,
    watched,
    why,
)
from tui_trainer.text.captions.caption import Caption

_SECTIONS = (
    state,
    plan,
    why,
    epoch,
    health,
    help,
    alert,
    alert_rule,
    notice,
    notify,
    setting,
    data,
    device,
    checkpoint,
    end,
    crash,
    line,
    exit,
    refusal,
    sweep,
    shell,
    question,
    entry,
    form,
    answer,
    reply,
    hint,
    screen,
    log,
    record,
    foreign,
    remote,
    runs,
    confusion,
    untold,
    loop,
    calls,
    order,
    watched,
    metric,
    chart,
    machine,
    comparison,
    report,
    queue,
    cluster,
    code,
    fairness,
    rule,
    key,
    picker,
    editor,
    find_lr,
    groups,
    card,
    doctor,
    mistake,
    command,
)
"""In the order of the list."""

SECTIONS: dict[str, str] = {section.__name__.rpartition(".")[2]: section.TITLE for section in _SECTIONS}
"""What ids begin with, and what they are about."""

CAPTIONS: dict[str, Caption] = {id: caption for section in _SECTIONS for id, caption in section.CAPTIONS.items()}


def say(caption: str, **values: object) -> str:
    """A caption with its values, which are written as they are: bring them into words before.

    Raises:
        KeyError: there is no such caption, or it names another value.
    """
    return CAPTIONS[caption].words.format_map(values)
