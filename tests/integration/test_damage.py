"""A bad spool keeps no bridge down: each file of it damaged in each way, and a start."""
import json
import os
import re
import shutil
import sqlite3
import sys

from stage import Bridge, Tests, make_directory, until

test = Tests()
D = make_directory("damage")
bridge = Bridge(D)
SPOOL, SAVED = D / "spool", D / "saved"
FILES = ["spool.db", "spool.db-wal", "spool.db-shm", "delivery.db", "head"]
COUNT = 60


def send(number):
    return bridge.post({"id": f"e{number}", "type": "key.disabled", "data": {"note": "x" * 900}},
                       f"msg-{number:08}")


def ids():
    path = D / "out.events"
    return set(re.findall(r"externalId=(\S+)", path.read_text())) if path.exists() else set()


def ask(*arguments, status=0):
    result = bridge.command(*arguments, "-c", bridge.config)
    assert result.returncode == status, (arguments, result.returncode, result.stdout,
                                         result.stderr)
    return result.stdout + result.stderr


def make_zero(path):
    path.write_bytes(b"")


def make_half(path):
    data = path.read_bytes() if path.exists() else b""
    path.write_bytes(data[:len(data) // 2])


def make_garbage(path):
    size = path.stat().st_size if path.exists() else 4096
    path.write_bytes(os.urandom(max(size, 512)))


def make_directory_of_it(path):
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "something").write_text("in it")


def make_unreadable(path):
    path.touch()
    path.chmod(0)


WAYS = {"zero": make_zero, "half": make_half, "garbage": make_garbage,
        "a_directory": make_directory_of_it, "mode_000": make_unreadable}


def save_a_spool():
    """Killed in the middle: a WAL that matters, half of it delivered."""
    bridge.start()
    for number in range(COUNT):
        assert send(number) == 202
    until(lambda: len(ids()) == COUNT, "all are delivered", 20)
    bridge.kill("all")
    shutil.copytree(SPOOL, SAVED)
    assert (SAVED / "spool.db-wal").stat().st_size > 0


def begin_again(name, way):
    bridge.end()
    shutil.rmtree(SPOOL)
    shutil.copytree(SAVED, SPOOL)
    SPOOL.chmod(0o700)
    bridge.log.unlink(missing_ok=True)
    WAYS[way](SPOOL / name)


def a_start_after(name, way, number):
    begin_again(name, way)
    bridge.start()
    until(lambda: send(number) == 202, "a fresh event is taken", 20)
    until(lambda: f"msg-{number:08}" in ids(), "and delivered", 20)
    log = bridge.log_text()
    # a file whose pages the WAL has all of is none the worse
    aside = "put aside as" in log and list(SPOOL.glob(name + ".damaged-*"))
    if way == "a_directory" or (name == "spool.db" and way == "garbage"):
        assert aside, log
    if name == "spool.db" and way == "zero":
        # where the WAL has nothing for it either, there is nothing to be put aside
        assert aside or "it was begun afresh; of the one before it" in log, log
    if way == "mode_000" or name == "head" and way != "a_directory":
        assert not list(SPOOL.glob("*.damaged-*")), log
    bridge.stop()


def whole(number):
    """All that a 2xx was given for is still readable where only another file was damaged."""
    ask("verify")
    with sqlite3.connect(SPOOL / "spool.db") as database:
        count = database.execute("SELECT count(*) FROM events").fetchone()[0]
    database.close()
    assert count == COUNT + 1, (number, count)


def add_case(name, way, number):
    def case():
        a_start_after(name, way, number)
        if name in ("delivery.db", "head", "spool.db-shm"):
            whole(number)
    test.add(f"{name.replace('.', '_').replace('-', '_')}_made_{way}", case)


@test
def damage_in_the_middle_costs_its_rows_alone_and_the_rest_is_delivered():
    begin_again("head", "zero")
    for suffix in ("", "-wal", "-shm"):
        (SPOOL / f"delivery.db{suffix}").unlink(missing_ok=True)
    (D / "out.events").unlink()
    with sqlite3.connect(SPOOL / "spool.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    data = bytearray((SPOOL / "spool.db").read_bytes())
    page = next(p for p in range(len(data) // 4096) if b"msg-00000030" in
                data[p * 4096:p * 4096 + 4096])
    data[page * 4096:page * 4096 + 4096] = bytes(4096)
    (SPOOL / "spool.db").write_bytes(data)
    assert "cannot be read" in ask("spool", "check", status=1)
    text = ask("verify", status=1)
    lost = int(re.search(r"broken     events? (?:\d+ to \d+ \((\d+)\))?.*unreadable",
                         text).group(1) or 1)
    assert 1 <= lost <= 8, text
    bridge.start()
    until(lambda: len(ids()) == COUNT - lost, "the others are delivered", 20)
    letters = ask("dead", "list").splitlines()
    assert len(letters) >= lost and "cannot be read" in letters[0], letters
    assert send(5000) == 202
    bridge.stop()
    lines = bridge.command("spool", "export", "-c", bridge.config).stdout.splitlines()
    assert len(lines) == COUNT - lost + 1, len(lines)
    assert json.loads(lines[0])["intact"] is True and "body" in json.loads(lines[0])
    text = ask("spool", "salvage")
    assert f"events      {COUNT - lost + 1} brought over" in text, text
    text = ask("spool", "check", status=1)  # what is lost stays visible
    assert "were taken out" in text and "spool.db    ok" in text, text
    bridge.start()
    assert send(5001) == 202
    assert send(5000) == 202  # known still
    until(lambda: "msg-00005001" in ids(), "it goes on", 10)
    bridge.stop()
    assert len(json.loads(f"[{','.join(ask('events', '--json').splitlines())}]")) \
        == COUNT - lost + 2


@test
def a_file_put_aside_is_brought_over_later():
    begin_again("spool.db-wal", "zero")
    shutil.copy(SAVED / "spool.db-wal", SPOOL / "spool.db-wal")
    os.rename(SPOOL / "spool.db", D / "old.db")
    os.rename(SPOOL / "spool.db-wal", D / "old.db-wal")
    bridge.start()
    assert send(6000) == 202
    assert "a siembridge runs" in ask("spool", "salvage", D / "old.db", status=1)
    bridge.stop()
    assert f"events      {COUNT} brought over, 1 to {COUNT}" in ask("spool", "salvage",
                                                                     D / "old.db")
    assert len(bridge.command("spool", "export", "-c",
                              bridge.config).stdout.splitlines()) == COUNT + 1
    ask("spool", status=2)
    ask("spool", "check", "x", status=2)


def main():
    bridge.destinations.append(f"  - name: out\n    format: cef\n"
                               f"    file: {{path: {D}/out.events}}\n")
    number = 1000
    for name in FILES:
        for way in WAYS:
            add_case(name, way, number)
            number += 1
    try:
        save_a_spool()
        return test.run(D)
    finally:
        bridge.end()


if __name__ == "__main__":
    sys.exit(main())
