"""A configuration that cannot work is refused with one line, and says where."""
import re
import socket
import sys

from stage import Bridge, Tests, make_certificate, make_directory, write_private

test = Tests()
bridge = Bridge(make_directory("configuration"))
D = bridge.directory

# What is proved, what stands in the file, what to put there instead, the line the
# error must name (by its text; None: it has none), what it must say.
ROWS = [
    ("an_unknown_section", "spool:", "spol:", "spol:", "spol"),
    ("an_unknown_key", "  private_key:", "  privat_key:", "privat_key:", "privat_key"),
    ("an_unknown_key_in_a_list", "    format: cef", "    fromat: cef", "fromat", "fromat"),
    ("a_wrong_type", "spool:", "  loops: many\nspool:", "loops: many", "many"),
    ("a_list_where_text_is_due", "    path: /webhooks/anyint", "    path: [a, b]", "path: [a, b]",
     "path"),
    ("yaml_that_is_none", "spool:", "spool: {", None, ""),
    ("a_bad_duration", "spool:", "  idle_timeout: soon\nspool:", "idle_timeout", "soon"),
    ("a_bad_size", "sources:", "  max_size: much\nsources:", "max_size", "much"),
    ("an_address_without_port", '"127.0.0.1:1"', '"127.0.0.1"', "127.0.0.1\"", "port"),
    ("an_unknown_format", "    format: cef", "    format: xml", "format: xml", "xml"),
    ("an_unknown_transport", "transport: tcp", "transport: pigeon", "pigeon", "pigeon"),
    ("an_unknown_signature", "signature: standard-webhooks", "signature: magic", "magic", "magic"),
    ("a_source_without_verifier", "    signature: standard-webhooks\n", "", "name: anyint",
     "signature"),
    ("a_source_without_secret", f"    secrets: [{bridge.secret}]\n", "", "name: anyint", "secret"),
    ("a_secret_that_is_not_there", f"secrets: [{bridge.secret}]", f"secrets: [{D}/none]",
     f"{D}/none", "No such file"),
    ("a_secret_that_all_may_read", f"secrets: [{bridge.secret}]", f"secrets: [{D}/open]",
     f"{D}/open", "read"),
    ("a_secret_that_is_none", f"secrets: [{bridge.secret}]", f"secrets: [{D}/short]",
     f"{D}/short", "short"),
    ("a_certificate_that_is_not_there", f"{D}/cert.pem", f"{D}/none.pem", "none.pem", "none.pem"),
    ("a_key_that_does_not_match", f"{D}/key.pem", f"{D}/other-key.pem", "other-key.pem", "match"),
    ("a_spool_directory_that_is_not_there", f"{D}/spool", f"{D}/none", f"directory: {D}/none",
     "No such file"),
    ("two_destinations_of_one_name", "destinations:\n", "destinations:\n  - name: siem\n"
     "    file: {path: /dev/null}\n", "name: siem", "siem"),
    ("a_destination_of_no_kind", "    syslog: {", "    events: [\"*\"]\n#   syslog: {",
     "name: siem", "siem"),
]


def refused(result, config, line_text, says):
    """Exit 1 and one line that begins with the file and the line."""
    errors = [line for line in result.stderr.splitlines() if line]
    assert result.returncode == 1, f"exit status {result.returncode}: {result.stderr}"
    assert len(errors) == 1, f"not one line: {result.stderr!r}"
    assert says in errors[0], f"says nothing of {says!r}: {errors[0]}"
    where = re.search(re.escape(str(config)) + r"(?::(\d+))?", errors[0])
    assert where, f"does not name the file: {errors[0]}"
    if line_text:
        lines = config.read_text().splitlines()
        right = [number for number, line in enumerate(lines, 1) if line_text in line]
        assert where[1] and int(where[1]) in right, f"names line {where[1]}, not {right}: {errors[0]}"


def add_row(name, old, new, line_text, says):
    def check():
        config = D / f"{name}.yaml"
        text = bridge.config.read_text()
        assert old in text, f"the row is out of date: {old!r}"
        config.write_text(text.replace(old, new, 1))
        for verb in ("check", "run"):
            refused(bridge.command(verb, "-c", config), config, line_text, says)
    test.add(f"{name}_is_refused", check)


@test
def a_good_file_passes_and_check_says_what_would_run():
    result = bridge.command("check", "-c", bridge.config)
    assert result.returncode == 0, result.stderr
    for word in ("anyint", "siem", str(bridge.port)):
        assert word in result.stdout, f"{word}: {result.stdout}"


@test
def a_port_in_use_is_refused():
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", bridge.port))
        holder.listen()
        for verb in ("check", "run"):
            refused(bridge.command(verb, "-c", bridge.config), bridge.config, "address: 127.0.0.1:",
                    "in use")


@test
def a_file_that_is_not_there_is_refused():
    result = bridge.command("run", "-c", D / "none.yaml")
    assert result.returncode == 1 and "none.yaml" in result.stderr, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr


@test
def signature_none_starts_and_warns():
    config = D / "trusting.yaml"
    config.write_text(bridge.config.read_text()
                      .replace("signature: standard-webhooks", "signature: none")
                      .replace(f"    secrets: [{bridge.secret}]\n", ""))
    result = bridge.command("check", "-c", config)
    assert result.returncode == 0, result.stderr
    assert "anyint" in result.stderr and "none" in result.stderr, result.stderr


@test
def check_does_not_disturb_a_running_bridge():
    bridge.start()
    try:
        result = bridge.command("check", "-c", bridge.config)
        assert result.returncode == 0, result.stderr
        assert bridge.answers()
        bridge.stop()
    finally:
        bridge.end()


@test
def a_second_bridge_on_one_spool_is_refused():
    bridge.start()
    try:
        other = D / "second.yaml"
        other.write_text(bridge.config.read_text().replace(f":{bridge.port}", ":1", 1)
                         .replace(":1\n", f":{bridge.port + 1}\n", 1))
        result = bridge.command("run", "-c", other)
        assert result.returncode == 1, result
        bridge.stop()
    finally:
        bridge.end()


def main():
    bridge.destinations.append('  - name: siem\n    format: cef\n'
                               '    syslog: {address: "127.0.0.1:1", transport: tcp}\n')
    bridge.write_config()
    make_certificate(D / "other-cert.pem", D / "other-key.pem")
    write_private(D / "open", bridge.secret.read_text())
    (D / "open").chmod(0o644)
    write_private(D / "short", "whsec_AAAA\n")
    for row in ROWS:
        add_row(*row)
    return test.run(D)


if __name__ == "__main__":
    sys.exit(main())
