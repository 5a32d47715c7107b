"""RELP against a server that refuses, disorders, cuts and says goodbye: what was
answered is not sent again, what was not answered is, and a refused message becomes
a dead letter without holding up the others."""
import re
import sys

from relp_sink import RelpSink, accept_all
from stage import Bridge, Failure, Post, Tests, make_directory, until

test = Tests()
ID = re.compile(rb"externalId=(\S+)")


def number_of(message):
    """Of the post, from 1."""
    return int(ID.search(message)[1].rpartition(b"-")[2])


class Play:
    """A bridge, a sink and `count` events between them, posted in their order."""

    def __init__(self, name, count, script=accept_all, keys=""):
        self.sink = RelpSink(script)
        self.bridge = Bridge(make_directory(f"relp-{name}"))
        self.bridge.destinations.append(
            "  - name: siem\n    format: cef\n"
            f'    syslog: {{address: "127.0.0.1:{self.sink.port}", transport: relp{keys}}}\n')
        self.count = count

    def __enter__(self):
        self.bridge.start()
        post = Post(1, self.bridge.directory, self.bridge, self.count, {"connections": 1})
        post.start()
        post.wait(60)
        return self

    def __exit__(self, *_):
        self.bridge.end()
        self.sink.end()

    def numbers(self):
        """Of all that arrived."""
        return [number_of(message) for _, _, message in self.sink.messages]

    def all_arrive(self, within=20):
        until(lambda: set(self.numbers()) == set(range(1, self.count + 1)),
              f"{self.count} messages arrive", within)
        self.sink.must_be_well()

    def ask(self, query):
        return self.bridge.ask_delivery(query)

    def is_confirmed(self, count):
        return until(lambda: self.ask("SELECT seq FROM cursors") == [(count,)],
                     f"the cursor is at {count}", 10)

    def dead(self):
        return self.ask("SELECT seq, id, reason FROM dead ORDER BY seq")


def first_deliveries(numbers):
    return list(dict.fromkeys(numbers))


@test
def a_refused_message_is_a_dead_letter_and_the_others_arrive():
    def script(connection, number, txnr, message):
        refuse = number_of(message) in (7, 8, 20)
        connection.answer(txnr, b"500 no \x1b[2Jthanks" if refuse else b"200 OK")

    with Play("refused", 20, script) as play:
        play.is_confirmed(20)
        assert play.numbers() == list(range(1, 21)), play.numbers()
        dead = play.dead()
        assert [row[0] for row in dead] == [7, 8, 20], dead
        assert [row[1] for row in dead] == [f"p1-{n:08}" for n in (7, 8, 20)], dead
        assert dead[0][2] == f"refused by 127.0.0.1:{play.sink.port}: no ?[2Jthanks", dead


@test
def exactly_what_was_not_answered_is_sent_again_with_new_numbers():
    def script(connection, number, txnr, message):
        if connection.number > 1 or number <= 10:
            connection.answer(txnr)
        elif number == 30:
            connection.send(b"12 rsp 6 20")  # half an answer to the eleventh
            connection.close()

    with Play("again", 200, script) as play:
        play.all_arrive()
        play.is_confirmed(200)
        second = play.sink.of_connection(2)
        assert second[0][0] == 2, second[0]
        assert [number_of(message) for _, message in second] == list(range(11, 201))


@test
def answers_in_any_order_are_matched_by_their_numbers():
    held = []

    def script(connection, number, txnr, message):
        held.append(txnr)
        if len(held) == 25:
            for each in reversed(held):
                connection.answer(each)
            held.clear()

    with Play("disorder", 200, script) as play:
        play.all_arrive()
        play.is_confirmed(200)
        assert play.sink.connections == 1 and len(play.sink.messages) == 200


@test
def a_refusal_behind_what_is_unanswered_is_one_letter_after_a_break():
    def script(connection, number, txnr, message):
        event = number_of(message)
        if event == 12:
            connection.answer(txnr, b"500 no")
        elif event != 11 or connection.number > 1:
            connection.answer(txnr)
        if event == 40 and connection.number == 1:
            connection.reset()

    with Play("behind", 40, script) as play:
        play.is_confirmed(40)
        assert play.numbers()[40:] == list(range(11, 41)), play.numbers()[40:]
        assert [row[0] for row in play.dead()] == [12], play.dead()


@test
def a_goodbye_of_the_server_costs_no_message():
    def script(connection, number, txnr, message):
        connection.answer(txnr)
        if number == 50:
            connection.send(b"0 serverclose 0\n")
            connection.close()

    with Play("goodbye", 240, script) as play:
        play.all_arrive()
        play.is_confirmed(240)
        assert first_deliveries(play.numbers()) == list(range(1, 241))
        assert play.sink.connections >= 5


@test
def cut_at_every_byte_no_message_is_lost_or_joined_with_another():
    cuts = 100

    def script(connection, number, txnr, message):
        connection.answer(txnr)
        if number == 1 and connection.number <= cuts:
            connection.limit = connection.number  # so far into what follows
            connection.received = connection.received[:connection.limit]
            connection.limit -= len(connection.received)

    with Play("cut", 300, script) as play:
        play.all_arrive(60)
        play.is_confirmed(300)
        assert first_deliveries(play.numbers()) == list(range(1, 301))
        assert play.sink.connections > cuts
        assert all(b"@example.com" in message for _, _, message in play.sink.messages)


@test
def what_is_no_relp_is_left_at_once_and_told():
    cases = ((b"HTTP/1.1 400 Bad Request\r\n", "what it sent is no RELP"),
             (b"99 rsp 6 200 OK\n", "answered command 99, which does not wait for an answer"))
    for nonsense, told in cases:
        def script(connection, number, txnr, message, nonsense=nonsense):
            if connection.number > 1:
                connection.answer(txnr)
            elif number == 1:
                connection.send(nonsense)

        with Play("nonsense", 10, script) as play:
            play.is_confirmed(10)
            if told not in play.bridge.log_text():
                raise Failure(f"{told!r} is not in the log:\n{play.bridge.log_tail()}")


@test
def at_the_end_the_session_is_closed_politely():
    with Play("polite", 5) as play:
        play.is_confirmed(5)
        assert play.sink.goodbyes == 0
        play.bridge.stop()
        until(lambda: play.sink.goodbyes == 1, "the sink was told `close`")
        play.sink.must_be_well()


if __name__ == "__main__":
    sys.exit(test.run())
