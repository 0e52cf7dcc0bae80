"""The release executables under measurement, and what the kernel says of them."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

START_LIMIT_SECONDS = 60
TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_running(pid):
    """A process of which all threads have ended holds nothing any more, even where its new parent is slow to look at it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


class Server:
    """`lingxi serve` on a data directory; the address stays across restarts."""

    def __init__(self, binaries, data, *arguments):
        self.binaries = Path(binaries)
        self.data = Path(data)
        self.arguments = list(arguments)
        self.listen = "127.0.0.1:0"
        self.process = None

    def command(self):
        return [str(self.binaries / "lingxi"), "serve", "--data", str(self.data), "--listen", self.listen, "--metrics-listen", "",
                "--rate-limits", "off", "--server-name", "bench.lingxi", "--registration", "open", "--log-level", "warning",
                *self.arguments]

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        self.log = open(self.data.parent / (self.data.name + ".log"), "a+")
        # The output goes to a file: a pipe that nobody reads would stop the server one day.
        self.output = open(self.data.parent / (self.data.name + ".out"), "w+")
        self.process = subprocess.Popen(self.command(), stdout=self.output, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < end:
            self.output.seek(0)
            found = re.search(r"Lingxi is running at (http\S+)", self.output.read())
            if found:
                self.url = found.group(1)
                self.listen = self.url.split("//")[1]
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        self.log.seek(0)
        raise RuntimeError("the server did not start: " + self.log.read()[-1000:])

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def kill(self):
        """kill -9 of all of it; its children die with it."""
        children = list(self.pids().values())
        self.process.kill()
        self.process.wait(10)
        end = time.monotonic() + 10
        while any(is_running(pid) for pid in children) and time.monotonic() < end:
            time.sleep(0.001)

    def pids(self):
        return json.loads((self.data / "run" / "processes.json").read_text())

    def pid(self, name="core"):
        return self.pids()[name]

    # ---- What the kernel counts

    def cpu_us(self, name="core"):
        """Processor time of all its threads."""
        fields = Path(f"/proc/{self.pid(name)}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_US

    def written_bytes(self, name="core"):
        """Handed to the kernel by write calls: files alone, since sockets are sent to. `write_bytes` is no measure of it:
        where the page cache has large folios, it counts a whole one for each page that is written."""
        text = Path(f"/proc/{self.pid(name)}/io").read_text()
        return int(re.search(r"^wchar: (\d+)", text, re.M).group(1))

    def memory_kib(self, name="core"):
        text = Path(f"/proc/{self.pid(name)}/smaps_rollup").read_text()
        return int(re.search(r"^Private_Dirty: +(\d+)", text, re.M).group(1))


def drop_page_cache(directory):
    """What the kernel holds of the files; what is not yet on the disk goes there first."""
    for path in Path(directory).rglob("*"):
        if not path.is_file():
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
