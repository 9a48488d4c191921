"""What a person types for another machine, and what can never become an option of `ssh` or a path elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.remote.address import Address, BadAddress, is_address
from tui_trainer.remote.mirror import below_root


@pytest.mark.never_says("remote.no_address")
@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ssh://box", Address("box")),
        ("ssh://box/", Address("box")),
        ("ssh://box/srv/runs", Address("box", path="/srv/runs")),
        ("ssh://box/~/runs", Address("box", path="~/runs")),
        ("ssh://me@gpu-3.example.org:2222/a%20b", Address("gpu-3.example.org", "me", 2222, "/a b")),
        ("ssh://me@corp@box/x", Address("box", "me@corp", path="/x")),
        ("ssh://[fe80::1%eth0]:22/x", Address("fe80::1%eth0", "", 22, "/x")),
        ("ssh://[::1]/x", Address("::1", path="/x")),
        ("ssh://box//srv", Address("box", path="//srv")),
    ],
)
def test_an_address_is_taken_apart_and_put_together_again(text: str, address: Address) -> None:
    assert is_address(text)
    assert Address.of(text) == address
    assert Address.of(str(address)) == address


@pytest.mark.says("remote.no_address")
@pytest.mark.parametrize(
    "text",
    [
        "ssh://",
        "ssh:///path",
        "ssh://-oProxyCommand=sh/x",
        "ssh://-l@box/x",
        "ssh://@box",
        "ssh://box:0/x",
        "ssh://box:ssh/x",
        "ssh://box:/x",
        "ssh://bo x/x",
        "ssh://$(id)/x",
        "ssh://a;b/x",
        "ssh://me`id`@box/x",
        "ssh://box\n/x",
        "ssh://[-x]/x",
        "ssh://box/a%00b",
    ],
)
def test_what_ssh_or_a_shell_could_take_for_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadAddress, match=r"an address is ssh://"):
        Address.of(text)


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/runs/a/b", "a/b"),
        ("/runs", "runs"),
        ("/runs/../etc/passwd", None),
        ("/runs/a/../../b", None),
        ("/runs//a", None),
        ("/runs/./a", None),
        ("/runs/", None),
        ("/runsaway", None),
        ("a", None),
        ("/etc/passwd", None),
        ("/runs/" + "x" * 256, None),
    ],
)
def test_a_path_that_the_far_side_names_stays_below_what_was_asked_for(path: str, below: str | None) -> None:
    assert below_root("/runs", path) == below


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["..", ".", "", "a", "b\n", "-x", "~"]), max_size=6))
def test_no_path_leads_out_of_the_copies(parts: list[str]) -> None:
    below = below_root("/r", "/r/" + "/".join(parts))
    assert below is None or not {"..", ".", ""} & set(below.split("/"))
