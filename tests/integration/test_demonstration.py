"""`make run`, as far as it goes by itself: rsyslog/try.sh."""
import os
import re
import signal
import subprocess
import sys

from stage import ROOT, Failure, Tests, make_directory, must_be_sane, until

test = Tests()
once = make_directory("try-once")
interrupted = make_directory("try-until-interrupted")


def environment(directory, **more):
    return dict(os.environ, TRY_DIRECTORY=str(directory), **more)


def processes_of(directory):
    """Whoever has the directory in its arguments."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if str(directory).encode() in file.read():
                    found.append(entry)
        except OSError:
            continue
    return found


@test
def once_shows_twelve_events_in_both_formats_and_ends():
    result = subprocess.run(["sh", "rsyslog/try.sh"], cwd=ROOT, capture_output=True, text=True,
                            env=environment(once, ONCE="1"), timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    shown = result.stdout.splitlines()
    assert len([line for line in shown if "CEF:0|" in line]) == 12, result.stdout
    assert len([line for line in shown if "[event@" in line]) == 12, result.stdout
    assert (once / "secret").stat().st_mode & 0o777 == 0o600
    assert not processes_of(once)
    must_be_sane("the bridge", (once / "bridge.log").read_text())


@test
def ctrl_c_ends_it_and_leaves_no_process_behind():
    with open(interrupted / "output", "wb") as output:
        process = subprocess.Popen(["sh", "rsyslog/try.sh"], cwd=ROOT, stdout=output,
                                   stderr=output, env=environment(interrupted),
                                   start_new_session=True)
    try:
        until(lambda: process.poll() is not None
              or b"Ctrl-C stops both." in (interrupted / "output").read_bytes(), "it is up", 45)
        text = (interrupted / "output").read_text()
        if process.poll() is not None:
            raise Failure(f"it ended:\n{text}")
        assert re.search(r"endpoint +https://localhost:\d+/webhooks/anyint", text), text
        pasted = subprocess.run(["sh", interrupted / "curl.sh"], capture_output=True, text=True,
                                timeout=20)
        assert pasted.stdout.strip() == "202", pasted
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does
        assert process.wait(10) == 0
        until(lambda: not processes_of(interrupted), "no process is left", 5)
        must_be_sane("the bridge", (interrupted / "bridge.log").read_text())
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(test.run(once, interrupted))
