"""One line a figure."""

import sys
from enum import Enum


def amount(value, unit=""):
    """A number as a person reads it."""
    if value is None:
        return "–"
    magnitude = abs(value)
    text = f"{value:,.0f}" if magnitude >= 100 else f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"
    return f"{text} {unit}".strip()


class Verdict(Enum):
    ok = "ok"
    for_speed = "ok*"  # missed here, held at the speed of where the target was set
    missed = "MISSED"


class Report:
    COLUMNS = (("figure", 52), ("ours", 15), ("reference, in the same run", 46), ("ratio", 7), ("target", 22), ("", 7))

    def __init__(self, quick=False):
        self.quick = quick
        self.missed = 0
        self.for_speed = 0
        self.lines = 0
        self.faults = 0

    def head(self, machine):
        print(machine)
        if self.quick:
            print("QUICK: small sizes and few rounds. These numbers say that the bench works, and nothing of the speed.")
        print()
        self.row([name for name, _ in self.COLUMNS] + ["physical limit"])

    def row(self, cells):
        widths = [width for _, width in self.COLUMNS]
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths)) + "  " + cells[-1], flush=True)

    def line(self, figure, ours, reference="", ratio=None, target="", holds=None, limit=""):
        """`holds`: whether the target is met, or a Verdict; None where there is no target."""
        self.lines += 1
        verdict = holds if holds is None or isinstance(holds, Verdict) else Verdict.ok if holds else Verdict.missed
        self.missed += verdict is Verdict.missed
        self.for_speed += verdict is Verdict.for_speed
        self.row([figure, ours, reference, "" if ratio is None else f"{ratio:.2f}", target, verdict.value if verdict else "", limit])

    def failed(self, name, fault):
        self.faults += 1
        self.row([name, "no figure", f"{type(fault).__name__}: {fault}"[:300], "", "", "FAILED", ""])

    def end(self, seconds):
        for_speed = f" {self.for_speed} for this machine's speed (ok*)," if self.for_speed else ""
        print(f"\n{self.lines} figures,{for_speed} {self.missed} missed, {self.faults} failed; {seconds / 60:.1f} minutes")
        sys.stdout.flush()
