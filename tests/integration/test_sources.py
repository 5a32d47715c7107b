"""Sources of other schemes: what is signed by whom, replays, challenges, bad signatures."""
import base64
import hashlib
import hmac
import json
import secrets
import sys
import time

from stage import Bridge, Records, Tests, make_directory, until, write_private

test = Tests()
bridge = Bridge(make_directory("sources"))
ask, stored = bridge.request, bridge.ask_spool
arrived = Records(bridge.directory / "kept.events")

KEYS = {}                                                                   # by source
KEYS_OF_GITHUB = {"old": secrets.token_hex(16), "no-more": secrets.token_hex(16)}  # by file


def source(name, signature, more="", secrets_more=""):
    KEYS[name] = secrets.token_hex(16)
    write_private(bridge.directory / f"{name}.secret", KEYS[name] + "\n")
    bridge.sources.append(f"  - name: {name}\n    path: /{name}\n    signature: {signature}\n"
                          f"    secrets: [{bridge.directory}/{name}.secret{secrets_more}]\n{more}")


def mac(name, message):
    return hmac.new(KEYS[name].encode(), message, hashlib.sha256)


def post(name, body, headers):
    return ask("POST", f"/{name}", {"content-type": "application/json", **headers}, body)


def post_github(body, delivery):
    return post("github", body, {"X-Hub-Signature-256": "sha256=" + mac("github", body).hexdigest(),
                                 "X-GitHub-Delivery": delivery})[0]


def post_slack(content, key=None):
    body = json.dumps(content).encode()
    now = str(int(time.time()))
    digest = mac(key or "slack", b"v0:" + now.encode() + b":" + body).hexdigest()
    return post("slack", body, {"X-Slack-Request-Timestamp": now,
                                "X-Slack-Signature": "v0=" + digest})


def body_of(email):
    return json.dumps({"type": "key.created", "data": {"actor": {"email": email}}}).encode()


@test
def r1_the_same_delivery_once_more_is_stored_once():
    assert [post_github(body_of("r1@x"), "d-1") for _ in range(2)] == [202, 202]
    assert stored("SELECT id, flags FROM events WHERE source='github'") == [("d-1", 0)]


@test
def r2_the_same_body_under_another_id_is_stored_and_marked_as_a_replay():
    assert post_github(body_of("r1@x"), "d-2") == 202
    assert stored("SELECT flags FROM events WHERE id='d-2'") == [(1,)]


@test
def r3_the_same_id_with_another_body_is_stored_and_arrives_under_an_id_of_its_own():
    assert post_github(body_of("r3@x"), "d-1") == 202
    rows = stored("SELECT seq, flags FROM events WHERE id='d-1' ORDER BY seq")
    assert [flags for _, flags in rows] == [0, 2], rows
    until(lambda: arrived.count_lines(f"d-1~{rows[1][0]}") == 1, "the later one in the file")
    assert "two bodies came under one id" in bridge.log_text()


@test
def what_github_signed_for_another_body_is_refused():
    body = body_of("a@x")
    headers = {"X-Hub-Signature-256": "sha256=" + mac("github", body_of("b@x")).hexdigest()}
    assert post("github", body, headers)[0] == 401


@test
def a_token_is_enough_where_the_source_says_so():
    body = body_of("token@x")
    for headers, status in (({"Authorization": f"Bearer {KEYS['bearer']}"}, 202),
                            ({"Authorization": "Bearer " + "0" * 32}, 401), ({}, 401)):
        assert post("bearer", body, headers)[0] == status, headers
    assert stored("SELECT evidence FROM events WHERE source='bearer'") in ([(None,)], [("",)])


@test
def slack_is_answered_its_challenge_behind_its_signature():
    question = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY"}
    status, headers, body = post_slack(question)
    assert (status, json.loads(body)) == (200, {"challenge": question["challenge"]})
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert post_slack(question, key="github")[0] == 401
    assert not stored("SELECT 1 FROM events WHERE source='slack'")


@test
def okta_is_answered_its_get():
    headers = {"x-okta-verification-challenge": "qgg8vlvZRS6UYooatFL8Aw"}
    status, _, body = ask("GET", "/bearer", headers)
    assert (status, json.loads(body)) == (200, {"verification": "qgg8vlvZRS6UYooatFL8Aw"})
    assert ask("GET", "/bearer")[0] == 405
    assert ask("GET", "/github", headers)[0] == 405


