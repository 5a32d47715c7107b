"""What a sender is answered: standards.md 12.2, vectors W1-W8 and W10."""
import json
import socket
import sys
import time

from stage import WEBHOOK_PATH, Bridge, Failure, Records, Tests, make_directory, until

test = Tests()
bridge = Bridge(make_directory("answers"))
arrived = Records(bridge.directory / "kept.events")

EVENT = b'{"type":"key.created","data":{"actor":{"email":"a@example.com"}}}'


class Answer:
    """One HTTP answer, read to the end that its head announces."""

    def __init__(self, connection):
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += receive(connection)
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.strip().lower(): value.strip()
                        for name, _, value in (line.partition(":") for line in lines[1:])}
        while len(self.body) < int(self.headers.get("content-length", 0)):
            self.body += receive(connection)
        # All that may differ from answer to answer is the time of day.
        self.comparable = [line for line in lines if not line.startswith("Date:")] + [self.body]


def receive(connection):
    data = connection.recv(65536)
    if not data:
        raise Failure("the connection was closed before the end of the answer")
    return data


def is_closed(connection):
    """The bridge has closed it: end of file within a moment, nothing more before it."""
    connection.settimeout(3)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def head(method=b"POST", target=WEBHOOK_PATH.encode(), headers=()):
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: localhost"]
    lines += [f"{name}: {value}".encode() for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def ask(raw, closes=None):
    with bridge.connect() as connection:
        connection.sendall(raw)
        answer = Answer(connection)
        if closes is not None and is_closed(connection) != closes:
            raise Failure(f"{answer.status}: the connection should be {'closed' if closes else 'kept'}")
        return answer


def post(body, headers, media_type="application/json", target=WEBHOOK_PATH.encode()):
    all_headers = [*headers, ("content-length", len(body))]
    if media_type:
        all_headers.append(("content-type", media_type))
    return ask(head(b"POST", target, all_headers) + body)


def signed(body, delivery_id, **options):
    return post(body, bridge.signed_headers(body, delivery_id, **options))


def expect(answer, status):
    """The status, and with a refusal its code and a sentence."""
    assert answer.status == status, f"{answer.status} instead of {status}: {answer.body!r}"
    if status >= 400:
        error = json.loads(answer.body)
        assert error["code"] and error["message"], error


def lines(text):
    return arrived.count_lines(text)


@test
def w1_a_signed_event_is_accepted_with_an_empty_body():
    answer = signed(EVENT, "w1-00000001")
    expect(answer, 202)
    assert answer.body == b"", answer.body
    until(lambda: lines("w1-00000001") == 1, "the event in the file")


@test
def w2_the_same_id_with_a_new_signature_is_accepted_and_not_repeated():
    expect(signed(EVENT, "w2-00000001"), 202)
    expect(signed(EVENT, "w2-00000001", now=int(time.time()) - 5), 202)
    expect(signed(EVENT, "w2-00000002"), 202)
    until(lambda: lines("w2-00000002") == 1, "the event behind it in the file")
    assert lines("w2-00000001") == 1


@test
def w3_every_cause_of_a_401_is_answered_with_the_same_bytes():
    good = dict(bridge.signed_headers(EVENT, "w3-00000001"))
    now = int(time.time())

    def without(name):
        return [(key, value) for key, value in good.items() if key != name]

    causes = {
        "wrong key": bridge.signed_headers(EVENT, "w3-00000001", key=b"x" * 24),
        "too old": bridge.signed_headers(EVENT, "w3-00000001", now=now - 310),
        "too new": bridge.signed_headers(EVENT, "w3-00000001", now=now + 310),
        "no signature": without("webhook-signature"),
        "no timestamp": without("webhook-timestamp"),
        "no id": without("webhook-id"),
        "not a number": without("webhook-timestamp") + [("webhook-timestamp", f"{now}.5")],
        "another body": bridge.signed_headers(EVENT + b" ", "w3-00000001"),
        "unknown version": without("webhook-signature") + [("webhook-signature", "v9,AAAA")],
    }
    answers = {cause: post(EVENT, headers) for cause, headers in causes.items()}
    for cause, answer in answers.items():
        assert answer.status == 401, f"{cause}: {answer.status}"
        assert "www-authenticate" in answer.headers, cause
        assert answer.comparable == answers["wrong key"].comparable, f"{cause}: {answer.comparable}"


@test
def w3_one_right_signature_among_wrong_and_unknown_ones_is_enough():
    headers = dict(bridge.signed_headers(EVENT, "w3-00000009"))
    headers["webhook-signature"] = "v1,AAAA v2,x " + headers["webhook-signature"]
    expect(post(EVENT, headers.items()), 202)


@test
def a_signed_header_that_is_there_twice_makes_the_request_ambiguous():
    for twice in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        headers = bridge.signed_headers(EVENT, "w3-00000010")
        expect(post(EVENT, [*headers, *(pair for pair in headers if pair[0] == twice)]), 400)


@test
def w4_a_type_nobody_knows_is_accepted_and_delivered():
    expect(signed(b'{"type":"foo.bar"}', "w4-00000001"), 202)
    until(lambda: lines("w4-00000001") == 1, "the event in the file")


@test
def w5_a_signed_body_that_is_no_event_is_refused_and_kept():
    for number, body in enumerate([b'{"type":', b'{"data":{}}', b"[]", b'{"type":7}', b"\xff"]):
        expect(signed(body, f"w5-{number:08}"), 400)
    kept = bridge.ask_spool("SELECT count(*) FROM rejected")[0][0]
    assert kept == 5, kept


@test
def w6_a_body_over_the_limit_is_refused_before_it_is_read():
    headers = [*bridge.signed_headers(b"", "w6-00000001"), ("content-length", 5000000),
               ("content-type", "application/json")]
    expect(ask(head(headers=headers), closes=True), 413)


@test
def w6_a_chunked_body_over_the_limit_is_refused_too():
    headers = [*bridge.signed_headers(b"", "w6-00000002"), ("transfer-encoding", "chunked"),
               ("content-type", "application/json")]
    with bridge.connect() as connection:
        connection.sendall(head(headers=headers))
        try:
            for _ in range(40):
                connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        except OSError:
            pass  # closed while we were sending: as it should be
        expect(Answer(connection), 413)


@test
def w7_another_media_type_is_refused():
    for media_type in ("text/plain", "application/x-www-form-urlencoded", None):
        expect(post(EVENT, bridge.signed_headers(EVENT, "w7-00000001"), media_type), 415)
    expect(post(EVENT, bridge.signed_headers(EVENT, "w7-00000002"),
                "application/json; charset=utf-8"), 202)


@test
def w8_another_method_is_refused_and_the_right_one_named():
    for method in (b"GET", b"PUT", b"DELETE", b"PATCH"):
        answer = ask(head(method, headers=[("content-length", 0)]))
        expect(answer, 405)
        assert "POST" in answer.headers["allow"], answer.headers


@test
def w10_both_length_and_chunked_is_refused_and_the_connection_closed():
    headers = [*bridge.signed_headers(b"", "w10-00000001"), ("transfer-encoding", "chunked"),
               ("content-length", 4), ("content-type", "application/json")]
    expect(ask(head(headers=headers) + b"0\r\n\r\n", closes=True), 400)


@test
def another_path_is_not_found():
    for target in (b"/", b"/webhooks", b"/webhooks/anyint/", b"/webhooks/anyint%2f"):
        expect(post(EVENT, bridge.signed_headers(EVENT, "p-00000001"), target=target), 404)


@test
def no_length_and_not_chunked_is_411():
    headers = [*bridge.signed_headers(EVENT, "l-00000001"), ("content-type", "application/json")]
    expect(ask(head(headers=headers)), 411)


@test
def a_chunked_body_is_read_as_one():
    headers = [*bridge.signed_headers(EVENT, "c-00000001"), ("transfer-encoding", "chunked"),
               ("content-type", "application/json")]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(EVENT[i:i + 10]), EVENT[i:i + 10])
                      for i in range(0, len(EVENT), 10))
    expect(ask(head(headers=headers) + chunks + b"0\r\n\r\n"), 202)


