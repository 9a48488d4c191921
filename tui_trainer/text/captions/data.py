"""The data that a run trains on, as it is read: `engine/data_files.py`, `engine/prepare.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The data of a run"

CAPTIONS = {
    "data.wrong_size": Caption(
        "has {size} bytes where {expected} should be", "it has another size than it must have", "it has that size"
    ),
    "data.wrong_checksum": Caption(
        "has a wrong checksum", "it has the right size, and another MD5", "of a file that has no known one"
    ),
    "data.no_header": Caption(
        "does not begin as such a file does", "its first four bytes do not say what it holds", "they do"
    ),
    "data.other_shape": Caption(
        "says that it holds {there} bytes where {expected} should be", "its header tells another shape", "the right one"
    ),
    "data.no_address": Caption(
        "no address is known for {file}", "a file is to be downloaded, and no address was given", "one was tried"
    ),
    "data.what_else": Caption(
        "Give a folder that has it with --data-dir DIR (a torchvision root), or take --dataset mnist-5k, which comes "
        "with the package.",
        "behind what is wrong with a data set",
        "of mnist-5k itself",
    ),
    "data.or_cpu": Caption(
        ", or train with --device cpu",
        "behind that a device has no memory for the images",
        "it is the CPU's",
    ),
    "data.crop_and_flip": Caption(
        "crop and flip",
        "what each epoch makes of the images anew, of CIFAR-10 and CIFAR-100, where a preset says nothing else",
        "of digits and clothes; with another augmentation",
    ),
    "data.no_torchvision": Caption(
        "{name} is carried out by torchvision, which cannot be loaded here: {why}. Install the one that goes with this "
        "torch, or leave it out",
        "a preset has AutoAugment, RandAugment or TrivialAugmentWide, and torchvision is not there, or broken",
        "it is there; of the transforms that need none",
    ),
    "data.margin_too_wide": Caption(
        "an image of {size} has no {padding} pixels to mirror at its edge; less than {most} is right",
        "RandomCrop is to mirror more than the image has",
        "it is wide enough; another padding_mode",
    ),
}
