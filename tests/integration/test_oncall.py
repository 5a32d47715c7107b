#!/usr/bin/env python3
"""Those on call are told: once, at once, at the rate they allow, and that it is over.

PagerDuty, Opsgenie, Alertmanager's receivers, Slack, ntfy and HTTP by a stand-in that
answers as their documentation says (vendors.py).
"""
import base64
import hashlib
import hmac
import json
import shutil
import sys
import time

import vendors as v
import oncall_case
from mail_servers import Authority
from stage import Tests, make_directory, until, write_private

test = Tests()
D = make_directory("oncall")
good, other = Authority(D, "good"), Authority(D, "other")


def Case(name, *words, **keys):  # noqa: N802: it makes one
    return oncall_case.Case(f"oncall/{name}", *words, **keys)


# ---- what is said ----

@test
def pagerduty_is_told_of_the_default_and_no_more():
    with Case("default") as case:
        case.post("key.created", api_key={"id": "k"})
        case.post("billing.overdue", invoice={"id": "in_1"})
        case.finding("a", severity="low")
        case.finding("b", severity="medium")
        case.key("k1")
        case.finding("c", severity="high", title="Two continents")
        case.finding("d", severity="critical")
        told = case.taken(3)
        assert [event["dedup_key"] for event in told] == [
            "anyint:org_1:key:k1", "anyint:org_1:security:c", "anyint:org_1:security:d"], told
        assert [e["payload"]["severity"] for e in told] == ["info", "error", "critical"]
        assert told[1]["payload"]["summary"].startswith("[high] Security alert"), told[1]
        assert told[0]["payload"]["custom_details"]["key.id"] == "k1"
        assert v.ROUTING_KEY not in case.bridge.log_text()
        case.bridge.stop()


@test
def what_began_is_told_to_be_over():
    around = "events: [billing.overdue, security.*], min_severity: medium, "
    with Case("resolve", around=around) as case:
        case.post("billing.overdue", invoice={"id": "in_1"})
        case.finding("f", severity="high")
        case.post("billing.generated", invoice={"id": "in_1"})
        case.post("billing.paid", invoice={"id": "in_1"})
        case.finding("f", severity="low", status="closed")
        told = case.taken(4)
        assert [(e["event_action"], e["dedup_key"]) for e in told] == [
            ("trigger", "anyint::billing:in_1"), ("trigger", "anyint:org_1:security:f"),
            ("resolve", "anyint::billing:in_1"), ("resolve", "anyint:org_1:security:f")], told
        assert "payload" not in told[2]


@test
def opsgenie_opens_an_alert_and_closes_it():
    with Case("opsgenie", "opsgenie", around='events: ["billing.*"], ') as case:
        case.post("billing.overdue", invoice={"id": "a/b c"})
        case.post("billing.paid", invoice={"id": "a/b c"})
        opened, closed = (case.taken(2), case.vendor.taken)[1]
        assert opened.path == "/v2/alerts" and opened.json["priority"] == "P3", opened.json
        assert opened.json["alias"] == "anyint::billing:a/b c"
        assert closed.path == ("/v2/alerts/anyint%3A%3Abilling%3Aa%2Fb%20c/close"
                               "?identifierType=alias"), closed.path