@test
def a_target_too_long_is_414_and_headers_too_large_are_431():
    expect(ask(head(b"POST", b"/" + b"a" * 20000, [("content-length", 0)])), 414)
    expect(ask(head(headers=[("x-large", "a" * 70000)])), 431)


@test
def a_malformed_request_is_400_and_closes():
    lengths = [("content-length", 4), ("content-length", 5)]
    for raw in (head(headers=lengths) + b"abcd",
                head(headers=[("transfer-encoding", "xchunked")]),
                head(headers=[("content-length", "+4")]) + b"abcd",
                b"POST / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: a\r\nname : b\r\n\r\n",
                b"nonsense\r\n\r\n"):
        expect(ask(raw, closes=True), 400)


@test
def a_body_that_does_not_come_is_408():
    headers = [*bridge.signed_headers(EVENT, "s-00000001"), ("content-length", len(EVENT)),
               ("content-type", "application/json")]
    expect(ask(head(headers=headers) + EVENT[:10], closes=True), 408)


@test
def a_drop_of_bytes_now_and_then_does_not_prolong_the_deadline():
    began = time.monotonic()
    with bridge.connect() as connection:
        connection.settimeout(0.1)
        answered = False
        for byte in head(headers=[("x-slow", "a" * 600)]):
            try:
                connection.sendall(bytes([byte]))
                answered = connection.recv(1) == b"H"
            except TimeoutError:
                continue
            except OSError:
                answered = True
            break
    assert answered and time.monotonic() - began < 6, time.monotonic() - began


@test
def requests_behind_each_other_on_one_connection_are_answered_in_their_order():
    raw = b""
    for number in range(3):
        body = EVENT if number != 1 else b'{"type":'
        headers = [*bridge.signed_headers(body, f"k-{number:08}"), ("content-length", len(body)),
                   ("content-type", "application/json")]
        raw += head(headers=headers) + body
    with bridge.connect() as connection:
        connection.sendall(raw)
        data = b""
        statuses = []
        while len(statuses) < 3:
            data += receive(connection)
            statuses = [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [202, 400, 202], statuses


@test
def a_client_that_does_not_speak_tls_disturbs_nobody():
    with socket.create_connection(("127.0.0.1", bridge.port), 5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        plain.settimeout(10)
        plain.recv(100)
    expect(signed(EVENT, "n-00000001"), 202)


@test
def the_log_names_no_secret_and_no_content():
    text = bridge.log_text()
    assert "a@example.com" not in text and "whsec_" not in text


def main():
    bridge.sections["listen"] = {"header_timeout": "2s", "body_timeout": "1s"}
    bridge.destinations.append(
        f"  - name: kept\n    format: rfc5424\n    file: {{path: {arrived.path}}}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
