"""What the figures share: tools, scratch space, data sets, servers, and how numbers are put together."""

import contextlib
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from support.report import Verdict
from support.server import Server

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LINGXI_BUILD", ROOT / "build" / "release"))
TOOLS = BUILD / "bench"
TOOL_LIMIT_SECONDS = 600
KEPT_DATA_SETS = 2  # generations of schema
SLOWNESS_LIMIT = 2.5  # nothing is measured on a machine that is slower still
YARDSTICK_US = 0.8  # what `limits` calls parse_us, where the targets were set


def median(values):
    return statistics.median(values)


class Session:
    def __init__(self, report, quick=False, rounds=None):
        self.report = report
        self.quick = quick
        self.rounds = rounds or (3 if quick else 5)
        self.many = 100_000 if quick else 1_000_000  # stored events of a server with a history
        self.many_name = "10⁵" if quick else "10⁶"
        self.results = {}  # what one figure found and another needs
        self.stack = contextlib.ExitStack()
        self._limits = None

    def __enter__(self):
        self.stack.__enter__()
        BUILD.joinpath("bench-data").mkdir(parents=True, exist_ok=True)
        self.scratch = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=BUILD / "bench-data")))
        return self

    def __exit__(self, *fault):
        return self.stack.__exit__(*fault)

    def note(self, text):
        print(f"  · {text}", file=sys.stderr, flush=True)

    def ms(self, full):
        """How long a round lasts, in milliseconds."""
        return full // 4 if self.quick else full

    # ---- Tools

    def tool(self, name, *arguments, **options):
        """Runs a tool to its end and gives the JSON of its last line."""
        os.sync()  # what the one before left to be written is not to be paid by this one
        command = self.command(name, *arguments, **options)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=TOOL_LIMIT_SECONDS,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{name} {arguments}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
        lines = done.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def command(self, name, *arguments, **options):
        command = [str(TOOLS / f"lingxi-bench-{name}"), *map(str, arguments)]
        for option, value in options.items():
            command += ["--" + option.replace("_", "-"), str(value)]
        return command

    @contextlib.contextmanager
    def talking_tool(self, name, *arguments, **options):
        """A tool that is spoken with over its standard streams."""
        process = subprocess.Popen(self.command(name, *arguments, **options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, bufsize=1)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(10)

    # ---- Servers

    @contextlib.contextmanager
    def server(self, directory, *arguments):
        with Server(BUILD / "bin", directory, *arguments) as server:
            yield server

    # ---- Data sets

    def history(self, events, rooms, watchers=0):
        """A data set of that size, made once for each schema: its directory, which nobody writes into."""
        name = f"history-{events}-{rooms}-{watchers}-{self.schema_hash()}"
        return self.data_set(name, lambda directory: self.tool("history", directory=directory, events=events, rooms=rooms,
                                                               watchers=watchers))

    def fat(self, rows, rooms):
        sql = ROOT / "bench" / "reference" / "fat.sql"
        name = f"fat-{rows}-{rooms}-{hashlib.sha256(sql.read_bytes()).hexdigest()[:12]}"
        return self.data_set(name, lambda directory: self.tool("reference", "fill", db=directory / "fat.db", sql=sql, rows=rows,
                                                               rooms=rooms)) / "fat.db"

    def data_set(self, name, make):
        directory = BUILD / "bench-data" / name
        if not directory.exists():
            self.note(f"making {name}")
            unfinished = directory.with_name(f"making-{os.getpid()}-{name}")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            make(unfinished)
            unfinished.rename(directory)
            self.drop_old_data_sets(name)
        return directory

    def drop_old_data_sets(self, name):
        """Those of earlier schemas."""
        kind = name.rsplit("-", 1)[0]
        same = sorted(BUILD.joinpath("bench-data").glob(kind + "-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in same[KEPT_DATA_SETS:]:
            shutil.rmtree(old, ignore_errors=True)

    def schema_hash(self):
        digest = hashlib.sha256()
        files = sorted(ROOT.glob("server/modules/*/migrations/*.sql")) + sorted(ROOT.glob("bench/history/*.cc"))
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()[:12]

    def copy(self, source, name):
        """A copy that may be written into, gone when the session ends."""
        target = self.scratch / name
        if target.is_dir():
            shutil.rmtree(target)
        if Path(source).is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.sock"))
        else:
            shutil.copyfile(source, target)
        os.sync()  # what the copying left to be written is not to be paid by what is measured
        return target

    def furnished(self, people=64):
        """An empty server with people and a room for each, made over its API: its directory."""
        directory = self.scratch / f"empty-{people}"
        if not directory.exists():
            directory.mkdir()
            with self.server(directory / "d") as server:
                self.tool("load", "furnish", url=server.url, people=people, people_file=directory / "senders.tsv")
        return directory

    # ---- The machine

    def limits(self):
        if self._limits is None:
            self._limits = self.tool("reference", "limits", directory=self.scratch)
        return self._limits

    def machine(self):
        cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                    if line.startswith("model name")), "unknown processor")
        limits = self.limits()
        load = os.getloadavg()[0]
        busy = " (busy: believe ratios alone)" if load > 0.5 * os.cpu_count() else ""
        return (f"{cpu}, {os.cpu_count()} cores, load {load:.1f}{busy}; a synced 4 KiB write takes {limits['sync_p50_ms']:.2f} ms"
                f" (p99 {limits['sync_p99_ms']:.2f}); a turn between two threads {limits['turn_p50_ms'] * 1000:.0f} µs;"
                f" Boost.JSON parses a 402-byte event in {limits['parse_us']:.2f} µs ({YARDSTICK_US} where the targets were set)")

    def within(self, value, limit):
        """Whether a time of the processor holds its limit: here, or else at the speed of where the limit was set."""
        return Verdict.ok if value <= limit else Verdict.for_speed if value <= limit * self.slowness() else Verdict.missed

    def slowness(self):
        """How much slower this machine computes than the one on which the targets were set: from 1 to SLOWNESS_LIMIT."""
        return min(SLOWNESS_LIMIT, max(1.0, self.limits()["parse_us"] / YARDSTICK_US))
