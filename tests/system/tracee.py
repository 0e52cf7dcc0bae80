"""Makes a running process do a system call, by ptrace (x86-64): what the kernel answers it is what it may do.

Whoever may trace is stronger than what is tested: the call passes the process's own filters all the same.
"""

import ctypes
import os
import platform
import signal

import pytest

PTRACE_PEEKTEXT, PTRACE_CONT, PTRACE_SINGLESTEP, PTRACE_GETREGS, PTRACE_SETREGS = 1, 7, 9, 12, 13
PTRACE_ATTACH, PTRACE_DETACH = 16, 17

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es "
        "fs gs").split()]


def ptrace(request, pid, address=None, data=None):
    ctypes.set_errno(0)
    answer = libc.ptrace(request, pid, address, data)
    if answer == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class Tracee:
    """A process that is held while this lives, and goes on unharmed after it."""

    def __init__(self, pid):
        if platform.machine() != "x86_64":
            pytest.skip("system calls of a running process are made on x86-64 only")
        self.pid = pid

    def __enter__(self):
        try:
            ptrace(PTRACE_ATTACH, self.pid)
        except PermissionError:
            pytest.skip("this user may not trace the server's processes: unit tests of runtime try the same locks")
        self.wait_for_stop()
        self.saved = Registers()
        ptrace(PTRACE_GETREGS, self.pid, None, ctypes.byref(self.saved))
        # It stands in a system call, or has just left one: the instruction is right before.
        self.instruction = self.saved.rip - 2
        found = ptrace(PTRACE_PEEKTEXT, self.pid, self.instruction) & 0xFFFF
        if found != 0x050F:
            ptrace(PTRACE_DETACH, self.pid)
            raise RuntimeError("the process does not stand at a system call")
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR)
        self.scratch = (self.saved.rsp - 4096) & ~0xFF  # below what it uses
        return self

    def __exit__(self, *_):
        os.close(self.memory)
        ptrace(PTRACE_SETREGS, self.pid, None, ctypes.byref(self.saved))
        ptrace(PTRACE_DETACH, self.pid)

    def wait_for_stop(self):
        _, status = os.waitpid(self.pid, 0x40000000)  # __WALL
        assert os.WIFSTOPPED(status), status

    def put(self, data):
        """Writes bytes where the process can read them; the address."""
        os.pwrite(self.memory, data + b"\0", self.scratch)
        return self.scratch

    def call(self, number, *arguments):
        """The system call's answer: 0 or more, or minus an errno."""
        registers = Registers.from_buffer_copy(self.saved)
        registers.rax, registers.orig_rax, registers.rip = number, 0xFFFFFFFFFFFFFFFF, self.instruction
        for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), arguments):
            setattr(registers, name, value & 0xFFFFFFFFFFFFFFFF)
        ptrace(PTRACE_SETREGS, self.pid, None, ctypes.byref(registers))
        while True:
            ptrace(PTRACE_SINGLESTEP, self.pid)
            _, status = os.waitpid(self.pid, 0x40000000)
            if os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTRAP:
                break
            assert os.WIFSTOPPED(status), f"the process ended: {status}"
        ptrace(PTRACE_GETREGS, self.pid, None, ctypes.byref(registers))
        return ctypes.c_longlong(registers.rax).value
