"""Splunk's HTTP Event Collector as a destination, and what is done about each answer."""
import shutil
import socket
import socketserver
import sys
import threading
import time

import hec_case
from hec_server import TOKEN, HecServer, code
from mail_servers import Authority
from stage import Tests, make_directory, until, write_private

test = Tests(at_once=4)
D = make_directory("hec")
good = Authority(D, "good-ca")
other = Authority(D, "other-ca")
pair = good.issue("server", "localhost")


def Case(name, *arguments, **keys):
    return hec_case.Case(D, name, *arguments, **keys)


@test
def an_event_arrives_as_splunk_wants_it():
    with Case("envelope", index='"{family}"', host="gw1", source="bridge",
              sourcetype='"acme:{family}"') as case:
        assert case.bridge.command("send", "-c", case.bridge.config,
                                   "key.disabled").returncode == 0
        until(lambda: case.server.taken, "it arrived")
        envelope = case.server.taken[0]
        assert envelope["index"] == "key" and envelope["host"] == "gw1", envelope
        assert envelope["source"] == "bridge" and envelope["sourcetype"] == "acme:key", envelope
        assert envelope["event"]["action"] == "modified", envelope
        assert envelope["fields"]["event_type"] == "key.disabled", envelope
        assert envelope["fields"]["event_id"] == envelope["event"]["event"]["id"], envelope
        assert envelope["fields"]["sequence"] == "1", envelope
        request = case.event_requests()[0]
        assert request.path == "/services/collector/event", request
        assert "x-splunk-request-channel" not in request.headers, request
        until(lambda: case.cursor() == 1, "it is confirmed")
        assert case.server.requests[0].path == "/services/collector/health"
        assert TOKEN not in case.bridge.log_text()


@test
def over_tls_with_gzip_over_one_connection():
    with Case("tls", pair=pair, ca_file=good.certificate, gzip="true") as case:
        names = [f"n{i}" for i in range(300)]
        case.post(*names)
        case.arrived(*names)
        assert all(r.headers["content-encoding"] == "gzip" for r in case.event_requests())
        assert case.server.connections == 1, case.server.connections


@test
def a_certificate_of_a_stranger_holds_all_until_it_is_mended():
    shutil.copy(other.certificate, D / "stranger.pem")
    with Case("stranger", pair=pair, ca_file=D / "stranger.pem") as case:
        case.post("one")
        case.log_has("held, and nothing is dropped")
        case.log_has("certificate")
        assert not case.server.requests
        shutil.copy(good.certificate, D / "stranger.pem")
        case.arrived("one")


@test
def batches_are_of_a_size_and_a_number():
    with Case("batches", batch_events=7, batch_size="16KiB") as case:
        names = [f"n{i}" for i in range(100)]
        case.backlog(*names)
        case.arrived(*names)
        requests = case.event_requests()
        assert max(len(r.envelopes) for r in requests) == 7, requests
        assert len(requests) < 50, len(requests)
    with Case("bytes", batch_size="16KiB") as case:
        case.backlog(*names)
        case.arrived(*names)
        requests = case.event_requests()
        assert max(r.length for r in requests) <= 16384
        assert len(requests) < 20, [r.length for r in requests]


@test
def linger_gathers_and_a_lone_event_leaves_at_once():
    with Case("linger", linger="1s") as case:
        case.post("first")
        case.arrived("first", within=0.9)
        names = [f"n{i}" for i in range(20)]
        case.post(*names)
        case.arrived("first", *names)
        assert len(case.event_requests()) <= 4, len(case.event_requests())


# ---- the table ----

RETRIES = [code(8), code(9), code(18), code(19), code(20), code(23), code(26), code(27),
           (503, "<html>no server</html>"), (502, "<html>bad</html>"), (429, "slowly"),
           (500, ""), (408, ""), (200, "{broken"), (200, "<html>welcome</html>"), "cut"]
HOLDS = [code(1), code(2), code(3), code(4), code(7, **{"invalid-event-number": 1}), code(10),
         code(11), code(14), code(16), code(21), code(22), code(28), (401, "no"), (403, "no"),
         (404, "<html/>"), (407, "proxy"), (415, "gzip?"), (301, "", {"Location": "/elsewhere"}),
         (307, "", {"Location": "https://localhost:1/steal"})]


@test
def what_is_to_be_tried_again_is_and_nothing_is_lost():
    with Case("retries") as case:
        for number, answer in enumerate(RETRIES):
            before = len(case.event_requests())
            case.server.script = [answer]
            case.post(f"r{number}")
            case.arrived(*[f"r{i}" for i in range(number + 1)])
            assert len(case.event_requests()) - before == 2, answer
        assert not case.dead()
        assert "held" not in case.bridge.log_text(), case.bridge.log_text()


