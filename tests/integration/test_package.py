"""`make install` and `make deb`: what is put where, with which mode, and what lintian says.

The package is installed, upgraded and purged by `make test-package`.
"""
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from stage import ROOT, Failure, Tests, make_directory

test = Tests()
directory = make_directory("package")
UNITS = ("siembridge.service", "siembridge.socket")
EXAMPLES = {f"rsyslog/{path.name}" for path in (ROOT / "rsyslog").glob("*.conf")} | {
    f"prometheus/{path.name}" for path in (ROOT / "bridge/console/examples").iterdir()} | {
    "siembridge.yaml"}


def run(*command):
    result = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True,
                            text=True, timeout=120)
    if result.returncode != 0:
        raise Failure(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def package():
    version = re.search(r'"(.+)"', (ROOT / "bridge/version.h").read_text())[1]
    [path] = (ROOT / "build").glob(f"siembridge_{version}_*.deb")
    return path


def files_below(top):
    return {str(path.relative_to(top)): path.stat().st_mode & 0o7777
            for path in top.rglob("*") if path.is_file()}


@test
def install_goes_below_destdir_and_names_the_prefix():
    run("make", "install", f"DESTDIR={directory}/tree", "prefix=/opt/bridge")
    found = files_below(directory / "tree")
    assert all(path.startswith("opt/bridge/") for path in found), found
    assert found.pop("opt/bridge/bin/siembridge") == 0o755
    assert set(found.values()) == {0o644}, found
    documents = "opt/bridge/share/doc/siembridge/"
    assert {f"{documents}examples/{name}" for name in EXAMPLES} <= set(found), found
    assert {f"{documents}README.md", f"{documents}LICENSE"} <= set(found), found
    for unit in UNITS:
        text = (directory / "tree/opt/bridge/lib/systemd/system" / unit).read_text()
        assert "/usr/local" not in text, text


@test
def the_units_pass_systemd_where_they_are_installed():
    prefix = directory / "prefix"
    run("make", "install", f"prefix={prefix}")
    version = run(prefix / "bin/siembridge", "--version")
    assert version.startswith("siembridge "), version
    if shutil.which("systemd-analyze") is None:
        raise Failure("systemd-analyze is not here: apt-get install systemd")
    units = prefix / "lib/systemd/system"
    result = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no",
                             *(units / unit for unit in UNITS)],
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "siembridge" not in result.stderr, result


@test
def uninstall_leaves_no_file():
    run("make", "uninstall", f"prefix={directory}/prefix")
    assert not files_below(directory / "prefix")


@test
def the_package_holds_what_it_should():
    run("make", "deb")
    with tarfile.open(fileobj=subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", package()], stdout=subprocess.PIPE).stdout,
            mode="r|") as content:
        members = {member.name.removeprefix("./"): member for member in content}
    assert all((member.uname, member.gname) == ("root", "root") for member in members.values())
    assert not any(member.mode & 0o7022 for member in members.values()), "setuid or writable"
    files = {name for name, member in members.items() if member.isfile()}
    documents = "usr/share/doc/siembridge/"
    wanted = {"usr/bin/siembridge", *(f"lib/systemd/system/{unit}" for unit in UNITS),
              *(documents + name for name in ("README.md", "copyright", "changelog.gz")),
              *(f"{documents}examples/{name}" for name in EXAMPLES)}
    wanted |= {f"usr/share/man/man{page.suffix[1:]}/{page.name}.gz"
               for page in (ROOT / "bridge").glob("*.[58]")}
    completion = {"siembridge.bash": "usr/share/bash-completion/completions/siembridge",
                  "_siembridge": "usr/share/zsh/vendor-completions/_siembridge"}
    wanted |= {completion[path.name] for path in (ROOT / "bridge/completion").glob("*")}
    assert files == wanted, files ^ wanted
    assert [name for name in files if members[name].mode & 0o111] == ["usr/bin/siembridge"]


@test
def it_asks_for_the_libraries_it_was_linked_with_and_for_the_mended_libevent():
    depends = dict(re.findall(r"([\w.+-]+)(?: \(>= ([^)]+)\))?",
                              run("dpkg-deb", "--field", package(), "Depends")))
    for name in ("libssl3", "libsqlite3-0", "libcurl4", "libjson-c5", "libfastjson4", "adduser"):
        assert name in depends, depends
    events = {name: version for name, version in depends.items() if name.startswith("libevent")}
    assert len(events) >= 3 and set(events.values()) == {"2.1.12-stable-8+deb12u1"}, events


@test
def the_same_tree_gives_the_same_package():
    before = package().read_bytes()
    run("sh", "bridge/debian/build")
    assert package().read_bytes() == before


@test
def lintian_finds_no_error():
    result = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", package()],
                            capture_output=True, text=True, timeout=120)
    assert result.returncode == 0 and "\nE: " not in f"\n{result.stdout}", result


@test
def no_path_of_the_build_is_in_the_binary():
    binary = Path(ROOT / "build/deb/siembridge/usr/bin/siembridge").read_bytes()
    assert str(ROOT).encode() not in binary


if __name__ == "__main__":
    sys.exit(test.run(directory))
