"""From starting the executable to the first answer, after a clean end and after kill -9."""

import socket
import subprocess
import time

from support.report import amount
from support.server import free_port
from support.session import median

CLEAN_MS, KILLED_MS = 100, 500
LIMIT_SECONDS = 30


def first_answer_ms(server):
    """Starts it, and asks until it answers; the listener is bound before core runs, so that asking is waiting."""
    host, port = server.listen.split(":")
    request = b"GET /_matrix/client/versions HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
    output = open(server.data.parent / (server.data.name + ".out"), "w+")
    began = time.monotonic()
    server.process = subprocess.Popen(server.command(), stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    while time.monotonic() < began + LIMIT_SECONDS:
        try:
            with socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS) as connection:
                connection.sendall(request)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return (time.monotonic() - began) * 1000
        except OSError:
            pass
        time.sleep(0.0005)
    raise RuntimeError("no answer")


def measure(session):
    directory = session.history(session.many, 1000, 10_000)
    data = session.copy(directory / "d", "start")
    clean, killed, opened = [], [], []
    with session.server(data) as server:
        server.stop()
        server.listen = f"127.0.0.1:{free_port()}"
        for _ in range(session.rounds):
            began = time.monotonic()
            session.tool("reference", "open", db=data / "core" / "lingxi.db")
            opened.append((time.monotonic() - began) * 1000)
            clean.append(first_answer_ms(server))
            server.url = "http://" + server.listen
            # What a crash leaves behind: a log that was being written.
            session.tool("load", "send", url=server.url, people=directory / "senders.tsv", connections=16, ms=session.ms(1000))
            server.kill()
            killed.append(first_answer_ms(server))
            server.stop()
    for name, values, limit in (("a clean end", clean, CLEAN_MS), ("kill -9 under load", killed, KILLED_MS)):
        own = median(values)
        session.report.line(f"start to first answer after {name}", amount(own, "ms"),
                            f"a process that opens this database: {amount(median(opened), 'ms')}", own / median(opened),
                            f"≤ {limit} ms", own <= limit, "three processes to start; the log to read again")
