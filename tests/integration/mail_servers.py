"""Mail servers for tests: a real one (exim), and one that does as a script says."""
import email
import email.policy
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

from stage import Program, free_port, until

PASSWORD = "right-horse"  # shorter than a secret may be
NOBODY = 65534


class Authority:
    """A CA, and certificates of it."""

    def __init__(self, directory, name):
        self.directory = directory
        self.name = name
        self.certificate = directory / f"{name}.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key(name),
                     "-out", self.certificate)

    @staticmethod
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def key(self, name):
        return self.directory / f"{name}-key.pem"

    def issue(self, name, host):
        """(certificate, key) for that host."""
        request = self.directory / f"{name}.csr"
        certificate = self.directory / f"{name}.pem"
        extension = self.directory / f"{name}.ext"
        extension.write_text(f"subjectAltName=DNS:{host}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={host}", "-keyout", self.key(name), "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
                     self.key(self.name), "-CAcreateserial", "-days", "2", "-extfile", extension,
                     "-out", certificate)
        return certificate, self.key(name)


def parse(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


class Exim(Program):
    """The real exim4: takes mail after a login under TLS and keeps it in one file."""

    CONFIGURATION = """
exim_user = {uid}
exim_group = {gid}
spool_directory = {d}/spool
pid_file_path = {d}/pid
log_file_path = {d}/%slog
daemon_smtp_ports = {starttls} : {tls}
tls_on_connect_ports = {tls}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = {d}/cert.pem
tls_privatekey = {d}/key.pem
primary_hostname = mail.example.com
deliver_drop_privilege = true
disable_ipv6 = true
never_users =
keep_environment =
host_lookup =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept

begin acl
rcpt:
  deny message = log in first
       !authenticated = *
  accept

begin routers
all:
  driver = accept
  transport = file

begin transports
file:
  driver = appendfile
  file = {d}/inbox
  envelope_to_add
  batch_max = 100
  user = {uid}
  group = {gid}

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{bridge}}}}{{eq{{$auth3}}{{{password}}}}}}}{{yes}}{{no}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""

    def __init__(self, directory, certificate, key):
        super().__init__("exim", directory)
        # Of its own, where somebody who is not root can reach it.
        self.work = Path(tempfile.mkdtemp(prefix="exim-"))
        self.starttls, self.tls = free_port(), free_port()
        root = os.getuid() == 0
        self.uid, self.gid = (NOBODY, NOBODY) if root else (os.getuid(), os.getgid())
        (self.work / "spool").mkdir()
        shutil.copy(certificate, self.work / "cert.pem")
        shutil.copy(key, self.work / "key.pem")
        (self.work / "conf").write_text(self.CONFIGURATION.format(
            d=self.work, uid=self.uid, gid=self.gid, starttls=self.starttls, tls=self.tls,
            password=PASSWORD))
        if root:
            for path in [self.work, *self.work.iterdir()]:
                os.chown(path, self.uid, self.gid)

    def start(self):
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        self.launch([*(become if os.getuid() == 0 else []),
                     "/usr/sbin/exim4", "-C", self.work / "conf", "-bdf", "-q1s"])
        until(lambda: self.must_run() and self.listens(), "exim listens")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.tls), 1).close()
            return True
        except OSError:
            return False

    def mails(self):
        """What it has delivered, in its order."""
        inbox = self.work / "inbox"
        if not inbox.exists():
            return []
        parts = re.split(rb"(?m)^From \S+ .*\n", inbox.read_bytes())
        return [parse(part) for part in parts if part.strip()]

    def end(self):
        if self.is_running():
            self.signal(signal.SIGTERM)
        super().end()
        shutil.rmtree(self.work, ignore_errors=True)


class Scripted:
    """
    An SMTP server that answers as it is told.  `answers` has for a command, or for
    "greeting" and "body", a list of answers to be given one after the other; then all is
    well again.  "cut" closes the connection.  A callable gets the words or the message and
    gives an answer or None.
    """

    GOOD = {"greeting": "220 scripted", "MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 go on",
            "body": "250 taken", "RSET": "250 OK", "QUIT": "221 bye", "STARTTLS": "220 go on",
            "AUTH": "235 in"}

    def __init__(self, certificate=None, offers=("STARTTLS",)):
        self.answers = {}
        self.offers = offers
        self.seen = []   # every command, as it came
        self.mails = []  # (recipients, message) that were taken
        self.tried = []  # every message that came whole
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def answer_to(self, what, content):
        script = self.answers.get(what)
        if callable(script):
            return script(content) or self.GOOD[what]
        return script.pop(0) if script else self.GOOD[what]

    def serve(self, connection):
        try:
            self.talk(connection)
        except (OSError, EOFError):
            pass
        finally:
            connection.close()

    def talk(self, connection):
        file = connection.makefile("rwb")
        secure, recipients = False, []

        def say(line):
            if line == "cut":
                raise EOFError
            file.write(line.encode() + b"\r\n")
            file.flush()
            return line

        if not say(self.answer_to("greeting", b"")).startswith("220"):
            return
        while True:
            line = file.readline()
            if not line:
                return
            self.seen.append(line)
            verb = line.split()[0].decode().upper()
            if verb == "EHLO":
                offers = [] if secure else list(self.offers)
                lines = ["scripted", *offers, "SIZE 1000000"]
                for i, text in enumerate(lines):
                    say(f"250{'-' if i + 1 < len(lines) else ' '}{text}")
                continue
            answer = say(self.answer_to(verb, line) if verb in self.GOOD else "502 what?")
            if verb == "STARTTLS" and answer.startswith("220"):
                connection = self.context.wrap_socket(connection, server_side=True)
                file, secure = connection.makefile("rwb"), True
            elif verb == "MAIL":
                recipients = []
            elif verb == "RCPT" and answer.startswith("250"):
                recipients.append(re.search(rb"<(.*)>", line)[1].decode())
            elif verb == "DATA" and answer.startswith("354"):
                message = self.read_message(file)
                self.tried.append(message)
                if say(self.answer_to("body", message)).startswith("250"):
                    self.mails.append((recipients, message))
            elif verb == "QUIT":
                return

    @staticmethod
    def read_message(file):
        lines = []
        while True:
            line = file.readline()
            if not line:
                raise EOFError
            if line == b".\r\n":
                return b"".join(lines)
            assert line.endswith(b"\r\n") and len(line) <= 1000, line
            lines.append(line[1:] if line.startswith(b".") else line)

    def subjects(self):
        return [parse(message)["Subject"] for _, message in self.mails]

    def close(self):
        self.listener.close()
