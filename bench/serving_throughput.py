#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What serving costs: candor-server against its engine without a server, in turns.

    make build && ninja -C build candor-bench-engine candor-bench-shared
    bench/serving_throughput.py [--callers 4] [--seconds 5] [--rounds 7] [--picture FILE.jpg] [--precision auto] [--out result.json]
    bench/serving_throughput.py --latency QUERIES [--picture FILE.jpg] [--precision auto] [--out result.json]

A full-width student of random weights (its speed does not depend on them), JPEG in, labels and a map out. Both sides
decode and compute on all cores; the clients run on the same cores, too.

Without --latency: pictures a second of several callers, whose pictures are decoded in several threads and computed one at
a time. The ratio to read is the median over the rounds.

With it: how long each query of a single caller takes until labels and halves are in the caller's memory, over as many
queries of each side: the bare engine, the server by gRPC, and by shared memory. p99.9 takes 10,000 of them to have ten above it.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import Runner  # noqa: E402
from serving_load import BIN, SAMPLES, Server, percentile  # noqa: E402

TURN = 20  # queries: short, since a machine may be slow for some seconds
WARMUP = 0.3  # seconds before each turn: the other side has had the caches, and candor bench connects anew
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
ASKED = {"p50": 1.03, "p99.9": 1.3}  # served / bare, at most


def throughput(args: argparse.Namespace, engine: Runner, server: Server) -> dict:
    def bare() -> float:
        return engine.ask(f"throughput {args.callers} {args.seconds}")[0]

    def served() -> float:
        return server.bench("--concurrency", args.callers, "--duration", args.seconds, pictures=args.picture)[0]["throughput"]

    rounds = []
    for turn in range(args.rounds):
        row = {}
        for name, measure in (("bare", bare), ("served", served))[:: 1 if turn % 2 == 0 else -1]:
            row[name] = measure()
        row["ratio"] = row["served"] / row["bare"]
        rounds.append(row)
        print(" ", row, flush=True)
    ratio = statistics.median(row["ratio"] for row in rounds)
    print(f"served / bare: {ratio:.3f} (median of {args.rounds} rounds)")
    return {"callers": args.callers, "rounds": rounds, "ratio": ratio}


def latency(args: argparse.Namespace, engine: Runner, server: Server) -> dict:
    def bare(queries: int) -> list[float]:
        return engine.ask(f"latency {WARMUP} {queries}")

    def served(queries: int) -> list[float]:
        options = ("--concurrency", 1, "--requests", queries, "--warmup", WARMUP, "--halves")
        _, calls = server.bench(*options, pictures=args.picture)
        return [float(call["round_trip_ms"]) for call in calls if call["status"] == "OK"]

    with Runner("shared memory", [BIN / "candor-bench-shared", server.address, "student", args.picture], {}) as shared:
        sides = {"bare": bare, "served": served, "shared": lambda queries: shared.ask(f"latency {WARMUP} {queries}")}
        times: dict = {name: [] for name in sides}
        by_turn: dict = {name: [] for name in sides if name != "bare"}
        for turn, done in enumerate(range(0, args.latency, TURN)):
            queries = min(TURN, args.latency - done)
            row = {}
            for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
                taken = sides[name](queries)
                if len(taken) != queries:
                    sys.exit(f"{name}: {len(taken)} of {queries} queries were answered")
                times[name] += taken
                row[name] = statistics.median(taken)
            for name, ratios in by_turn.items():
                ratios.append(row[name] / row["bare"])
            print(" ", done + queries, "queries, medians of the last:", row, flush=True)
    figures = compare(times)
    for name, ratios in by_turn.items():
        # A machine that is slow for a while slows all sides of a turn.
        print(f"{name} / bare: p50 {statistics.median(ratios):.3f}, the median of the turns' ratios")
    return {"queries": args.latency, **figures, "p50_ratios_by_turn": by_turn, "times_ms": times}


def compare(times: dict) -> dict:
    """The percentiles of each side and their ratios, which it prints, too."""
    side = {name: {p: percentile(values, share) for p, share in SHARES.items()} for name, values in times.items()}
    for name, figures in side.items():
        print(f"{name:6}", "  ".join(f"{p} {value:.2f} ms" for p, value in figures.items()))
    ratios = {name: {p: side[name][p] / side["bare"][p] for p in SHARES} for name in side if name != "bare"}
    for name, figures in ratios.items():
        told = (f"{p} {ratio:.3f}" + (f" (asked: at most {ASKED[p]})" if p in ASKED else "") for p, ratio in figures.items())
        print(f"{name} / bare:", "  ".join(told))
    return {"latency_ms": side, "ratios": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=pathlib.Path, default=next(SAMPLES.glob("*.jpg")))
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5, help="of each run")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--latency", type=int, metavar="QUERIES", help="time so many queries of each side, one at a time")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"), help="of both")
    parser.add_argument("--out", type=pathlib.Path, help="write the figures there, as JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        student = pathlib.Path(folder) / "student"
        subprocess.run([BIN / "candor-bench-engine", "write", student], check=True)
        options = f'precision: "{args.precision}" system_shared_memory: true'
        bare = Runner("bare engine", [BIN / "candor-bench-engine", "run", student, args.picture, args.precision], {})
        with bare as engine, Server(options, [student]) as server:
            result = latency(args, engine, server) if args.latency else throughput(args, engine, server)
    if args.out:
        args.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
