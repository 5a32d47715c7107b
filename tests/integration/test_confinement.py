"""`siembridge check --confinement` tells for each process which system calls are done and which
are refused; each is then tried as that process, and asked of the filters of those that run."""
import ctypes
import os
import re
import signal
import subprocess
import sys

import seccomp_filter
from stage import ROOT, Bridge, Tests, figure, free_port, make_directory, note

test = Tests()
bridge = Bridge(make_directory("confinement"))
D = bridge.directory
CONFINED = ROOT / "build/plain/tools/confined"
PEER, LIST = free_port(), free_port()
bridge.destinations.append(f"  - name: siem\n    syslog: {{address: '127.0.0.1:{PEER}'}}\n")
bridge.sources.append("  - name: polled\n    path: /polled\n    signature: bearer\n"
                      f"    secrets: [{bridge.secret}]\n    poll: {{url: 'https://127.0.0.1:{LIST}"
                      "/?since={since}', interval: 1h}\n")
bridge.write_config()
with open(bridge.config, "a") as file:
    file.write(f"console: {{address: '127.0.0.1:{free_port()}'}}\n")

ROLES = ("supervisor", "receiver", "forwarder", "poller", "console")
X86_64, I386, X32 = 0xC000003E, 0x40000003, 0x40000000
WRONG = (-1,) * 6  # harmless, whatever the call

# What an intruder would want, and nobody but the supervisor needs.
MATTERS = {"execve": "SIGSYS", "execveat": "SIGSYS", "fork": "SIGSYS", "vfork": "SIGSYS",
           "ptrace": "SIGSYS", "process_vm_readv": "SIGSYS", "process_vm_writev": "SIGSYS",
           "mount": "SIGSYS", "unshare": "SIGSYS", "setns": "SIGSYS", "bpf": "SIGSYS",
           "keyctl": "SIGSYS", "io_uring_setup": "SIGSYS", "userfaultfd": "SIGSYS",
           "init_module": "SIGSYS", "kexec_load": "SIGSYS", "perf_event_open": "SIGSYS",
           "clone3": "ENOSYS", "listen": "EPERM", "setuid": "EPERM", "setgid": "EPERM",
           "capset": "EPERM", "setrlimit": "EPERM", "memfd_create": "EPERM", "link": "EPERM",
           "symlink": "EPERM", "chown": "EPERM", "mknod": "EPERM", "tkill": "EPERM",
           "rt_sigqueueinfo": "EPERM", "pidfd_send_signal": "EPERM", "seccomp": "EPERM"}
BY_ROLE = {"receiver": ("socket", "connect", "bind", "socketpair"),
           "console": ("socket", "connect", "bind", "socketpair"),
           "forwarder": ("accept", "accept4"), "poller": ("accept", "accept4")}

