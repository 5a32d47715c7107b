"""TLS as Mozilla's intermediate list has it, seen by `openssl s_client`."""
import shutil
import socket
import ssl
import subprocess
import sys
import time

from stage import (Bridge, Post, Tests, children, make_certificate, make_directory, until)

test = Tests()
bridge = Bridge(make_directory("tls"))


def client(*options, send=b""):
    """(whether a handshake was made, what s_client said)"""
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{bridge.port}",
                             "-CAfile", bridge.directory / "cert.pem", *options],
                            input=send, capture_output=True, timeout=20)
    said = (result.stdout + result.stderr).decode(errors="replace")
    return "Cipher is (NONE)" not in said and "New, " in said, said


@test
def tls_1_2_and_1_3_are_spoken_and_the_certificate_verifies():
    for version in ("-tls1_2", "-tls1_3"):
        made, said = client(version)
        assert made and "Verify return code: 0 (ok)" in said, said


@test
def older_versions_are_refused():
    for version in ("-tls1", "-tls1_1"):
        made, said = client(version, "-cipher", "ALL:@SECLEVEL=0")
        assert not made and "alert protocol version" in said, said


@test
def only_authenticated_encryption_with_forward_secrecy_is_offered():
    made, said = client("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert made, said
    for cipher in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"):
        made, said = client("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
        assert not made and "handshake failure" in said, said


@test
def there_is_no_compression():
    for version in ("-tls1_2", "-tls1_3"):
        assert "Compression: NONE" in client(version, "-comp")[1]


@test
def renegotiation_is_refused():
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{bridge.port}",
                           "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        said = b""
        while b"Extended master secret" not in said:  # the last line of the handshake's report
            said += process.stdout.readline()
        process.stdin.write(b"R\n")
        process.stdin.flush()
        try:
            rest = process.communicate(timeout=10)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            rest = process.communicate()[0]
    assert b"RENEGOTIATING" in rest, rest
    assert b"no renegotiation" in rest or b"handshake failure" in rest, rest


@test
def weak_groups_and_hashes_are_refused():
    for version in ("-tls1_2", "-tls1_3"):
        made, said = client(version, "-groups", "secp521r1")
        assert not made and "handshake failure" in said, said
    made, said = client("-tls1_2", "-sigalgs", "ECDSA+SHA1", "-cipher", "DEFAULT:@SECLEVEL=0")
    assert not made, said
    for cipher in ("aNULL", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM", "PSK", "NULL"):
        made, said = client("-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
        assert not made, f"{cipher}: {said}"


@test
def a_pretended_fallback_is_refused():
    made, said = client("-tls1_2", "-fallback_scsv")
    assert not made and "inappropriate fallback" in said, said


@test
def a_session_is_never_resumed_and_no_ticket_is_given():
    for version in ("-tls1_2", "-tls1_3"):
        made, said = client(version, "-reconnect")
        assert made and "Reused, " not in said and "TLS session ticket:" not in said, said


@test
def of_protocols_only_http_1_1_is_spoken():
    made, said = client("-alpn", "h2,http/1.1")
    assert made and "ALPN protocol: http/1.1" in said, said
    assert client()[0], "one that names none"
    for protocols in ("h2", "http/1.0", "spdy/3", "h3"):
        made, said = client("-alpn", protocols)
        assert not made and "no application protocol" in said, said


@test
def whatever_name_is_asked_for_the_certificate_is_the_same():
    for name in ("localhost", "elsewhere.example", "127.0.0.1", "x" * 255, "a..b", "*", "a b"):
        made, said = client("-servername", name)
        assert made and "CN = localhost" in said, f"{name}: {said}"
    assert client("-noservername")[0]


@test
def what_is_not_tls_at_all_is_closed_and_hurts_nobody():
    hello = bytes.fromhex("160301004a010000460303") + b"r" * 32
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x00\x02", b"\x16\x03\x01\x00\x00" * 50,
                b"\x15\x03\x03\x00\x02\x01\x00" * 20, b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                b"\x18\x03\x03\x00\x03\x01\x40\x00", b"\x14\x03\x03\x00\x01\x01", hello + b"\xff" * 40,
                b"\x16\x03\x01\x40\x01" + b"\x01\xff\xff\xff" * 4096):
        with socket.create_connection(("127.0.0.1", bridge.port), 10) as plain:
            try:
                plain.sendall(raw)
                while plain.recv(4096):
                    pass
            except ConnectionError:
                pass
    assert client()[0]


def serial(path):
    return subprocess.run(["openssl", "x509", "-in", path, "-noout", "-serial"], check=True,
                          capture_output=True, text=True).stdout.strip()


def served_serial():
    pem = ssl.get_server_certificate(("127.0.0.1", bridge.port))
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, check=True,
                          capture_output=True, text=True).stdout.strip()


def replace(name, new):
    """As a client of an authority does: in one step."""
    shutil.copy(new, bridge.directory / f"{name}.new")
    (bridge.directory / f"{name}.new").rename(bridge.directory / name)


@test
def a_certificate_that_is_replaced_is_served_without_being_told_and_nobody_is_refused():
    new, key = bridge.directory / "next.pem", bridge.directory / "next.key"
    make_certificate(new, key)
    post = Post(1, bridge.directory, bridge, 400, {"rate": 100, "retry": 10})
    post.start()
    replace("cert.pem", new)
    replace("key.pem", key)
    until(lambda: served_serial() == serial(new), "the new certificate is served")
    figures = post.wait(30)
    assert figures["accepted"] == 400 and figures["refused"] == 0, figures


@test
def a_certificate_that_does_not_fit_its_key_is_not_taken_until_it_does():
    def count(said):
        return bridge.log_text().count(said)

    until(lambda: count("every role was started anew"), "the former replacement is over")
    before, told = served_serial(), count("does not match the certificate")
    roles = children(bridge.process.pid)
    new, key = bridge.directory / "half.pem", bridge.directory / "half.key"
    make_certificate(new, key)
    replace("cert.pem", new)
    until(lambda: count("does not match the certificate") > told, "the log says so")
    assert served_serial() == before and children(bridge.process.pid) == roles
    replace("key.pem", key)
    until(lambda: served_serial() == serial(new), "the whole pair is served")


@test
def an_ocsp_response_is_stapled_and_a_stale_or_foreign_one_is_not():
    made, said = client("-status")
    assert made and "OCSP Response Status: successful" in said and "Cert Status: good" in said, said
    (bridge.directory / "ocsp.der").write_bytes(b"nonsense")
    until(lambda: "no response sent" in client("-status")[1], "nothing is stapled")
    assert "no OCSP response is stapled" in bridge.log_text()


def make_authority(name):
    make_certificate(bridge.directory / f"{name}.pem", bridge.directory / f"{name}.key", name)


def make_client(name, authority, names):
    """NAME.pem and NAME.key, signed by an authority."""
    path = bridge.directory / name
    extensions = path.with_suffix(".ext")
    extensions.write_text(f"extendedKeyUsage=clientAuth\nsubjectAltName={names}\n")
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", f"/CN={name}", "-keyout", path.with_suffix(".key"),
                    "-out", path.with_suffix(".csr")], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", path.with_suffix(".csr"), "-days", "2",
                    "-CA", bridge.directory / f"{authority}.pem",
                    "-CAkey", bridge.directory / f"{authority}.key", "-CAcreateserial",
                    "-extfile", extensions, "-out", path.with_suffix(".pem")],
                   check=True, capture_output=True)


