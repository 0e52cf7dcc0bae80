"""After all scenarios: is there a status of the specification that was neither seen nor listed with a reason?"""

import os

from documents import endpoints_page
from exceptions import IMPOSSIBLE, NOT_SERVED, reason_of
from facts import anonymous, facts
from openapi import ROOT

PAGE = ROOT / "docs" / "api" / "endpoints.md"


def served_operations(probe):
    document = probe.http.get(probe.server.url + "/_lingxi/openapi.json", timeout=60).json()
    routes = {(method.upper(), anonymous(path)) for path, methods in document["paths"].items() for method in methods}
    return {name for name, row in facts().items() if (row["method"], anonymous(row["path"])) in routes}


def test_what_is_not_served_is_listed(present):
    listed = {name for names in NOT_SERVED.values() for name in names}
    assert served_operations(present) == set(facts()) - listed


def test_every_answer_of_the_specification_was_seen_or_is_listed(present):
    missing, excused = [], set()
    for name in sorted(served_operations(present)):
        for status, entry in facts()[name]["responses"].items():
            seen = present.seen.get((name, int(status)))
            for code in entry.get("errcodes") or ["*"]:
                excuse = reason_of(name, int(status), code)
                if seen is not None and (code == "*" or code in seen):
                    if excuse and "*" not in excuse[:1]:
                        missing.append(f"{name} {status} {code} is listed as impossible, and was seen")
                elif excuse:
                    excused.add(excuse)
                else:
                    missing.append(f"{name} {status} {code} was neither seen nor listed (seen: {seen})")
    missing += [f"{row} is listed, and nothing needs it" for row in IMPOSSIBLE if row not in excused]
    assert not missing, "\n" + "\n".join(missing)


def test_answers_have_the_types_that_the_document_tells(present):
    document = present.http.get(present.server.url + "/_lingxi/openapi.json", timeout=60).json()
    told = {row["operationId"]: set(row["responses"]["200"]["content"]) for methods in document["paths"].values()
            for row in methods.values() if "operationId" in row}
    other = {name: types for name, types in present.types.items() if name in told and told[name] != {"*/*"} and types != told[name]}
    assert len(present.types) > 100 and not other, other


def test_paths_of_r0_succeed_wherever_those_of_today_do(present, probes):
    older = probes["r0"]
    expected = {(method, path.replace("/client/v3/", "/client/r0/").replace("/media/v3/", "/media/r0/")) for method, path in present.paths}
    assert older.paths == expected


def test_the_page_of_endpoints_is_current(present):
    page = endpoints_page(present.http.get(present.server.url + "/_lingxi/openapi.json", timeout=60).json(), present.seen)
    if os.environ.get("LINGXI_WRITE_DOCS"):
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.exists() and PAGE.read_text(encoding="utf-8") == page, "run LINGXI_WRITE_DOCS=1 ./test conformance"
