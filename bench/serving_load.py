#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts loads on a real server with the shipped models: what overload does to it, and what a shadow costs.

    make build
    bench/serving_load.py overload [--seconds 10] [--rounds 3] [--timeout 0.5] [--out result.json]
    bench/serving_load.py shadow [--seconds 20] [--rounds 5] [--rate 10] [--out result.json]

overload: the capacity by closed loops, then Poisson arrivals at 1, 2, 5 and 10 times it, in turns. Prints goodput (answers
within the timeout, a second), its share of the best, the time in which callers were refused, and how long after ten times
the load a caller waits again as before it. The load generator runs on the server's cores.

shadow: the student's latency with the teacher as its shadow and without, in turns.
"""
import argparse
import csv
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "bin"
SAMPLES = ROOT / "models" / "samples"
CONFIG = """
listen: "127.0.0.1:0"
metrics_listen: "off"
log_level: "warning"
models {{ bundle: "{models}/camvid-student" }}
models {{ bundle: "{models}/camvid-teacher" }}
{more}
"""


class Server:
    """candor-server with the shipped models, until the end of a `with`."""

    def __init__(self, more: str = "") -> None:
        self.folder = tempfile.TemporaryDirectory()
        config = pathlib.Path(self.folder.name) / "server.textproto"
        config.write_text(CONFIG.format(models=ROOT / "models", more=more))
        self.process = subprocess.Popen([BIN / "candor-server", "--config", config], stdout=subprocess.PIPE, text=True)
        found = re.match(r"listening grpc=(\S+)", self.process.stdout.readline())
        if not found:
            sys.exit("candor-server did not start")
        self.address = found.group(1)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def bench(self, *options: object) -> tuple[dict, list[dict]]:
        """The report of one run of candor bench, and its calls."""
        with tempfile.NamedTemporaryFile(suffix=".csv") as calls:
            command = [BIN / "candor", "bench", "--server", self.address, "--json", "--csv", calls.name, *options, SAMPLES]
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
            if not done.stdout:
                sys.exit(f"candor bench: {done.stderr}")
            with open(calls.name, newline="", encoding="utf-8") as file:
                return json.loads(done.stdout), list(csv.DictReader(file))


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] if values else float("nan")


def refusal_ms(calls: list[dict]) -> list[float]:
    """How long refused callers waited for their answer."""
    return [1000 * (float(c["done_s"]) - float(c["sent_s"])) for c in calls if c["status"] == "RESOURCE_EXHAUSTED"]


def overload(args: argparse.Namespace) -> dict:
    expected = ["--expect", "RESOURCE_EXHAUSTED", "--expect", "DEADLINE_EXCEEDED"]
    result: dict = {"timeout_s": args.timeout, "seconds": args.seconds, "rounds": []}
    with Server() as server:
        capacity = server.bench("--concurrency", 2, "--duration", args.seconds)[0]["throughput"]
        result["capacity"] = capacity
        print(f"capacity (closed loop of two): {capacity:.1f}/s")
        for turn in range(args.rounds):
            for factor in (1, 2, 5, 10):
                report, calls = server.bench(
                    "--rate", round(factor * capacity, 1), "--duration", args.seconds, "--timeout", args.timeout,
                    "--seed", turn + 1, *expected,
                )  # fmt: skip
                refusals = refusal_ms(calls)
                row = {
                    "load": factor,
                    "goodput": report["goodput"],
                    "errors": report["errors"],
                    "p99_ms": report["latency_ms"]["p99"],
                    "refusal_p50_ms": percentile(refusals, 0.5),
                    "refusal_p99_ms": percentile(refusals, 0.99),
                }
                if factor == 10:
                    row["recovered_s"] = recovery(server, report)
                result["rounds"].append(row)
                print(" ", row, flush=True)
    best = max(statistics.median(r["goodput"] for r in result["rounds"] if r["load"] == f) for f in (1, 2, 5, 10))
    for factor in (1, 2, 5, 10):
        goodput = statistics.median(r["goodput"] for r in result["rounds"] if r["load"] == factor)
        print(f"{factor:3} x capacity: goodput {goodput:5.1f}/s, {goodput / best:.0%} of the best")
    return result


def recovery(server: Server, before: dict) -> float:
    """Seconds until single callers wait no longer than twice the usual."""
    usual = before["server_median_ms"]["infer"] or 0
    start = time.monotonic()
    while time.monotonic() - start < 30:
        report, _ = server.bench("--concurrency", 1, "--requests", 5, "--warmup", 0, "--timeout", 5)
        latency = report["latency_ms"]["max"]
        if report["answers"] == report["requests"] and latency < 2 * usual + 20:
            break
    return round(time.monotonic() - start, 2)


def shadow(args: argparse.Namespace) -> dict:
    shadowing = f'shadow {{ model: "teacher" share: {args.share} max_busy_share: {args.busy} }}'
    result: dict = {"rate": args.rate, "rounds": []}
    with Server() as plain, Server(shadowing) as shadowed:
        for turn in range(args.rounds):
            row = {}
            for name, server in (("plain", plain), ("shadowed", shadowed))[:: 1 if turn % 2 == 0 else -1]:
                report, calls = server.bench("--rate", args.rate, "--duration", args.seconds, "--seed", turn + 1)
                latencies = [1000 * (float(c["done_s"]) - float(c["due_s"])) for c in calls if c["status"] == "OK"]
                row[name] = {"p50_ms": report["latency_ms"]["p50"], "p99_ms": percentile(latencies, 0.99)}
            row["p99_ratio"] = row["shadowed"]["p99_ms"] / row["plain"]["p99_ms"]
            result["rounds"].append(row)
            print(" ", row, flush=True)
    ratio = statistics.median(r["p99_ratio"] for r in result["rounds"])
    print(f"p99 with a shadow / without: {ratio:.3f} (median of {args.rounds} rounds)")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("overload", "shadow"))
    parser.add_argument("--seconds", type=float, default=10, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=0.5, help="overload: of each call, in seconds")
    parser.add_argument("--rate", type=float, default=10, help="shadow: calls a second")
    parser.add_argument("--share", type=float, default=0.01, help="shadow: share of the answers")
    parser.add_argument("--busy", type=float, default=0.005, help="shadow: share of the time, at most")
    parser.add_argument("--out", type=pathlib.Path, help="write the figures there, as JSON")
    args = parser.parse_args()
    result = overload(args) if args.what == "overload" else shadow(args)
    if args.out:
        args.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
