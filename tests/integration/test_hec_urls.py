"""Several collectors of Splunk behind one destination: when which of them is gone to."""
import sys

import hec_case
from hec_server import HecServer, code
from stage import Tests, make_directory, until

test = Tests(at_once=4)
D = make_directory("hec-urls")
SHORTEST_PAUSE = 0.1  # seconds: backoff.h


class Case(hec_case.Case):
    """The destination has two urls: `server`, and `second`."""

    def __init__(self, name, **keys):
        self.second = HecServer()
        super().__init__(D, name, others=[self.second], **keys)

    def __exit__(self, *_):
        super().__exit__()
        self.second.stop()

    def is_asked(self, server, when=lambda: None):
        """Whether it is well, as each connection begins: then it is the one gone to."""
        looks = server.looks
        when()
        until(lambda: server.looks > looks, "it is gone to")

    def arrived_at(self, server, *names):
        until(lambda: self.names(server.taken) == list(names), f"{names} arrived")


def requests(server):
    return [r for r in server.requests if r.path.endswith("/event")]


@test
def one_that_shuts_down_is_left_for_the_other_at_once():
    with Case("shuts-down") as case:
        gaps = []
        here, there = case.server, case.second
        for name in ("one", "two", "three", "four", "five"):
            here.script = [code(23)]
            case.post(name)
            until(lambda: name in case.names(there.taken), f"{name} arrived")
            gaps.append(requests(there)[-1].at - requests(here)[-1].at)
            until(lambda: case.cursor() == len(gaps), "confirmed")
            here, there = there, here
        # with a pause in between not one of them could be that short
        assert min(gaps) < SHORTEST_PAUSE, gaps
        assert case.names(case.second.taken) == ["one", "three", "five"]
        assert case.names(case.server.taken) == ["two", "four"]
        case.log_has(f"{case.server.url()} answered 503: server is shutting down")


@test
def where_all_shut_down_each_is_tried_after_a_pause():
    with Case("all-shut-down") as case:
        case.server.script, case.second.script = [code(23)] * 2, [code(23)] * 2
        case.post("one")
        until(lambda: case.names() + case.names(case.second.taken) == ["one"], "it arrived")
        times = sorted(r.at for r in requests(case.server) + requests(case.second))
        pauses = [b - a for a, b in zip(times, times[1:], strict=False)]
        assert len(times) == 5 and all(p > SHORTEST_PAUSE for p in pauses[1:]), pauses


@test
def one_that_is_busy_is_not_left():
    for name, answer in (("busy", code(9)), ("queues", code(18)), ("balancer", (503, "<html>"))):
        with Case(name) as case:
            case.server.script = [answer, answer]
            case.post("one")
            case.arrived("one")
            assert len(requests(case.server)) == 3
            assert not case.second.requests, case.second.requests


@test
def one_that_cannot_be_reached_is_left_until_it_is_back():
    with Case("away", failback="1s") as case:
        case.post("one")
        case.arrived("one")
        case.server.stop()
        case.post("two", "three")
        case.arrived_at(case.second, "two", "three")
        case.is_asked(case.server, case.server.start)
        case.post("four")
        case.arrived("one", "four")
        assert case.names(case.second.taken) == ["two", "three"]


@test
def one_that_is_not_well_is_not_begun_with():
    case = Case("not-well")
    case.server.health = code(20)  # before the bridge is there: it is asked at its start
    with case:
        case.post("one")
        case.arrived_at(case.second, "one")
        assert not requests(case.server)


@test
def a_request_that_breaks_off_is_sent_to_the_other():
    with Case("breaks-off") as case:
        case.server.script = ["cut"] * 3  # libcurl tries again by itself, once
        case.post("one")
        case.arrived_at(case.second, "one")
        until(lambda: case.cursor() == 1, "confirmed")


@test
def in_round_robin_they_take_turns():
    with Case("turns", balance="round-robin", rotate="1s") as case:
        for server in (case.second, case.server, case.second):
            case.is_asked(server)
        case.post("one")
        until(lambda: case.names() + case.names(case.second.taken) == ["one"], "it arrived")


@test
def what_the_one_did_not_acknowledge_the_other_gets_too():
    keys = {"acknowledge": "true", "ack_interval": "200ms", "ack_timeout": "2s"}
    with Case("acknowledged", **keys) as case:
        for server in (case.server, case.second):
            server.use_ack, server.ack_at_once = True, False
        case.post("one")
        case.arrived("one")
        case.server.script = [code(23)]
        case.post("two")
        case.arrived_at(case.second, "two")
        case.second.index_all()
        case.arrived_at(case.second, "two", "one")
        assert case.cursor() == 0, "nobody has acknowledged the first one"
        assert case.second.taken[1]["fields"]["possible_duplicate"] == "true"
        case.second.index_all()
        until(lambda: case.cursor() == 2, "confirmed")


@test
def a_move_back_waits_for_acknowledgements_and_goes_on_with_them():
    keys = {"acknowledge": "true", "ack_interval": "200ms", "failback": "1s"}
    with Case("moves-back", **keys) as case:
        for server in (case.server, case.second):
            server.use_ack = True
        case.second.ack_at_once = False
        case.server.stop()
        case.post("one")
        case.arrived_at(case.second, "one")
        case.server.start()
        polls = case.second.polls
        until(lambda: case.second.polls > polls + 6, "more than a second went by")
        case.is_asked(case.server, case.second.index_all)
        case.post("two")
        case.arrived("two")
        until(lambda: case.cursor() == 2, "confirmed")
        assert case.names(case.second.taken) == ["one"]


MISTAKES = [
    ({}, "splunk_hec: does not say where to; give a url, or several under urls"),
    ({"url": '"https://a"', "urls": '["https://b"]'},
     "splunk_hec.urls: stands beside url; put all of them here"),
    ({"urls": '["https://a", b]'}, "splunk_hec.urls[1]: 'b' is no address like"),
    ({"url": '"https://a"', "balance": "failover"},
     "splunk_hec.balance: has a use with several urls alone"),
    ({"urls": '["https://a", "https://b"]', "rotate": "1m"},
     "splunk_hec.rotate: has a use with 'balance: round-robin' alone"),
    ({"urls": '["https://a", "https://b"]', "channel": "8c6a1a2e-5d0b-4d5b-9d51-1f0a5b7d9a11"},
     "splunk_hec.channel: has a use with one url alone"),
]


@test
def mistakes_are_refused_with_their_place():
    case = Case("mistakes")
    for keys, says in MISTAKES:
        text = ", ".join(f"{key}: {value}" for key, value in
                         {"token_file": case.token, **keys}.items())
        case.bridge.destinations = [f"  - {{name: splunk, splunk_hec: {{{text}}}}}\n"]
        case.bridge.write_config()
        result = case.bridge.command("check", "-c", case.bridge.config)
        assert result.returncode == 1 and says in result.stderr, (says, result.stderr)


@test
def check_names_them_all_and_warns_of_each_in_the_clear():
    case = Case("check")
    case.bridge.write_config()
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert result.returncode == 0, result.stderr
    assert f"Splunk HEC at {case.server.url()}, {case.second.url()}" in result.stdout
    assert "splunk_hec.urls[1]: whoever is on the way" in result.stderr, result.stderr


if __name__ == "__main__":
    sys.exit(test.run(D))
