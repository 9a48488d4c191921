"""Groups of a network's parameters that a preset makes: `engine/parameter_groups.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Groups of a network's parameters"

CAPTIONS = {
    "groups.match_none": Caption(
        "matches no parameter of {network}; they are called {names}",
        "a group of a preset matches nothing of the network that is trained",
        "it matches some; of weight_decay_norm and weight_decay_bias",
    ),
    "groups.no_matrix": Caption(
        'Muon takes matrices alone, and {names} are none; write match = "matrix" beside it',
        "a group of Muon has parameters of one dimension, or of four",
        "all of them have two",
    ),
    "groups.no_muon": Caption(
        "PyTorch {version} has no Muon; 2.9 and newer have it", "a preset asks for it, and torch has none", "it has it"
    ),
    "groups.columns": Caption(
        "the LR of all other parameters, then that of {groups}",
        "`presets plan` prints the LRs of several groups",
        "no group has an LR of its own",
    ),
    "groups.match_all": Caption(
        "all parameters of {network} are in groups; leave one of the groups out, and give its values to [optimizer]",
        "no parameter is left for the optimizer's own values",
        "some are left",
    ),
}
