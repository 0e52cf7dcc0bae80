"""Measures the release executables against references in the same run, and prints a line for each figure."""

import argparse
import resource
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from figures import ai_gate, gateway, history, initial_sync, kills, latency, memory, sends, start, wake  # noqa: E402
from support.report import Report  # noqa: E402
from support.session import Session  # noqa: E402

FIGURES = {
    "sends": sends, "latency": latency, "wake": wake, "memory": memory, "initial-sync": initial_sync, "start": start,
    "history": history, "ai-gate": ai_gate, "gateway": gateway, "kills": kills,
}


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("filter", nargs="*", help="only the figures whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer: shows that it works, not how fast")
    parser.add_argument("--list", action="store_true", help="names the figures")
    parser.add_argument("--rounds", type=int, help="rounds of each figure (5; 3 with --quick)")
    options = parser.parse_args()
    if options.list:
        for name, module in FIGURES.items():
            print(f"{name:<14}{module.__doc__.strip().splitlines()[0]}")
        return 0
    chosen = {name: module for name, module in FIGURES.items()
              if not options.filter or any(part in name for part in options.filter)}
    if not chosen:
        parser.error("no figure has such a name (bench/run --list)")
    # Parked long-polls are descriptors; the server inherits this.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    began = time.monotonic()
    report = Report(quick=options.quick)
    with Session(report, quick=options.quick, rounds=options.rounds) as session:
        report.head(session.machine())
        for name, module in chosen.items():
            started = time.monotonic()
            try:
                module.measure(session)
            except Exception as fault:  # one figure that fails does not take the others with it
                report.failed(name, fault)
            session.note(f"{name}: {time.monotonic() - started:.0f} s")
    report.end(time.monotonic() - began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
