"""The console from outside: who is let in, the API, probes, metrics, status and orders."""
import base64
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys

from stage import ROOT, SIEMBRIDGE, Bridge, Collector, Post, Records, Tests
from stage import free_port, kill_quietly, make_directory, until, write_private

test = Tests()
D = make_directory("console")
bridge = Bridge(D)
send = bridge.must_take
collector = Collector("collector", D)
log = Records(D / "events.log")
PORT = free_port()
PASSWORD = "correct horse battery staple"
BASIC = "Basic " + base64.b64encode(f"x:{PASSWORD}".encode()).decode()
SECRET = "sk-live-" + "aB3dE6gH9jK2mN5pQ8sT1vW4" + "x7Qf"


def ask(path, method="GET", body=None, **headers):
    """(status, headers, text); signed in unless authorization=None."""
    headers = {name.replace("_", "-"): value for name, value in
               {"authorization": BASIC, **headers}.items() if value is not None}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    if body is not None:
        headers.setdefault("content-type", "application/json")
        body = json.dumps(body)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def get(path):
    status, _, text = ask(path)
    assert status == 200, (path, status, text)
    return json.loads(text)


def promtool(*arguments, text=None):
    result = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True,
                            timeout=30)
    assert result.returncode == 0 and not result.stderr.strip(), (result.stdout, result.stderr)


@test
def probes_need_no_password_and_readiness_is_that_of_the_receiver():
    assert ask("/healthz", authorization=None)[0] == 200
    until(lambda: ask("/readyz", authorization=None)[0] == 200, "it is ready")
    receiver = bridge.roles()["receiver"]
    os.kill(receiver, signal.SIGSTOP)
    try:
        until(lambda: ask("/readyz", authorization=None)[0] == 503, "it is not ready", 20)
        assert "receiver" in ask("/readyz", authorization=None)[2]
        assert ask("/healthz", authorization=None)[0] == 200
    finally:
        os.kill(receiver, signal.SIGCONT)
    until(lambda: ask("/readyz", authorization=None)[0] == 200, "it is ready again")


@test
def without_the_password_nothing_is_told():
    for path in ("/api/status", "/api/events", "/api/events/msg_1", "/api/dead", "/metrics"):
        assert ask(path, authorization=None)[0] == 401, path
        assert ask(path, authorization="Bearer " + PASSWORD)[0] in (200, 404), path
    status, headers, text = ask("/", authorization=None)
    assert status == 200 and "<title>siembridge</title>" in text
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    assert ask("/nothing", authorization=None)[0] == 404


@test
def an_answer_to_head_has_no_body():
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    for path in ("/healthz", "/", "/nothing"):
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    whole = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    *heads, last = whole.split(b"\r\n\r\n")
    assert [head.split()[1] for head in heads] == [b"200", b"200", b"404", b"200"], whole
    assert all(head.startswith(b"HTTP/1.1") for head in heads) and last == b"alive\n", whole


@test
def a_name_that_is_not_ours_is_not_let_in():
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io"):
        assert ask("/api/status", host=host)[0] == 421, host
        assert ask("/healthz", host=host)[0] == 421, host
    for host in ("localhost", f"LOCALHOST:{PORT}", "[::1]:9464", "console.example.com"):
        assert ask("/api/status", host=host)[0] == 200, host


@test
def a_session_begins_with_the_password_and_ends_with_the_logout():
    status, headers, _ = ask("/api/login", "POST", {"password": PASSWORD}, authorization=None)
    cookie = headers["set-cookie"]
    assert status == 204 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
    token = cookie.split(";")[0]
    assert ask("/api/status", authorization=None, cookie=f"a=b; {token}; c=d")[0] == 200
    assert ask("/api/status", authorization=None, cookie=token[:-1] + "x")[0] == 401
    assert ask("/api/logout", "POST", {}, authorization=None, cookie=token)[0] == 204
    assert ask("/api/status", authorization=None, cookie=token)[0] == 401


