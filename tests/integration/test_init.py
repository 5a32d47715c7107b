"""`siembridge init`: what it writes runs, what is there stays, and no secret is shown unasked."""
import re
import stat
import subprocess
import sys

from stage import SIEMBRIDGE, Program, Tests, free_port, make_directory, must_be_sane, until
from stage import write_private

test = Tests()
D = make_directory("init")
SENDERS = ("anyint", "github", "stripe", "slack", "shopify", "svix", "generic", "token")


def siembridge(*arguments, text=""):
    result = subprocess.run([SIEMBRIDGE, *arguments], input=text, capture_output=True, text=True,
                            timeout=20, cwd=D)
    must_be_sane(f"siembridge {arguments[0]}", result.stderr)
    return result


def init(name, *options, text=""):
    return siembridge("init", "-d", D / name, "--port", str(free_port()), *options, text=text)


def files(name):
    return {str(path.relative_to(D / name)): path.read_bytes()
            for path in sorted((D / name).rglob("*")) if path.is_file()}


@test
def what_it_writes_passes_check_for_each_sender():
    for sender in SENDERS:
        result = init(sender, "--yes", "--sender", sender, "--host", "hooks.example.com")
        assert result.returncode == 0, result.stderr
        checked = siembridge("check", "-c", D / sender / "siembridge.yaml")
        assert checked.returncode == 0 and f"source       {sender}" in checked.stdout, checked


@test
def secrets_are_for_the_owner_alone_and_fresh():
    for name in ("key.pem", "secrets/anyint", "secrets/console", "spool", "secrets"):
        mode = stat.S_IMODE((D / "anyint" / name).stat().st_mode)
        assert mode & 0o077 == 0, (name, oct(mode))
    assert len({(D / sender / "secrets" / sender).read_text() for sender in SENDERS}) == len(SENDERS)


@test
def it_says_what_to_enter_at_the_sender():
    result = init("told", "--yes", "--host", "hooks.example.com")
    assert re.search(r"URL +https://hooks\.example\.com:\d+/webhooks/anyint\n", result.stdout), result.stdout
    assert "key.*" in result.stdout and str(D / "told/secrets/anyint") in result.stdout
    assert f"siembridge test -c {D}/told/siembridge.yaml" in result.stdout


@test
def the_secret_is_shown_only_to_who_asks():
    secret = (D / "told/secrets/anyint").read_text().strip()
    assert secret not in init("quiet", "--yes").stdout
    result = init("shown", "--yes", "--show-secret")
    assert (D / "shown/secrets/anyint").read_text().strip() in result.stdout, result.stdout


@test
def nothing_that_is_there_is_overwritten():
    for name in ("siembridge.yaml", "key.pem", "cert.pem", "secrets/anyint"):
        target = D / "kept" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("mine")
        before = files("kept")
        result = init("kept", "--yes")
        assert result.returncode == 1 and f"{target} is there already" in result.stderr, result
        assert files("kept") == before, files("kept")
        target.unlink()


@test
def where_it_makes_no_sense_nothing_is_left():
    for options, said in ((["--syslog", "nowhere"], "has no port"),
                          (["--splunk", "https://127.0.0.1:8088"], "needs a token"),
                          (["--syslog", "a:1", "--file", "b"], "give one"),
                          (["--sender", "nobody"], "it is one of anyint"),
                          (["--host", "a b"], "is no host name"),
                          (["--certificate", "x"], "go together"),
                          (["--secret-from", "nowhere"], "cannot read nowhere")):
        result = init("senseless", "--yes", *options)
        assert result.returncode == 1 and said in result.stderr, (options, result)
        assert not (D / "senseless").exists(), options


@test
def questions_can_be_answered():
    write_private(D / "hec", "11111111-2222-3333-4444-555555555555\n")
    write_private(D / "given", "0123456789abcdef0123\n")
    answers = "hooks.example.com\ngithub\ngiven\nsplunk\nhttps://127.0.0.1:8088\nhec\n"
    result = init("asked", text=answers)
    assert result.returncode == 0, result
    assert (D / "asked/secrets/github").read_text().strip() == "0123456789abcdef0123"
    config = (D / "asked/siembridge.yaml").read_text()
    assert 'url: "https://127.0.0.1:8088"' in config and "profile: github" in config, config
    result = init("unanswered", text="hooks.example.com\n")
    assert result.returncode == 1 and "the answers ended" in result.stderr, result
    assert not (D / "unanswered").exists()


@test
def a_request_is_for_the_same_name():
    result = init("request", "--yes", "--csr", "--host", "hooks.example.com")
    assert result.returncode == 0, result.stderr
    shown = subprocess.run(["openssl", "req", "-in", D / "request/request.pem", "-verify", "-noout",
                            "-text"], capture_output=True, text=True, check=True).stdout
    assert "DNS:hooks.example.com" in shown, shown


@test
def what_it_wrote_runs_and_takes_an_event():
    result = init("runs", "--yes", "--console", f"127.0.0.1:{free_port()}")
    assert result.returncode == 0, result.stderr
    config = D / "runs/siembridge.yaml"
    daemon = Program("runs-daemon", D)
    daemon.launch([SIEMBRIDGE, "run", "-c", config])
    try:
        until(lambda: daemon.must_run()
              and siembridge("send", "-c", config, "key.disabled").returncode == 0, "it takes one")
        log = D / "runs/events.log"
        until(lambda: log.exists() and "key.disabled" in log.read_text(), "it is in the file")
        daemon.signal(15)
        daemon.must_be_sane()
    finally:
        daemon.end()


if __name__ == "__main__":
    sys.exit(test.run(D))
