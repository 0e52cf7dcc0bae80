"""What a parked long-poll weighs in core."""

from support.report import amount
from support.session import median

LIMIT_KIB = 8


def measure(session):
    waiters = 1000 if session.quick else 10_000
    directory = session.history(session.many, 1000, 10_000)
    whole, idle = [], []
    for _ in range(session.rounds):
        data = session.copy(directory / "d", "memory")
        with session.server(data) as server:
            # What is there once, however many wait: the database's page caches.
            session.tool("load", "initial-sync", url=server.url, people=directory / "reader.tsv", limit=50, rounds=6)
            before = server.memory_kib()
            with session.talking_tool("load", "park", url=server.url, people=directory / "watchers.tsv", count=waiters) as tool:
                if tool.stdout.readline().strip() != "fetched":
                    raise RuntimeError("the first syncs failed")
                connected = server.memory_kib()
                tool.stdin.write("\n")
                tool.stdin.flush()
                parked = int(tool.stdout.readline().split()[1])
                if parked != waiters:
                    raise RuntimeError(f"{parked} of {waiters} are parked")
                whole.append((server.memory_kib() - before) / waiters)
                idle.append((connected - before) / waiters)
                tool.stdin.close()
    own = median(whole)
    session.report.line(f"memory of a parked long-poll, {waiters:,} of them", amount(own, "KiB each"),
                        f"the same connections idle, after their first sync: {amount(median(idle), 'KiB')}",
                        own / max(0.01, median(idle)), f"≤ {LIMIT_KIB} KiB", own <= LIMIT_KIB,
                        "a socket's state and a coroutine's frames: 3.5 KiB")
