#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What serving costs: candor-server against its engine without a server, in turns.

    make build && ninja -C build candor-bench-engine candor-bench-shared
    bench/serving_throughput.py [--callers 4] [--seconds 5] [--rounds 7] [--picture FILE.jpg] [--precision auto] [--out result.json]
    bench/serving_throughput.py --latency QUERIES [--picture FILE.jpg] [--precision auto] [--out result.json]

A full-width student of random weights (its speed does not depend on them), JPEG in, labels and a map out. Both sides
decode, compute on all cores and encode the reply; the clients run on the same cores, too.

Without --latency: pictures a second of several callers, whose pictures are decoded in several threads and computed one at
a time. The ratio to read is the median over the rounds.

With it: how long each query of a single caller takes until labels and halves are in the caller's memory, over as many
queries of each side: the bare engine until its reply is encoded, the server by gRPC, and by shared memory, where the
reply has no labels and halves in it. p99.9 takes 10,000 of them to have ten above it.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import Runner  # noqa: E402
from serving_load import BIN, SAMPLES, Server, percentile  # noqa: E402

TURN = 20  # queries: short, since a machine may be slow for some seconds
# Queries of a side until all processes start anew: where one lies in memory makes it some percent faster or slower.
PROCESS = 200
WARMUP = 0.3  # seconds before each turn: the other side has had the caches, and candor bench connects anew
FIRST_WARMUP = 1.5  # before the first turn of a process
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
ASKED = {"p50": 1.03, "p99.9": 1.3}  # served / bare, at most


@contextlib.contextmanager
def both(args: argparse.Namespace, student: pathlib.Path) -> Iterator[tuple[Runner, Server]]:
    """The bare engine and a server, as long as a `with`."""
    options = f'precision: "{args.precision}" system_shared_memory: true'
    bare = Runner("bare engine", [BIN / "candor-bench-engine", "run", student, args.picture, args.precision], {})
    with bare as engine, Server(options, [student]) as server:
        yield engine, server


def throughput(args: argparse.Namespace, student: pathlib.Path) -> dict:
    with both(args, student) as (engine, server):

        def bare() -> float:
            return engine.ask(f"throughput {args.callers} {args.seconds}")[0]

        def served() -> float:
            options = ("--concurrency", args.callers, "--duration", args.seconds)
            return server.bench(*options, pictures=args.picture)[0]["throughput"]

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


def latency_turns(args: argparse.Namespace, student: pathlib.Path, total: int) -> Iterator[dict]:
    """Milliseconds of each side's queries, turn by turn, of processes that start here."""
    with both(args, student) as (engine, server):

        def served(queries: int, warmup: float) -> list[float]:
            options = ("--concurrency", 1, "--requests", queries, "--warmup", warmup, "--halves")
            _, calls = server.bench(*options, pictures=args.picture)
            return [float(call["round_trip_ms"]) for call in calls if call["status"] == "OK"]

        with Runner("shared memory", [BIN / "candor-bench-shared", server.address, "student", args.picture], {}) as shared:
            sides = {
                "bare": lambda queries, warmup: engine.ask(f"latency {warmup} {queries}"),
                "served": served,
                "shared": lambda queries, warmup: shared.ask(f"latency {warmup} {queries}"),
            }
            for turn, done in enumerate(range(0, total, TURN)):
                queries = min(TURN, total - done)
                row = {}
                for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
                    row[name] = sides[name](queries, WARMUP if turn > 0 else FIRST_WARMUP)
                    if len(row[name]) != queries:
                        sys.exit(f"{name}: {len(row[name])} of {queries} queries were answered")
                yield row


def latency(args: argparse.Namespace, student: pathlib.Path) -> dict:
    times: dict = {}
    by_turn: dict = {}
    for begin in range(0, args.latency, PROCESS):
        for row in latency_turns(args, student, min(PROCESS, args.latency - begin)):
            medians = {name: statistics.median(taken) for name, taken in row.items()}
            for name, taken in row.items():
                times.setdefault(name, []).extend(taken)
                if name != "bare":
                    by_turn.setdefault(name, []).append(medians[name] / medians["bare"])
            print(" ", len(times["bare"]), "queries, medians of the last:", medians, flush=True)
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
        result = latency(args, student) if args.latency else throughput(args, student)
    if args.out:
        args.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
