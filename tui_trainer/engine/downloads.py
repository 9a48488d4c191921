"""A file from the network, whole or not at all, with word of how far it is."""

from __future__ import annotations

import hashlib
import os
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]
"""Told in words how far a download is, at a calm rate."""

TELL_EVERY = 0.5
"""Seconds."""

SILENCE_S = 20.0
"""A server that says nothing for so long is given up."""

ABANDONED_S = 3600.0
"""What nobody has written to for so long is nobody's: see `SILENCE_S`."""

CHUNK = 1 << 16


def fetch(urls: Sequence[str], file: Path, md5: str, progress: Progress) -> None:
    """Download `file` from the first of `urls` that has it whole.

    Raises:
        OSError: none of them has; the reason is that of the last one. Nothing is left behind.
    """
    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    _clear_drafts(file)
    draft = file.with_name(f"{file.name}.part-{os.getpid()}")
    failure = OSError(f"no address is known for {file.name}")
    for url in urls:
        try:
            _fetch(url, draft, md5, progress)
            draft.replace(file)
            return
        except OSError as error:
            failure = error
        finally:
            draft.unlink(missing_ok=True)
    with suppress(OSError):
        for folder in made:
            folder.rmdir()
    raise failure


def _clear_drafts(file: Path) -> None:
    """Remove what processes left that were killed as they downloaded this file; one that lives writes to its own."""
    for left in file.parent.glob(f"{file.name}.part-*"):
        with suppress(OSError):  # another process does the same
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()


def _fetch(url: str, draft: Path, md5: str, progress: Progress) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "tui-trainer"})
    digest = hashlib.md5(usedforsecurity=False)
    done, tell_at = 0, 0.0
    with urllib.request.urlopen(request, timeout=SILENCE_S) as response, draft.open("wb") as out:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if time.monotonic() >= tell_at:
                progress(_in_words(done, total))
                tell_at = time.monotonic() + TELL_EVERY
    if digest.hexdigest() != md5:
        raise OSError(f"{url} gave a file that is not the one expected ({done:,} bytes, wrong checksum)")


def _in_words(done: int, total: int) -> str:
    return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
