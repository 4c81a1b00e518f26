#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What serving costs: pictures a second of candor-server against those of its engine without a server, in turns.

    make build && ninja -C build candor-bench-engine
    bench/serving_throughput.py [--picture FILE.jpg] [--callers 4] [--seconds 5] [--rounds 7] [--out result.json]

A full-width student of random weights (its speed does not depend on them), JPEG in, labels and a map out. Both sides
decode in several threads and compute one picture at a time on all cores; the clients run on the same cores, too. The ratio
to read is the median over the rounds.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from serving_load import BIN, SAMPLES, Server  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=pathlib.Path, default=next(SAMPLES.glob("*.jpg")))
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5, help="of each run")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=pathlib.Path, help="write the figures there, as JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        student = pathlib.Path(folder) / "student"
        subprocess.run([BIN / "candor-bench-engine", "write", student], check=True)
        engine = subprocess.Popen(
            [BIN / "candor-bench-engine", "run", student, args.picture, str(args.callers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

        def bare() -> float:
            engine.stdin.write(f"{args.seconds}\n")
            engine.stdin.flush()
            return float(engine.stdout.readline())

        with Server(models=[student]) as server:

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
        engine.stdin.close()
        engine.wait()
    ratio = statistics.median(row["ratio"] for row in rounds)
    print(f"served / bare: {ratio:.3f} (median of {args.rounds} rounds)")
    if args.out:
        args.out.write_text(json.dumps({"callers": args.callers, "rounds": rounds, "ratio": ratio}, indent=2) + "\n")


if __name__ == "__main__":
    main()
