"""From a commit to the answer of the last parked long-poll."""

from support.report import amount
from support.session import median

LIMITS_MS = {1: 1, 100: 5, 1000: 40}


def measure(session):
    directory = session.history(session.many, 1000, 10_000)
    data = session.copy(directory / "d", "wake")
    with session.server(data) as server:
        for waiters, limit in LIMITS_MS.items():
            after_commit, references = [], []
            for _ in range(session.rounds):
                woken = session.tool("load", "wake", url=server.url, people=directory / "watchers.tsv",
                                     sender=directory / "herald.tsv", waiters=waiters, rounds=3)
                after_commit.append(woken["after_ack_ms"])
                references.append(session.tool("load", "fan-out", waiters=waiters, rounds=3, bytes=woken["answer_bytes"])["ms"])
            own, bare = median(after_commit), median(references)
            session.report.line(f"a message in a room wakes {waiters:,} waiter{'s' * (waiters > 1)}", amount(own, "ms"),
                                f"a bare loop writes as much to as many: {amount(bare, 'ms')}", own / bare, f"≤ {limit} ms",
                                session.within(own, limit), "two system calls a waiter, and the client's own reading")