@test
def a_bad_setting_holds_all_and_drops_nothing():
    with Case("holds") as case:
        for number, answer in enumerate(HOLDS):
            before = len(case.event_requests())
            case.server.script = [answer]
            case.post(f"h{number}")
            case.arrived(*[f"h{i}" for i in range(number + 1)])
            times = [r.at for r in case.event_requests()[before:]]
            # longer than a back-off is at first
            assert len(times) == 2 and times[1] - times[0] > 0.14, (answer, times)
        assert not case.dead()
        assert not any("elsewhere" in r.path for r in case.server.requests)
        case.log_has("the token is disabled; enable it in Splunk")
        for text in ("redirects are not followed", "the index does not exist",
                     "the token is unknown", "set acknowledge: true", "see token_file"):
            case.log_has(f"held, and nothing is dropped: {case.server.url()} answered ")
            case.log_has(text)


@test
def a_bad_event_is_a_dead_letter_and_takes_no_other_with_it():
    with Case("bad") as case:
        good_ones, dead = [], []
        for number in (6, 12, 13, 15):
            def refuse(envelopes, number=number):
                bad = [i for i, e in enumerate(envelopes)
                       if "bad" in e["event"]["target"]["name"]]
                if not bad:
                    return None
                case.server.take(envelopes[:bad[0]])
                return code(number, **{"invalid-event-number": bad[0]})
            case.server.script = [refuse] * 8
            names = [f"{name}{number}" for name in ("a", "b", "bad-1-", "c", "bad-2-", "bad-3-")]
            good_ones += [name for name in names if "bad" not in name]
            dead += [f"e-{name}" for name in names if "bad" in name]
            case.backlog(*names)
            case.arrived(*good_ones)
            until(lambda: case.dead() == dead, "dead letters")
        until(lambda: case.cursor() == 24, "all are done with")


@test
def a_bad_event_is_found_where_its_number_is_not_said():
    for name, answer in (("unnumbered", code(6)), ("html", (400, "<html>bad</html>"))):
        with Case(name) as case:
            case.server.script = [lambda envelopes: answer if any(
                "bad" in e["event"]["target"]["name"] for e in envelopes) else None] * 50
            names = [f"n{i}" for i in range(20)]
            case.backlog(*names[:13], "bad", *names[13:])
            case.arrived(*names)
            until(lambda: case.dead() == ["e-bad"], "a dead letter")


@test
def what_a_proxy_refuses_of_all_alike_is_no_dead_letter():
    with Case("proxy-says-no") as case:
        case.server.health = (400, "<html>plain HTTP sent to HTTPS port</html>")
        case.server.script = [(400, "<html>plain HTTP sent to HTTPS port</html>")] * 3
        case.post("one")
        case.log_has("held, and nothing is dropped")
        case.arrived("one")
        assert not case.dead()


@test
def a_request_that_is_too_long_is_split():
    with Case("long") as case:
        case.server.limit = 5000
        names = [f"n{i}" for i in range(60)]
        case.backlog(*names)
        case.arrived(*names)
        assert not case.dead()
        case.server.limit = 100
        case.post("giant")
        until(lambda: case.dead() == ["e-giant"], "a dead letter")
        case.server.limit = 5000
        case.post("last")
        case.arrived(*names, "last")


@test
def it_slows_down_when_asked_to():
    with Case("slow") as case:
        case.server.script = [code(24), code(25)]
        for name in ("one", "two", "three"):
            case.post(name)
        case.arrived("one", "two", "three")
        assert all(b.at - a.at > 0.9 for a, b in zip(case.event_requests(),
                                                     case.event_requests()[1:], strict=False))


@test
def retry_after_is_heeded():
    with Case("retry-after") as case:
        case.server.script = [(503, "", {"Retry-After": "1"}), (429, "", {"Retry-After": "1"})]
        case.post("one")
        case.arrived("one")
        times = [r.at for r in case.event_requests()]
        assert times[1] - times[0] > 0.9 and times[2] - times[1] > 0.9, times


@test
def a_long_answer_is_bounded():
    with Case("long-answer") as case:
        case.server.script = [(503, "x" * 5_000_000)]
        case.post("one")
        case.arrived("one")


@test
def it_is_asked_whether_it_is_well_before_it_is_sent_anything():
    with Case("health") as case:
        case.server.health = code(20)
        case.post("one")
        case.log_has("queues are full")
        until(lambda: case.server.looks >= 3, "it is asked again")
        assert not case.event_requests()
        case.server.health = (404, "<html>no such page</html>")  # an old one, or a balancer
        case.arrived("one")


@test
def an_index_that_is_missing_holds_and_what_went_before_it_is_not_sent_again():
    with Case("index", index='"{family}"') as case:
        case.server.indexes = {"member"}
        case.server.health = code(18)
        case.post("one", "two")
        case.post("three", kind="key.created")
        case.server.health = None
        case.log_has("the index does not exist")
        until(lambda: len(case.event_requests()) >= 4, "it is tried again")
        assert case.names() == ["one", "two"], case.names()
        case.server.indexes.add("key")
        until(lambda: len(case.server.taken) == 3, "it arrived")
        assert not case.dead()


