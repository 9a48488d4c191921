"""Events posted to an address: what arrives, what is refused, and that it harms nothing and tells nobody."""

from __future__ import annotations

import json
import socket
import struct
import threading
import urllib.error
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import PATIENCE_S
from tui_trainer.run_sources.notifier import WAITING_AT_MOST, Webhook
from tui_trainer.run_sources.webhook import BadAddress, WebhookPoster, address_in, checked_address, payload

SECRET = "T0Zq7fRn2Lx9"
FACTS = {
    "RUN": "20261122-steplr",
    "TEXT": "val_loss > 2: 2.31 at step 630, epoch 5",
    "STATUS": "running",
    "STEP": "630",
    "EPOCH": "5",
    "EXIT_CODE": "",
    "RULE": "val_loss > 2",
    "FOLDER": "/home/me/runs/20261122-steplr",
}


class Listening:
    """A server on the loopback, what was posted to it, and what it answers."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str, bytes]] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda request: request.send_response(204)
        listening = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listening.posted.append((self.path, self.headers["Content-Type"], body))
                listening.answer(self)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:  # who asked is gone
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook/{SECRET}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def listening() -> Iterator[Listening]:
    server = Listening()
    yield server
    server.close()


def posting(address: str, failures: list[str], timeout_s: float = PATIENCE_S) -> WebhookPoster:
    return WebhookPoster(Webhook(address), failures.append, timeout_s)


def test_what_arrives_is_the_form_that_is_documented(listening: Listening) -> None:
    failures: list[str] = []
    poster = posting(listening.address, failures)
    poster.tell("alert", FACTS)
    poster.tell("slow", FACTS)  # nobody asked for it
    poster.tell("end", {**FACTS, "STATUS": "finished", "EXIT_CODE": "0", "TEXT": "done\x1b[31m\n\ud800", "RULE": ""})
    poster.finish()
    assert failures == []
    assert [(path, kind) for path, kind, _ in listening.posted] == [(f"/hook/{SECRET}", "application/json")] * 2
    alert, end = (json.loads(body) for *_, body in listening.posted)
    assert alert == {
        "form": 1,
        "event": "alert",
        "text": "val_loss > 2: 2.31 at step 630, epoch 5",
        "rule": "val_loss > 2",
        "run": "20261122-steplr",
        "host": socket.gethostname(),
        "status": "running",
        "step": 630,
        "epoch": 5,
        "exit_code": None,
    }
    assert (end["event"], end["status"], end["exit_code"], end["text"]) == ("end", "finished", 0, "done[31m")


@pytest.mark.says("notify.redirected")
@pytest.mark.never_says("notify.answered", "notify.unreachable")
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(listening: Listening, code: int) -> None:
    elsewhere = Listening()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Location", elsewhere.address)

    listening.answer = answer
    failures: list[str] = []
    poster = posting(listening.address, failures)
    poster.tell("end", FACTS)
    poster.finish()
    elsewhere.close()
    assert elsewhere.posted == []
    assert failures == [f"--webhook: 127.0.0.1 answered {code}, a redirect, which is not followed"]


@pytest.mark.says("notify.answered")
@pytest.mark.never_says("notify.redirected", "notify.unreachable")
def test_what_went_wrong_is_said_once(listening: Listening) -> None:
    listening.answer = lambda request: request.send_response(404)
    failures: list[str] = []
    poster = posting(listening.address, failures)
    for _ in range(3):
        poster.tell("end", FACTS)
    poster.finish()
    assert len(listening.posted) == 3
    assert failures == ["--webhook: 127.0.0.1 answered 404"]


@pytest.mark.says("notify.no_answer")
@pytest.mark.never_says("notify.unreachable")
def test_one_that_never_answers_holds_nobody_up(listening: Listening) -> None:
    over = threading.Event()
    asked = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        over.wait(PATIENCE_S)
        request.send_response(204)

    listening.answer = answer
    failures: list[str] = []
    poster = posting(listening.address, failures, timeout_s=0.5)
    poster.tell("end", FACTS)
    assert asked.wait(PATIENCE_S)
    poster.finish()
    over.set()
    assert failures == ["--webhook: 127.0.0.1 did not answer within 0.5 s"]


def test_what_waits_is_bounded_and_nobody_waits_for_it(listening: Listening) -> None:
    go, asked = threading.Event(), threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        go.wait(PATIENCE_S)
        request.send_response(204)

    listening.answer = answer
    failures: list[str] = []
    poster = posting(listening.address, failures)
    poster.tell("end", FACTS)
    assert asked.wait(PATIENCE_S)
    for _ in range(WAITING_AT_MOST + 3):
        poster.tell("end", FACTS)
    go.set()
    poster.finish()
    assert len(listening.posted) == 1 + WAITING_AT_MOST
    assert failures == [f"--webhook: 127.0.0.1 not told of end: {WAITING_AT_MOST} events wait already"]


@pytest.mark.says("notify.broken_off")
@pytest.mark.never_says("notify.unreachable", "notify.no_answer", "notify.no_http")
@pytest.mark.parametrize("how", ["closed", "reset"])
def test_one_that_hangs_up_was_reached_and_may_have_taken_it(listening: Listening, how: str) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if how == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.connection.close()
        raise OSError("nothing more is said")

    listening.answer = answer
    failures: list[str] = []
    poster = posting(listening.address, failures)
    poster.tell("end", FACTS)
    poster.finish()
    assert len(listening.posted) == 1
    assert failures == ["--webhook: 127.0.0.1 broke the connection off; whether it took it is not known"]


@pytest.mark.says("notify.no_http")
@pytest.mark.never_says("notify.unreachable", "notify.broken_off")
def test_what_answers_and_is_no_web_server_was_reached(listening: Listening) -> None:
    listening.answer = lambda request: request.wfile.write(b"220 mail.example.com ESMTP\r\n") and None
    failures: list[str] = []
    poster = posting(listening.address, failures)
    poster.tell("end", FACTS)
    poster.finish()
    assert failures == ["--webhook: 127.0.0.1 answered with what is no HTTP; whether it took it is not known"]


@pytest.mark.says("notify.unreachable")
@pytest.mark.never_says("notify.no_answer", "notify.broken_off", "notify.no_http")
def test_nobody_at_the_address() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        failures: list[str] = []
        poster = posting(f"http://localhost:{taken.getsockname()[1]}/{SECRET}", failures)
        poster.tell("end", FACTS)
        poster.finish()
    assert failures == ["--webhook: localhost could not be reached: Connection refused"]


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError(f"cannot open {SECRET}"),
        urllib.error.URLError(OSError(f"cannot open {SECRET}")),
        ValueError(f"unknown url type: https://example.com/{SECRET}"),
        UnicodeError(SECRET),
        RuntimeError(SECRET),
    ],
)
def test_no_error_tells_the_address(error: Exception, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    failures: list[str] = []
    poster = posting(f"https://example.com/{SECRET}", failures)

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(poster, "deliver", fail)
    poster.tell("end", FACTS)
    poster.finish()
    assert len(failures) == 1
    assert failures[0].startswith("--webhook: example.com could not be reached: ")
    said = capfd.readouterr()
    assert SECRET not in failures[0] + said.out + said.err + repr(Webhook(f"https://example.com/{SECRET}"))


def test_the_forms_of_slack_and_discord_hold_text_that_is_shown_as_text() -> None:
    nasty = {**FACTS, "EVENT": "alert", "TEXT": "val_loss > 2 & <!channel> @everyone *bold* `x`"}
    assert payload("hooks.slack.com", nasty) == {
        "text": "20261122-steplr: val_loss &gt; 2 &amp; &lt;!channel&gt; @everyone *bold* `x`",
        "mrkdwn": False,
    }
    for host in ("discord.com", "DISCORDAPP.com", "canary.discord.com"):
        assert payload(host, nasty) == {
            "content": "20261122\\-steplr: val\\_loss \\> 2 & \\<!channel\\> @everyone \\*bold\\* \\`x\\`",
            "allowed_mentions": {"parse": []},
        }
    assert payload("discord.com.example.org", nasty)["form"] == 1


@given(st.text(max_size=5000))
def test_no_text_is_too_long_for_a_chat(text: str) -> None:
    assert len(payload("discord.com", {"TEXT": text, "EVENT": "end"})["content"]) <= 2000
    json.dumps(payload("example.com", {"TEXT": text, "EVENT": "end"})).encode("ascii")


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/x",
        "https://example.com:8443/x?y=z",
        "http://127.0.0.1:80/x",
        "http://127.9.9.9/",
        "http://[::1]:80/",
        "http://localhost/",
    ],
)
def test_addresses_that_are_posted_to(address: str) -> None:
    assert checked_address(f" {address}\n") == address


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"http://example.com/{SECRET}", "it is http"),
        (f"http://localhost.example.com/{SECRET}", "it is http"),
        (f"http://127.0.0.1.example.com/{SECRET}", "it is http"),
        (f"ftp://example.com/{SECRET}", "no address of the web"),
        (f"file:///{SECRET}", "no address of the web"),
        (f"https:///{SECRET}", "no address of the web"),
        (SECRET, "no address of the web"),
        (f"https://me:{SECRET}@example.com/", "it names a user"),
        (f"http://127.0.0.1@example.com/{SECRET}", "it names a user"),
        (f"https://example.com:{SECRET}/", "its port cannot be"),
        (f"https://[example.com/{SECRET}", "cannot be"),
        (f"https://example.com/ {SECRET}", "without blanks"),
        (f"https://example.com/\r\nHost: {SECRET}", "without blanks"),
        (f"https://exämple.com/{SECRET}", "plain characters"),
        ("https://example.com/" + SECRET * 200, "at most 2,048"),
        ("", "it is no address"),
    ],
)
def test_addresses_that_are_not_and_no_word_of_them_is_said(address: str, words: str) -> None:
    with pytest.raises(BadAddress) as error:
        checked_address(address)
    assert words in str(error.value)
    assert SECRET not in str(error.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text(f"https://example.com/{SECRET}\n")
    for mode in (0o644, 0o640, 0o604, 0o620, 0o777):
        file.chmod(mode)
        with pytest.raises(BadAddress, match=r"can be read by others; `chmod 600`"):
            address_in(file)
    for mode in (0o600, 0o400):
        file.chmod(mode)
        assert address_in(file) == f"https://example.com/{SECRET}"
    with pytest.raises(BadAddress, match="cannot be read: No such file"):
        address_in(tmp_path / "none")
    with pytest.raises(BadAddress, match="cannot be read"):
        address_in(tmp_path)
