"""What core, gateway, render and their supervisor must not do is tried from the running processes themselves."""

import errno
import os
import socket
import struct
import time
import zlib
from pathlib import Path

import pytest
import requests

from harness import Server, wait_for
from tracee import Tracee

REFUSED = {-errno.EPERM, -errno.EACCES, -errno.ENOSYS}

# System calls of x86-64.
READ, OPEN, MMAP, SOCKET, CONNECT, SENDTO, LISTEN = 0, 2, 9, 41, 42, 44, 50
CLONE, FORK, EXECVE, KILL, PTRACE, UNLINK = 56, 57, 59, 62, 101, 87
IO_URING_SETUP, MEMFD_CREATE, PROCESS_VM_READV, PRCTL, CLOSE = 425, 319, 310, 157, 3
MOUNT, UNSHARE, SETNS, CHROOT, SETUID, PERSONALITY, EXECVEAT = 165, 272, 308, 161, 105, 135, 322
BPF, KEYCTL, PERF_EVENT_OPEN, USERFAULTFD, INIT_MODULE, KEXEC_LOAD = 321, 250, 298, 323, 175, 246
NEW_USER = 0x10000000
AF_UNIX, AF_INET, AF_INET6, AF_PACKET = 1, 2, 10, 17
STREAM, DATAGRAM, RAW = 1, 2, 3
MSG_FASTOPEN = 0x20000000


def status_of(server, role):
    """The kernel's word on a process, by name."""
    pid = server.processes().get(role)
    text = Path(f"/proc/{pid}/status").read_text() if pid else ""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def is_locked(server, role):
    return status_of(server, role).get("Seccomp") == "2"


def wake_render(server):
    """It loads its decoders, and locks itself, when it is first needed."""
    def part(name, data):
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    picture = (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack("!IIBBBBB", 800, 600, 8, 0, 0, 0, 0)) +
               part(b"IDAT", zlib.compress((b"\0" + b"\x80" * 800) * 600)) + part(b"IEND", b""))
    alice = server.register("alice")
    uri = alice.request("POST", "/_matrix/media/v3/upload", data=picture, headers={"Content-Type": "image/png"}).json()["content_uri"]
    alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{uri.removeprefix('mxc://')}", params={"width": 96, "height": 96})


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        wake_render(running)
        for name in ("core", "gateway", "render"):
            wait_for(lambda: is_locked(running, name), what=f"the locks of {name}")
        yield running


@pytest.fixture(scope="module")
def listener():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()


def held(server, role):
    """The process, held at a system call; it may be met between two, then another time."""
    for _ in range(200):
        tracee = Tracee(server.processes()[role])
        try:
            return tracee.__enter__()
        except RuntimeError:
            time.sleep(0.01)
    raise AssertionError(f"{role} was never met in a system call")


@pytest.fixture(params=["core", "gateway", "render"])
def role(request):
    return request.param


@pytest.fixture
def process(server, role):
    tracee = held(server, role)
    yield tracee
    tracee.__exit__()
    assert requests.get(server.url + "/healthz", timeout=30).status_code == 200, "it goes on unharmed"


def sockaddr(listener):
    return struct.pack("=H", AF_INET) + struct.pack("!H4s8x", listener[1], socket.inet_aton(listener[0]))


def test_a_process_that_is_held_answers_for_itself(process):
    """Else what is refused below would prove nothing."""
    assert process.call(39) == process.pid  # getpid
    assert process.call(READ, 9999, process.scratch, 1) == -errno.EBADF


