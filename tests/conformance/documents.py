"""Writes docs/api/endpoints.md: what is served, out of the server's OpenAPI document and of what the scenarios saw."""

from exceptions import IMPOSSIBLE, NOT_SERVED, OTHER_AUTH
from facts import facts

HEAD = """# Endpoints

Written by `tests/conformance` out of the route tables (`/_lingxi/openapi.json`) and of what its scenarios saw; a test fails
where this page is not current, and `LINGXI_WRITE_DOCS=1 ./test conformance` writes it.

*Rate* is the class whose allowance a request is taken from (`net/rate_limit.h`). *Body* is the largest one that is read.
*Answers* are the statuses of the Matrix specification that the scenarios had the running server give; † marks paths that
are answered under `r0` (and legacy media under `v1`) too.
"""


def size(operation):
    limit = operation.get("x-body-limit-bytes")
    if not limit:
        return ""
    return f"{limit // 2**20} MiB" if limit % 2**20 == 0 else f"{limit / 1024:g} KiB"


def auth(operation):
    security = operation["security"]
    return "" if not security else "optional" if {} in security else operation.get("x-auth", "token")


def table(rows):
    lines = ["| method | path | auth | rate | body | answers | what it does |", "|---|---|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def endpoints_page(document, seen):
    sections = {"Matrix Client-Server API": [], "Lingxi": []}
    older = [path for path, methods in document["paths"].items() if any(row.get("deprecated") for row in methods.values())]
    for path, methods in sorted(document["paths"].items()):
        for method, operation in sorted(methods.items()):
            name = operation.get("operationId")
            if name is None:
                continue  # an older path
            r0 = path.replace("/client/v3/", "/client/r0/").replace("/media/v3/", "/media/r0/")
            mark = " †" if r0 != path and r0 in older else ""
            answers = sorted({status for (operation_seen, status) in seen if operation_seen == name and
                              str(status) in facts().get(name, {}).get("responses", {})})
            row = (method.upper(), f"`{path}`{mark}", auth(operation), operation["x-rate-class"], size(operation),
                   " ".join(map(str, answers)), operation["summary"].rstrip("."))
            sections["Matrix Client-Server API" if path.startswith(("/_matrix/", "/.well-known/")) else "Lingxi"].append(row)
    parts = [HEAD]
    parts += [f"## {title}\n\n{table(rows)}\n" for title, rows in sections.items()]
    parts.append("## Not served yet\n\n" + "\n".join(f"- {reason}: {', '.join(f'`{name}`' for name in names)}"
                                                     for reason, names in NOT_SERVED.items()) + "\n")
    reasons = {}
    for name, status, code, reason in IMPOSSIBLE:
        what = ("any" if name == "*" else f"`{name}`") + f" {status}" + ("" if code == "*" else f" {code}")
        reasons.setdefault(reason, []).append(what)
    parts.append("## Answers that this server never gives\n\n" + "\n".join(f"- {reason}: {', '.join(rows)}" for reason, rows in reasons.items()) + "\n")
    parts.append("## Tokens asked for unlike in the specification\n\n" + "\n".join(
        f"- `{name}`, {ours}: {reason}" for name, (ours, reason) in OTHER_AUTH.items()) + "\n")
    return "\n".join(parts)
