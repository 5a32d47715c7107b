"""Proof of completeness: verify, its signatures, reconcile; while the bridge runs and not."""
import gzip
import json
import re
import sqlite3
import subprocess
import sys

from stage import SIEMBRIDGE, WEBHOOK_PATH, Bridge, Tests, make_directory, until

test = Tests()
D = make_directory("proof")
bridge = Bridge(D)


def ask(*arguments, status=0):
    verb, *rest = arguments
    result = bridge.command(verb, *rest, "-c", bridge.config)
    assert result.returncode == status, (arguments, result.returncode, result.stdout,
                                         result.stderr)
    return result.stdout + result.stderr


def send(number, path=WEBHOOK_PATH):
    bridge.must_take({"id": f"e{number}", "type": "key.disabled", "data": {}}, f"msg_{number}",
                     path=path)


def edit(sql):
    with sqlite3.connect(D / "spool/spool.db") as database:
        database.execute(sql)
    database.close()


@test
def a_running_bridge_is_verified_with_its_cursors():
    for number in range(1, 21):
        send(number)
    send(21, "/open")
    until(lambda: "cursor     out: 21 of 21" in ask("verify"), "all is confirmed", 10)
    text = ask("verify")
    assert "events     21 kept, 1 to 21" in text and "head       21" in text, text
    assert re.search(r"^chain end  21:[0-9a-f]{64}$", text, re.M) and "\nwhole" in text, text


@test
def signatures_are_shown_with_the_secrets_configured_now():
    text = ask("verify", "--signatures")
    assert "signatures 20 verified" in text, text
    assert "signatures 0 no secret fits" in text, text
    assert "signatures 1 source without signature" in text, text
    right = bridge.secret.read_text()
    bridge.secret.write_text("whsec_" + "A" * 32 + "\n")
    text = ask("verify", "--signatures", status=1)
    assert "signatures 20 no secret fits" in text and "event 1;" in text, text
    bridge.secret.write_text(right)


@test
def what_was_noted_elsewhere_shows_a_chain_that_was_made_anew():
    end = re.search(r"chain end  (\S+)", ask("verify")).group(1)
    ask("verify", "--expect", end)
    wrong = end[:-1] + ("0" if end[-1] != "0" else "1")
    assert "NOT WHOLE" in ask("verify", "--expect", wrong, status=1)
    assert "--expect is" in ask("verify", "--expect", "12", status=1)


def held():
    return (D / "out.events").read_text().splitlines()


@test
def what_a_collector_lost_is_named_and_sent_again_exactly():
    until(lambda: len(held()) == 21, "all have arrived", 10)
    whole = D / "out.events"
    assert "complete" in ask("reconcile", "-d", "out", whole)
    lines = held()
    part = D / "part.log"
    kept = [line for number, line in enumerate(lines, 1) if number not in (4, 5, 21)]
    part.write_text("\n".join(["garbage", kept[0], *kept]) + "\n")
    text = ask("reconcile", "-d", "out", part, status=1)
    missing = re.findall(r"^missing    (\d+)  (\S+)", text, re.M)
    assert [number for number, _ in missing] == ["4", "5", "21"], text
    assert missing[0][1] == "msg_4" and "\nmissing    3\n" in text, text
    assert "duplicate  1  msg_1" in text and "gap        numbers 4 to 5 (2)" in text, text
    assert "1 lines without an id" in text and "1 of them behind the last" in text, text
    assert "not ordered" in ask("reconcile", "-d", "out", "--replay", "--dry-run", part, status=1)
    ask("reconcile", "-d", "out", "--replay", part, status=1)
    until(lambda: len(held()) == 24, "three came again", 10)
    again = held()[21:]
    assert [re.search(r"externalId=(\S+)", line).group(1) for line in again] \
        == ["msg_4", "msg_5", "msg_21"], again
    assert all("flexNumber1Label=replayed" in line for line in again), again
    assert "complete" in ask("reconcile", "-d", "out", whole)
    with open(part, "a") as file:
        file.write("\n".join(again) + "\n")
    assert "\nmissing    0\n" in ask("reconcile", "-d", "out", part)


@test
def compressed_files_several_files_and_standard_input_are_read():
    lines = held()
    with gzip.open(D / "one.gz", "wt") as file:
        file.write("\n".join(lines[:10]) + "\n")
    with gzip.open(D / "two.gz", "wt") as file:
        file.write("\n".join(json.dumps({"_raw": line}) for line in lines[10:]) + "\n")
    assert "complete" in ask("reconcile", "-d", "out", D / "one.gz", D / "two.gz")
    (D / "cut.gz").write_bytes((D / "one.gz").read_bytes()[:-20])
    assert "gzip is cut" in ask("reconcile", "-d", "out", D / "cut.gz", status=1)
    result = subprocess.run([SIEMBRIDGE, "reconcile", "-c", bridge.config, "-d", "out", "--to",
                             "10", "-"], input="\n".join(lines[:10]), capture_output=True,
                            text=True, timeout=20)
    assert result.returncode == 0 and "expected   10 " in result.stdout, result
    ask("reconcile", "-d", "out", status=2)
    ask("reconcile", "-d", "out", D / "nowhere", status=1)


@test
def a_stopped_spool_that_was_edited_says_where_it_is_broken():
    bridge.stop()
    ask("verify")
    edit("UPDATE events SET body='{}' WHERE seq=7")
    edit("DELETE FROM events WHERE seq IN (12, 13)")
    text = ask("verify", "--signatures", status=1)
    assert "broken     event 7: edited" in text, text
    assert "broken     events 12 to 13 (2): removed" in text, text
    edit("DELETE FROM events WHERE seq > 18")
    text = ask("verify", status=1)
    assert "broken     events 19 to 21 (3): missing at the end" in text, text
    assert "3 that it has confirmed are not in the ledger" in text, text


def main():
    bridge.sources.append("  - {name: open, path: /open, signature: none}\n")
    bridge.destinations.append(f"  - name: out\n    format: cef\n"
                               f"    file: {{path: {D}/out.events}}\n")
    try:
        bridge.start()
        return test.run(D)
    finally:
        bridge.end()


if __name__ == "__main__":
    sys.exit(main())
