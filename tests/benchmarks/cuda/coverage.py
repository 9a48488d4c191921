"""How much the tests run of what only CUDA takes: `python -m tests.benchmarks.cuda.coverage` (`pip install coverage`).

What only CUDA takes is found in the source: the branches of conditions that tell a CUDA device from the CPU, and the
functions listed below. A line of code that names CUDA and is neither in these, nor a condition, nor listed as one that
the CPU takes too, is an error, so that none is forgotten. Conditional expressions (`a if b else c`) are not looked at.

It runs the tests that have a faked device, prints what they left out, and ends with 1 where that is 5 % or more.
"""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[3] / "tui_trainer"
FILES = sorted(PACKAGE.rglob("*.py"))

TESTS = [
    *(f"tests/engine/test_{name}.py" for name in ("on_cuda", "devices", "deterministic", "model_metrics")),
    *("tests/ui/test_machine.py", "tests/ui/test_listing.py", "tests/ui/test_aftermath.py", "tests/cli/test_doctor.py"),
    "tests/watch/test_observer_processes.py::test_losses_on_a_device_come_late_each_to_its_row_and_nobody_waits",
]
"""Those with a faked device."""

LEAST = 0.95

ONLY_CUDA = {
    "engine/devices.py": {"temperature", "computes_in_bfloat16", "_why_no_cuda", "_fault", "broken_context"},
    "engine/metrics.py": {"_when_done"},
    "engine/reproducibility.py": {"_prepare_cublas", "go_on_as"},
    "ui/machine/sampling.py": {"Gpus", "_in_a_sentence"},
    "watching/injected/_tui_trainer_observer/device_values.py": {"_Buffer", "_StreamValues", "DeviceValues"},
}
"""Functions, and classes with all of their methods, that nothing calls for a run on the CPU."""

IS_CUDA = r"\bis_cuda\b|type == 'cuda'|\bon_cuda\b|\bon_device\b|cuda\.is_initialized|startswith\('cuda|^has_cuda$"
IS_CUDA += r"|self\.arrived is not None|taken\.arrived is not None|\.gpu is not None|prepared\.passed_over"

IS_CPU = r"type == 'cpu'|type != 'cuda'|^not \S+\.is_cuda$|^name == 'cpu'$|asked == 'cpu'|resolve\(asked\)"

ON_BOTH = r"torch\.cuda\.(Event|is_available|device_count|amp\.GradScaler)|on_cuda|version\.cuda|has_cuda"
ON_BOTH += r"|\"auto\",(\"cpu\",)?\"cuda\"|\bforindexinindices\b|startswith\(\"cuda\"\)|if\S*type==\"cuda\"\S*else"
ON_BOTH += r"|forweightinweightsif"
"""Lines that the CPU takes too, though they name CUDA, with spaces left out: what asks whether there is a device, and
conditional expressions."""


@dataclass
class Only:
    """What only CUDA takes in a file.

    Attributes:
        lines: by number.
        conditions: the lines of the conditions that lead there, which the CPU takes too.
        forgotten: code that names CUDA elsewhere.
    """

    lines: set[int] = field(default_factory=set)
    conditions: set[int] = field(default_factory=set)
    forgotten: dict[int, str] = field(default_factory=dict)


def only_cuda(path: str, source: str) -> Only:
    """What only CUDA takes in a file of the package."""
    tree, found = ast.parse(source), Only()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in ONLY_CUDA.get(path, ()):
            found.lines |= _lines(node.body)
        for block in _blocks(node):
            for index, statement in enumerate(block):
                if isinstance(statement, ast.If):
                    _condition(statement, block[index + 1 :], found)
    for number, code in _code(source).items():
        known = number in found.lines | found.conditions or re.search(ON_BOTH, code)
        if re.search(r"cuda", code, re.IGNORECASE) and not known and not re.match(r"\s*(from|import|def|class) ", code):
            found.forgotten[number] = code.strip()
    return found