# The arguments with which a call is done, by the words that are told, and some that are refused.
DONE_IF = {
    ("mmap", "without PROT_EXEC"): (0, 4096, 3, 0x22, -1, 0),
    ("mmap", "without PROT_WRITE"): (0, 4096, 5, 0x22, -1, 0),
    ("mprotect", "without PROT_EXEC"): (0, 0, 3, 0, 0, 0),
    ("clone", "CLONE_THREAD"): (0x10000, 0, 0, 0, 0, 0),
    ("prctl", "PR_SET_NAME"): (15, -1, 0, 0, 0, 0),
    ("prlimit64", "to read"): (0, 7, 0, 0, 0, 0),
    ("kill", "itself"): ("self", 0, 0, 0, 0, 0),
    ("tgkill", "itself"): ("self", "self", 0, 0, 0, 0),
    ("ioctl", "FIONREAD"): (-1, 0x541B, 0, 0, 0, 0),
    ("ioctl", "FIONBIO"): (-1, 0x5421, 0, 0, 0, 0),
    ("ioctl", "FIOCLEX"): (-1, 0x5451, 0, 0, 0, 0),
    ("ioctl", "TCGETS"): (-1, 0x5401, 0, 0, 0, 0),
    ("ioctl", "SIOCOUTQ"): (-1, 0x5411, 0, 0, 0, 0),
    ("socket", "AF_UNIX"): (1, 1, 0, 0, 0, 0),
    ("socket", "AF_INET"): (2, 1, 0, 0, 0, 0),
    ("socket", "AF_INET6"): (10, 1, 0, 0, 0, 0),
    ("socket", "AF_NETLINK"): (16, 3, 0, 0, 0, 0),
}
REFUSED = {
    "mmap": [(0, 4096, 7, 0x22, -1, 0)],  # to write and to execute
    "mprotect": [(0, 0, 5, 0, 0, 0), (0, 0, 7, 0, 0, 0)],
    "clone": [(signal.SIGCHLD, 0, 0, 0, 0, 0), (0x10000000, 0, 0, 0, 0, 0)],  # a user name space
    "prctl": [(4, 1, 0, 0, 0, 0), (24, 0, 0, 0, 0, 0)],  # PR_SET_DUMPABLE, PR_CAPBSET_DROP
    "prlimit64": [(0, 7, -1, 0, 0, 0)],
    "kill": [(1, 0, 0, 0, 0, 0), (-1, 0, 0, 0, 0, 0)],
    "tgkill": [(1, 1, 0, 0, 0, 0)],
    "ioctl": [(-1, 0x5412, 0, 0, 0, 0), (-1, 0x5413, 0, 0, 0, 0)],  # TIOCSTI, TIOCGWINSZ
    "socket": [(17, 3, 0, 0, 0, 0), (38, 5, 0, 0, 0, 0), (40, 1, 0, 0, 0, 0)],  # packet, alg, vsock
}
# Done by the supervisor and not tried: they write all disks, or share this memory.
NOT_TRIED = {"sync", "vfork"}


def told():
    """{role: {label: text}}"""
    result = bridge.command("check", "-q", "-c", bridge.config, "--confinement")
    assert result.returncode == 0, result
    roles, label = {}, None
    for line in result.stdout.splitlines():
        if not line.startswith(" "):
            role = roles[line] = {}
        elif line[2] != " ":
            label = line[2:13].strip()
            role[label] = line[13:]
        else:
            role[label] += " " + line.strip()
    return roles


TOLD = told()


def calls(role):
    """{call: what becomes of it}, and [(call, words)] of those that have words."""
    answers, conditions = {}, []
    for label, text in TOLD[role].items():
        found = re.fullmatch(r"(done|done if|EPERM|ENOSYS|SIGSYS) (\d+)", label)
        if found is None:
            continue
        listed = re.findall(r"(\w+)(?: \(([^)]+)\))?", text.partition(";")[0])
        assert len(listed) == int(found[2]), (role, label, len(listed))
        for call, words in listed:
            assert call not in answers, (role, call)
            answers[call] = found[1]
            conditions += [(call, part) for part in words.split(" or ") if part]
    return answers, conditions


