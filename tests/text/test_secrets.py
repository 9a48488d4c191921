"""What is blanked in a command line never appears in it, and what holds no secret stays as it is."""

from __future__ import annotations

import json
import shlex
import string
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui_trainer.text.secrets import BLANK, blanked

secrets = st.text(string.ascii_letters + string.digits + "-_", min_size=6, max_size=40).filter(
    lambda secret: secret not in "".join(AROUND) and not secret.startswith("-")
)
AROUND = (
    "https://{}@example.com/x",
    "https://me:{}@example.com/x",
    "postgres://me:{}@example.com:5432/db",
    "https://example.com/hook?token={}&text=hi",
    "https://example.com/hook?text=hi&api_key={}",
    "https://example.com/x#access_token={}",
    "https://hooks.slack.com/services/T0/B0/{}",
    "https://discord.com/api/webhooks/123/{}",
    "https://api.telegram.org/bot12:{}/sendMessage",
    "https://ntfy.sh/{}",
    "token={}",
    "--password={}",
    "API_KEY={}",
    "my_secret={} and more",
    "accessToken={}",
    '{{"bot_token": "{}", "text": "hi"}}',
    "Authorization: Bearer {}",
    "authorization:{}",
    "X-Api-Key: {}",
    "Cookie: session={}; other=1",
    "Bearer {}",
)
BEHIND = ("--token", "--password", "--api-key", "--oauth2-bearer", "--webhook", "--pass", "--client-secret")


@given(
    st.sampled_from(AROUND), secrets, st.sampled_from(["curl {}", "curl -X POST {} -d hi", "sh -c {}", "env A=1 {}"])
)
def test_a_secret_never_appears(around: str, secret: str, command: str) -> None:
    word = around.format(secret)
    inner = command.format(shlex.quote(f"curl {shlex.quote(word)}" if command.startswith("sh") else word))
    for argv in (["run", "--notify", inner], ["run", f"--notify={inner}"], ["run", word]):
        kept = blanked(argv)
        assert secret not in json.dumps(kept)
        assert BLANK in json.dumps(kept)
        assert kept[0] == "run"
        assert blanked(kept) == kept


@given(st.sampled_from(BEHIND), secrets)
def test_nor_one_behind_its_option(option: str, secret: str) -> None:
    for argv in ([option, secret], [f"{option}={secret}"], ["--notify", f"tell {option} {secret} now"]):
        assume(secret not in option and secret not in "--notify")
        assert secret not in json.dumps(blanked(argv))


@given(secrets)
def test_nor_one_of_curl_however_it_is_quoted(secret: str) -> None:
    half = len(secret) // 2
    for text in (
        f"curl -u me:{secret} https://example.com",
        f"curl -ume:{secret} https://example.com",
        f"curl -H 'Authorization: Bearer {secret}' https://example.com",
        f"curl '-HAuthorization: Bearer {secret}' https://example.com",
        f"curl -H Authorization:\\ Bearer\\ {secret} https://example.com",
        f"curl -H 'X-Whatever: {secret}' https://example.com",
        f"""sh -c "curl -H 'Authorization: token {secret}' https://example.com | cat" """,
        f"ssh host 'curl -H \"Authorization: {secret}\" https://example.com'",
        f"curl --header=Authorization:{secret} https://example.com",
        f"tell 'token={secret} unclosed",
    ):
        assert secret not in json.dumps(blanked(["--notify", text])), text
    pieces = f"curl -H \"Authorization: {secret[:half]}\"'{secret[half:]}' https://example.com"
    kept = json.dumps(blanked(["--notify", pieces]))
    assert not (secret[:half] in kept.replace("Authorization", "") and len(secret[:half]) > 4)
    assert secret[half:] not in kept


@pytest.mark.parametrize(
    ("argv", "kept"),
    [
        (["--webhook", "https://example.com/x"], ["--webhook", BLANK]),
        (
            ["--notify", "curl -d @- https://me:pw@example.com/a?b=c"],
            ["--notify", f"curl -d @- 'https://{BLANK}@example.com/a?b=c'"],
        ),
        (["--notify", "tell -H 'Title: a run' --token x"], ["--notify", f"tell -H 'Title: a run' --token '{BLANK}'"]),
    ],
)
def test_the_rest_can_still_be_read(argv: list[str], kept: list[str]) -> None:
    assert blanked(argv) == kept


@pytest.mark.parametrize(
    "argv",
    [
        ["/usr/bin/tui-trainer", "run", "--preset", "steplr", "--name", "night", "--epochs", "3", "--seed", "7"],
        ["run", "--preset", "my/token.toml", "--data-dir", "/data/0123456789abcdef0123456789abcdef"],
        ["run", "--alert", '"tokens/token" == 3', "--alert", "token==3", "--alert=auth: is nan"],
        ["run", "--notify", "notify-send 'tui-trainer:' \"$TUI_TRAINER_TEXT\""],
        ["run", "--notify", "sh -c 'echo \"$TUI_TRAINER_TEXT\" >> ~/runs.txt'", "--notify-on", "end,stall"],
        ["run", "--notify", "curl -H 'Title: done' -H 'Content-Type: text/plain' -d hi https://example.com/runs?a=1"],
        ["run", "--notify", "env PWD=/tmp LANG=C python3 -u tell.py a:b"],
        ["run", "--webhook-file", "/home/me/.hook", "--bell", "--threads", "4"],
        ["run", "--notify", "mail -s 'a run, broken: bypass=1' me@example.com"],
    ],
)
def test_ordinary_commands_stay_as_they_are(argv: list[str]) -> None:
    assert blanked(argv) == argv


@pytest.mark.parametrize(
    "token",
    [
        "xoxb-0123456789-abc",
        "ghp_0123456789abcdefABCD",
        "sk-abcdefghijklmnop",
        "hf_abcdefghijklmnop",
        "AKIAABCDEFGHIJKL",
    ],
)
def test_tokens_of_a_known_form_are_blanked_wherever_they_stand(token: str) -> None:
    assert blanked(["run", "tell", token]) == ["run", "tell", BLANK]
    assert blanked(["run", "--notify", f"tell me {token}"]) == ["run", "--notify", f"tell me '{BLANK}'"]


ordinary = st.lists(
    st.from_regex(r"\A(--[bdfgilmnqrvxz]{2,8}(=[0-9.]{1,6})?|[bdfgilmnqrvxz/. 0-9'\"]{1,18})\Z"), min_size=1, max_size=8
)


@given(ordinary, st.booleans())
def test_any_ordinary_command_stays_as_it_is(words: list[str], is_inner: bool) -> None:
    argv = ["run", "--notify", shlex.join(words)] if is_inner else words
    assert blanked(argv) == argv


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_command_can_be_blanked_twice(argv: list[str]) -> None:
    once = blanked(argv)
    assert len(once) == len(argv)
    assert blanked(once) == once


@pytest.mark.parametrize(
    "piece", ["a", "a=", "token", "token=", "://", "a://", "'", '"', "\\", "Bearer ", "a:", "-", "%"]
)
def test_hostile_commands_take_no_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    began = time.process_time()
    blanked(["--notify", text, text, "-H", text, "-c", text])
    assert time.process_time() - began < 3
