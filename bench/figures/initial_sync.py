"""The first sync of a person who is in a thousand rooms, warm and cold."""

import operator

from support.report import amount
from support.server import drop_page_cache
from support.session import median

WARM_MS, COLD_MS = 60, 500
ROOMS = 1000


def measure(session):
    directory = session.history(session.many, ROOMS, 10_000)
    data = session.copy(directory / "d", "initial-ours")
    bare_file = session.copy(directory / "d" / "core" / "lingxi.db", "initial-bare.db")
    user = 65  # `reader`: made after the 64 senders
    warm, warm_bare, cold, cold_bare, size = [], [], [], [], 0
    with session.server(data) as server:
        session.tool("load", "initial-sync", url=server.url, people=directory / "reader.tsv", rounds=3)
        for _ in range(session.rounds):
            own = session.tool("load", "initial-sync", url=server.url, people=directory / "reader.tsv", rounds=3)
            warm.append(own["ms"])
            size = own["bytes"]
            warm_bare.append(session.tool("reference", "read-rooms", db=bare_file, user=user, limit=10, rounds=3)["ms"])
    for _ in range(session.rounds):
        drop_page_cache(session.scratch)
        with session.server(data) as server:
            drop_page_cache(data)
            cold.append(session.tool("load", "initial-sync", url=server.url, people=directory / "reader.tsv")["ms"])
        drop_page_cache(session.scratch)
        cold_bare.append(session.tool("reference", "read-rooms", db=bare_file, user=user, limit=10)["ms"])
    for name, own, bare, limit, holds, physical in (
            ("warm", median(warm), median(warm_bare), WARM_MS, session.within, f"{size / 1e6:.1f} MB through a socket"),
            ("cold", median(cold), median(cold_bare), COLD_MS, operator.le, "a few pages of the disk a room")):
        session.report.line(f"initial sync of {ROOMS:,} rooms, {name}", amount(own, "ms"),
                            f"bare SQLite, 10 events a room: {amount(bare, 'ms')}", own / bare, f"≤ {limit} ms", holds(own, limit), physical)
