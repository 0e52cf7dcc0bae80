"""Acknowledged latency of sends at half of the most that the server takes."""

from support.report import amount
from support.session import median

P50_LIMIT_MS, P99_LIMIT_MS, P99_TAMED_MS = 1.5, 25, 10


def measure(session):
    directory = session.history(session.many, 1000, 10_000)
    data = session.copy(directory / "d", "latency-ours")
    bare = session.copy(directory / "d" / "core" / "lingxi.db", "latency-lean.db")
    people = directory / "senders.tsv"
    ours, reference = [], []
    with session.server(data) as server:
        most = session.results.get("rate")
        if most is None:
            most = median([session.tool("load", "send", url=server.url, people=people, ms=session.ms(2000))["rate"] for _ in range(3)])
        rate = most / 2
        for _ in range(session.rounds):
            ours.append(session.tool("load", "send", url=server.url, people=people, rate=rate, ms=session.ms(6000)))
            reference.append(session.tool("reference", "paced", db=bare, schema="lean", rooms=1000, rate=rate, ms=session.ms(3000)))
    for name, share, limit, also in (("p50", "p50_ms", P50_LIMIT_MS, None), ("p99", "p99_ms", P99_LIMIT_MS, P99_TAMED_MS)):
        own, bare_ms = median([r[share] for r in ours]), median([r[share] for r in reference])
        target = f"≤ {limit} ms" + (f" (tamed: {also})" if also else "")
        session.report.line(f"acknowledged send at {amount(rate, '/s')} (half load), {name}", amount(own, "ms"),
                            f"bare SQLite at the same rate: {amount(bare_ms, 'ms')}", own / bare_ms, target, own <= limit,
                            f"one synced write: {session.limits()['sync_' + name + '_ms']:.2f} ms")