@test
def a_post_from_another_page_does_nothing():
    order = {"destination": "log", "from": 1, "to": 1}
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"},
                    {"sec_fetch_site": "cross-site"}, {"content_type": "text/plain"}):
        assert ask("/api/replay", "POST", order, **headers)[0] == 403, headers
    assert ask("/api/replay")[0] == 405
    assert ask("/api/status", "POST", {})[0] == 405


@test
def events_are_listed_searched_paged_and_shown_with_their_lines_and_masked():
    for i in range(5):
        send({"id": f"m{i}", "type": "member.joined", "data": {}}, f"msg_{i}")
    send({"id": "k", "type": "key.created", "data": {"api_key": {"id": "key_8"},
          "message": f"made {SECRET} <script>"}}, "msg_key")
    until(lambda: [e["destinations"]["log"] for e in get("/api/events")["events"]]
          == ["delivered"] * 6, "all are delivered")
    page = get("/api/events?limit=2")
    assert [e["id"] for e in page["events"]] == ["msg_key", "msg_4"], page
    page = get(f"/api/events?limit=2&before={page['next']}")
    assert [e["id"] for e in page["events"]] == ["msg_3", "msg_2"], page
    for query in ("type=key.*", "resource=key_8", "id=msg_key", "type=key.%63reated&source=anyint"):
        assert [e["id"] for e in get("/api/events?" + query)["events"]] == ["msg_key"], query
    assert len(get("/api/events?status=not-routed")["events"]) == 5
    assert get("/api/events?status=dead")["events"] == []
    assert get("/api/events?destination=siem")["events"][0]["id"] == "msg_key"
    for query in ("status=lost", "limit=0", "limit=x", "before=-1", "destination=nowhere"):
        assert ask("/api/events?" + query)[0] == 400, query
    whole = get("/api/events/msg_key")["events"][0]
    assert whole["fields"]["key.id"] == "key_8" and whole["intact"], whole
    lines = {at["name"]: at["rendered"] for at in whole["destinations"]}
    assert "CEF:0|" in lines["siem"] and lines["log"].startswith("<"), lines
    assert SECRET not in json.dumps(whole) and "webhook-signature" in json.dumps(whole)
    assert get(f"/api/events/anything?sequence={whole['sequence']}")["events"] == [whole]
    assert ask("/api/events/nobody")[0] == 404


@test
def status_tells_rates_lag_and_the_last_error_and_the_use_of_each_secret():
    until(lambda: get("/api/events?id=msg_key")["events"][0]["destinations"]["siem"]
          == "delivered", "the one before is delivered")
    collector.end()
    send({"id": "k2", "type": "key.disabled", "data": {}}, "msg_waits")
    until(lambda: "refused" in get("/api/status")["destinations"][0].get("last_error", ""),
          "it complains")
    status = get("/api/status")
    siem, file = status["destinations"]
    assert siem["state"] == "failing" and siem["pending"] == 1 and "last_error_at" in siem, siem
    assert "refused" in siem["last_error"] and siem["lag_seconds"] < 60, siem
    assert file["state"] == "well" and file["pending"] == 0 and file["sent"] >= 7, file
    secret = status["sources"][0]["secrets"][0]
    assert secret["used"] >= 7 and "last_used_at" in secret, secret
    assert status["counters"]["accepted_total"] >= 7 and status["spool"]["events"] >= 7
    assert get("/api/events?status=pending")["events"][0]["id"] == "msg_waits"
    collector.start()
    until(lambda: get("/api/status")["destinations"][0]["state"] == "well", "it is well again")


