"""What a send and an incremental sync cost with few and with many stored events."""

from support.report import amount
from support.server import TICK_US
from support.session import median

FACTOR = 1.5


def measure(session):
    few = session.history(1000, 64)
    many = session.history(session.many, 1000, 10_000)
    pairs = 300 if session.quick else 1500
    names = {False: "a send", True: "a send and the incremental sync that brings it"}
    costs = {(size, with_sync): [] for size in ("few", "many") for with_sync in names}
    with session.server(session.copy(few / "d", "history-few")) as few_server, \
            session.server(session.copy(many / "d", "history-many")) as many_server:
        for _ in range(session.rounds):
            for size, server, directory in (("few", few_server, few), ("many", many_server, many)):
                for with_sync in names:
                    costs[size, with_sync].append(cost_us(session, server, directory / "senders.tsv", pairs, with_sync))
    for size in ("few", "many"):
        costs[size, "sync"] = [max(pair - send, TICK_US / pairs) for pair, send in zip(costs[size, True], costs[size, False])]
    names["sync"] = "the incremental sync alone"
    for with_sync, name in names.items():
        little, much = median(costs["few", with_sync]), median(costs["many", with_sync])
        ratio = median([m / f for f, m in zip(costs["few", with_sync], costs["many", with_sync])])
        session.report.line(f"processor time of {name}, {session.many_name} events", amount(much, "µs"),
                            f"the same with 10³ stored events: {amount(little, 'µs')}", ratio, f"≤ {FACTOR}", ratio <= FACTOR,
                            "a tree is one level deeper")


def cost_us(session, server, people, pairs, with_sync):
    with session.talking_tool("load", "pairs", url=server.url, people=people, count=pairs, sync=int(with_sync)) as tool:
        if tool.stdout.readline().strip() != "ready":
            raise RuntimeError("the first sync failed")
        before = server.cpu_us()
        tool.stdin.write("\n")
        tool.stdin.flush()
        tool.stdout.readline()
        return (server.cpu_us() - before) / pairs