def numbers():
    """{name: number} of all that libseccomp knows on this processor."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_char_p
    names = {library.seccomp_syscall_resolve_num_arch(library.seccomp_arch_native(), number): number
             for number in range(2048)}
    return {name.decode(): number for name, number in names.items() if name}


NUMBERS = numbers()


def attempts(role):
    """[(call, number, arguments, what is told of it)]"""
    answers, conditions = calls(role)
    found = [(call, NUMBERS[call], WRONG, answer) for call, answer in answers.items()
             if answer != "done if"]
    found += [(call, NUMBERS[call], DONE_IF[call, words], "done") for call, words in conditions]
    found += [(call, NUMBERS[call], arguments, "EPERM")
              for call in dict(conditions) for arguments in REFUSED[call]]
    return found


@test
def every_process_is_told_with_every_system_call_once():
    assert tuple(TOLD) == ROLES, list(TOLD)
    assert len(NUMBERS) > 300, len(NUMBERS)
    for role in ROLES:
        assert set(calls(role)[0]) == set(NUMBERS), (role, set(calls(role)[0]) ^ set(NUMBERS))


@test
def what_an_intruder_would_want_is_told_as_refused():
    for role, more in BY_ROLE.items():
        answers, _ = calls(role)
        for call, answer in {**MATTERS, **dict.fromkeys(more, "EPERM")}.items():
            assert call not in NUMBERS or answers[call] == answer, (role, call, answers[call])
    supervisor, _ = calls("supervisor")
    deadly = {call for call, answer in supervisor.items() if answer == "SIGSYS"}
    assert {"ptrace", "bpf", "mount", "keyctl", "io_uring_setup"} <= deadly, deadly
    assert TOLD["supervisor"]["executes"] == "siembridge and its loader; all others EACCES", TOLD


@test
def the_readme_says_how_many():
    readme = (ROOT / "README.md").read_text()
    listed = re.search(r"^\| system calls done \|(.*)\|$", readme, re.M)[1].split("|")
    for role, cell in zip(("receiver", "forwarder", "poller", "supervisor"), listed):
        answers = list(calls(role)[0].values())
        wanted = f"{answers.count('done')}, and {answers.count('done if')} with the right arguments"
        if role == "supervisor":
            wanted = f"all but {answers.count('SIGSYS')}"
        assert cell.strip() == wanted, (role, cell, wanted)
    assert calls("console") == calls("receiver"), "they stand in one column"


@test
def the_ports_are_those_of_the_configuration():
    assert TOLD["forwarder"]["TCP to"] == f"{PEER}, 53; all others EACCES", TOLD["forwarder"]
    assert TOLD["poller"]["TCP to"] == f"{LIST}, 53; all others EACCES", TOLD["poller"]
    for role in ("receiver", "console"):
        assert TOLD[role]["TCP to"] == "none: EACCES", TOLD[role]


@test
def each_call_that_is_tried_as_that_process_ends_as_it_is_told():
    tried = refused = 0
    for role in ROLES:
        rows = [row for row in attempts(role) if row[3] != "done" or row[0] not in NOT_TRIED]
        lines = "".join(" ".join(map(str, (number, *arguments))) + "\n"
                        for _, number, arguments, _ in rows)
        result = subprocess.run([CONFINED, bridge.config, role], input=lines, text=True,
                                capture_output=True, timeout=120)
        outcomes = result.stdout.splitlines()
        assert result.returncode == 0 and len(outcomes) == len(rows), (role, result.stderr)
        for (call, _, arguments, answer), outcome in zip(rows, outcomes):
            # the kernel itself may not have a call, or refuse what is no child's to do
            itself = answer == "done" and (outcome == "ENOSYS" or
                                           role == "supervisor" and outcome == "EPERM")
            assert outcome == answer or itself, (role, call, arguments, answer, outcome)
            tried += 1
            refused += answer != "done"
    figure(f"{tried} calls tried, {refused} of them refused, as told of {len(ROLES)} processes")


def same(arguments, pid):
    return tuple(pid if word == "self" else word for word in arguments)


@test
def the_filters_of_the_processes_that_run_are_what_is_told():
    if "sanitizers" in bridge.log_text() or os.uname().machine != "x86_64":
        return
    if os.geteuid() != 0:
        note("the filters of running processes are root's to read: not looked at")
        return
    asked = 0
    for role, pid in [("supervisor", bridge.process.pid), *bridge.roles().items()]:
        filters = seccomp_filter.read_filters(pid)
        assert len(filters) == (1 if role == "supervisor" else 2), (role, len(filters))
        for call, number, arguments, answer in attempts(role):
            got = seccomp_filter.ask(filters, X86_64, number, same(arguments, pid))
            assert got == answer, (role, call, arguments, answer, got)
            asked += 1
        unknown = set(range(1024)) - set(NUMBERS.values())
        rest = {seccomp_filter.ask(filters, X86_64, number) for number in unknown}
        assert rest == {"done" if role == "supervisor" else "EPERM"}, (role, rest)
        for number in range(512):
            foreign = {seccomp_filter.ask(filters, I386, number),
                       seccomp_filter.ask(filters, X86_64, X32 | number)}
            assert foreign == {"SIGSYS"}, (role, number, foreign)
    assert set(bridge.roles()) == set(ROLES) - {"supervisor"}, bridge.roles()
    figure(f"{asked} calls asked of the filters of {len(ROLES)} running processes")


if __name__ == "__main__":
    sys.exit(test.run_against(bridge))
