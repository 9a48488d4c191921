"""What one event of TensorBoard says, and where in its bytes.

Source: tensorboard/compat/proto/event.proto, summary.proto, tensor.proto and types.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tui_trainer.foreign_records.wire import BYTES, FIXED32, FIXED64, VARINT, Field, fields, signed, text

Other = Literal["histogram", "image", "audio clip", "text", "other value"]

SESSION = "_hparams_/session_start_info"
"""The tag under which the plugin for hyperparameters keeps those of a session."""

ARGUMENTS = "args/text_summary"
"""The tag of the text in which Hugging Face's trainer tells its arguments, a JSON object."""

_START = 1
_SESSION_START = 3
_OBSOLETE_HISTOGRAM, _IMAGE, _HISTOGRAM, _AUDIO = 3, 4, 5, 6
_KINDS: dict[int, Other] = {
    _OBSOLETE_HISTOGRAM: "histogram",
    _IMAGE: "image",
    _HISTOGRAM: "histogram",
    _AUDIO: "audio clip",
}
_PLUGINS: dict[str, Other] = {
    "histograms": "histogram",
    "images": "image",
    "audio": "audio clip",
    "text": "text",
}
"""What is known by the plugin that shows it; scalars have `scalars`, or none."""

_PACKED: dict[int, tuple[int, str]] = {
    1: (5, "<f"),
    2: (6, "<d"),
}
"""Types of a tensor, each with the field that holds its values and their form: DT_FLOAT and DT_DOUBLE."""
_VARINTS = {3: 7, 4: 7, 5: 7, 6: 7, 9: 10, 10: 11, 22: 16, 23: 17}
"""The same of whole numbers: DT_INT32, UINT8, INT16, INT8, INT64, BOOL, UINT32 and UINT64."""
_CONTENT = {1: "<f", 2: "<d", 3: "<i", 4: "<B", 5: "<h", 6: "<b", 9: "<q", 10: "<?", 19: "<e", 22: "<I", 23: "<Q"}
"""How the bytes of `tensor_content` are read, by type; 19 is DT_HALF."""


class Number(NamedTuple):
    """A scalar in an event."""

    tag: str
    value: float | int
    tag_begin: int
    tag_end: int
    begin: int
    """Where its value stands in the event's bytes; 0 where it is no float of fixed size."""
    form: str
    """`<f` or `<d`, as `struct` has it; empty where its value does not stand in so many bytes."""


@dataclass(slots=True)
class TensorBoardEvent:
    """What an event says."""

    time: float = 0.0
    """Unix time in seconds."""
    time_begin: int = -1
    """Where that stands in the event's bytes; -1 where it does not."""
    step: int = 0
    step_span: tuple[int, int] = (0, 0)
    """Where the step stands; it is left out where it is 0."""
    restarts: bool = False
    """Whether it is a session's start: what earlier files say of its step and those behind it counts no more."""
    numbers: list[Number] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    """What else it holds."""
    settings: dict[str, bool | float | str] = field(default_factory=dict)
    """What it says the run was set to."""
    arguments: str = ""
    """The same, of Hugging Face's trainer: a JSON object."""


def read_event(data: bytes) -> TensorBoardEvent:
    """Read an event's bytes.

    Raises:
        ValueError: it is none.
    """
    event = TensorBoardEvent()
    for each in fields(data, 0, len(data)):
        if each.number == 1 and each.form == FIXED64:
            (event.time,) = struct.unpack_from("<d", data, each.begin)
            event.time_begin = each.begin
        elif each.number == 2 and each.form == VARINT:
            event.step, event.step_span = signed(each.value), (each.begin, each.end)
        elif each.number == 5 and each.form == BYTES:
            for value in fields(data, each.begin, each.end):
                if value.number == 1 and value.form == BYTES:
                    _take_value(event, data, value)
        elif each.number == 7 and each.form == BYTES:
            event.restarts = any(
                part.number == 1 and part.value == _START for part in fields(data, each.begin, each.end)
            )
    return event


