"""CloudEvents in all modes, the OPTIONS handshake, batches, gzip: standards.md 13."""
import gzip
import http.client
import json
import sys
import threading

from stage import WEBHOOK_PATH, Bridge, Records, Tests, make_directory, until

test = Tests()
bridge = Bridge(make_directory("batches"))
ask, query = bridge.request, bridge.ask_spool
arrived = Records(bridge.directory / "kept.events")

CLOUD = "application/cloudevents+json"
CLOUD_BATCH = "Application/CloudEvents-Batch+JSON"


def post(path, body, delivery_id, media_type="application/json", **headers):
    """Signs the bytes that go over the wire."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if media_type:
        named["content-type"] = media_type
    return ask("POST", path, {**dict(bridge.signed_headers(body, delivery_id)), **named}, body)


def cloud_event(number, **members):
    return {"specversion": "1.0", "id": number, "source": "/gateways/1", "type": "key.disabled",
            "subject": "key_1", "data": {"actor": {"email": f"{number}@example.com"}}, **members}


def packed(content):
    return json.dumps(content).encode()


def ids(pattern):
    return [name for (name,) in query("SELECT id FROM events WHERE id LIKE ? ORDER BY seq", pattern)]


@test
def x1_consent_is_given_to_an_origin_on_the_list():
    status, headers, _ = ask("OPTIONS", "/cloud", {"WebHook-Request-Origin": "a.example.com",
                                                   "WebHook-Request-Rate": "120"})
    assert status == 200 and headers["Allow"] == "POST", (status, headers)
    assert headers["WebHook-Allowed-Origin"] == "a.example.com", headers
    assert headers["WebHook-Allowed-Rate"] == "100", headers


@test
def x2_consent_is_given_to_nobody_else():
    for path, origin in (("/cloud", "b.example.com"), (WEBHOOK_PATH, "a.example.com")):
        status, headers, _ = ask("OPTIONS", path, {"WebHook-Request-Origin": origin,
                                                   "WebHook-Request-Rate": "120"})
        assert status == 200 and not any("webhook" in name.lower() for name in headers), headers
    assert ask("OPTIONS", "/cloud")[0] == 204


@test
def x3_binary_mode_brings_its_attributes_to_the_collector():
    event = {"ce_id": "bin-00000001", "ce_source": "/gateways/1", "ce_specversion": "1.0",
             "ce_type": "key.disabled", "ce_time": "2026-10-01T12:00:00Z",
             "ce_subject": "Euro%20%E2%82%AC%20%F0%9F%98%80"}
    body = packed({"actor": {"email": "bin-00000001@example.com"}})
    assert post("/cloud", body, "bin-00000001", **event)[0] == 202
    until(lambda: arrived.count_lines("Euro € 😀") == 1, "the subject in the file")
    assert arrived.count_lines("bin-00000001@example.com") == 1
    assert query("SELECT body FROM events WHERE id='bin-00000001'") == [(body,)]
    assert post("/cloud", body, "bin-00000002", **dict(event, ce_subject="%C0%A0"))[0] == 400  # X4
    assert post("/cloud", body, "bin-00000003", media_type="text/xml", **event)[0] == 415


@test
def x5_a_batch_of_none_is_accepted():
    assert post("/cloud", b"[]", "none-00000001", CLOUD_BATCH)[0] == 202


@test
def x7_data_in_two_forms_is_refused():
    both = packed(cloud_event("both-00000001", data_base64="YQ=="))
    assert post("/cloud", both, "x7-1", CLOUD)[0] == 400
    assert post(WEBHOOK_PATH, both, "x7-2", CLOUD)[0] == 400


@test
def a_structured_event_is_known_by_its_id_and_source():
    event = cloud_event("str-00000001")
    assert post("/cloud", packed(event), "str-a", CLOUD)[0] == 202
    assert post("/cloud", packed(event), "str-b", CLOUD)[0] == 202
    assert post("/cloud", packed(dict(event, source="/other")), "str-c", CLOUD)[0] == 202
    assert ids("str-%") == ["str-00000001 /gateways/1", "str-00000001 /other"]


@test
def a_batch_is_stored_event_by_event_without_those_that_are_known():
    first = [cloud_event(f"bat-0000000{i}") for i in (1, 2, 2)]
    again = [cloud_event(f"bat-0000000{i}") for i in (2, 3)]
    assert post("/cloud", packed(first), "bat-a", CLOUD_BATCH)[0] == 202
    assert post("/cloud", packed(again), "bat-b", CLOUD_BATCH)[0] == 202
    assert ids("bat-%") == [f"bat-0000000{i} /gateways/1" for i in (1, 2, 3)]
    for i in (1, 2, 3):
        until(lambda: arrived.count_lines(f"bat-0000000{i}@example.com") == 1, "each in the file")


@test
def w11_a_batch_with_one_bad_event_is_refused_whole():
    batch = [cloud_event("bad-00000001"), cloud_event("bad-00000002"), {"id": "bad-00000003"}]
    status, _, body = post("/cloud", packed(batch), "bad-a", CLOUD_BATCH)
    assert status == 400 and b"event 2 of the batch" in body, (status, body)
    assert ids("bad-%") == []
    assert query("SELECT count(*) FROM rejected WHERE CAST(body AS TEXT) LIKE '%bad-00000001%'") == [(1,)]
    assert post("/cloud", packed(batch[:2]), "bad-b", CLOUD_BATCH)[0] == 202
    assert len(ids("bad-%")) == 2


@test
def an_array_and_an_object_around_one_are_batches():
    events = [{"type": "key.created", "data": {"n": 1}}, {"type": "key.created", "data": {"n": 1}}]
    for delivery in ("arr-00000001", "arr-00000001"):
        assert post(WEBHOOK_PATH, packed(events), delivery)[0] == 202
    assert ids("arr-%") == ["arr-00000001/0", "arr-00000001/1"]
    assert post(WEBHOOK_PATH, packed({"stream": "audit", "source": "gw-1", "events": [
        {"type": "api_key.revoked", "api_key": {"id": "key_77"}}]}), "env-00000001")[0] == 202
    until(lambda: arrived.count_lines("key.deleted") == 1, "the alias in the file")
    (evidence,), = query("SELECT evidence FROM events WHERE id='env-00000001/0'")
    assert 'siembridge-envelope: {"stream": "audit", "source": "gw-1", "events": []}' in evidence


@test
def a_batch_of_a_thousand_is_one_transaction():
    events = [{"type": "key.created", "data": {"n": n}} for n in range(1000)]
    assert post(WEBHOOK_PATH, packed(events), "big-00000001")[0] == 202
    assert len(ids("big-00000001/%")) == 1000


@test
def gzip_is_taken_where_the_source_says_so():
    event = packed({"type": "key.created", "actor": {"email": "zip-00000001@example.com"}})
    small = gzip.compress(event)
    assert post("/zip", small, "zip-00000001", content_encoding="gzip")[0] == 202
    assert query("SELECT body FROM events WHERE id='zip-00000001'") == [(event,)]
    until(lambda: arrived.count_lines("zip-00000001@example.com") == 1, "it in the file")
    assert post(WEBHOOK_PATH, small, "zip-00000002", content_encoding="gzip")[0] == 415
    assert post("/zip", small, "zip-00000003", content_encoding="br")[0] == 415
    # the signature is over the bytes as they came
    wrong = dict(bridge.signed_headers(event, "zip-00000004"))
    assert ask("POST", "/zip", {**wrong, "content-type": "application/json",
                                "content-encoding": "gzip"}, small)[0] == 401


@test
def a_bomb_is_refused_and_so_is_what_is_no_gzip():
    bomb = gzip.compress(b'{"type":"key.created","x":"' + b"a" * 50_000_000 + b'"}')
    assert len(bomb) < 100_000
    assert post("/zip", bomb, "bomb-00000001", content_encoding="gzip")[0] == 413
    assert post("/zip", b"{}", "bomb-00000002", content_encoding="gzip")[0] == 400
    assert post("/zip", gzip.compress(b"{}")[:-1], "bomb-3", content_encoding="gzip")[0] == 400
    assert ids("bomb-%") == []


@test
def a_kill_leaves_every_batch_whole_or_not_at_all():
    acknowledged, stop = set(), threading.Event()

    def send(sender):
        for number in range(10000):
            name = f"kill-{sender}-{number:05}"
            events = [{"type": "key.created", "data": {"n": n}} for n in range(200)]
            if stop.is_set():
                return
            try:
                if post(WEBHOOK_PATH, packed(events), name)[0] == 202:
                    acknowledged.add(name)
            except (OSError, http.client.HTTPException):
                pass

    senders = [threading.Thread(target=send, args=(number,)) for number in range(2)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(3):
            before = len(acknowledged)
            until(lambda: len(acknowledged) > before + 3, "batches are accepted")
            bridge.kill("receiver")
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    until(bridge.answers, "it is back")
    kept = dict(query("SELECT substr(id, 1, 12), count(*) FROM events WHERE id LIKE 'kill-%'"
                      " GROUP BY 1"))
    assert set(kept.values()) == {200}, kept
    assert acknowledged <= kept.keys(), acknowledged - kept.keys()


@test
def the_signature_of_a_part_is_not_called_broken():
    bridge.stop()
    result = bridge.command("verify", "-c", bridge.config, "--signatures")
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 no secret fits" in result.stdout, result.stdout
    assert "of a batch or a packed body" in result.stdout, result.stdout


def main():
    secret = f"    signature: standard-webhooks\n    secrets: [{bridge.secret}]\n"
    bridge.sources.append("  - name: cloud\n    path: /cloud\n    profile: cloudevents\n"
                          "    allowed_origins: [a.example.com]\n    allowed_rate: 100\n" + secret)
    bridge.sources.append("  - name: zip\n    path: /zip\n    encodings: [gzip]\n" + secret)
    bridge.destinations.append(
        f"  - name: kept\n    format: rfc5424\n    file: {{path: {arrived.path}}}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
