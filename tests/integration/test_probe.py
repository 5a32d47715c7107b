"""`siembridge probe`: what it says of collectors that take everything, and of others."""
import socket
import sys
import threading

from stage import Bridge, Collector, Tests, free_port, make_directory, until

test = Tests()
bridge = Bridge(make_directory("probe"))
D = bridge.directory
collectors = {name: Collector(name, D, name) for name in ("tls", "relp", "tcp", "udp")}


def probe(name, *options):
    return bridge.command("probe", "-c", bridge.config, name, *options)


def steps(result):
    """{step: (ok or FAILED, text)}"""
    found = {}
    for line in result.stdout.splitlines()[1:]:
        verdict = "FAILED" if " FAILED " in line[:45] else "ok"
        found[line[:31].strip()] = (verdict, line.partition(" ms  ")[2])
    return found


def arrived(name, mark):
    path = collectors[name].records.path
    lines = path.read_text().splitlines() if path.exists() else []
    found = [line for line in lines if f"siembridge probe {mark}" in line]
    return found if len(found) == 3 else None


def add(name, worth):
    def check():
        result = probe(name)
        assert result.returncode == 0, result.stdout + result.stderr
        said = steps(result)
        assert len(said) == 4 and {verdict for verdict, _ in said.values()} == {"ok"}, said
        assert worth in said["a short message"][1], said
        mark = result.stdout.split()[1]
        lines = until(lambda: arrived(name, mark), "all three have arrived")
        assert "a short message" in lines[0] and "Zoë" in lines[1], lines
    test.add(f"{name}_is_told_with_what_it_is_worth", check)


add("tls", "the collector's kernel has it")
add("relp", "the collector acknowledged it")
add("tcp", "the connection lived on")
add("udp", "all that can be known")


@test
def of_tls_it_says_what_was_agreed_on():
    said = steps(probe("tls"))["connect"][1]
    assert "TLSv1.3 with TLS_" in said and "is for localhost, 127.0.0.1" in said, said


@test
def a_collector_that_is_not_there_is_named():
    result = probe("nobody")
    assert result.returncode == 1
    assert steps(result)["connect"][0] == "FAILED", result.stdout
    assert "connection refused" in result.stdout, result.stdout


@test
def one_that_stumbles_over_a_message_is_caught():
    listener = socket.create_server(("127.0.0.1", ports["clumsy"]))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            got = b""
            while b"Zo" not in got and (more := connection.recv(65536)):
                got += more
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    result = probe("clumsy")
    listener.close()
    said = steps(result)
    assert result.returncode == 1, result.stdout
    assert said["a short message"][0] == "ok", said
    assert said["a message of odd characters"][0] == "FAILED", said


@test
def the_daemons_own_numbers_and_cursor_are_untouched():
    assert not list((D / "spool").iterdir())


ports = {name: free_port() for name in ("nobody", "clumsy")}


def main():
    bridge.destinations = [
        f"  - {{name: {name}, format: rfc5424, syslog: {{"
        + ", ".join(f"{k}: {v}" for k, v in peer.destination_keys().items()) + "}}\n"
        for name, peer in collectors.items()]
    bridge.destinations += [
        f'  - {{name: {name}, format: rfc5424, syslog: {{address: "127.0.0.1:{port}"}}}}\n'
        for name, port in ports.items()]
    bridge.write_config()
    try:
        for peer in collectors.values():
            peer.start()
        return test.run(D)
    finally:
        for peer in collectors.values():
            peer.end()


if __name__ == "__main__":
    sys.exit(main())