@test
def x_is_answered_its_crc_and_signs_no_event_for_anybody():
    status, _, body = ask("GET", "/x?crc_token=abc123")
    expected = "sha256=" + base64.b64encode(mac("x", b"abc123").digest()).decode()
    assert (status, json.loads(body)) == (200, {"response_token": expected})
    assert ask("GET", "/x?crc_token=%7B%22type%22%3A%22a%22%7D")[0] == 405
    event = body_of("x@x")
    headers = {"x-twitter-webhooks-signature":
               "sha256=" + base64.b64encode(mac("x", event).digest()).decode()}
    assert post("x", event, headers)[0] == 202


@test
def zoom_is_answered_its_validation():
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6"}}'
    now = str(int(time.time()))
    digest = mac("zoom", b"v0:" + now.encode() + b":" + body).hexdigest()
    status, _, answer = post("zoom", body, {"x-zm-request-timestamp": now,
                                            "x-zm-signature": "v0=" + digest})
    assert status == 200, status
    assert json.loads(answer) == {"plainToken": "qgg8vlvZRS6",
                                  "encryptedToken": mac("zoom", b"qgg8vlvZRS6").hexdigest()}


@test
def send_signs_for_every_scheme_and_shows_no_token():
    for name in KEYS:
        result = bridge.command("send", "-c", bridge.config, "--source", name, "key.created")
        assert result.returncode == 0, f"{name}: {result.stderr}{result.stdout}"
        result = bridge.command("send", "-c", bridge.config, "--source", name, "--curl",
                                "key.created")
        assert (result.returncode == 0) == (name != "bearer"), f"{name}: {result.stderr}"
        assert KEYS[name] not in result.stdout + result.stderr


@test
def check_says_until_when_a_secret_is_accepted():
    result = bridge.command("check", "-c", bridge.config)
    assert result.returncode == 0, result.stderr
    assert "old.secret is accepted until 2036-01-01T00:00:00Z" in result.stdout, result.stdout
    assert "answers the challenge of slack" in result.stdout, result.stdout
    assert "no-more.secret is not accepted any more since 2026-01-01" in result.stderr


@test
def a_secret_that_is_not_accepted_any_more_is_refused_and_logged():
    body = body_of("old@x")

    def signed(name):
        return {"X-Hub-Signature-256":
                "sha256=" + hmac.new(KEYS_OF_GITHUB[name].encode(), body,
                                     hashlib.sha256).hexdigest()}
    assert post("github", body, signed("no-more"))[0] == 401
    assert "is still used after its not_after" in bridge.log_text()
    assert post("github", body, signed("old"))[0] == 202


@test
def bad_signatures_are_told_once_a_minute_with_their_count():
    def told():
        return [json.loads(body) for (body,) in stored(
            "SELECT body FROM events WHERE source='siembridge' ORDER BY seq")]

    for number in range(20):
        assert post_slack({"type": "message", "text": f"canary-{number}"}, key="github")[0] == 401
    events = until(told, "an event of ours")
    assert len(events) == 1, events
    assert events[0]["source"] == "slack" and events[0]["ip_address"] == "127.0.0.1", events
    assert events[0]["reason"] == "signature_mismatch" and events[0]["count"] == 1, events
    until(lambda: arrived.count_lines("webhook.signature_invalid") == 1, "it in the file")
    bridge.stop()  # what is still to be told is told then
    events = told()
    # One more stands for the challenge that was signed with the wrong key.
    assert sum(event["count"] for event in events) == 21, events
    assert "canary" not in json.dumps(events)


@test
def no_secret_is_in_the_log():
    for key in KEYS.values():
        assert key not in bridge.log_text()


def main():
    for name, key in KEYS_OF_GITHUB.items():
        write_private(bridge.directory / f"{name}.secret", key + "\n")
    source("github", "github",
           secrets_more=", {file: ./old.secret, not_after: 2036-01-01T00:00:00Z}"
                        ", {file: ./no-more.secret, not_after: 2026-01-01T00:00:00Z}")
    source("slack", "slack", "    report_invalid: true\n")
    source("bearer", "bearer", "    challenge: okta\n")
    source("x", "{hmac: {signature_header: x-twitter-webhooks-signature, prefix: sha256=, "
                "encoding: base64}}", "    challenge: crc\n")
    source("zoom", '{hmac: {signature_header: x-zm-signature, prefix: v0=, signed: ["v0:", '
                   'timestamp, ":", body], timestamp_header: x-zm-request-timestamp}}',
           "    challenge: zoom\n")
    bridge.destinations.append(
        f"  - name: kept\n    format: rfc5424\n    file: {{path: {arrived.path}}}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
