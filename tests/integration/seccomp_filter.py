"""The filters for system calls of a process that runs, read by ptrace(2) and asked.

Reading them takes root (CAP_SYS_ADMIN) and a kernel with CONFIG_CHECKPOINT_RESTORE.
"""
import contextlib
import ctypes
import errno
import os
import struct

SEIZE, INTERRUPT, DETACH, GET_FILTER = 0x4206, 0x4207, 17, 0x420C  # PTRACE_...
ANSWERS = {0x80000000: "SIGSYS", 0x00050001: "EPERM", 0x00050026: "ENOSYS", 0x7FFF0000: "done"}
INSTRUCTION = struct.Struct("<HBBI")
LONGS = 0xFFFFFFFFFFFFFFFF

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, pid, address=None, data=None):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {pid}")
    return result


@contextlib.contextmanager
def stopped(pid):
    ptrace(SEIZE, pid)
    try:
        ptrace(INTERRUPT, pid)
        os.waitpid(pid, 0x40000000)  # __WALL
        yield
    finally:
        ptrace(DETACH, pid)


def read_filters(pid):
    """Its programs, the first loaded first; each a list of instructions."""
    programs = []
    with stopped(pid):
        while True:
            try:
                count = ptrace(GET_FILTER, pid, len(programs))
            except OSError as error:
                if error.errno == errno.ENOENT:
                    return programs
                raise
            code = ctypes.create_string_buffer(count * INSTRUCTION.size)
            ptrace(GET_FILTER, pid, len(programs), code)
            programs.append(list(INSTRUCTION.iter_unpack(code.raw)))


def run(program, data):
    """What that program answers: the kernel's number."""
    accumulator, place = 0, 0
    while True:
        code, if_true, if_false, value = program[place]
        place += 1
        if code == 0x20:  # load a word
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:  # and
            accumulator &= value
        elif code == 0x05:  # jump
            place += value
        elif code in (0x15, 0x25, 0x35, 0x45):  # equal, greater, greater or equal, has bits
            holds = {0x15: accumulator == value, 0x25: accumulator > value,
                     0x35: accumulator >= value, 0x45: accumulator & value != 0}[code]
            place += if_true if holds else if_false
        elif code == 0x06:  # return
            return value
        else:
            raise NotImplementedError(f"instruction {code:#x}")


def ask(programs, architecture, number, arguments=(0,) * 6):
    """What the kernel makes of all of them: the strictest answer counts."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(word & LONGS for word in arguments))
    answers = [run(program, data) for program in programs]
    strictest = min(answers, key=lambda answer: answer - (1 << 32) if answer >> 31 else answer)
    return ANSWERS.get(strictest, hex(strictest))
