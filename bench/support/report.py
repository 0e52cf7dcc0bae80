"""One line a figure."""

import sys


def amount(value, unit=""):
    """A number as a person reads it."""
    if value is None:
        return "–"
    magnitude = abs(value)
    text = f"{value:,.0f}" if magnitude >= 100 else f"{value:.1f}" if magnitude >= 10 else f"{value:.2f}"
    return f"{text} {unit}".strip()


class Report:
    COLUMNS = (("figure", 52), ("ours", 15), ("reference, in the same run", 46), ("ratio", 7), ("target", 22), ("", 7))

    def __init__(self, quick=False):
        self.quick = quick
        self.missed = 0
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
        """`holds`: whether the target is met; None where there is none."""
        self.lines += 1
        verdict = "" if holds is None else "ok" if holds else "MISSED"
        self.missed += verdict == "MISSED"
        self.row([figure, ours, reference, "" if ratio is None else f"{ratio:.2f}", target, verdict, limit])

    def failed(self, name, fault):
        self.faults += 1
        self.row([name, "no figure", f"{type(fault).__name__}: {fault}"[:300], "", "", "FAILED", ""])

    def end(self, seconds):
        print(f"\n{self.lines} figures, {self.missed} missed, {self.faults} failed; {seconds / 60:.1f} minutes")
        sys.stdout.flush()
