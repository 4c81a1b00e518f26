#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks one after another, each of which gives its contestants turns, and keeps what they print and measure.

    make bench [BENCH_DIR=build/bench-results] [BENCH_ONLY=kernels,peers-small]

Writes NAME.txt and, where the benchmark has one, NAME.json below --dir. Some forty minutes on two cores; other work on
the machine shows in the spread. Exit codes: 0, or 1 if a benchmark failed or lacked what it needs.
"""
import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
BIN = ROOT / "build" / "bin"
PEERS = ROOT / ".deps" / "peers"  # by tools/setup.sh --bench

KERNELS = ["--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=5", "--benchmark_min_time=0.02",
           "--benchmark_report_aggregates_only=true", "--benchmark_out_format=json"]  # fmt: skip
SMALL = ["--height=368", "--width=480", "--classes=11", "--rounds=8", "--passes=5"]
LARGE = ["--height=512", "--width=1024", "--classes=19", "--rounds=5", "--passes=4"]

# Name: what runs, and the flag by which it writes JSON.
BENCHMARKS = {
    "kernels": ([BIN / "candor-bench-kernels", *KERNELS], "--benchmark_out="),
    "reduction": ([BIN / "candor-bench-reduction"], None),
    "peers-small": ([BENCH / "network_peers.py", *SMALL], "--out="),
    "peers-large": ([BENCH / "network_peers.py", *LARGE], "--out="),
    "scaling": ([BENCH / "scaling.py"], "--out="),
    "training": ([BENCH / "training_step.py"], "--out="),
    "serving": ([BIN / "candor-bench-serving", "--rounds=30", "--calls=10"], None),
    "throughput": ([BENCH / "serving_throughput.py"], "--out="),
    "latency": ([BENCH / "serving_throughput.py", "--latency=2000"], "--out="),
    "overload": ([BENCH / "serving_load.py", "overload"], "--out="),
}


def run(name: str, folder: pathlib.Path) -> int:
    """Its exit code; what it prints goes to the terminal and into a file."""
    command, json_flag = BENCHMARKS[name]
    command = [*map(str, command), *([f"{json_flag}{folder / name}.json"] if json_flag else [])]
    print(f"\n== {name}: {' '.join(command)}", flush=True)
    path = f"{PEERS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep)
    with open(folder / f"{name}.txt", "w", encoding="utf-8") as kept:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": path}
        )
        for line in process.stdout:
            print(line, end="", flush=True)
            kept.write(line)
        return process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / "build" / "bench-results")
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="of " + ", ".join(BENCHMARKS))
    args = parser.parse_args()
    names = args.only.split(",")
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"--only: must be of {', '.join(BENCHMARKS)}, got {', '.join(unknown)}")
    args.dir.mkdir(parents=True, exist_ok=True)
    failed = [name for name in names if run(name, args.dir.resolve()) != 0]
    if failed:
        sys.exit(f"all.py: failed: {', '.join(failed)}")
    print(f"\nresults: {args.dir}")


if __name__ == "__main__":
    main()
