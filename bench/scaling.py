#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How candor's time grows with a picture's size, an ensemble's members, a batch and callers, each family's points in turns.

    ninja -C build candor-bench-network candor candor-server
    bench/scaling.py [--rounds 5] [--passes 3] [--threads 2] [--precision bf16] [--out result.json]

size, members, batch: the full-width network, from a normalised picture to labels and an uncertainty map, no server.
callers: pictures a second of candor-server with the shipped student, JPEG in, labels and a map of halves out; the callers
run on the server's cores. Prints medians, their quartiles, and what one picture takes beside the family's first point.
"""
import argparse
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import network_passes  # noqa: E402
from serving_load import BIN, Server  # noqa: E402

SIZES = [(320, 240), (480, 368), (1024, 512), (2048, 1024)]
CALLERS = [1, 2, 4, 8]


class Point:
    """One place of a family, and how long a picture took there, in milliseconds."""

    def __init__(self, name: str, pictures: int, *flags: str) -> None:
        self.name, self.pictures, self.flags = name, pictures, flags
        self.times: list[float] = []

    def row(self, first: "Point") -> dict:
        quartiles = statistics.quantiles(self.times, n=4)
        ratio = statistics.median(a / b for a, b in zip(self.times, first.times))
        return {"name": self.name, "ms_a_picture": quartiles[1], "quartiles": quartiles[::2], "ratio": ratio}


def network_families() -> dict[str, list[Point]]:
    vga = ["--width=480", "--height=368", "--classes=11"]
    return {
        "size": [Point(f"{w}x{h}", 1, f"--width={w}", f"--height={h}", "--learned=1") for w, h in SIZES],
        "members": [Point(f"{n}", 1, *vga, f"--members={n}", f"--learned={int(n == 1)}") for n in (1, 2, 5, 10)],
        "batch": [Point(f"{n}", n, *vga, f"--batch={n}", "--learned=1") for n in (1, 2, 4, 8)],
    }


def run_network(point: Point, args: argparse.Namespace) -> None:
    command = [BIN / "candor-bench-network", *point.flags, f"--threads={args.threads}", f"--precision={args.precision}"]
    passes = network_passes(command, f"engine {args.precision} to labels", args.passes)
    point.times.append(statistics.median(passes) / point.pictures)


def run_callers(points: list[Point], args: argparse.Namespace) -> None:
    with Server() as server:
        for turn in range(args.rounds):
            for point in points[:: 1 if turn % 2 == 0 else -1]:
                report, _ = server.bench("--concurrency", point.name, "--duration", 5, "--warmup", 0.5, "--halves")
                point.times.append(1000 / report["throughput"])


def table(family: str, points: list[Point]) -> list[dict]:
    rows = [point.row(points[0]) for point in points]
    print(f"\n{family:12} ms a picture   quartiles         beside the first")
    for row in rows:
        low, high = row["quartiles"]
        print(f"{row['name']:12} {row['ms_a_picture']:12.1f}   {low:7.1f} {high:7.1f}   {row['ratio']:12.2f}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each point, at least 2")
    parser.add_argument("--passes", type=int, default=3, help="of each turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="bf16", choices=("fp32", "bf16", "int8"))
    parser.add_argument("--out", type=pathlib.Path, help="write the figures there, as JSON")
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error(f"--rounds: must be >= 2, got {args.rounds}")
    result = {}
    for family, points in network_families().items():
        for turn in range(args.rounds):
            for point in points[:: 1 if turn % 2 == 0 else -1]:
                run_network(point, args)
        result[family] = table(family, points)
    callers = [Point(str(n), 1) for n in CALLERS]
    run_callers(callers, args)
    result["callers"] = table("callers", callers)
    if args.out:
        args.out.write_text(json.dumps({"precision": args.precision, "threads": args.threads, **result}, indent=2) + "\n")


if __name__ == "__main__":
    main()
