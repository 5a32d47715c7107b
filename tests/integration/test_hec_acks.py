"""Splunk's indexer acknowledgement: delivered is what an indexer has."""
import contextlib
import sqlite3
import sys
import threading
import time

from hec_case import Case
from hec_server import HecServer, code
from stage import Tests, make_directory, until

test = Tests()
D = make_directory("hec-acks")
YEAR = 365 * 24 * 3600 * 1000  # milliseconds


def acknowledged(name, ack_at_once=True, **keys):
    server = HecServer()
    server.use_ack, server.ack_at_once = True, ack_at_once
    return Case(D, name, server, acknowledge="true", **{"ack_interval": "200ms", **keys})


@test
def delivered_is_what_an_indexer_has():
    with acknowledged("acks", ack_at_once=False) as case:
        case.post("one")
        case.arrived("one")
        case.post("two")  # in a request of its own: the first of a run is not kept
        case.arrived("one", "two")
        polls = case.server.polls
        until(lambda: case.server.polls > polls + 2, "it is asked")
        assert case.cursor() == 0
        until(lambda: case.query("select count(*) from acks")[0][0] >= 1, "it is kept on disk")
        assert case.cursor() == 0
        case.server.index_all()
        until(lambda: case.cursor() == 2, "confirmed")
        case.post("three")
        case.arrived("one", "two", "three")
        case.server.index_all()
        until(lambda: case.cursor() == 3, "confirmed")


@test
def acknowledgements_may_come_in_any_order():
    with acknowledged("order", ack_at_once=False) as case:
        for name in ("one", "two", "three"):
            before = len(case.server.taken)
            case.post(name)
            until(lambda: len(case.server.taken) > before, "it arrived")
        waiting = case.server.waiting()
        assert len(waiting) == 3, waiting
        case.server.index(*waiting[2])
        case.server.index(*waiting[1])
        polls = case.server.polls
        until(lambda: case.server.polls > polls + 1, "it is asked")
        assert case.cursor() == 0
        case.server.index(*waiting[0])
        until(lambda: case.cursor() == 3, "confirmed")
        assert case.names() == ["one", "two", "three"]


@test
def what_is_never_acknowledged_is_sent_again_and_marked():
    with acknowledged("never", ack_at_once=False, ack_timeout="1s") as case:
        case.post("one")
        case.arrived("one")
        first = case.server.waiting()[0]
        case.post("two")
        case.arrived("one", "two")
        case.server.index(*[w for w in case.server.waiting() if w != first][0])
        until(lambda: len(case.server.taken) == 3, "it is sent again")
        assert case.names() == ["one", "two", "one"], "what was acknowledged is not sent again"
        assert case.server.taken[2]["fields"]["possible_duplicate"] == "true"
        assert "possible_duplicate" not in case.server.taken[0]["fields"]
        assert case.server.taken[2]["fields"]["event_id"] == "e-one"
        case.log_has("not acknowledged in time")
        case.server.index_all()
        until(lambda: case.cursor() == 2, "confirmed")


@test
def a_restart_asks_instead_of_sending_again():
    with acknowledged("restart", ack_at_once=False) as case:
        case.server.cookie = "indexer=two"
        case.post("zero")  # the first one on a channel is not kept
        case.arrived("zero")
        case.server.index_all()
        until(lambda: case.cursor() == 1, "confirmed")
        case.post("one", "two")
        case.arrived("zero", "one", "two")
        until(lambda: case.query("select count(*) from acks where cookies like '%indexer%' "
                                 "and last_seq > 1")[0][0]
              == len(case.server.waiting()), "it is on disk")
        case.bridge.kill("forwarder")
        case.server.cookie = None
        polls = case.server.polls
        until(lambda: case.server.polls > polls + 1, "it is asked again")
        assert case.server.requests[-1].headers["cookie"] == "indexer=two"
        case.post("three")
        case.arrived("zero", "one", "two", "three")
        case.server.index_all()
        until(lambda: case.cursor() == 4, "confirmed")
        case.bridge.stop()
        case.bridge.start()
        case.post("four")
        case.arrived("zero", "one", "two", "three", "four")


def wait_for_the_second(case):
    """Of two requests: the first one on a channel is not kept."""
    case.post("zero")
    case.arrived("zero")
    case.server.index_all()
    until(lambda: case.cursor() == 1, "confirmed")
    case.post("one")
    case.arrived("zero", "one")


def restart_with_clock(case, posted_at):
    """As if the wall clock had said that when the request was posted that waits on disk."""
    until(lambda: case.query("select count(*) from acks where last_seq = 2") == [(1,)],
          "it is on disk")
    case.bridge.stop()
    with contextlib.closing(sqlite3.connect(
            case.bridge.directory / "spool" / "delivery.db")) as database, database:
        database.execute("update acks set posted_at = ?", (posted_at,))
    polls = case.server.polls
    case.bridge.start()
    until(lambda: case.server.polls > polls, "it is asked")


