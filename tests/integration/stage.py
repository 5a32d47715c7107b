"""What every test from outside needs: a directory, a bridge, collectors, senders.

All on loopback, on free ports, in one directory that stays when a test fails.
Nothing here sleeps for a time: it waits until something is so, with a deadline.
"""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIEMBRIDGE = Path(os.environ.get("SIEMBRIDGE", ROOT / "build/plain/siembridge"))
POST = ROOT / "build/plain/tools/post"
WEBHOOK_PATH = "/webhooks/anyint"

IS_SANITIZED = SIEMBRIDGE.parent.name.endswith(("asan", "tsan", "sanitize"))
SANITIZER = re.compile(r"(?:ERROR|WARNING): \w+Sanitizer|Sanitizer has encountered|runtime error:|"
                       r"^==\d+== (?:Invalid|Conditional|Use of|Syscall param|.* lost in loss )",
                       re.MULTILINE)
STOP_SECONDS = 5  # what the bridge promises for SIGTERM
START_SECONDS = 15


class Failure(Exception):
    """What was expected and is not so."""


def until(condition, what, within=START_SECONDS):
    """Waits until condition() is true and returns what it gave."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {within} s")
        time.sleep(0.02)


given_ports = set()


def free_port(kind=socket.SOCK_STREAM):
    """Never the same twice: what nobody listens on yet is still free for the kernel."""
    while True:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in given_ports:
            given_ports.add(port)
            return port


def must_be_sane(name, output):
    """Nothing of a sanitizer in it: with SIEMBRIDGE=build/asan/siembridge there may be."""
    found = SANITIZER.search(output)
    if found:
        raise Failure(f"{name}: {output[found.start():][:4000]}")


# ---- processes ----

def process_stat(pid):
    """The fields of /proc/PID/stat behind the command's name, or None."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid):
    stat = process_stat(pid)
    return stat is not None and stat[0] not in "ZX"


def children(parent):
    """{role: pid} of a bridge's children that live."""
    found = {}
    for entry in os.listdir("/proc"):
        stat = process_stat(entry) if entry.isdigit() else None
        if stat is None or stat[0] in "ZX" or int(stat[1]) != parent:
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"--role" in words:
            found[words[words.index(b"--role") + 1].decode()] = int(entry)
    return found


def kill_quietly(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Program:
    """A program that runs until it is told to stop; its output goes to a file."""

    def __init__(self, name, directory):
        self.name = name
        self.log = directory / f"{name}.log"
        self.read = None  # the log, open
        self.process = None

    def launch(self, command, environment=None):
        try:
            with open(self.log, "ab") as log:
                self.read = open(self.log, "rb")  # noqa: SIM115, the file may go before us
                self.process = subprocess.Popen([str(word) for word in command], stdout=log,
                                                stderr=subprocess.STDOUT,
                                                stdin=subprocess.DEVNULL,
                                                env=dict(os.environ, **(environment or {})))
        except OSError as error:
            raise Failure(f"{self.name}: {error}") from None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def must_run(self):
        if not self.is_running():
            raise Failure(f"{self.name} has ended:\n{self.log_tail()}")
        return True

    def signal(self, number, within=STOP_SECONDS):
        """Sends it and waits for the end; returns how long that took."""
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs {within} s after "
                          f"{signal.Signals(number).name}") from None
        return time.monotonic() - began

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=15):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def end(self):
        """Whatever happened: it is gone afterwards."""
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def must_be_sane(self):
        if self.read is not None:
            self.read.seek(0)
            must_be_sane(self.name, self.read.read().decode(errors="replace"))


# ---- what arrived ----

class Records:
    """The lines of a file that grows, and the ids in them in the order of arrival."""

    ID = re.compile(rb'(?:externalId=|\[event@32473 id="|"event_id":")([A-Za-z0-9_]+-\d{8})(?!\d)')

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.ids = []       # every delivery
        self.first = {}     # id -> position of its first delivery
        self.malformed = 0  # lines that carry an id and not what belongs to it

    def read(self):
        """Takes in what was added, whole lines only."""
        if not self.path.exists():
            return self
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            added = file.read()
        added = added[:added.rfind(b"\n") + 1]
        self.offset += len(added)
        for line in added.splitlines():
            self.take(line)
        return self

    def take(self, line):
        # A collector killed in the middle of a write leaves half a line, and the
        # next one behind it: both count, so all ids of a line are looked at.
        found = self.ID.findall(line)
        for name in found:
            self.first.setdefault(name.decode(), len(self.ids))
            self.ids.append(name.decode())
        if len(found) == 1 and found[0] + b"@example.com" not in line:
            self.malformed += 1

    def duplicates(self):
        return len(self.ids) - len(self.first)

    def count_lines(self, text):
        if not self.path.exists():
            return 0
        with open(self.path, "rb") as file:
            return sum(1 for line in file if text.encode() in line)


