"""The completion of bash, as bash calls it; that of zsh as far as its syntax, where there is zsh."""
import os
import re
import shutil
import subprocess
import sys

from stage import ROOT, SIEMBRIDGE, Tests, make_directory

test = Tests()
D = make_directory("completion")
(D / "siembridge.yaml").write_text("""sources:
  - {name: anyint, path: /a}
destinations:
  - name: siem
    syslog: {address: "x:1"}
  - {name: splunk-1, splunk_hec: {}}
console: {address: "127.0.0.1:1"}
""")
COMPLETE = """source "$SCRIPT"
COMP_WORDS=("$SIEMBRIDGE" "$@")
COMP_CWORD=$#
_siembridge
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words):
    result = subprocess.run(["bash", "-c", COMPLETE, "bash", *words], capture_output=True, text=True,
                            timeout=20, cwd=D,
                            env={**os.environ, "SIEMBRIDGE": str(SIEMBRIDGE),
                                 "SCRIPT": str(ROOT / "bridge/completion/siembridge.bash")})
    assert result.returncode == 0 and not result.stderr, result
    return set(result.stdout.split())


def commands():
    shown = subprocess.run([SIEMBRIDGE, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^  siembridge ([a-z]+) ", shown, re.M))


@test
def the_commands_are_those_of_help():
    assert complete("") == commands() | {"help", "--help", "--version"}, complete("")
    assert complete("re") == {"render", "replay", "reconcile"}, complete("re")


@test
def the_options_are_those_of_the_command():
    for command in sorted(commands()):
        shown = subprocess.run([SIEMBRIDGE, command, "--help"], capture_output=True, text=True).stdout
        wanted = set(re.findall(r"--[a-z][a-z_-]+", shown)) | {"--help"}
        assert complete(command, "--") == wanted, (command, complete(command, "--") ^ wanted)


@test
def names_come_from_the_configuration():
    config = ("-c", str(D / "siembridge.yaml"))
    assert complete("replay", *config, "-d", "") == {"siem", "splunk-1"}
    assert complete("probe", *config, "sp") == {"splunk-1"}
    assert complete("send", *config, "--source", "") == {"anyint"}
    assert complete("replay", "-c", str(D / "nowhere"), "-d", "") == set()


@test
def types_words_and_files_are_offered():
    assert "key.disabled" in complete("send", "key.")
    assert complete("dead", "") == {"list", "show", "replay", "drop"}
    assert complete("check", "-c", "siem") == {"siembridge.yaml"}


@test
def zsh_can_read_its_own():
    if shutil.which("zsh") is None:
        return
    subprocess.run(["zsh", "-n", ROOT / "bridge/completion/_siembridge"], check=True)


if __name__ == "__main__":
    sys.exit(test.run(D))