@test
def a_clock_that_went_forward_over_a_restart_sends_nothing_again():
    with acknowledged("forward", ack_at_once=False, ack_timeout="4s") as case:
        wait_for_the_second(case)
        restart_with_clock(case, 0)
        case.server.index_all()
        until(lambda: case.cursor() == 2, "confirmed")
        assert case.names() == ["zero", "one"], case.names()


@test
def a_clock_that_went_back_over_a_restart_holds_nothing_for_ever():
    with acknowledged("back", ack_at_once=False, ack_timeout="4s") as case:
        wait_for_the_second(case)
        restart_with_clock(case, int(time.time() * 1000) + YEAR)
        case.arrived("zero", "one", "one")


@test
def a_number_that_was_given_again_while_nobody_looked_is_not_believed():
    # The indexer starts anew, takes "two" as its number 0, and the bridge is killed before
    # it hears of that: number 0 of its first life, "one", is lost.
    with acknowledged("unheard", ack_at_once=False) as case:
        case.post("one")
        case.arrived("one")
        case.server.stop()
        case.server.start()
        case.server.ack_at_once = True
        heard = threading.Event()

        def take_and_kill(envelopes):
            case.server.take(envelopes, case.server.requests[-1].headers[
                "x-splunk-request-channel"])
            case.bridge.kill("forwarder")
            heard.set()
            return "cut"
        case.server.script = [take_and_kill]
        case.post("two")
        assert heard.wait(10)
        until(lambda: case.cursor() == 2, "confirmed")
        assert set(case.names(case.server.indexed)) == {"one", "two"}, case.server.indexed


@test
def a_channel_of_ones_own_is_used():
    channel = "0f2b1c9e-0000-4000-8000-000000000001"
    with acknowledged("channel", channel=channel) as case:
        case.post("one")
        until(lambda: case.cursor() == 1, "confirmed")
        assert list(case.server.channels) == [channel]


@test
def a_collector_that_dies_before_it_has_indexed_gets_it_again():
    with acknowledged("dies", ack_at_once=False, ack_timeout="2s") as case:
        case.post("one", "two")
        case.arrived("one", "two")
        lost = case.server.stop()
        assert case.names(lost) == ["one", "two"]
        case.server.start()
        case.server.ack_at_once = True
        case.post("three")
        until(lambda: case.cursor() == 3, "confirmed")
        got = sorted(case.names(case.server.indexed))
        assert got == ["one", "three", "two"], got


@test
def numbers_that_begin_anew_are_not_taken_for_others():
    # Number 0 is acknowledged, of the new life; that of the old one was lost.
    with acknowledged("anew", ack_at_once=False, ack_timeout="1m") as case:
        case.post("one")
        case.arrived("one")
        case.server.stop()
        case.server.start()
        case.server.ack_at_once = True
        case.post("two")
        until(lambda: sorted(case.names(case.server.indexed)) == ["one", "two"], "both are there")
        until(lambda: case.cursor() == 2, "confirmed")


@test
def an_answer_that_did_not_come_is_not_taken_for_another():
    # It was taken, as number 0 of a new life, and nobody was told: 0 of the old is lost.
    with acknowledged("doubt", ack_at_once=False, ack_timeout="1m") as case:
        case.post("one")
        case.arrived("one")
        case.server.stop()
        case.server.start()
        case.server.ack_at_once = True

        def take_and_cut(envelopes):
            case.server.take(envelopes, case.server.requests[-1].headers[
                "x-splunk-request-channel"])
            return "cut"
        case.server.script = [take_and_cut]
        case.post("two")
        until(lambda: case.cursor() == 2, "confirmed")
        got = case.names(case.server.indexed)
        assert set(got) == {"one", "two"}, got


@test
def a_bad_event_among_acknowledged_ones():
    with acknowledged("bad-ack") as case:
        case.server.script = [lambda envelopes: next((
            code(6, **{"invalid-event-number": i}) for i, e in enumerate(envelopes)
            if "bad" in e["event"]["target"]["name"]), None)] * 20
        case.backlog("a", "b", "bad", "c")
        until(lambda: case.cursor() == 4, "confirmed")
        assert case.names(case.server.indexed) == ["a", "b", "c"]
        assert case.dead() == ["e-bad"]


@test
def a_token_without_acknowledgement_is_found_out_before_anything_is_sent():
    server = HecServer()
    with Case(D, "no-ack", server, acknowledge="true", ack_interval="200ms") as case:
        case.post("one")
        case.log_has("the token has no indexer acknowledgement")
        assert not server.taken
        server.use_ack = True
        case.arrived("one")


@test
def an_answer_without_ack_id_holds():
    with acknowledged("no-id") as case:
        case.server.script = [(200, '{"text":"Success","code":0}')]
        case.post("one")
        case.log_has("promises no acknowledgement")
        until(lambda: case.cursor() == 1, "confirmed")


if __name__ == "__main__":
    sys.exit(test.run(D))
