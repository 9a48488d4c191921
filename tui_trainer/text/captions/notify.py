"""Notifications that somebody asked for and did not get: `--notify`, `--webhook`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Notifications that were not delivered"

CAPTIONS = {
    "notify.no_more": Caption("is told no more: {why}", "what delivers them broke", "a single one failed"),
    "notify.too_many": Caption(
        "not told of {event}: {count} events wait already", "one more came while so many wait; once a kind", "room is"
    ),
    "notify.not_run": Caption("could not be run: {why}", "the command of --notify did not start", "it ran"),
    "notify.took_long": Caption("took longer than {seconds} s, and was ended", "it ran too long", "it ended before"),
    "notify.ended_with": Caption("ended with {how}", "it ended with another code than 0, or by a signal", "it did not"),
    "notify.exit_code": Caption("exit code {code}", "the same, where it ended by itself", "by a signal"),
    "notify.no_answer": Caption("did not answer within {seconds} s", "the webhook took too long", "it answered"),
    "notify.unreachable": Caption(
        "could not be reached: {why}", "no connection to the webhook came about", "one did, whatever came of it"
    ),
    "notify.broken_off": Caption(
        "broke the connection off; whether it took it is not known",
        "the webhook ended the connection without an answer",
        "it answered; there was no connection",
    ),
    "notify.no_http": Caption(
        "answered with what is no HTTP; whether it took it is not known", "what answers is no web server", "one does"
    ),
    "notify.answered": Caption("answered {code}", "the webhook answered with an error", "it took it"),
    "notify.redirected": Caption(
        "answered {code}, a redirect, which is not followed", "it named another address", "it took it; an error"
    ),
}
