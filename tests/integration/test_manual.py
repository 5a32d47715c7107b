"""The manual pages say what the binary does: each key of the schema, each command and option."""
import re
import subprocess
import sys

from stage import ROOT, SIEMBRIDGE, Tests, make_directory

test = Tests()
D = make_directory("manual")
MANUAL = (ROOT / "bridge/siembridge.8").read_text()
FILE_MANUAL = (ROOT / "bridge/siembridge.yaml.5").read_text()
LISTS = {"sources", "destinations", "types", "secrets"}
REWRITTEN = {"fields", "constants", "severity_words"}  # mappings of anything


def siembridge(*arguments):
    return subprocess.run([SIEMBRIDGE, *arguments], capture_output=True, text=True, timeout=20)


def known_keys(path):
    """The keys that the binary says are known there; None: it is no mapping."""
    text = "{zzz: 1}"
    for name in reversed(path):
        text = f"{{{name}: [{text}]}}" if name in LISTS else f"{{{name}: {text}}}"
    (D / "keys.yaml").write_text(text + "\n")
    found = re.search(r"unknown key 'zzz' in .*; known keys: (.*)",
                      siembridge("check", "-c", D / "keys.yaml").stderr)
    return found and found[1].split(", ")


def schema_keys(path=()):
    keys = set()
    for name in known_keys(path) or ():
        keys.add(path + (name,))
        if name not in REWRITTEN and len(path) < 3:
            keys |= schema_keys(path + (name,))
    return keys


def manual_keys():
    keys, section = set(), None
    for line in FILE_MANUAL.splitlines():
        if line.startswith(".S"):
            section = line[4:] if line.startswith(".Ss ") else None
        elif line.startswith(".It Cm ") and section is not None:
            path = () if section == "Top level" else tuple(section.split("."))
            keys.add(path + (line[7:],))
    return keys


def commands():
    return re.findall(r"^  siembridge ([a-z]+) ", siembridge("--help").stdout, re.M)


def manual_sections():
    """{command: its text}"""
    text = MANUAL[MANUAL.index(".Sh COMMANDS"):MANUAL.index(".Sh SIGNALS")]
    return {part.split("\n", 1)[0]: part for part in text.split("\n.Ss ")[1:]}


@test
def every_key_of_the_schema_is_in_the_manual_and_no_other():
    schema, manual = schema_keys(), manual_keys()
    assert len(schema) > 150, schema
    missing, too_many = schema - manual, manual - schema
    assert not missing and not too_many, {"not in siembridge.yaml.5": sorted(missing),
                                          "only there": sorted(too_many)}


@test
def every_command_is_in_the_manual_and_no_other():
    assert commands() == list(manual_sections()), (commands(), list(manual_sections()))


@test
def every_option_of_each_command_is_in_the_manual_and_no_other():
    for name, section in manual_sections().items():
        help_text = siembridge(name, "--help").stdout
        options = {text: set(re.findall(r"--[a-z][a-z-_]+", text)) for text in (help_text, section)}
        assert options[help_text] == options[section], (name, options[help_text] ^ options[section])


@test
def the_example_is_one_that_check_understands():
    example = FILE_MANUAL[FILE_MANUAL.index(".Bd -literal"):].split("\n", 1)[1].split("\n.Ed")[0]
    (D / "example.yaml").write_text(example + "\n")
    # all that is wrong is that its files are not here
    result = siembridge("check", "-c", D / "example.yaml")
    assert "unknown key" not in result.stderr and "cert.pem" in result.stderr, result


if __name__ == "__main__":
    sys.exit(test.run(D))