@test
def alertmanagers_receivers_get_its_version_4():
    with Case("alertmanager", "alertmanager", around='events: ["security.*"], ') as case:
        case.finding("f")
        case.finding("f", status="resolved")
        firing, resolved = case.taken(2)
        assert firing["version"] == "4" and firing["status"] == "firing"
        assert firing["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
        assert resolved["status"] == resolved["alerts"][0]["status"] == "resolved"
        assert firing["groupKey"] == resolved["groupKey"]
        assert firing["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
        assert firing["commonLabels"]["alertname"] == "security.alert"


@test
def a_name_calls_no_channel_in_slack():
    with Case("slack", "slack", around='events: ["*"], ') as case:
        case.post("member.joined", member={"name": "<!channel> & co"})
        told = case.taken(1)[0]["text"]
        assert "Member joined: &lt;!channel&gt; &amp; co" in told, told
        assert "secret-of-the-webhook" not in case.bridge.log_text()


@test
def ntfy_has_umlauts_in_its_title():
    with Case("ntfy", "ntfy", around='events: ["*"], ') as case:
        case.post("member.joined", member={"name": "Schlüssel"})
        told = case.taken(1)[0]
        assert told["title"] == "Member joined: Schlüssel" and told["priority"] == 3, told
        assert case.vendor.taken[0].path == "/"


@test
def http_is_signed_as_a_standard_webhook():
    key = base64.b64encode(b"k" * 32).decode()
    case = Case("http", "http", secret_file="./sign", token_file="./api", method="PUT",
                headers='["X-Environment: production"]')
    write_private(case.directory / "sign", f"whsec_{key}")
    with case:
        case.post("key.created", api_key={"id": "k"})
        told = case.taken(1)[0]
        request = case.vendor.taken[0]
        head = request.headers
        assert told["type"] == "key.created" and request.method == "PUT"
        assert head["x-environment"] == "production"
        assert head["authorization"] == f"Bearer {v.API_KEY}"
        assert head["webhook-id"] == "e-1" and head["content-type"] == "application/json"
        content = f"e-1.{head['webhook-timestamp']}.".encode() + request.body
        mac = hmac.new(b"k" * 32, content, hashlib.sha256).digest()
        assert head["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
        assert abs(int(head["webhook-timestamp"]) - time.time()) < 60


@test
def http_has_a_body_of_ones_own():
    with Case("template", "http", body="'{\"text\": \"{name} {key.name}\", \"n\": {sequence}}'") \
            as case:
        case.post("key.created", api_key={"id": "k", "name": 'a "quoted" \n name'})
        assert case.taken(1)[0] == {"text": 'API key created a "quoted" \n name', "n": 1}


# ---- floods ----

@test
def a_flood_is_one_notification_with_a_count():
    with Case("flood", around='events: ["*"], ', fold="2s") as case:
        for _ in range(20):
            case.key("k1")
        case.key("k2")
        told = case.taken(3, within=15)
        assert [e["dedup_key"][-2:] for e in told] == ["k1", "k2", "k1"], told
        assert told[2]["payload"]["summary"].endswith("(19 events)"), told[2]
        case.delivered(21)


@test
def what_gets_worse_or_ends_is_told_at_once():
    with Case("worse", around='events: ["*"], ', fold="1h") as case:
        case.finding("f", severity="high")
        case.finding("f", severity="high")
        case.finding("f", severity="critical")
        case.finding("f", severity="high")
        case.finding("f", severity="high", status="closed")
        case.finding("f", severity="high")
        told = case.taken(4)
        assert [e["event_action"] for e in told] == ["trigger", "trigger", "resolve", "trigger"]
        assert told[1]["payload"]["summary"].endswith("(2 events)"), told[1]
        case.delivered(6)


@test
def a_flood_outlives_a_kill_and_a_stop():
    with Case("kill", around='events: ["*"], ', fold="1h") as case:
        case.key("k1")
        case.taken(1)
        case.delivered(1)
        for _ in range(5):
            case.key("k1")
        case.bridge.kill("forwarder")
        told = case.taken(2)  # the window is forgotten: the first of the five pages again
        assert told[1]["dedup_key"] == "anyint:org_1:key:k1"
        case.bridge.stop()    # and what is gathered leaves
        assert case.taken(3)[2]["payload"]["summary"].endswith("(4 events)")
        assert case.cursor() == 6, case.cursor()


@test
def a_flood_that_is_refused_is_dead_letters():
    with Case("refused-flood", around='events: ["*"], ', fold="1s") as case:
        case.vendor.script = lambda r: ((400, {}, {"errors": ["'payload.summary' is odd"]})
                                        if "(3 events)" in r.body.decode() else None)
        for _ in range(4):
            case.key("k1")
        case.delivered(4)
        until(lambda: case.dead() == 3, "three dead letters")
        case.log_has("'payload.summary' is odd")


# ---- answers ----

def later(*answers):
    """Those answers to the first requests, each once."""
    left = list(answers)
    return lambda request: left.pop(0) if left else None


@test
def retry_after_is_heeded():
    with Case("retry-after") as case:
        case.vendor.script = later((429, {"Retry-After": "2"}, {"status": "throttle exceeded"}))
        began = time.monotonic()
        case.key("k1")
        case.taken(1)
        assert time.monotonic() - began >= 1.9
        assert len(case.vendor.requests) == 2
        assert case.dead() == 0


@test
def what_is_no_answer_is_tried_again():
    with Case("again", timeout="500ms") as case:
        answers = ((500, {}, "internal"), v.CUT, v.GARBAGE, v.SILENCE, v.HUGE,
                   (200, {}, "<html>portal</html>"))
        case.vendor.script = later(*answers)
        case.key("k1")
        until(lambda: any(r for r in case.vendor.taken
                          if len(case.vendor.requests) == 1 + len(answers)
                          and r is case.vendor.requests[-1]),
              "it was told at last", 20)
        case.delivered(1)
        assert case.dead() == 0
        assert len({r.json["dedup_key"] for r in case.vendor.requests}) == 1


@test
def an_event_that_is_bad_takes_no_other_with_it():
    with Case("bad") as case:
        case.vendor.script = lambda r: ((400, {}, {"errors": ["'payload' is bad"]})
                                        if b"k2" in r.body else None)
        for name in ("k1", "k2", "k3"):
            case.key(name)
        told = case.taken(2)
        assert [e["dedup_key"][-2:] for e in told] == ["k1", "k3"]
        until(lambda: case.dead() == 1, "it is a dead letter")
        case.log_has("answered 400: the event is refused")


@test
def a_wrong_key_holds_all_until_it_is_mended():
    case = Case("key")
    write_private(case.directory / "key", "f" * 32)
    with case:
        case.key("k1")
        case.key("k2")
        case.log_has("held, and nothing is dropped: http://localhost")
        case.log_has("the routing key is refused")
        assert not case.vendor.taken and case.dead() == 0
        assert "f" * 32 not in case.bridge.log_text()
        write_private(case.directory / "key", v.ROUTING_KEY)
        case.taken(2)


def holds(name, answer, says):
    def function():
        with Case(name) as case:
            open_again = []
            case.vendor.script = lambda r: None if open_again else answer
            case.key("k1")
            case.log_has("held, and nothing is dropped")
            case.log_has(says)
            open_again.append(True)
            case.taken(1)
            assert case.dead() == 0
            assert not [r for r in case.vendor.requests if "elsewhere" in r.path]
    test.add(f"{name}_holds", function)


for name, answer, says in (("status_401", (401, {}, ""), "the key is refused"),
                           ("status_403", (403, {}, ""), "access is refused"),
                           ("status_404", (404, {}, ""), "there is nothing at this address"),
                           ("status_410", (410, {}, "gone"), "is gone"),
                           ("redirect", v.REDIRECT, "redirects are not followed")):
    holds(name, answer, says)


@test
def a_certificate_of_a_stranger_holds_until_it_is_mended():
    case = Case("stranger", authority=good)
    shutil.copy(other.certificate, case.directory / "ca.pem")
    with case:
        case.key("k1")
        case.log_has("held, and nothing is dropped")
        assert not case.vendor.requests
        shutil.copy(good.certificate, case.directory / "ca.pem")
        case.taken(1)


@test
def a_vendors_rate_holds_no_other_up():
    case = Case("rate", rate=60, around='events: ["*"], ')
    journal = case.directory / "journal.events"
    case.bridge.destinations.append(
        f"  - {{name: journal, format: json, file: {{path: {journal}}}}}\n")
    with case:
        for number in range(30):
            case.key(f"k{number}")
        until(lambda: journal.exists() and journal.read_text().count("key.disabled") == 30,
              "the other has all")
        until(lambda: len(case.vendor.taken) >= 10, "what may be said at once")
        until(lambda: len(case.vendor.taken) >= 12, "and what may be said then")
        assert len(case.vendor.taken) < 30


# ---- replays ----

@test
def replays_page_nobody():
    with Case("replay") as case:
        case.key("k1")
        case.taken(1)
        case.delivered(1)
        result = case.bridge.command("replay", "-c", case.bridge.config, "-d", "oncall",
                                     "--from", "1")
        assert result.returncode == 1 and "replays: true" in result.stderr, result.stderr
    with Case("replay-asked", replays="true") as case:
        case.key("k1")
        case.taken(1)
        case.delivered(1)
        result = case.bridge.command("replay", "-c", case.bridge.config, "-d", "oncall",
                                     "--from", "1")
        assert result.returncode == 0, result.stderr
        case.taken(2)


@test
def a_body_that_comes_again_under_another_id_pages_nobody():
    """GitHub's signature does not cover the delivery id: anybody could send it again."""
    case = Case("again-id", fold="0s")
    write_private(case.directory / "hub", "s" * 32)
    case.bridge.sources.append("  - {name: hub, path: /hub, signature: github, "
                               f"secrets: [{case.directory}/hub]}}\n")
    body = json.dumps({"type": "key.disabled", "api_key": {"id": "k1"}}).encode()
    mac = hmac.new(b"s" * 32, body, hashlib.sha256).hexdigest()
    with case:
        for delivery in ("d-1", "d-2"):
            status, _, _ = case.bridge.request("POST", "/hub", {
                "content-type": "application/json", "x-hub-signature-256": f"sha256={mac}",
                "x-github-event": "key", "x-github-delivery": delivery}, body)
            assert status == 202, status
        case.delivered(2)
        case.taken(1)


# ---- configuration ----

MISTAKES = [  # what is written, what the error says
    ("pagerduty: {url: 'https://x'}", "needs the key 'routing_key_file'"),
    ("pagerduty: {routing_key_file: ./key, url: 'ftp://x'}", "'ftp://x' is no address"),
    ("pagerduty: {routing_key_file: ./key, url: 'https://a:b@x'}", "a password has no place"),
    ("pagerduty: {routing_key_file: ./key, rate: 70000}", "pagerduty.rate"),
    ("pagerduty: {routing_key_file: ./key, fold: 2d}", "allowed: 0s to 1d"),
    ("pagerduty: {routing_key_file: ./key}, format: cef", "written for people"),
    ("pagerduty: {routing_key_file: ./key}, heartbeat: 5m", "people need none"),
    ("pagerduty: {routing_key_file: ./key}, events: ['a >= loud']", "events[0]: 'loud' is unknown"),
    ("pagerduty: {routing_key_file: ./key}, slack: {url_file: ./address}", "goes to two places"),
    ("alertmanager: {timeout: 5s}", "give url or url_file"),
    ("ntfy: {url: 'https://x'}", "give topic or topic_file"),
    ("http: {url: 'https://x', method: GET}", "'GET' is unknown; known: POST, PUT, PATCH"),
    ("http: {url: 'https://x', headers: ['no header']}", "headers[0]: 'no header' is no header"),
    ("http: {url: 'https://x', headers: ['Host: y']}", "Host is written by the bridge"),
    ("http: {url: 'https://x', body: '{actor.nmae}'}", "{actor.nmae} is no field"),
    ("slack: {url_file: ./none}", "slack.url_file"),
]


@test
def mistakes_are_refused_with_their_place():
    case = Case("mistakes")
    case.vendor.close()
    for text, says in MISTAKES:
        case.bridge.destinations = [f"  - {{name: oncall, {text}}}\n"]
        case.bridge.write_config()
        result = case.bridge.command("check", "-c", case.bridge.config)
        assert result.returncode == 1 and says in result.stderr, (text, result.stderr)


@test
def check_says_who_is_told_of_what():
    case = Case("check")
    case.vendor.close()
    case.bridge.write_config()
    result = case.bridge.command("check", "-c", case.bridge.config)
    assert result.returncode == 0, result.stderr
    assert "events key.disabled security.* (high and above) source.silent" in result.stdout, \
        result.stdout
    assert "floods folded for 5m" in result.stdout
    assert "write https://" in result.stderr


if __name__ == "__main__":
    sys.exit(test.run(D))