@test
def metrics_are_as_prometheus_wants_them():
    text = ask("/metrics")[2]
    promtool("check", "metrics", text=text)
    for line in ("siembridge_ready 1", "siembridge_accepted_total 7",
                 'siembridge_destination_up{destination="siem"} 1'):
        assert f"{line}\n" in text, (line, text)
    assert 'siembridge_secret_used_total{source="anyint",secret="0:secret"}' in text, text
    examples = ROOT / "bridge/console/examples"
    promtool("check", "rules", str(examples / "alerts.yml"))
    promtool("test", "rules", str(examples / "alerts_test.yml"))
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    for file in ("alerts.yml", "dashboard.json"):
        for name in names_in((examples / file).read_text()):
            assert name in names, f"{file} asks for {name}, which is no metric"


def names_in(text):
    return set(re.findall(r"siembridge_\w+", text))


@test
def a_replay_is_ordered_once_the_console_knows_what():
    before = len(log.read().ids)
    post = Post(1, D, bridge, 50, {"type": "key.disabled"})
    post.start()
    post.wait(20)
    until(lambda: len(log.read().ids) == before + 50, "all are in the file")
    last = get("/api/status")["spool"]["last"]
    for order in ({"destination": "log"}, {"destination": "log", "from": 5, "to": 4},
                  {"destination": "log", "from": "1", "to": 2}, {"from": 1, "to": 2}, {"what": 1}):
        assert ask("/api/replay", "POST", order)[0] == 400, order
    assert ask("/api/replay", "POST", {"destination": "no", "from": 1, "to": 2})[0] == 409
    status, _, text = ask("/api/replay", "POST",
                          {"destination": "log", "from": last - 49, "to": last, "rate": 1000})
    assert status == 202 and json.loads(text)["events"] == 50, text
    until(lambda: len(log.read().ids) == before + 100, "they came again")
    replay = until(lambda: [r for r in get("/api/status")["replays"] if "finished_at" in r],
                   "it is done")[0]
    assert replay["asked_by"] == "console" and replay["destination"] == "log", replay


def status(*arguments, expect=0):
    result = bridge.command("status", "-c", bridge.config, *arguments)
    assert result.returncode == expect, (result.returncode, result.stdout, result.stderr)
    return result.stdout


@test
def status_says_the_same_in_a_terminal():
    text = until(lambda: "ready" in status() and status(), "it is ready")
    for words in ("ready", "siem", "well", "anyint", str(D / "secret"), " ago", "replay 1 to log"):
        assert words in text, (words, text)
    assert "\033" not in text, "colours, and no terminal"
    whole, page = json.loads(status("--json")), get("/api/status")
    assert whole.keys() == page.keys() - {"has_password", "rates"}, (whole.keys(), page.keys())
    until(lambda: [d["sent"] for d in json.loads(status("--json"))["destinations"]]
          == [d["sent"] for d in get("/api/status")["destinations"]], "the file has it too", 5)
    with subprocess.Popen([SIEMBRIDGE, "status", "-c", bridge.config, "--watch", "--json"],
                          stdout=subprocess.PIPE, text=True) as watch:
        try:
            first, second = (json.loads(watch.stdout.readline()) for _ in range(2))
            assert first["now"] < second["now"]
        finally:
            kill_quietly(watch.pid, signal.SIGTERM)


@test
def replay_waits_where_it_is_told_to():
    before = len(log.read().ids)
    result = bridge.command("replay", "-c", bridge.config, "-d", "log", "--from", "1", "--to", "20",
                            "--rate", "40", "--wait")
    assert result.returncode == 0 and "replay: done" in result.stdout, result
    assert len(log.read().ids) >= before + 10 and "\r" not in result.stderr, result


@test
def guesses_are_limited_and_then_even_the_password_waits():
    answers = [ask("/api/login", "POST", {"password": "guess"}, authorization=None)[0]
               for _ in range(12)]
    assert answers[0] == 401 and answers[-1] == 429, answers
    status, headers, _ = ask("/api/login", "POST", {"password": PASSWORD}, authorization=None)
    assert status == 429 and int(headers["retry-after"]) > 0
    assert PASSWORD not in bridge.log_text() and "wrong password" in bridge.log_text()


