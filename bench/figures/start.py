"""From starting the executable to the first answer, after a clean end and after kill -9; and a second ./run."""

import socket
import subprocess
import time

from support.report import amount
from support.server import free_port
from support.session import ROOT, median

CLEAN_MS, KILLED_MS, RUN_MS = 100, 500, 3000
LIMIT_SECONDS = 30
FIRST_RUN_LIMIT_SECONDS = 1800


def first_answer_ms(server, command=None, limit_seconds=LIMIT_SECONDS):
    """Starts it (by `command`, where there is one), and asks until it answers; the listener is bound before core runs, so that asking is waiting."""
    host, port = server.listen.split(":")
    request = b"GET /_matrix/client/versions HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
    output = open(server.data.parent / (server.data.name + ".out"), "w+")
    began = time.monotonic()
    server.process = subprocess.Popen(command or server.command(), stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    while time.monotonic() < began + limit_seconds:
        try:
            with socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS) as connection:
                connection.sendall(request)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return (time.monotonic() - began) * 1000
        except OSError:
            pass
        time.sleep(0.0005)
    server.stop()
    raise RuntimeError("no answer")


def measure(session):
    directory = session.history(session.many, 1000, 10_000)
    data = session.copy(directory / "d", "start")
    clean, killed, opened, ran = [], [], [], []
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
        # The first ./run installs and builds what is missing; the second finds all of it done.
        run = [str(ROOT / "run"), *server.command()[2:]]
        first_answer_ms(server, run, FIRST_RUN_LIMIT_SECONDS)
        server.stop()
        for _ in range(session.rounds):
            ran.append(first_answer_ms(server, run))
            server.stop()
    for name, values, limit in (("a clean end", clean, CLEAN_MS), ("kill -9 under load", killed, KILLED_MS)):
        own = median(values)
        session.report.line(f"start to first answer after {name}", amount(own, "ms"),
                            f"a process that opens this database: {amount(median(opened), 'ms')}", own / median(opened),
                            f"≤ {limit} ms", session.within(own, limit), "three processes to start; the log to read again")
    session.report.line("a second ./run, to the first answer", amount(median(ran), "ms"),
                        f"the executable alone: {amount(median(clean), 'ms')}", median(ran) / median(clean),
                        f"≤ {RUN_MS // 1000} s", median(ran) <= RUN_MS, "dpkg, ninja and the web client's files, each asked for changes")
