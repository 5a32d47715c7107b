"""TLS as Mozilla's intermediate list has it, seen by `openssl s_client`."""
import socket
import subprocess
import sys
import time

from stage import Bridge, Tests, make_directory

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


def main():
    bridge.sections["listen"] = {"handshake_timeout": "2s"}
    bridge.destinations.append("  - name: out\n    file: {path: /dev/null}\n")
    return test.run_against(bridge)


if __name__ == "__main__":
    sys.exit(main())