def test_sockets(process, role, listener):
    may_go_out = role == "gateway"
    for family, kind in ((AF_INET, STREAM), (AF_INET, DATAGRAM), (AF_INET6, STREAM), (AF_INET6, DATAGRAM)):
        answer = process.call(SOCKET, family, kind, 0)
        assert (answer >= 0) is may_go_out, (family, kind, answer)
        if answer >= 0:
            process.call(CLOSE, answer)
        else:
            assert answer in REFUSED
    for family, kind, protocol in ((AF_INET, RAW, 1), (AF_PACKET, RAW, 0), (AF_UNIX, DATAGRAM, 0), (38, 5, 0), (40, STREAM, 0)):
        assert process.call(SOCKET, family, kind, protocol) in REFUSED, (family, kind)
    if role == "gateway":
        descriptor = process.call(SOCKET, AF_INET, STREAM, 0)
        assert process.call(LISTEN, descriptor, 1) in REFUSED, "nobody comes in by it"
        assert process.call(CONNECT, descriptor, process.put(sockaddr(listener)), 16) == 0, "the one door out"
        process.call(CLOSE, descriptor)
        assert process.call(SOCKET, AF_UNIX, STREAM, 0) in REFUSED


def sockets_of(pid):
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(entry).startswith("socket:"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_tcp_fast_open_and_sendto_and_connect_by_the_sockets_that_it_has(process, role, listener):
    if role == "gateway":
        pytest.skip("the gateway may go out")
    there = sockets_of(process.pid)
    assert there
    for descriptor in there:
        address = process.put(sockaddr(listener))
        assert process.call(CONNECT, descriptor, address, 16) in REFUSED
        assert process.call(SENDTO, descriptor, address, 1, MSG_FASTOPEN, address, 16) in REFUSED
        assert process.call(SENDTO, descriptor, address, 1, 0, address, 16) in REFUSED


def test_new_processes_programs_and_powers(process):
    path = process.put(b"/bin/true")
    assert process.call(EXECVE, path, 0, 0) in REFUSED
    assert process.call(FORK) in REFUSED
    assert process.call(CLONE, 17, 0, 0, 0, 0) in REFUSED  # SIGCHLD: a process, no thread
    assert process.call(PTRACE, 16, 1, 0, 0) in REFUSED
    assert process.call(PROCESS_VM_READV, os.getpid(), 0, 0, 0, 0, 0) in REFUSED
    assert process.call(KILL, os.getpid(), 0) in REFUSED
    assert process.call(PRCTL, 4, 1, 0, 0, 0) in REFUSED  # PR_SET_DUMPABLE
    assert process.call(MEMFD_CREATE, path, 0) in REFUSED


def test_io_uring(process):
    assert process.call(IO_URING_SETUP, 4, process.scratch) in REFUSED


def test_new_code(process, role):
    if role == "gateway":
        pytest.skip("the resolver's modules are loaded by it")
    everything, private = 7, 0x22
    assert process.call(MMAP, 0, 4096, everything, private, -1, 0) in REFUSED


def landlock_is_there(server):
    return '"landlock_version":0' not in server.log and "landlock_version=0" not in server.log


def test_files_of_the_others(process, role, server):
    gateway_file = server.data / "gateway" / "gateway.toml"
    gateway_file.touch(mode=0o600)
    others = {"core": [gateway_file, "/etc/passwd"], "gateway": [server.data / "core" / "lingxi.db", "/etc/passwd"],
              "render": [server.data / "core" / "lingxi.db", gateway_file, "/etc/passwd", "/etc/hosts"]}[role]
    if role != "render" and not landlock_is_there(server):
        pytest.skip("this kernel has no Landlock: file access is not confined")
    for path in others:
        answer = process.call(OPEN, process.put(str(path).encode()), os.O_RDONLY, 0)
        assert answer in REFUSED or (answer == -errno.ENOENT and not Path(path).exists()), (path, answer)
    assert process.call(OPEN, process.put(b"/tmp/lingxi-made-by-the-sandboxed"), os.O_WRONLY | os.O_CREAT, 0o600) in REFUSED
    assert process.call(UNLINK, process.put(str(gateway_file if role == "core" else server.data / "core" / "lingxi.db").encode())) in REFUSED


@pytest.fixture
def supervisor(server):
    tracee = held(server, "supervisor")
    yield tracee
    tracee.__exit__()
    assert requests.get(server.url + "/healthz", timeout=30).status_code == 200, "it goes on unharmed"


def test_the_supervisor_has_no_power_over_the_machine_or_others(supervisor):
    """What none of its children may do it may not either: they inherit its lock."""
    assert supervisor.call(39) == supervisor.pid  # getpid: it answers for itself
    path = supervisor.put(b"/bin/true")
    for family, kind, protocol in ((AF_INET, RAW, 1), (AF_PACKET, RAW, 0), (AF_UNIX, DATAGRAM, 0), (38, 5, 0), (40, STREAM, 0)):
        assert supervisor.call(SOCKET, family, kind, protocol) in REFUSED, (family, kind)
    for number, *arguments in ((PTRACE, 16, 1, 0, 0), (PROCESS_VM_READV, os.getpid(), 0, 0, 0, 0, 0), (MEMFD_CREATE, path, 0),
                               (PRCTL, 4, 1, 0, 0, 0), (IO_URING_SETUP, 4, supervisor.scratch), (MOUNT, path, path, path, 0, 0),
                               (UNSHARE, NEW_USER), (CLONE, NEW_USER | 17, 0, 0, 0, 0), (SETNS, 0, 0), (CHROOT, path),
                               (BPF, 0, supervisor.scratch, 8), (KEYCTL, 0, -2, 0), (PERF_EVENT_OPEN, supervisor.scratch, 0, -1, -1, 0),
                               (USERFAULTFD, 0), (INIT_MODULE, supervisor.scratch, 0, path), (KEXEC_LOAD, 0, 0, 0, 0),
                               (SETUID, 65534), (PERSONALITY, 0), (EXECVEAT, 0, path, 0, 0, 0)):
        assert supervisor.call(number, *arguments) in REFUSED, number


def test_the_supervisor_starts_no_other_program_and_writes_nowhere_else(supervisor, server):
    if not landlock_is_there(server):
        pytest.skip("this kernel has no Landlock: programs and files are not confined")
    assert supervisor.call(EXECVE, supervisor.put(b"/bin/true"), 0, 0) in REFUSED
    outside = supervisor.put(b"/tmp/lingxi-made-by-the-supervisor")
    assert supervisor.call(OPEN, outside, os.O_WRONLY | os.O_CREAT, 0o600) in REFUSED
    inside = str(server.data / "run" / "made").encode()
    descriptor = supervisor.call(OPEN, supervisor.put(inside), os.O_WRONLY | os.O_CREAT, 0o600)
    assert descriptor >= 0, "where it keeps who runs"
    supervisor.call(CLOSE, descriptor)
    (server.data / "run" / "made").unlink()


def test_each_is_locked_for_good(server, role):
    status = status_of(server, role)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    kept = int(status["CapEff"], 16)
    assert kept in (0, 1 << 1), "at most the power to reach a folder of somebody else's (CAP_DAC_OVERRIDE)"


def test_who_holds_what(server):
    """Core holds the database, and neither speaks to model servers nor decodes pictures; and so on."""
    maps = {role: Path(f"/proc/{server.processes()[role]}/maps") for role in ("core", "gateway", "render")}
    try:
        libraries = {role: path.read_text() for role, path in maps.items()}
    except PermissionError:
        pytest.skip("this user may not look into the server's processes")
    assert "libsqlite3" in libraries["core"] and "libcurl" not in libraries["core"] and "libvips" not in libraries["core"]
    assert "libcurl" in libraries["gateway"] and "libsqlite3" not in libraries["gateway"]
    assert "libvips" not in libraries["gateway"]
    assert "libvips" in libraries["render"]


def test_the_supervisor_is_locked_for_good_and_goes_on_restarting(server):
    status = status_of(server, "supervisor")
    assert (status["Seccomp"], status["NoNewPrivs"], status["Threads"]) == ("2", "1", "1")
    assert int(status["CapEff"], 16) in (0, 1 << 1)
    for name in ("gateway", "render", "core"):
        before = wait_for(lambda: server.processes().get(name), what=name)
        os.kill(before, 9)
        wait_for(lambda: server.processes().get(name) not in (None, before) and server.processes().get("ready"), what=f"another {name}")
    wait_for(lambda: is_locked(server, "gateway") and is_locked(server, "core"), what="the locks")
