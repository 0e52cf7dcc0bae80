"""The runner tells the truth: what crashes, hangs or tests nothing is a failure, and the last line counts."""

import importlib.util
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
specification = importlib.util.spec_from_file_location("run_tests", ROOT / "scripts" / "run_tests.py")
runner = importlib.util.module_from_spec(specification)
sys.modules["run_tests"] = runner
specification.loader.exec_module(runner)

REPORT = '<testsuites><testsuite><testcase classname="C" name="{name}">{inner}</testcase></testsuite></testsuites>'


def run(tmp_path, script, **options):
    report = tmp_path / "report.xml"
    return runner.run_with_report("sample", ["bash", "-c", script.replace("REPORT", str(report))], report, **options)


def write(text):
    return f"printf '%s' '{text}' > REPORT"


def test_passed_failed_and_skipped_cases_are_told_apart(tmp_path):
    assert run(tmp_path, write(REPORT.format(name="a", inner=""))).passed == 1
    assert run(tmp_path, write(REPORT.format(name="a", inner="<failure/>")) + "; exit 1").failed == ["sample: C.a"]
    assert run(tmp_path, write(REPORT.format(name="a", inner='<skipped message="why"/>'))).skipped == ["sample: C.a: why"]


def test_a_crash_without_a_report_is_a_failure_and_what_it_printed_is_shown(tmp_path):
    outcome = run(tmp_path, "echo the reason; kill -SEGV $$")
    assert outcome.failed == ["sample: ended with -11"]
    assert "the reason" in outcome.log


def test_a_report_that_was_cut_off_is_a_failure(tmp_path):
    assert len(run(tmp_path, write("<testsuites><testsuite><testcase name=") + "; exit 1").failed) == 1


def test_a_failure_that_speaks_in_colours_is_told_by_its_name(tmp_path):
    script = write(REPORT.format(name="a", inner="<failure>\033[2mwaiting\033[22m</failure>")) + "; exit 1"
    assert run(tmp_path, script).failed == ["sample: C.a"]


def test_a_failing_end_after_passing_cases_is_a_failure(tmp_path):
    assert run(tmp_path, write(REPORT.format(name="a", inner="")) + "; exit 3").failed == ["sample: ended with 3"]


def test_a_group_that_runs_no_test_is_a_failure(tmp_path):
    assert run(tmp_path, "true").failed == ["sample: ran no test"]
    assert run(tmp_path, write("<testsuites/>")).failed == ["sample: ran no test"]


def test_what_hangs_is_ended_with_everything_that_it_started(tmp_path):
    outcome = run(tmp_path, f"bash -c 'sleep 300; touch {tmp_path}/late' & echo $! > {tmp_path}/child; wait", timeout_seconds=5)
    assert outcome.failed == ["sample: ended with its time limit of 5 s"]
    child = int((tmp_path / "child").read_text())
    while is_running(child):
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:  # it was there a moment ago, perhaps
        return False


def test_every_folder_of_tests_is_in_a_group():
    names = {group.name for group in runner.groups()}
    for folder in ROOT.glob("server/**/tests"):
        if list(folder.glob("*.cc")):
            assert f"unit/{folder.parent.name}" in names
    for kind in ("architecture", "system", "clients", "fuzz"):
        for path in (ROOT / "tests" / kind).glob("test_*.py"):
            assert f"{kind}/{path.stem[5:]}" in names
    for path in (ROOT / "tests" / "e2e").glob("*.test.mjs"):
        assert f"e2e/{path.name.split('.')[0]}" in names


def test_a_filter_that_matches_nothing_is_told(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run_tests.py", "no such group"])
    assert runner.main() == 2
    assert "--list" in capsys.readouterr().out