def _condition(statement: ast.If, rest: list[ast.stmt], found: Only) -> None:
    """Take down what of a condition and of what comes behind it only CUDA takes."""
    test = ast.unparse(statement.test)
    is_part = isinstance(statement.test, ast.BoolOp) and isinstance(statement.test.op, ast.And)
    if re.search(IS_CPU, test) and not is_part:
        found.conditions |= _lines([statement.test])
        found.lines |= _lines(statement.orelse)
        if isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue):
            found.lines |= _lines(rest)
    elif re.search(IS_CUDA, test):
        found.conditions |= _lines([statement.test])
        found.lines |= _lines(statement.body)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _lines(nodes: list[ast.stmt] | list[ast.expr]) -> set[int]:
    return {line for node in nodes for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def _code(source: str) -> dict[int, str]:
    """The code of each line, spaces left out: no comments, and of texts only words that are compared with."""
    code: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_word = token.type == tokenize.STRING and re.fullmatch(r"[\"'][a-z:]+[\"']", token.string)
        if token.type in (tokenize.NAME, tokenize.OP) or is_word:
            code[token.start[0]] = (
                code.get(token.start[0], "") + token.string + " " * (token.string in ("def", "class"))
            )
    return code


def measured() -> dict[str, dict[str, Any]]:
    """What the tests run of each file, as `coverage json` has it."""
    with tempfile.TemporaryDirectory() as folder:
        told = ["--data-file", f"{folder}/data"]
        pytest = ["-m", "pytest", "-p", "no:cacheprovider", "-q", "-n0", *TESTS]
        run = ["run", *told, "--branch", f"--source={PACKAGE}", *pytest]
        subprocess.run([sys.executable, "-m", "coverage", *run], check=True, cwd=PACKAGE.parent)
        report = ["json", *told, "-q", "-o", f"{folder}/report.json"]
        subprocess.run([sys.executable, "-m", "coverage", *report], check=True, cwd=PACKAGE.parent)
        files: dict[str, dict[str, Any]] = json.loads(Path(folder, "report.json").read_text())["files"]
    ran = {str((PACKAGE.parent / name).relative_to(PACKAGE)): told for name, told in files.items()}
    return {str(path.relative_to(PACKAGE)): ran.get(str(path.relative_to(PACKAGE))) or none_of(path) for path in FILES}


def none_of(path: Path) -> dict[str, Any]:
    """The same of a file that no test so much as loads: `coverage` leaves those out that are in no package."""
    missing = sorted(_code(path.read_text()))
    return {"executed_lines": [], "executed_branches": [], "missing_lines": missing, "missing_branches": []}


def told_of(path: str, told: dict[str, Any]) -> tuple[int, int, list[str]]:
    """How many lines and branches that only CUDA takes in a file were run, and of how many; and what is wrong."""
    source = (PACKAGE / path).read_text()
    only, text = only_cuda(path, source), source.splitlines()
    wrong = [f"{path}:{number}: names CUDA and is not listed: {code}" for number, code in only.forgotten.items()]
    missing = [line for line in told["missing_lines"] if line in only.lines]
    arcs = [(first, then) for first, then in told["missing_branches"] if {first, then} & only.lines]
    done = sum(line in only.lines for line in told["executed_lines"])
    done += sum(bool({*arc} & only.lines) for arc in told["executed_branches"])
    left = [f"{path}:{line}: never ran: {text[line - 1].strip()}" for line in missing]
    left += [f"{path}:{first}: never went on to {then}: {text[first - 1].strip()}" for first, then in arcs]
    return done, done + len(left), wrong + left


def main() -> int:
    """Print what is run of each file and what is not, and return the exit code."""
    ran = of_all = forgotten = 0
    for path, told in sorted(measured().items()):
        done, whole, wrong = told_of(path, told)
        if whole:
            print(f"{path}: {done} of {whole} lines and branches")
        for line in wrong:
            print(f"    {line}")
        ran, of_all = ran + done, of_all + whole
        forgotten += sum("is not listed" in line for line in wrong)
    print(f"{ran} of {of_all} lines and branches that only CUDA takes were run: {ran / of_all:.1%}")
    return int(bool(forgotten) or ran / of_all <= LEAST)


if __name__ == "__main__":
    sys.exit(main())
