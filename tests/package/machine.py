"""A fresh Debian 12 below build/package, on which packages can be installed and systemd run.

BASE=DIRECTORY names a Debian 12 as debootstrap makes it; it is copied, never changed.
Without it debootstrap makes one, which is kept for the next time.
"""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from stage import Failure, until  # noqa: E402

HOME = ROOT / "build/package"
SCRIPT = ROOT / "tests/package/machine"
# debootstrap knows no updates; the package asks for a libevent that came with one.
SECURITY = "deb http://deb.debian.org/debian-security bookworm-security main"
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")


def call(command, **options):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace",
                            stdin=subprocess.DEVNULL, timeout=900, **options)
    if result.returncode != 0:
        raise Failure(f"{command}: {result.returncode}\n{result.stdout}")
    return result.stdout


def base():
    if "BASE" in os.environ:
        return Path(os.environ["BASE"])
    made = HOME / "base"
    if not made.exists():
        new = HOME / "base.new"
        shutil.rmtree(new, ignore_errors=True)
        call(["debootstrap", "--variant=minbase", "bookworm", new, MIRROR])
        new.rename(made)
    return made


class Machine:
    def __init__(self, name):
        HOME.mkdir(parents=True, exist_ok=True)
        self.root = HOME / name
        self.log = HOME / f"{name}.log"
        shutil.rmtree(self.root, ignore_errors=True)
        call(["cp", "-a", "-x", base(), self.root])  # -x: not what somebody mounted there
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        (self.root / "etc/apt/sources.list.d/security.list").write_text(f"{SECURITY}\n")
        self.outer = None
        self.init = None

    def run(self, *command):
        """Inside; with the network of this host until it is booted, then with loopback alone."""
        if self.init is None:
            return call(["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork",
                         "sh", SCRIPT, self.root, "run", *command])
        return call(["nsenter", "--target", self.init, "--all", "--root", "--wdns=/", "env",
                     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                     "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *command])

    def says(self, *command):
        """What it prints, whatever it thinks of it."""
        try:
            return self.run(*command).strip()
        except Failure as failure:
            return str(failure).partition("\n")[2].strip()

    def boot(self):
        with open(self.log, "wb") as log:
            self.outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--fork",
                 "sh", str(SCRIPT), str(self.root), "boot"],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        task = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")

        def process_one():
            if self.outer.poll() is not None:
                raise Failure(f"it did not boot:\n{self.log.read_text()}")
            for pid in task.read_text().split():
                if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                    return pid
            return None

        self.init = until(process_one, "systemd is process 1")
        until(lambda: self.says("systemctl", "is-system-running") in ("running", "degraded"),
              "it has booted", 60)

    def end(self):
        """Its mounts and processes go with its process 1."""
        if self.init is not None:
            os.kill(int(self.init), signal.SIGKILL)
            self.init = None
        if self.outer is not None:
            self.outer.wait(20)

    def remove(self):
        self.end()
        shutil.rmtree(self.root)
