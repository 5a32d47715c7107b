"""TLS towards a collector whose certificate is wrong in every way: nothing is sent to
it, the log says what is wrong, and all arrives once that is mended (row N8)."""
import datetime
import socket
import ssl
import subprocess
import sys
import threading

from stage import Bridge, Failure, Post, Tests, make_directory, until

test = Tests()
directory = make_directory("tls-destination")
DAY = datetime.timedelta(days=1)


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def moment(days):
    return (datetime.datetime.now(datetime.timezone.utc) + days * DAY).strftime("%Y%m%d%H%M%SZ")


def make_authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", 9, "-subj", f"/CN={name}", "-keyout", directory / f"{name}.key",
            "-out", directory / f"{name}.pem")


def issue(name, authority="authority", subject="localhost", starts=-9, ends=9):
    """A certificate; dates in days from now."""
    key, request = directory / f"{name}.key", directory / f"{name}.csr"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}",
            "-keyout", key, "-out", request)
    (directory / "index").write_text("")
    (directory / "ca.conf").write_text(
        f"[ca]\ndefault_ca=here\n[here]\ndatabase={directory}/index\nnew_certs_dir={directory}\n"
        "default_md=sha256\npolicy=any\nrand_serial=yes\ncopy_extensions=copy\n"
        "[any]\ncommonName=supplied\n")
    openssl("ca", "-batch", "-config", directory / "ca.conf", "-in", request, "-notext",
            "-cert", directory / f"{authority}.pem", "-keyfile", directory / f"{authority}.key",
            "-startdate", moment(starts), "-enddate", moment(ends),
            "-out", directory / f"{name}.pem")


class Sink:
    """A TLS collector of octet-counted frames; its certificate can be changed."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.name = None
        self.demands = False  # a certificate of the client
        self.received = b""   # in TLS
        self.refusals = 0     # handshakes that came to nothing
        self.current = None
        threading.Thread(target=self.run, daemon=True).start()

    def present(self, name):
        """From now on; the connection that there is ends."""
        self.name = name
        if self.current is not None:
            try:
                self.current.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / f"{self.name}.pem", directory / f"{self.name}.key")
        if self.demands:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(directory / "authority.pem")
        return context

    def run(self):
        while True:
            plain, _ = self.listener.accept()
            try:
                with self.context().wrap_socket(plain, server_side=True) as self.current:
                    while data := self.current.recv(65536):
                        self.received += data
            except OSError:
                self.refusals += 1
                plain.close()


def numbers(received, prefix):
    found = []
    while received:
        length, _, rest = received.partition(b" ")
        message, received = rest[:int(length)], rest[int(length):]
        for word in message.split():
            if word.startswith(b"externalId=" + prefix.encode()):
                found.append(int(word.rpartition(b"-")[2]))
    return found


make_authority("authority")
make_authority("stranger")
issue("good")
issue("expired", starts=-9, ends=-3.04)
issue("future", starts=2.04, ends=9)
issue("other-name", subject="other.example.com")
issue("unknown", authority="stranger")
issue("client", subject="bridge")
issue("client-expired", subject="bridge", starts=-9, ends=-1)
sink = Sink()


def bridge_with(name, keys):
    bridge = Bridge(make_directory(name))
    bridge.destinations.append(
        "  - name: siem\n    format: cef\n"
        f'    syslog: {{address: "localhost:{sink.port}", transport: tls, settle: 50ms, {keys}}}\n')
    return bridge


def post_20(bridge, number):
    post = Post(number, bridge.directory, bridge, 20, {"connections": 1})
    post.start()
    post.wait(20)


def each_is_refused_until_mended(wrong, told):
    sink.present(wrong)
    sink.received = b""
    bridge = bridge_with(f"tls-{wrong}", f"ca_file: {directory}/authority.pem")
    try:
        bridge.start()
        post_20(bridge, 1)
        until(lambda: told in bridge.log_text(), f"the log says {told!r}", 10)
        if sink.received:
            raise Failure(f"it was sent {sink.received[:60]!r}")
        sink.present("good")
        until(lambda: numbers(sink.received, "p1") == list(range(1, 21)),
              "all 20 arrive in their order", 20)
    finally:
        bridge.end()


for what, certificate, text in (
        ("that_expired", "expired", "is not trusted: its certificate expired 3 days ago"),
        ("not_yet_valid", "future", "its certificate is not valid before 2 days from now"),
        ("of_another_name", "other-name",
         "its certificate is for other.example.com, not for localhost"),
        ("of_an_unknown_authority", "unknown",
         "its certificate was issued by stranger, whom nobody here knows"),
        ("signed_by_itself", "stranger", "its certificate is signed by itself")):
    test.add(f"a_certificate_{what}_gets_nothing_until_it_is_mended",
             lambda certificate=certificate, text=text: each_is_refused_until_mended(certificate,
                                                                                     text))


@test
def a_certificate_that_changes_to_a_bad_one_in_mid_run_gets_nothing_more():
    sink.present("good")
    sink.received = b""
    bridge = bridge_with("tls-changes", f"ca_file: {directory}/authority.pem")
    try:
        bridge.start()
        post_20(bridge, 1)
        until(lambda: len(numbers(sink.received, "p1")) >= 20, "the first 20 arrive", 10)
        sink.refusals = 0
        sink.present("other-name")
        post_20(bridge, 2)
        until(lambda: sink.refusals >= 2, "the new certificate is refused, twice", 10)
        if numbers(sink.received, "p2"):
            raise Failure("events went to a collector of another name")
        sink.present("good")
        until(lambda: set(numbers(sink.received, "p2")) == set(range(1, 21)),
              "the other 20 arrive", 20)
    finally:
        bridge.end()


@test
def a_client_certificate_that_expired_is_told_and_read_anew_when_it_is_replaced():
    sink.demands = True
    sink.present("good")
    sink.received = b""
    for kind in ("pem", "key"):
        (directory / f"own.{kind}").write_bytes((directory / f"client-expired.{kind}").read_bytes())
    bridge = bridge_with("tls-client", f"ca_file: {directory}/authority.pem, "
                         f"certificate: {directory}/own.pem, private_key: {directory}/own.key")
    try:
        bridge.start()
        post_20(bridge, 1)
        until(lambda: "our certificate has expired; renew it" in bridge.log_text(),
              "the log says that our certificate has expired", 10)
        if sink.received:
            raise Failure(f"it was sent {sink.received[:60]!r}")
        for kind in ("key", "pem"):
            (directory / f"own.{kind}").write_bytes((directory / f"client.{kind}").read_bytes())
        until(lambda: set(numbers(sink.received, "p1")) == set(range(1, 21)), "all 20 arrive", 20)
    finally:
        sink.demands = False
        bridge.end()


if __name__ == "__main__":
    sys.exit(test.run())
