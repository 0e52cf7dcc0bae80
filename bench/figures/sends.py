"""Durable sends over HTTP against a bare SQLite writer of the same rows."""

from support.report import amount
from support.session import median

CONNECTIONS = 64
LEAN_SHARE = 0.65
FAT_FACTOR = 1.8
BYTES_LIMIT = 20_000


def measure(session):
    one_at_size(session, "an empty database", session.furnished(), None, rooms=64, is_large=False)
    directory = session.history(session.many, 1000, 10_000)
    one_at_size(session, f"{session.many_name} stored events", directory, session.fat(session.many, 1000), rooms=1000, is_large=True)


def one_at_size(session, where, directory, fat_source, rooms, is_large):
    ours_data = session.copy(directory / "d", "sends-ours")
    lean = session.copy(directory / "d" / "core" / "lingxi.db", "sends-lean.db")
    fat = session.copy(fat_source, "sends-fat.db") if fat_source else make_empty_fat(session)
    people = directory / "senders.tsv"
    ours, lean_rates, fat_rates, bytes_lean, cpu_lean = [], [], [], [], []
    with session.server(ours_data) as server:
        session.tool("load", "send", url=server.url, people=people, connections=CONNECTIONS, ms=session.ms(1000))
        written, cpu, acknowledged, failed = server.written_bytes(), server.cpu_us(), 0, 0
        for _ in range(session.rounds):
            sent = session.tool("load", "send", url=server.url, people=people, connections=CONNECTIONS, ms=session.ms(3000))
            ours.append(sent["rate"])
            acknowledged += sent["acknowledged"]
            failed += sent["failed"]
            bare = session.tool("reference", "sends", db=lean, schema="lean", rooms=rooms, ms=session.ms(2000))
            lean_rates.append(bare["rate"])
            bytes_lean.append(bare["bytes_a_row"])
            cpu_lean.append(bare["cpu_us_a_row"])
            fat_rates.append(session.tool("reference", "sends", db=fat, schema="fat", rooms=rooms, ms=session.ms(2000))["rate"])
        bytes_an_event = (server.written_bytes() - written) / max(1, acknowledged)
        cpu_an_event = (server.cpu_us() - cpu) / max(1, acknowledged)
    if failed:
        raise RuntimeError(f"{failed} sends failed")
    rate, bare, fat_rate = median(ours), median(lean_rates), median(fat_rates)
    to_bare = median([o / b for o, b in zip(ours, lean_rates)])
    to_fat = median([o / b for o, b in zip(ours, fat_rates)])
    limit = f"a group is one synced write, {session.limits()['sync_p50_ms']:.2f} ms of this disk"
    session.report.line(f"durable sends, {CONNECTIONS} connections, {where}", amount(rate, "/s"), f"bare SQLite, the same rows: {amount(bare, '/s')}",
                        to_bare, f"≥ {LEAN_SHARE}" if is_large else "", to_bare >= LEAN_SHARE if is_large else None, limit)
    session.report.line("  against a fat schema", amount(rate, "/s"), f"bare SQLite, 7 indexes: {amount(fat_rate, '/s')}", to_fat,
                        f"≥ {FAT_FACTOR}" if is_large else "", to_fat >= FAT_FACTOR if is_large else None, "pages dirtied an event")
    session.report.line("  written to the disk an event", amount(bytes_an_event / 1000, "KB"),
                        f"bare SQLite, the same rows: {amount(median(bytes_lean) / 1000, 'KB')}", bytes_an_event / median(bytes_lean),
                        f"≤ {BYTES_LIMIT // 1000} KB" if is_large else "", bytes_an_event <= BYTES_LIMIT if is_large else None,
                        "0.4 KB of message, twice (log, file)")
    session.report.line("  processor time of core an event", amount(cpu_an_event, "µs"),
                        f"bare SQLite, the same rows: {amount(median(cpu_lean), 'µs')}", cpu_an_event / median(cpu_lean), "", None,
                        "about 8 µs of a kernel's work a request")
    if is_large:
        session.results["rate"] = rate


def make_empty_fat(session):
    path = session.scratch / "sends-fat-empty.db"
    path.unlink(missing_ok=True)
    from support.session import ROOT
    session.tool("reference", "fill", db=path, sql=ROOT / "bench" / "reference" / "fat.sql", rows=0)
    return path
