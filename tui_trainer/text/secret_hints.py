"""Whether a command line may hold a secret: a glance, as most hold none and patterns of secrets are slow to load."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 64 * 1024
"""Characters of a word that are looked through; a longer one is blanked whole."""

_HINTS = [
    *(":", "=", "@", "-c", "-u", "notify", "webhook", "token", "pass", "secret", "credential", "cookie", "bearer"),
    *("auth", "key", "sig", "xox", "xapp", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat", "sk-", "hf_"),
    *("akia", "eyj"),
]
"""Without any of them there is no secret that `secrets.blanked` would know."""


def may_hold_secret(command: Sequence[str]) -> bool:
    """Whether `secrets.blanked` would have to look at a command line, as in `sys.argv`, word for word."""
    text = "\0".join(command).lower()
    return len(text) > LONGEST or any(hint in text for hint in _HINTS)
