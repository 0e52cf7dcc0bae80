"""Runs the test groups and counts: one group a module, a system test file, the web client, the browser.

Called by ./test, which has installed the packages. Every group says which targets it needs, so that a filter
builds only those. Groups run side by side (each has its own servers, on free ports); what a group printed is shown
whole when it failed. A group that crashes, runs into its time limit or runs no test at all counts as a failure.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "debug"
EXECUTABLES = ["lingxi", "lingxi-gateway", "lingxi-render"]
GROUP_LIMIT_SECONDS = 1800
# These take longest: they start first, so that none of them runs alone at the end.
LONG = ("fuzz/", "system/durability", "e2e/", "system/", "clients/", "evals/", "architecture/")


@dataclass
class Group:
    """A named set of tests: what it needs built, and how it runs. `run` answers (passed, names of the failed)."""

    name: str
    run: object
    targets: list = field(default_factory=list)
    web: str = ""  # "", "packages" or "dist"


@dataclass
class Outcome:
    passed: int = 0
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    log: str = ""


def build(*arguments):
    return subprocess.run([str(ROOT / "scripts" / "build"), *arguments], cwd=ROOT).returncode == 0


def environment():
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env["LINGXI_BUILD"] = str(BUILD)
    if (ROOT / "web" / "dist" / "index.html").exists():
        env["LINGXI_WEB_ROOT"] = str(ROOT / "web" / "dist")
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def read_junit(path, outcome, label):
    """Adds the cases of a JUnit file (GoogleTest's and pytest's and Vitest's are alike) to the outcome."""
    # Colours of what a browser test says stand in Node's report as they are, which XML forbids.
    report = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", Path(path).read_text(encoding="utf-8", errors="replace"))
    for case in ElementTree.fromstring(report).iter("testcase"):
        name = f"{label}: {case.get('classname', '')}.{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed.append(name)
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            reason = case.find("skipped")
            outcome.skipped.append(f"{name}: {reason.get('message', '') if reason is not None else ''}")
        else:
            outcome.passed += 1


def run_with_report(label, command, report, cwd=ROOT, timeout_seconds=GROUP_LIMIT_SECONDS):
    """Runs a command that writes a JUnit report; a crash before the report is one failure."""
    outcome = Outcome()
    with tempfile.TemporaryFile(mode="w+", errors="replace") as log:
        # A session of its own: servers and browsers that it started end with it.
        process = subprocess.Popen(command, cwd=cwd, env=environment(), stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            code = f"its time limit of {timeout_seconds} s"
        finally:
            end_session(process)
        try:
            if Path(report).exists() and Path(report).stat().st_size:
                read_junit(report, outcome, label)
        except ElementTree.ParseError:
            outcome.failed.append(f"{label}: its report is cut off (it ended with {code})")
        if code != 0 and not outcome.failed:
            outcome.failed.append(f"{label}: ended with {code}")
        if not (outcome.passed or outcome.failed or outcome.skipped):
            outcome.failed.append(f"{label}: ran no test")
        if outcome.failed:
            log.seek(0)
            outcome.log = log.read()[-20000:]
    return outcome


def end_session(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def unit_group(folder):
    name = folder.parent.name
    target = f"{name}_tests"

    def run():
        with tempfile.TemporaryDirectory() as scratch:
            report = f"{scratch}/report.xml"
            binary = BUILD / folder.parent.relative_to(ROOT) / target
            return run_with_report(f"unit/{name}", [str(binary), f"--gtest_output=xml:{report}"], report)

    return Group(f"unit/{name}", run, [target])


def pytest_group(label, path, targets, web=""):
    def run():
        with tempfile.TemporaryDirectory() as scratch:
            report = f"{scratch}/report.xml"
            command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(path)]
            return run_with_report(label, command, report)

    return Group(label, run, targets, web)


def web_group():
    def run():
        with tempfile.TemporaryDirectory() as scratch:
            report = f"{scratch}/report.xml"
            command = [str(ROOT / "scripts" / "build"), "node", "npm", "run", "--silent", "test:report", "--", f"--outputFile={report}"]
            return run_with_report("web", command, report, cwd=ROOT / "web")

    return Group("web", run, [], "packages")


def node_group(path, web):
    label = f"{path.parent.name}/{path.name.split('.')[0]}"

    def run():
        with tempfile.TemporaryDirectory() as scratch:
            report = f"{scratch}/report.xml"
            # Node's reports keep what a failure says to themselves: it is written for people as well.
            command = [str(ROOT / "scripts" / "build"), "node", "node", "--test", "--test-force-exit", "--test-reporter=junit",
                       f"--test-reporter-destination={report}", "--test-reporter=spec", "--test-reporter-destination=stdout", str(path)]
            return run_with_report(label, command, report, cwd=path.parent)

    return Group(label, run, EXECUTABLES, web)


def fuzz_targets():
    listed = (ROOT / "tests" / "fuzz" / "CMakeLists.txt").read_text()
    return [f"fuzz_{name}" for name in re.findall(r"^lingxi_fuzz\((\w+)", listed, re.M)]


def groups():
    found = []
    for folder in sorted(ROOT.glob("server/**/tests")):
        if list(folder.glob("*.cc")):
            found.append(unit_group(folder))
    for path in sorted((ROOT / "tests" / "architecture").glob("test_*.py")):
        found.append(pytest_group(f"architecture/{path.stem[5:]}", path, EXECUTABLES if "executables" in path.stem else []))
    if (ROOT / "web" / "package.json").exists():
        found.append(web_group())
    for path in sorted((ROOT / "tests" / "fuzz").glob("test_*.py")):
        found.append(pytest_group(f"fuzz/{path.stem[5:]}", path, fuzz_targets()))
    for path in sorted((ROOT / "evals").glob("test_*.py")):
        found.append(pytest_group(f"evals/{path.stem[5:]}", path, ["score_chips"]))
    for folder in ("system", "clients"):
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
            found.append(pytest_group(f"{folder}/{path.stem[5:]}", path, EXECUTABLES))
    found.append(pytest_group("conformance", ROOT / "tests" / "conformance", EXECUTABLES))
    for path in sorted((ROOT / "tests" / "clients").glob("*.test.mjs")):
        found.append(node_group(path, "packages"))
    for path in sorted((ROOT / "tests" / "e2e").glob("*.test.mjs")):
        found.append(node_group(path, "dist"))
    return found


def rank(group):
    return next((at for at, prefix in enumerate(LONG) if group.name.startswith(prefix)), len(LONG))


def run_timed(group):
    start = time.monotonic()
    try:
        outcome = group.run()
    except Exception as fault:  # a group that cannot even be started is a failure of that group alone
        outcome = Outcome(failed=[f"{group.name}: could not be run: {fault}"])
    return group, outcome, time.monotonic() - start


def main():
    wanted = groups()
    if "--list" in sys.argv[1:]:
        print("\n".join(group.name for group in wanted))
        return 0
    filters = sys.argv[1:]
    if filters:
        wanted = [group for group in wanted if any(text in group.name for text in filters)]
        if not wanted:
            print(f"no test group's name holds {filters}; ./test --list names them")
            return 2

    targets = sorted({target for group in wanted for target in group.targets})
    if targets and not build("native", "debug", *targets):
        print("0 passed, 1 failed")
        return 1
    if any(group.web == "dist" for group in wanted) and not build("web"):
        print("0 passed, 1 failed")
        return 1
    if any(group.web == "packages" for group in wanted) and not build("web-packages"):
        print("0 passed, 1 failed")
        return 1

    total = Outcome()
    jobs = int(os.environ.get("LINGXI_TEST_JOBS", min(os.cpu_count() or 1, 4)))
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(run_timed, group) for group in sorted(wanted, key=rank)]):
            group, outcome, seconds = done.result()
            total.passed += outcome.passed
            total.failed += outcome.failed
            total.skipped += outcome.skipped
            mark = "✗" if outcome.failed else "✓"
            skipped = f", {len(outcome.skipped)} skipped" if outcome.skipped else ""
            print(f"{outcome.log}{mark} {group.name}: {outcome.passed} passed, {len(outcome.failed)} failed{skipped} "
                  f"({seconds:.0f} s)", flush=True)

    for name in total.skipped:
        print(f"skipped  {name}")
    for name in total.failed:
        print(f"FAILED  {name}")
    print(f"{total.passed} passed, {len(total.failed)} failed")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