def _take_value(event: TensorBoardEvent, data: bytes, value: Field) -> None:
    tag, tag_at, plugin, found = "", (0, 0), "", None
    hyperparameters: Field | None = None
    written: Field | None = None
    other: Other | None = None
    for part in fields(data, value.begin, value.end):
        if part.number == 1 and part.form == BYTES:
            tag, tag_at = text(data, part), (part.begin, part.end)
        elif part.number == 2 and part.form == FIXED32:
            found = (struct.unpack_from("<f", data, part.begin)[0], part.begin, "<f")
        elif part.number == 8 and part.form == BYTES:
            found, written = _scalar(data, part), part
            other = other or ("other value" if found is None else None)
        elif part.number == 9 and part.form == BYTES:
            plugin, hyperparameters = _plugin(data, part)
        elif part.number in _KINDS and part.form == BYTES:
            other = _KINDS[part.number]
    other = _PLUGINS.get(plugin, other)
    if plugin == "hparams":  # beside those of the session, which of them there may be, and that it is over
        if tag == SESSION and hyperparameters is not None:
            event.settings |= _hyperparameters(data, hyperparameters)
    elif tag == ARGUMENTS and written is not None and other == "text":
        event.arguments = next(
            (text(data, each) for each in fields(data, written.begin, written.end) if each.number == 8), ""
        )
    elif other is None and found is not None:
        event.numbers.append(Number(tag, found[0], *tag_at, *found[1:]))
    else:
        event.others.append(other or "other value")


def _plugin(data: bytes, metadata: Field) -> tuple[str, Field | None]:
    """The plugin that shows a value, and what is kept for it."""
    name, content = "", None
    for part in fields(data, metadata.begin, metadata.end):
        if part.number == 1 and part.form == BYTES:
            for each in fields(data, part.begin, part.end):
                if each.number == 1:
                    name = text(data, each)
                elif each.number == 2 and each.form == BYTES:
                    content = each
            break
    return name, content


def _hyperparameters(data: bytes, content: Field) -> dict[str, bool | float | str]:
    """Those of a session, by name. Source: tensorboard/plugins/hparams/plugin_data.proto, SessionStartInfo."""
    found: dict[str, bool | float | str] = {}
    for session in fields(data, content.begin, content.end):
        if session.number != _SESSION_START or session.form != BYTES:
            continue
        for entry in fields(data, session.begin, session.end):
            if entry.number == 1 and entry.form == BYTES:
                name, value = "", None
                for part in fields(data, entry.begin, entry.end):
                    if part.number == 1 and part.form == BYTES:
                        name = text(data, part)
                    elif part.number == 2 and part.form == BYTES:
                        value = _json_value(data, part)
                if name and value is not None:
                    found[name] = value
    return found


def _json_value(data: bytes, value: Field) -> bool | float | str | None:
    """`google.protobuf.Value`, as far as it is a number, a text or a truth."""
    for part in fields(data, value.begin, value.end):
        if part.number == 2 and part.form == FIXED64:
            number: float = struct.unpack_from("<d", data, part.begin)[0]
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        if part.number == 3 and part.form == BYTES:
            return text(data, part)
        if part.number == 4 and part.form == VARINT:
            return bool(part.value)
    return None


def _scalar(data: bytes, tensor: Field) -> tuple[float | int, int, str] | None:
    """The one number of a tensor, where it stands and its form; None where it has more or is none."""
    parts = [part for part in fields(data, tensor.begin, tensor.end) if part.end > part.begin]
    dtype = next((part.value for part in parts if part.number == 1 and part.form == VARINT), 0)
    if not _has_one(data, parts):
        return None
    for part in parts:
        if part.number == 4 and part.form == BYTES and (form := _CONTENT.get(dtype)) is not None:
            if part.end - part.begin == struct.calcsize(form):
                value = struct.unpack_from(form, data, part.begin)[0]
                return (value, part.begin, form) if form in ("<f", "<d") else (value, 0, "")
        elif dtype in _PACKED and part.number == _PACKED[dtype][0]:
            form = _PACKED[dtype][1]
            if part.end - part.begin == struct.calcsize(form):
                return struct.unpack_from(form, data, part.begin)[0], part.begin, form
        elif part.number == _VARINTS.get(dtype):
            if part.form == VARINT:
                return signed(part.value), 0, ""
            whole = next(fields(b"\x08" + data[part.begin : part.end], 0, part.end - part.begin + 1), None)
            if whole is not None and whole.end == part.end - part.begin + 1:
                return signed(whole.value), 0, ""
    return 0.0 if dtype in _PACKED else 0, 0, ""  # zeros may be left out


def _has_one(data: bytes, parts: list[Field]) -> bool:
    """Whether a tensor's shape is that of one number: no dimension, or none but of size 1."""
    for part in parts:
        if part.number == 2 and part.form == BYTES:
            for dimension in fields(data, part.begin, part.end):
                if dimension.number == 3 and dimension.value:
                    return False  # of unknown rank
                if dimension.number == 2 and dimension.form == BYTES:
                    sizes = [each.value for each in fields(data, dimension.begin, dimension.end) if each.number == 1]
                    if sizes != [1]:
                        return False
    dtype = next((part.value for part in parts if part.number == 1), 0)
    return dtype in _CONTENT