@test
def rubbish_does_not_end_it():
    pid = bridge.roles()["console"]
    for raw in (b"\0\0\0\0", b"GET\r\n\r\n", b"GET /%zz%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: [\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n",
                b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", PORT), 5) as connection:
            try:
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            except OSError:
                pass
    assert ask("/healthz")[0] == 200 and bridge.roles()["console"] == pid


@test
def it_is_started_anew_when_it_dies_and_nothing_else_is_touched():
    before = bridge.roles()
    bridge.kill("console")
    until(lambda: bridge.roles().get("console") not in (None, before["console"]), "a new one")
    until(lambda: reached() and ask("/healthz")[0] == 200, "it answers")
    after = bridge.roles()
    assert (after["receiver"], after["forwarder"]) == (before["receiver"], before["forwarder"])
    bridge.reload()
    until(lambda: reached() and ask("/api/status")[0] == 200, "it answers after a reload")


def reached():
    try:
        return ask("/healthz")[0] == 200
    except OSError:
        return False


@test
def elsewhere_than_on_loopback_it_wants_a_password_and_tls():
    config = D / "exposed.yaml"
    text = bridge.config.read_text()
    keys = {"password_file": D / "password", "certificate": D / "cert.pem",
            "private_key": D / "key.pem"}
    for missing in (*keys, None):
        lines = "".join(f"  {key}: {value}\n" for key, value in keys.items() if key != missing)
        config.write_text(text[:text.index("console:")]
                          + f"console:\n  address: 0.0.0.0:{free_port()}\n{lines}")
        result = bridge.command("check", "-c", config)
        if missing is None:
            assert result.returncode == 0, result.stderr
        else:
            assert result.returncode == 1 and "console" in result.stderr, (missing, result.stderr)
            assert "exposed.yaml:" in result.stderr, result.stderr


@test
def with_a_certificate_it_speaks_tls_and_status_is_told_without_a_daemon():
    bridge.stop()
    text = status(expect=3)
    assert "not ready: no siembridge runs" in text and "last seen" in text, text
    assert "anyint" in text and " ago" in text, text
    rows = [line.split() for line in text.splitlines() if line.startswith(("siem ", "log "))]
    assert [row[-1] for row in rows] == ["-", "-"], text
    destinations = json.loads(status("--json", expect=3))["destinations"]
    assert all("confirmed" in each and not {"sent", "breaks"} & each.keys()
               for each in destinations), destinations
    bridge.config.write_text(bridge.config.read_text() + f"  certificate: {D}/cert.pem\n"
                             f"  private_key: {D}/key.pem\n")
    bridge.start()
    context = ssl.create_default_context(cafile=D / "cert.pem")

    def answer():
        try:
            connection = http.client.HTTPSConnection("localhost", PORT, context=context, timeout=5)
            connection.request("POST", "/api/login", json.dumps({"password": PASSWORD}),
                               {"content-type": "application/json"})
            return connection.getresponse()
        except OSError:
            return None
    first = until(answer, "it answers over TLS")
    assert first.status == 204 and "; Secure" in first.headers["set-cookie"]


def main():
    write_private(D / "password", PASSWORD + "\n")
    bridge.destinations += [
        f'  - name: siem\n    format: cef\n    events: ["key.*"]\n    heartbeat: off\n'
        f'    syslog: {{address: "{collector.address()}", transport: tcp}}\n',
        f"  - name: log\n    format: rfc5424\n    file: {{path: {D}/events.log}}\n"
        f"console:\n  address: 127.0.0.1:{PORT}\n  hosts: [console.example.com]\n"
        f"  password_file: {D}/password\n"]
    try:
        collector.start()
        bridge.start()
        until(reached, "the console answers")
        return test.run()
    finally:
        bridge.end()
        collector.end()


if __name__ == "__main__":
    sys.exit(main())