@test
def a_token_is_read_again_when_its_file_changes():
    with Case("token") as case:
        case.post("one")
        case.arrived("one")
        case.server.token = "another-token-that-was-rotated"
        write_private(case.token, case.server.token + "\n")
        case.post("two")
        case.arrived("one", "two")
        assert "held" not in case.bridge.log_text()
        case.server.token = TOKEN
        case.post("three")
        case.log_has("the token is unknown")
        write_private(case.token, TOKEN)
        case.arrived("one", "two", "three")
        assert "rotated" not in case.bridge.log_text()


@test
def a_collector_that_was_away_gets_all_when_it_is_back():
    with Case("away") as case:
        case.post("one")
        case.arrived("one")
        case.server.stop()
        case.post("two", "three")
        case.log_has("http://localhost")
        case.server.start()
        case.arrived("one", "two", "three")


@test
def a_collector_that_hangs_is_given_up_after_the_timeout():
    with Case("hangs", timeout="300ms") as case:
        hang = threading.Event()
        case.server.script = [lambda _: hang.wait(1) and None or (503, "late")]
        case.post("one")
        case.log_has("timed out")
        hang.set()
        case.arrived("one")
        case.server.script = [lambda _: time.sleep(0.5) or (503, "late")]
        case.post("two")
        seconds = case.bridge.stop()
        assert seconds < 4, seconds


@test
def heartbeats_count_what_was_sent():
    with Case("heartbeat", heartbeat="1s") as case:
        case.post("one")
        until(lambda: any(e["fields"]["event_type"] == "siembridge.heartbeat"
                          for e in case.server.taken), "a heartbeat arrived")


# ---- the configuration ----

MISTAKES = [
    ({"url": "splunk:8088"}, "splunk_hec.url: 'splunk:8088' is no address like"),
    ({"url": '"https://u:p@splunk"'}, "splunk_hec.url: a login in the address"),
    ({"url": '"https://splunk?token=x"'}, "splunk_hec.url: no query belongs here"),
    ({"url": '"https://"'}, "names no host"),
    ({"proxy": '"http://p:3128/x"'}, "splunk_hec.proxy: 'http://p:3128/x' has a path"),
    ({"acknowledge": "maybe"}, "splunk_hec.acknowledge: 'maybe'"),
    ({"channel": "x"}, "splunk_hec.channel: 'x' is no GUID"),
    ({"index": '"{actor.email}"'}, "splunk_hec.index: "),
    ({"batch_size": "1GiB"}, "out of range; allowed: 16KiB to 16MiB"),
    ({"batch_events": "0"}, "splunk_hec.batch_events: "),
    ({"certificate": "/x"}, "certificate and private_key go together"),
    ({"pinned_key": "abc"}, "splunk_hec.pinned_key: 'abc' is no sha256//BASE64"),
]


@test
def mistakes_are_refused_with_their_place():
    case = Case("mistakes")
    case.server.stop()
    for keys, says in MISTAKES:
        keys = {"url": '"https://splunk:8088"', "token_file": case.token, **keys}
        text = ", ".join(f"{key}: {value}" for key, value in keys.items())
        case.bridge.destinations = [f"  - {{name: splunk, splunk_hec: {{{text}}}}}\n"]
        case.bridge.write_config()
        result = case.bridge.command("check", "-c", case.bridge.config)
        assert result.returncode == 1 and says in result.stderr, (says, result.stderr)


@test
def check_says_what_would_run_and_warns_of_tokens_in_the_clear():
    case = Case("check", acknowledge="true", index="main")
    case.server.stop()
    case.bridge.write_config()
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert result.returncode == 0, result.stderr
    assert "whoever is on the way can read the token" in result.stderr, result.stderr
    assert f"Splunk HEC at http://localhost:{case.server.port}, acknowledged, index main, " \
        "format hec" in result.stdout, result.stdout
    write_private(case.token, "two words\n")
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert result.returncode == 1 and "splunk_hec.token_file" in result.stderr and \
        "without spaces" in result.stderr, result.stderr
    case.token.unlink()
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert result.returncode == 1 and "splunk_hec.token_file" in result.stderr, result.stderr


class Proxy:
    """Of HTTP: counts what it was asked for and passes it on."""

    def __init__(self, target):
        owner = self
        self.asked = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self.request.recv(65536)
                owner.asked.append(head.split(b"\r\n", 1)[0].decode())
                with socket.create_connection(("127.0.0.1", target)) as onward:
                    if head.startswith(b"CONNECT"):
                        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    else:
                        onward.sendall(head)
                    back = threading.Thread(target=pump, args=(onward, self.request), daemon=True)
                    back.start()
                    pump(self.request, onward)

        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@test
def it_goes_by_a_proxy():
    server = HecServer(*pair)
    proxy = Proxy(server.port)
    with Case("proxy", server, ca_file=good.certificate,
              proxy=f'"http://127.0.0.1:{proxy.port}"') as case:
        case.post("one")
        case.arrived("one")
        assert proxy.asked == [f"CONNECT localhost:{server.port} HTTP/1.1"], proxy.asked
    proxy.server.shutdown()
    proxy.server.server_close()


if __name__ == "__main__":
    sys.exit(test.run(D))
