"""What a server keeps, read from its database beside it: so that a test can say that nothing changed."""

import contextlib
import sqlite3

# Written because somebody asked, whatever the answer was: when and from where a device was seen, and who is here.
TOUCHED_BY_ASKING = {"identity_devices": {"last_seen_at_ms", "last_seen_address"}, "presence_status": {"is_here"}}
# Rows that say nothing but that.
MADE_BY_ASKING = {"presence_status": "status_message = ''"}


def contents_of(server):
    """Every row of every table, in one transaction."""
    database = sqlite3.connect(f"file:{server.data}/core/lingxi.db?mode=ro", uri=True, timeout=60)
    with contextlib.closing(database):
        database.execute("BEGIN")
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        contents = {}
        for table in tables:
            cursor = database.execute(f'SELECT * FROM "{table}" WHERE NOT ({MADE_BY_ASKING.get(table, "0")})')
            kept = [i for i, column in enumerate(cursor.description) if column[0] not in TOUCHED_BY_ASKING.get(table, ())]
            contents[table] = sorted(repr([row[i] for i in kept]) for row in cursor)
        return contents


@contextlib.contextmanager
def nothing_changes(server):
    before = contents_of(server)
    yield
    after = contents_of(server)
    changed = {table: sorted(set(after[table]) ^ set(before[table]))[:4] for table in after if after[table] != before[table]}
    assert not changed, changed
