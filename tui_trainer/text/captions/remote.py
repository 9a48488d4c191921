"""What is said of records on another machine."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Records on another machine"

CAPTIONS = {
    "remote.no_ssh": Caption(
        "ssh is not installed here: OpenSSH's client is needed",
        "an address of another machine is given, and there is no program `ssh`",
        "there is one",
    ),
    "remote.no_shell": Caption(
        "{host} does not answer as a POSIX shell",
        "what came over the connection is not what the shell of the far side was asked to say",
        "it is; the connection is lost",
    ),
    "remote.silent": Caption(
        "{host} has not answered for too long",
        "an answer has not come in time",
        "it has come; ssh itself has said why none will",
    ),
    "remote.ended": Caption(
        "the connection to {host} ended without a word",
        "ssh's process has ended and said nothing",
        "ssh has said why",
    ),
    "remote.lost": Caption(
        "the connection to {host} is lost, and tried again: {why}",
        "the connection breaks while a record is followed, or another try to connect fails",
        "it stands; ssh could be let in by a person alone",
    ),
    "remote.cut_short": Caption(
        "the connection to {host} was lost before all was fetched; what had come is told: {why}",
        "records of another machine are fetched once, for a comparison without a screen, and the connection breaks",
        "all was fetched; the record is followed, and the line tried again",
    ),
    "remote.refused": Caption(
        "the connection to {host} is lost, and comes back only with a person's answer: leave, and attach again. {why}",
        "ssh is refused a new connection that it could not ask anybody for: by a key that is none, or a host key that "
        "has changed",
        "another try may go well",
    ),
    "remote.back": Caption(
        "the connection to {host} is there again",
        "a connection that was lost was made again",
        "it was not lost, or still is",
    ),
    "remote.not_connected": Caption(
        "there is no connection to {host} at the moment",
        "something is asked of a run on another machine while the connection is lost",
        "the connection stands",
    ),
    "remote.unanswered": Caption(
        "the connection was lost before it answered; whether it was done, the record tells",
        "the connection breaks while a command is asked of a run on another machine",
        "it answered",
    ),
    "remote.command_failed": Caption(
        "{host}: {why}",
        "what was asked of a run on another machine was not done there, or that is not known",
        "it was",
    ),
    "remote.read_only": Caption(
        "no tui-trainer was found on {host}, on its PATH or in ~/.local/bin: it cannot be controlled from here",
        "something is asked of a run on another machine that has no tui-trainer for ssh to find",
        "there is one; the run is another tool's",
    ),
    "remote.typed_there": Caption(
        "on {host}, {command}",
        "a sentence names a command for a run over ssh: it is to be typed on that machine, and names its folder there",
        "the record is on this machine",
    ),
    "remote.not_written": Caption(
        "what comes over ssh cannot be kept here: {why}",
        "the system refuses to write the copies of another machine's files",
        "they are written",
    ),
    "remote.too_large": Caption(
        "{file}: its rest is not fetched: no more than {size} of a record is, and 256 MiB of the disk stay free",
        "the copies of a record's files have reached their limit, or the disk is nearly full",
        "all is fetched",
    ),
    "remote.too_many_files": Caption(
        "there are more than {count} files: the others are not fetched",
        "a record on another machine has more files",
        "it has no more",
    ),
    "remote.nothing": Caption(
        "nothing to read at {address}",
        "an address was given at which no file is, or none that may be looked at",
        "there is one, of whatever form",
    ),
    "remote.database": Caption(
        "{address} is a database, which is not read over ssh: ssh -t {host} tui-trainer attach {path}",
        "an address was given at which no record lies but a database of SQLite",
        "another record lies there",
    ),
    "remote.range_test": Caption(
        "{address} is an LR range test and no run; attach shows it",
        "a run was asked for at an address at which no record lies but that of a range test",
        "a run lies there; attach shows the test",
    ),
    "remote.no_address": Caption(
        "{given}: {why}; an address is ssh://[user@]host[:port][/path]",
        "an address of another machine was given that is none, or could be taken for an option of ssh",
        "it is one, be there such a machine or not",
    ),
    "remote.journal_not_read": Caption(
        "its events.jsonl has {size}, which a list does not fetch over ssh: attach reads it",
        "a list is made of runs on another machine, and the journal of one is larger than what is fetched for that",
        "it was fetched",
    ),
}
