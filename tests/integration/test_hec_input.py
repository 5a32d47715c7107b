"""The Splunk-HEC-compatible input, as its senders see it: standards.md 9."""
import gzip
import json
import signal
import sys

from stage import Bridge, Records, Tests, make_directory, until, write_private

test = Tests()
bridge = Bridge(make_directory("hec_input"))
query = bridge.ask_spool
arrived = Records(bridge.directory / "kept.events")

BASE = "/services/collector"
TOKEN = "3f2a1c7e-9f4b-4a51-8f5e-0d7c1f5b2a90"
CHANNEL = "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba"


def ask(method, path, body=None, token=TOKEN, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        named["Authorization"] = f"Splunk {token}"
    status, _, answer = bridge.request(method, path, named, body)
    return status, json.loads(answer)


def post(body, path=BASE + "/event", **headers):
    return ask("POST", path, body if isinstance(body, bytes) else body.encode(), **headers)


def kept(text):
    return query("SELECT count(*) FROM events WHERE instr(CAST(body AS TEXT), ?) > 0", text)[0][0]


SUCCESS = (200, {"text": "Success", "code": 0})


@test
def h1_an_envelope_reaches_the_file():
    assert post('{"time":1790856000.000,"host":"gw1.example.com","sourcetype":"acme:json","event":'
                '{"action":"repo.create","actor":{"email":"h1@example.com"}}}') == SUCCESS
    until(lambda: arrived.count_lines("h1@example.com") == 1, "it in the file")
    assert query("SELECT type FROM events") == [("repo.create",)]


@test
def h2_envelopes_stand_one_after_another_on_every_path():
    for number, path in enumerate(("", "/event", "/event/1.0")):
        assert post(f'{{"event":"h2-{number}"}}{{"event":"h2-{number}"}}', BASE + path) == SUCCESS
        assert kept(f"h2-{number}") == 2
    until(lambda: arrived.count_lines("h2-2") == 2, "two in the file")


@test
def a_request_that_is_sent_again_is_known():
    body = '{"event":"again-1","time":1790856000}{"event":"again-1","time":1790856000}'
    assert post(body) == SUCCESS and post(body) == SUCCESS
    assert kept("again-1") == 2


@test
def tokens_are_refused_as_splunk_does():
    body = '{"event":"token-1"}'
    assert post(body, token=None) == (401, {"text": "Token is required", "code": 2})
    assert post(body, token=None, Authorization=f"Bearer {TOKEN}")[0] == 401
    assert post(body, token="wrong") == (403, {"text": "Invalid token", "code": 4})
    assert post(body, f"{BASE}?token={TOKEN}", token=None)[1]["code"] == 16
    assert kept("token-1") == 0


@test
def h5_what_stands_before_a_bad_envelope_is_kept():
    body = '{"event":"h5-0"}{"event":"h5-1"}{"event":}{"event":"h5-3"}'
    assert post(body) == (400, {"text": "Invalid data format", "code": 6,
                                "invalid-event-number": 2})
    assert [kept(f"h5-{i}") for i in (0, 1, 3)] == [1, 1, 0]
    until(lambda: query("SELECT count(*) FROM rejected")[0][0] == 1, "the whole kept aside")
    for wrong, code in (("", 5), ('{"host":"a"}', 12), ('{"event":""}', 13),
                        ('{"event":1,"time":1.7e9}', 15)):
        status, answer = post(wrong)
        assert (status, answer["code"]) == (400, code), (wrong, answer)


@test
def the_raw_endpoint_takes_lines():
    path = f"{BASE}/raw?sourcetype=syslog&host=web-1&channel={CHANNEL}"
    status, answer = post("Oct  1 12:00:00 web-1 sshd: raw-1\nraw-2\n", path)
    assert (status, answer["code"]) == (200, 0), answer
    assert kept("raw-") == 2
    until(lambda: arrived.count_lines("sshd: raw-1") == 1, "the line in the file")
    (evidence,), = query("SELECT evidence FROM events WHERE CAST(body AS TEXT)='raw-2'")
    assert "sourcetype=syslog&host=web-1" in evidence, evidence
    assert post("raw-3", BASE + "/raw") == (400, {"text": "Data channel is missing", "code": 10})
    assert post("raw-3", BASE + "/raw?channel=1")[1]["code"] == 11


@test
def h9_an_ack_is_given_for_what_is_durable():
    channel = {"X_Splunk_Request_Channel": CHANNEL}
    first = post('{"event":"ack-1"}{"event":"ack-2"}', **channel)[1]["ackId"]
    again = post('{"event":"ack-1"}{"event":"ack-2"}', **channel)[1]["ackId"]
    second = post('{"event":"ack-3"}', **channel)[1]["ackId"]
    assert first <= again < second == query("SELECT max(seq) FROM events")[0][0]
    bridge.kill("receiver")
    until(bridge.answers, "it is back")
    asked = json.dumps({"acks": [first, second, second + 1]})
    status, answer = post(asked, BASE + "/ack", **channel)
    assert status == 200 and answer == {"acks": {str(first): True, str(second): True,
                                                 str(second + 1): False}}, answer
    assert post(asked, BASE + "/ack")[1]["code"] == 10
    assert post("{}", BASE + "/ack", **channel)[1]["code"] == 6
    assert "ackId" not in post('{"event":"ack-4"}')[1]


@test
def gzip_is_taken_and_a_bomb_is_not():
    assert post(gzip.compress(b'{"event":"zip-1"}'), Content_Encoding="gzip") == SUCCESS
    assert kept("zip-1") == 1
    bomb = gzip.compress(b'{"event":"' + b"a" * 20_000_000 + b'"}')
    assert post(bomb, Content_Encoding="gzip")[0] == 413
    assert post(b"no gzip", Content_Encoding="gzip")[1]["code"] == 6


@test
def health_is_told_to_anybody():
    assert ask("GET", BASE + "/health", token=None) == (200, {"text": "HEC is healthy",
                                                              "code": 17})
    assert ask("GET", BASE + "/event")[0] == 405
    assert post("{}", BASE + "/events")[0] == 404


@test
def send_speaks_it_too():
    result = bridge.command("send", "-c", bridge.config, "--source", "splunk", "key.created")
    assert result.returncode == 0, result.stdout + result.stderr
    assert query("SELECT count(*) FROM events WHERE instr(CAST(body AS TEXT), 'key.created')"
                 " > 0")[0][0] == 1
    assert TOKEN not in bridge.log_text() + result.stdout + result.stderr


@test
def a_full_spool_is_busy():
    bridge.sections["spool"]["max_size"] = "1MiB"
    bridge.write_config()
    bridge.signal(signal.SIGTERM)
    bridge.start()
    for number in range(40):
        status, answer = post(f'{{"event":"{number} {"x" * 100_000}"}}')
        if status != 200:
            break
    assert (status, answer) == (503, {"text": "Server is busy", "code": 9}), answer


def main():
    write_private(bridge.directory / "hec.token", TOKEN + "\n")
    bridge.sources.append(f"  - name: splunk\n    path: {BASE}\n    signature: hec\n"
                          f"    secrets: [{bridge.directory}/hec.token]\n"
                          "    fields: {type: [/event/action]}\n")
    bridge.destinations.append(
        f"  - name: kept\n    format: rfc5424\n    file: {{path: {arrived.path}}}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
