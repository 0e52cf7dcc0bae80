"""What the gateway adds to a call of a model server."""

from support.report import amount
from support.session import BUILD, median

P50_MS, P99_MS, TARGET_RATE = 0.15, 0.5, 1000


def measure(session):
    directory = session.scratch / "gateway"
    directory.mkdir()
    with session.talking_tool("model") as model:
        url = model.stdout.readline().strip()
        config = directory / "gateway.toml"
        config.write_text(f'[[provider]]\nid = "bench"\nbase_url = "{url}/v1"\nmodel = "bench"\nmax_concurrent = 256\n')
        # At 100 a second each turn wakes a processor that has gone to sleep: shown, no target.
        for rate in (100, TARGET_RATE):
            runs = [session.tool("gateway", gateway=BUILD / "bin" / "lingxi-gateway", directory=directory, config=config, model=url,
                                 rate=rate, slice_ms=session.ms(400), slices=4) for _ in range(session.rounds)]
            failed = sum(run["failed"] + run["skipped"] for run in runs)
            for name, limit in (("p50", P50_MS), ("p99", P99_MS)):
                through = median([run["through"][name + "_ms"] for run in runs])
                direct = median([run["direct"][name + "_ms"] for run in runs])
                more = median([run["through"][name + "_ms"] - run["direct"][name + "_ms"] for run in runs])
                session.report.line(f"a model call through the gateway, {rate:,}/s, {name}",
                                    amount(through, "ms") + (f", {failed} failed" if failed else ""),
                                    f"directly: {amount(direct, 'ms')}; + {more:.3f} ms", through / direct,
                                    f"+ ≤ {limit} ms" if rate == TARGET_RATE else "",
                                    (session.within(more, limit) if not failed else False) if rate == TARGET_RATE else None,
                                    f"four turns between processes more: + {4 * session.limits()['turn_p50_ms'] / 2:.3f} ms")
        cpu = median([run["cpu_us"] for run in runs])
        direct = median([run["direct_cpu_us"] for run in runs])
        session.report.line("  processor time of the gateway a call", amount(cpu, "µs"),
                            f"of a caller that calls directly: {amount(direct, 'µs')}", cpu / direct, "", None, "two HTTP heads, ten chunks of JSON")
