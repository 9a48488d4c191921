"""Code of a person's own that a run is made of: whether it may run, and what is wrong with it."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Code of your own"

CAPTIONS = {
    # Whether it may run
    "code.not_allowed": Caption(
        "{code} is code, from {folder}, and runs only with --allow-code",
        "a run is to be made of code, and the command line has no --allow-code",
        "it has; the run is made of what comes with the program",
    ),
    "code.of_a_record": Caption(
        "{whose} runs code: {code}, from {folder}; if you know it, add --allow-code",
        "a record or a session asks for code, and this command line does not allow it",
        "it does; the record asks for none; the code was named on this command line",
    ),
    "code.wrong_name": Caption(
        "{name!r} is neither one of {known} nor module:function",
        "what stands in its place is no name of ours, and has not the form of code",
        "it is one of them",
    ),
    "code.wrong_form": Caption(
        "{name!r} is not of the form module:function",
        "an option that takes code alone is given something else",
        "it is of that form",
    ),
    "code.runs": Caption(
        "your own code: {code}, from {folder}", "a run is made of code that was allowed", "it is made of none"
    ),
    "code.changed": Caption(
        "its files have changed since the checkpoint was saved: what comes may differ from what would have come",
        "a run goes on with code whose modules have other bytes than where its checkpoint was saved",
        "they are the same; the run has no code",
    ),
    # What is wrong with it
    "code.no_module": Caption(
        "there is no module {module}, neither in {folder} nor installed",
        "the module that is named cannot be found",
        "it is there, and fails, or one that it imports is missing",
    ),
    "code.no_function": Caption(
        "{file} has no {function}",
        "the module is there without what is named in it",
        "it has it; the module is not there",
    ),
    "code.another_module": Caption(
        "{module} is {file} in this process, and not that in {folder}: begin a new one",
        "a module of the same name from another folder was loaded before",
        "it is the one that is meant",
    ),
    "code.not_callable": Caption("it is a {kind}, not a function", "what is named cannot be called", "it can"),
    "code.failed": Caption(
        "error in your code, {file}:{line} in {function}: {error}",
        "an error was raised in code of a person's own",
        "it was raised by ours, with none of theirs on the way",
    ),
    "code.failed_at": Caption(
        "error in your code: {error}",
        "a module of theirs cannot be read as Python; the error itself says where",
        "it can; the error was raised as it ran",
    ),
    "code.no_network": Caption(
        "gave a {kind}, not a torch.nn.Module with parameters to train",
        "what is named as a model gives something else, or a module without such parameters",
        "it gives one",
    ),
    "code.wrong_outputs": Caption(
        "gives {gave} for {images} images; {wanted} is needed, a number for each class",
        "the outputs of a model of one's own have another shape, or are no tensor",
        "they have this shape",
    ),
    "code.no_two_parts": Caption(
        "gave {gave}, not two parts: (images, labels) to train on, and (images, labels) to validate",
        "a data set of one's own gives something else",
        "it gives two",
    ),
    "code.no_pair": Caption(
        "gave {gave} as {part}, not a pair: images, labels",
        "a part of a data set of one's own is something else",
        "it is a pair",
    ),
    "code.no_images": Caption(
        "gave {gave} as images of {part}; bytes (torch.uint8) of images × channels × height × width are needed",
        "the images of a part have another form, or there are none",
        "they have this form, or that without channels",
    ),
    "code.no_labels": Caption(
        "gave {gave} as labels of {part}; {images} whole numbers from 0 on are needed, one for each image",
        "the labels of a part have another form",
        "they have this form",
    ),
    "code.unlike_parts": Caption(
        "gave images of {train} to train on, and of {val} to validate",
        "the images of the two parts have different shapes",
        "they have the same",
    ),
    "code.too_many_classes": Caption(
        "gave labels of {classes} classes; {most} are the most",
        "a label of a data set of one's own is higher than a record has classes",
        "all are lower",
    ),
    "code.no_loss": Caption(
        "gave {gave}, not a tensor of one number: the mean over the batch",
        "a loss of one's own gives something else",
        "it gives one number",
    ),
    "code.no_argument": Caption(
        "has no argument {arguments}, which the preset sets",
        "an optimizer of a person's own takes no lr, or no weight_decay where the preset has one",
        "it takes all that it is given",
    ),
    "code.other_groups": Caption(
        "gave an optimizer of {groups} of parameters, and was given {wanted}; make it of the groups as they come",
        "a person's own optimizer has other groups than the preset makes, which the scheduler moves each by itself",
        "it has as many",
    ),
    "code.other_lr": Caption(
        "gave an optimizer with an LR of {lr}, and was given {wanted}; the schedule starts from that: keep it",
        "a person's own optimizer has another LR than the preset says, or none",
        "it has that",
    ),
    "code.left_out": Caption(
        "--optimizer {optimizer} leaves out {missing} of {parameters} parameters, which stay as they began: {names}",
        "a person's own optimizer lacks parameters that ask for gradients, as a run or a range test begins",
        "it has all of them; they ask for no gradient; another preset's optimizer has taken over",
    ),
    "code.no_optimizer": Caption(
        "gave a {kind}, not a torch.optim.Optimizer",
        "what is named as optimizer gives something else",
        "it gives an optimizer",
    ),
    "code.no_schedule": Caption(
        "cannot be moved by the preset's scheduler: {why}",
        "torch refuses the optimizer that a person's code gave for that scheduler",
        "it takes it",
    ),
    "code.no_gradient": Caption(
        "gave a tensor that does not hang on the outputs: nothing could be learned from it",
        "a loss of one's own gives a number without a gradient",
        "it has one",
    ),
    "code.tensor_of": Caption(
        "a tensor of {shape}", "in those sentences, of a tensor of the wrong shape", "it is no tensor, or the right one"
    ),
    "code.own_smoothing": Caption(
        "training.label_smoothing is of the built-in loss; leave one of them out",
        "a preset with label smoothing is to be trained with a loss of one's own",
        "the preset has none, or the loss is the built-in one",
    ),
    # What it logs
    "code.not_logged": Caption(
        "log: {name} is left out: {why}", "code logs something that cannot be recorded", "it can be, or was said before"
    ),
    "code.no_number": Caption(
        "it is no single number", "behind those: a value that is no number", "it is one; its name cannot be one"
    ),
    "code.no_name": Caption(
        "a name is a text of 1 to {most} characters", "behind those: a name that cannot be one", "it can be"
    ),
    "code.no_names": Caption(
        "it takes numbers by their names, as in log({{'margin': 0.3}})",
        "behind those: what is logged has no names",
        "it has names, and one or its number cannot be recorded",
    ),
    "code.too_many": Caption(
        "more than {most} names are not recorded", "behind those: code logs ever new names", "it has fewer"
    ),
}