class Collector(Program):
    """A real rsyslogd with one of the configurations of rsyslog/."""

    CONFIGURATIONS = {"tcp": "collector.conf", "udp": "collector-udp.conf",
                      "tls": "collector-tls.conf", "relp": "collector-relp.conf",
                      "relp-tls": "collector-relp-tls.conf", "unix": "collector-unix.conf",
                      "unix-stream": "collector-unix-stream.conf"}

    def __init__(self, name, directory, transport="tcp"):
        super().__init__(name, directory)
        if transport not in self.CONFIGURATIONS:
            raise Failure(f"no collector for {transport}")
        self.transport = transport
        self.work = directory / f"{name}.work"
        self.work.mkdir()
        self.port = free_port(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        # Outside of the directory: a socket's path holds 107 bytes.
        self.socket_directory = Path(tempfile.mkdtemp(prefix="collector-"))
        self.socket = self.socket_directory / "log"
        self.records = Records(directory / f"{name}.events")
        self.certificate, self.key = self.work / "cert.pem", self.work / "key.pem"
        self.client, self.client_key = self.work / "bridge.pem", self.work / "bridge.key"
        if self.has_tls():
            make_certificate(self.certificate, self.key)
            make_certificate(self.client, self.client_key, "bridge")

    def has_tls(self):
        return self.transport in ("tls", "relp-tls")

    def is_local(self):
        return self.transport in ("unix", "unix-stream")

    def address(self):
        return str(self.socket) if self.is_local() else f"127.0.0.1:{self.port}"

    def destination_keys(self):
        """What `syslog:` of a destination has to say to reach it."""
        keys = {"address": f'"{self.address()}"', "transport": self.transport}
        if self.has_tls():
            keys.update(ca_file=self.certificate, certificate=self.client,
                        private_key=self.client_key)
        return keys

    def start(self):
        pid_file = self.work / "rsyslogd.pid"
        pid_file.unlink(missing_ok=True)  # left by a kill
        self.launch(["rsyslogd", "-n", "-f",
                     ROOT / "rsyslog" / self.CONFIGURATIONS[self.transport], "-i", pid_file],
                    {"COLLECTOR_PORT": str(self.port), "COLLECTOR_DIRECTORY": str(self.work),
                     "COLLECTOR_FILE": str(self.records.path),
                     "COLLECTOR_SOCKET": str(self.socket),
                     "COLLECTOR_CERTIFICATE": str(self.certificate),
                     "COLLECTOR_KEY": str(self.key),
                     "COLLECTOR_CLIENT": "bridge", "COLLECTOR_CLIENT_CA": str(self.client),
                     "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        until(lambda: self.must_run() and self.listens(), f"{self.name} listens")

    def listens(self):
        if self.is_local():
            return self.socket.exists()
        table = "udp" if self.transport == "udp" else "tcp"
        state = "07" if self.transport == "udp" else "0A"
        wanted = re.compile(rf": 0100007F:{self.port:04X} [0-9A-F:]+ {state} ")
        return wanted.search(Path(f"/proc/net/{table}").read_text()) is not None

    def stop(self):
        self.signal(signal.SIGTERM)

    def end(self):
        super().end()
        shutil.rmtree(self.socket_directory, ignore_errors=True)


# ---- the bridge ----

class Bridge(Program):
    """`siembridge run`, its configuration, certificate and secret."""

    def __init__(self, directory):
        super().__init__("bridge", directory)
        self.directory = directory
        self.port = free_port()
        self.config = directory / "siembridge.yaml"
        self.secret = directory / "secret"
        self.sections = {"listen": {}, "spool": {}}  # additional keys
        self.sources = []                            # YAML, one each, beside anyint
        self.destinations = []                       # YAML, one each
        self.family = {}                             # children last seen: role -> pid
        (directory / "spool").mkdir(mode=0o700)
        self.key = secrets.token_bytes(24)
        write_private(self.secret, "whsec_" + base64.b64encode(self.key).decode() + "\n")
        make_certificate(directory / "cert.pem", directory / "key.pem")

    def write_config(self):
        extra = {name: "".join(f"  {key}: {value}\n" for key, value in keys.items())
                 for name, keys in self.sections.items()}
        self.config.write_text(
            f"listen:\n  address: 127.0.0.1:{self.port}\n"
            f"  certificate: {self.directory}/cert.pem\n"
            f"  private_key: {self.directory}/key.pem\n{extra['listen']}"
            f"spool:\n  directory: {self.directory}/spool\n{extra['spool']}"
            "sources:\n"
            f"  - name: anyint\n    path: {WEBHOOK_PATH}\n"
            f"    signature: standard-webhooks\n    secrets: [{self.secret}]\n"
            + "".join(self.sources) + "destinations:\n" + "".join(self.destinations))

    def start(self):
        """Up to the first TLS handshake and both children."""
        if not self.config.exists():
            self.write_config()
        self.launch([SIEMBRIDGE, "run", "-c", self.config])
        until(lambda: self.must_run() and self.answers(), "the bridge answers")
        until(lambda: {"receiver", "forwarder"} <= self.roles().keys(), "both children run")

    def answers(self):
        try:
            self.connect(timeout=2).close()
            return True
        except OSError:
            return False

    def roles(self):
        """{role: pid} of the children; remembered for gone()."""
        found = children(self.process.pid)
        self.family.update(found)
        return found

    def stop(self):
        """SIGTERM; returns the seconds it took until no process was left."""
        self.roles()
        seconds = self.signal(signal.SIGTERM)
        if self.process.returncode != 0:
            raise Failure(f"the bridge ended with status {self.process.returncode}"
                          f" after SIGTERM:\n{self.log_tail()}")
        if not self.gone():
            raise Failure(f"the supervisor ended before its children: {self.survivors()}")
        return seconds

    def reload(self):
        """SIGHUP; up to the moment when the old children are gone and new ones are there."""
        old = self.roles()
        self.process.send_signal(signal.SIGHUP)
        until(lambda: not any(map(is_alive, old.values())) and self.roles().keys() == old.keys(),
              "a new generation of children")

    def kill(self, role):
        """SIGKILL to "bridge" (the supervisor), one role, or "all"."""
        roles = self.roles()
        if role == "bridge":
            self.signal(signal.SIGKILL)
        elif role == "all":
            self.process.send_signal(signal.SIGSTOP)  # restarts nobody meanwhile
            for pid in roles.values():
                kill_quietly(pid, signal.SIGKILL)
            self.signal(signal.SIGKILL)
        else:
            pid = until(lambda: self.roles().get(role), f"there is a {role} to kill")
            kill_quietly(pid, signal.SIGKILL)
            until(lambda: not is_alive(pid), f"the {role} is dead")

    def survivors(self):
        return {role: pid for role, pid in self.family.items() if is_alive(pid)}

    def gone(self):
        return not self.is_running() and not self.survivors()

    def end(self):
        if self.is_running():
            self.roles()
            if IS_SANITIZED:  # leaks are looked for at an end of their own
                self.process.terminate()
                until(self.gone, "the bridge ends", START_SECONDS)
        super().end()
        for pid in self.survivors().values():
            kill_quietly(pid, signal.SIGKILL)
        self.must_be_sane()

    def ask_delivery(self, sql):
        """Rows of delivery.db; none before the forwarder has made its tables."""
        try:
            database = sqlite3.connect(f"file:{self.directory}/spool/delivery.db?mode=ro",
                                       uri=True)
        except sqlite3.OperationalError:
            return []
        try:
            return database.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error) or "unable to open" in str(error):
                return []
            raise
        finally:
            database.close()

    def ask_spool(self, sql, *values):
        """Rows of spool.db."""
        database = sqlite3.connect(f"file:{self.directory}/spool/spool.db?mode=ro", uri=True)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    # -- as a sender sees it --

    def trust(self):
        return ssl.create_default_context(cafile=self.directory / "cert.pem")

    def connect(self, timeout=10, context=None):
        """A TLS connection to it, certificate checked."""
        if context is None:
            context = self.trust()
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        try:
            return context.wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise

    def signed_headers(self, body, delivery_id, now=None, key=None):
        """Standard Webhooks v1: [(name, value)]."""
        stamp = str(int(time.time()) if now is None else now)
        content = f"{delivery_id}.{stamp}.".encode() + body
        mac = hmac.new(self.key if key is None else key, content, hashlib.sha256).digest()
        return [("webhook-id", delivery_id), ("webhook-timestamp", stamp),
                ("webhook-signature", "v1," + base64.b64encode(mac).decode())]

    def sender(self):
        """An HTTP client's connection, which is made when it is first used."""
        return http.client.HTTPSConnection("localhost", self.port, timeout=10,
                                           context=self.trust())

    def request(self, method, path, headers=(), body=None, connection=None):
        """(status, headers, body) of the answer; without a sender() on one for this alone."""
        used = connection or self.sender()
        try:
            used.request(method, path, body, dict(headers))
            answer = used.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            if connection is None:
                used.close()

    def post(self, event, delivery_id, path=WEBHOOK_PATH, connection=None):
        """The status for a signed event: a body's bytes, or what becomes its JSON."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = [("content-type", "application/json"), *self.signed_headers(body, delivery_id)]
        return self.request("POST", path, headers, body, connection)[0]

    def must_take(self, event, delivery_id, **where):
        status = self.post(event, delivery_id, **where)
        if status != 202:
            raise Failure(f"{delivery_id} was answered {status}")

    def command(self, *arguments, **options):
        """Runs another verb of the binary to its end."""
        result = subprocess.run([SIEMBRIDGE, *arguments], capture_output=True, text=True,
                                timeout=20, stdin=subprocess.DEVNULL, **options)
        must_be_sane(f"siembridge {arguments[0]}", result.stderr)
        return result


def write_private(path, text):
    path.touch(mode=0o600)
    path.write_text(text)


def make_certificate(certificate, key, name="localhost"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
                    "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)


class Post(Program):
    """tests/tools/post: events that the bridge owes once they are in the journal."""

    def __init__(self, number, directory, bridge, count, options):
        super().__init__(f"post-{number}", directory)
        self.count = count
        self.prefix = options.get("as", f"p{number}")
        self.connections = int(options.get("connections", 4))
        self.command = [POST, "--to", f"127.0.0.1:{bridge.port}", "--secret", bridge.secret,
                        "--path", WEBHOOK_PATH, "--journal", directory / "journal",
                        "--count", count, "--prefix", self.prefix,
                        "--connections", self.connections,
                        "--type", options.get("type", "key.disabled"),
                        "--retry", options.get("retry", 0), "--rate", options.get("rate", 0)]
        self.figures = {}

    def start(self):
        self.launch(self.command)

    def wait(self, within):
        """To its end; the figures that it printed."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} has not ended within {within} s") from None
        try:
            self.figures = {key: int(value) for key, value in
                            (word.split("=") for word in self.log_text().split())}
        except ValueError:
            raise Failure(f"{self.name}: {self.log_tail()}") from None
        return self.figures


# ---- directories and TAP ----

def make_directory(name):
    """build/stage/NAME, fresh."""
    directory = ROOT / "build" / "stage" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def note(text):
    for line in str(text).splitlines():
        print(f"# {line}")


def figure(text):
    """A line that run.py shows although all is well."""
    print(f"# figure: {text}", flush=True)


class Tests:
    """Functions, each a line of TAP in their order; the exit status."""

    def __init__(self, at_once=1):
        """`at_once`: so many run beside each other, where each has a bridge of its own."""
        self.functions = []
        self.at_once = at_once

    def __call__(self, function):
        self.functions.append((function.__name__, function))
        return function

    def add(self, name, function):
        self.functions.append((name, function))

    def run(self, *directories):
        """Those directories go when all is well, and are named when it is not."""
        failed = 0
        print(f"1..{len(self.functions)}")
        pool = concurrent.futures.ThreadPoolExecutor(self.at_once)
        running = [pool.submit(function) for _, function in self.functions] \
            if self.at_once > 1 else None
        for number, (name, function) in enumerate(self.functions, 1):
            try:
                if running:
                    running[number - 1].result()
                else:
                    function()
                print(f"ok {number} - {name}", flush=True)
            except Exception as problem:  # whatever it is, the others are still to run
                failed += 1
                print(f"not ok {number} - {name}")
                note(f"{type(problem).__name__}: {problem}")
                sys.stdout.flush()
        for directory in directories:
            if failed:
                note(f"all of it: {directory}")
            else:
                shutil.rmtree(directory, ignore_errors=True)
        return 1 if failed else 0

    def run_against(self, bridge):
        """With the bridge started before and ended after them."""
        bridge.start()
        try:
            return self.run(bridge.directory)
        finally:
            bridge.end()