def post_as(name, path, key=None):
    """The status of a signed event, with the certificate of that name or without one."""
    context = ssl.create_default_context(cafile=bridge.directory / "cert.pem")
    if name:
        context.load_cert_chain(bridge.directory / f"{name}.pem", bridge.directory / f"{name}.key")
    body = b'{"type":"key.created"}'
    headers = bridge.signed_headers(body, f"client-{name}-{path[-3:]}", key=key)
    lines = "".join(f"{header}: {value}\r\n" for header, value in headers)
    with bridge.connect(context=context) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return int(connection.recv(4096).split()[1])


@test
def a_source_may_want_a_client_certificate_of_its_own_authority_and_name():
    make_client("good", "ours", "DNS:sender.example")
    make_client("other-name", "ours", "DNS:elsewhere.example")
    make_client("other-authority", "theirs", "DNS:sender.example")
    make_client("by-uri", "ours", "URI:spiffe://example/sender")
    assert post_as("good", "/mutual") == 202
    assert post_as("by-uri", "/mutual") == 202
    assert post_as(None, "/mutual") == 401
    assert post_as("other-name", "/mutual") == 401
    assert post_as("other-authority", "/mutual") == 401
    assert post_as("ours", "/mutual") == 401, "the authority itself is not a client of that name"
    assert post_as("good", "/mutual", key=b"x" * 24) == 401, "the signature counts as well"
    for name in (None, "good", "other-authority"):
        status = post_as(name, "/webhooks/anyint")
        assert status == 202, f"another source does not want one: {name}, {status}"


@test
def a_handshake_that_stalls_is_cut_off():
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", bridge.port), 10) as plain:
        plain.sendall(b"\x16\x03\x01\x02\x00")  # a record that never comes
        try:
            while plain.recv(100):
                pass
        except ConnectionResetError:
            pass
    assert time.monotonic() - began < 6, "longer than handshake_timeout and some"


def make_ocsp_response():
    """Of the certificate itself, which has signed itself: good for a day."""
    certificate, key = bridge.directory / "cert.pem", bridge.directory / "key.pem"
    index = bridge.directory / "index.txt"
    index.write_text(f"V\t{time.strftime('%y%m%d%H%M%SZ', time.gmtime(time.time() + 86400))}\t\t"
                     f"{serial(certificate).split('=')[1]}\tunknown\t/CN=localhost\n")
    subprocess.run(["openssl", "ocsp", "-index", index, "-CA", certificate, "-rsigner", certificate,
                    "-rkey", key, "-issuer", certificate, "-cert", certificate, "-ndays", "1",
                    "-respout", bridge.directory / "ocsp.der"], check=True, capture_output=True)


def main():
    bridge.sections["listen"] = {"handshake_timeout": "2s"}
    make_authority("ours")
    make_authority("theirs")
    bridge.sources.append("  - name: mutual\n    path: /mutual\n    signature: standard-webhooks\n"
                          f"    secrets: [{bridge.secret}]\n"
                          f"    client_ca_file: {bridge.directory}/ours.pem\n"
                          "    client_names: [sender.example, 'spiffe://example/sender']\n")
    make_ocsp_response()
    bridge.sections["listen"]["ocsp_response"] = bridge.directory / "ocsp.der"
    bridge.destinations.append("  - name: out\n    file: {path: /dev/null}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
