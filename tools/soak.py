#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the server under mixed load and faults, and fails if it gives a wrong answer, grows or leaks.

    make soak [MINUTES=60]
    tools/soak.py [--minutes 60] [--build build] [--rate 3] [--out soak.json]

At the same time: single calls, camera streams, raw pictures to the teacher, all compared or counted by `candor bench`; and
again and again: bursts of overload, damaged pictures, clients killed in the middle of a call, connections that say nothing
or rubbish, hung scrapers, reloads by SIGHUP. Every five seconds the server's memory and descriptors are read.

After a tenth of the time for warming up the memory may grow by at most 20 MiB and the open descriptors by 8; there must be
no wrong answer, no other status than those that overload explains, and at the end the server must leave within its drain time with
exit code 0.
"""
import argparse
import json
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "models" / "samples"
MOST_GROWTH_MIB = 20
MOST_MORE_DESCRIPTORS = 8
CONFIG = f"""
listen: "127.0.0.1:0"
metrics_listen: "127.0.0.1:0"
log_level: "error"
models {{ bundle: "{ROOT}/models/camvid-student" }}
models {{ bundle: "{ROOT}/models/camvid-teacher" }}
shadow {{ model: "teacher" share: 0.05 max_busy_share: 0.02 }}
"""


class Soak:
    def __init__(self, args: argparse.Namespace, folder: pathlib.Path) -> None:
        self.args = args
        self.folder = folder
        self.bin = args.build / "bin"
        self.random = random.Random(1)
        self.end = time.monotonic() + 60 * args.minutes
        self.failures: list[str] = []
        self.counts: dict[str, int] = {}
        self.lock = threading.Lock()
        config = folder / "server.textproto"
        config.write_text(CONFIG)
        self.server = subprocess.Popen(
            [self.bin / "candor-server", "--config", config], stdout=subprocess.PIPE, stderr=(folder / "log").open("w"), text=True
        )
        found = re.match(r"listening grpc=(\S+) metrics=(\S+)", self.server.stdout.readline())
        if not found:
            sys.exit("candor-server did not start")
        self.address, self.metrics = found.groups()

    def is_running(self) -> bool:
        return time.monotonic() < self.end and self.server.poll() is None

    def count(self, what: str, number: int = 1) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + number

    def fail(self, what: str) -> None:
        with self.lock:
            self.failures.append(what)

    def bench(self, name: str, *options: object, allowed: int = 0) -> None:
        """One run of candor bench; `allowed`: its exit code besides 0."""
        command = [self.bin / "candor", "bench", "--server", self.address, "--json", "--warmup", 0, *options]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode not in (0, allowed) and time.monotonic() < self.end:
            self.fail(f"{name}: exit {done.returncode}: {done.stderr.strip()[-300:]} {done.stdout[-300:]}")
        if done.stdout:
            report = json.loads(done.stdout)
            self.count(f"{name} answers", report["answers"])
            for code, number in report["errors"].items():
                self.count(f"{name} {code}", number)

    # Steady loads.

    def single_calls(self) -> None:
        busy = ["--expect", "RESOURCE_EXHAUSTED", "--expect", "DEADLINE_EXCEEDED"]
        while self.is_running():
            self.bench("single calls", "--rate", self.args.rate, "--duration", 20, "--check", *busy, SAMPLES)

    def streams(self) -> None:
        busy = ["--expect", "RESOURCE_EXHAUSTED", "--expect", "DEADLINE_EXCEEDED"]
        while self.is_running():
            self.bench("streams", "--cameras", 2, "--rate", self.args.rate / 3, "--policy", "latest", "--duration", 20, *busy, SAMPLES)

    def raw_to_the_teacher(self) -> None:
        busy = ["--expect", "RESOURCE_EXHAUSTED", "--expect", "DEADLINE_EXCEEDED"]
        while self.is_running():
            self.bench("raw", "--raw", "--size", "320x240", "--model", "teacher", "--rate", self.args.rate / 6, "--duration", 20, *busy)

    # Faults, one after the other.

    def overload(self) -> None:
        busy = ["--expect", "RESOURCE_EXHAUSTED", "--expect", "DEADLINE_EXCEEDED"]
        self.bench("overload", "--rate", 200, "--timeout", 0.5, "--duration", 3, *busy, SAMPLES)

    def damaged_pictures(self) -> None:
        picture = bytearray(next(SAMPLES.glob("*.jpg")).read_bytes())
        for _ in range(20):
            picture[self.random.randrange(len(picture))] = self.random.randrange(256)
        damaged = self.folder / "damaged.jpg"
        for contents in (bytes(picture), bytes(picture[: len(picture) // 2]), self.random.randbytes(1000), b""):
            damaged.write_bytes(contents)
            done = subprocess.run(
                [self.bin / "candor", "segment", "--server", self.address, damaged], capture_output=True, text=True, check=False
            )
            # 0: so few bits that no decoder can see it. 75: overloaded just now.
            if done.returncode not in (0, 1, 2, 75) and self.is_running():
                self.fail(f"damaged picture: exit {done.returncode}: {done.stderr.strip()}")
            self.count("damaged pictures")

    def killed_clients(self) -> None:
        for _ in range(5):
            command = [self.bin / "candor", "bench", "--server", self.address, "--concurrency", "4", "--warmup", "0", str(SAMPLES)]
            client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.random.uniform(0.05, 0.5))
            client.kill()
            client.wait()
            self.count("killed clients")

    def silent_and_rubbish_connections(self) -> None:
        host, port = self.address.rsplit(":", 1)
        connections = []
        for i in range(100):
            connection = socket.create_connection((host, int(port)), timeout=5)
            if i % 3 == 1:
                connection.sendall(self.random.randbytes(200))
            if i % 3 == 2:
                connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.random.randbytes(100))
            connections.append(connection)
        time.sleep(1)
        for connection in connections:
            connection.close()
        self.count("bad connections", len(connections))

    def hung_scrapers(self) -> None:
        host, port = self.metrics.rsplit(":", 1)
        scrapers = [socket.create_connection((host, int(port)), timeout=5) for _ in range(4)]
        for scraper in scrapers[:2]:
            scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2)
        for scraper in scrapers:
            scraper.close()
        self.count("hung scrapers", len(scrapers))

    def reload(self) -> None:
        self.server.send_signal(signal.SIGHUP)
        self.count("reloads")

    def faults(self) -> None:
        kinds = [self.overload, self.damaged_pictures, self.killed_clients, self.silent_and_rubbish_connections, self.hung_scrapers, self.reload]
        while self.is_running():
            self.random.shuffle(kinds)
            for fault in kinds:
                if not self.is_running():
                    return
                fault()
                time.sleep(3)

    def watch(self) -> list[dict]:
        """The server's size, every five seconds until the end."""
        samples = []
        start = time.monotonic()
        proc = pathlib.Path("/proc") / str(self.server.pid)
        while self.is_running():
            try:
                status = (proc / "status").read_text()
                descriptors = len(os.listdir(proc / "fd"))
            except OSError:
                break
            rss = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024
            threads = int(re.search(r"Threads:\s+(\d+)", status).group(1))
            samples.append({"s": round(time.monotonic() - start), "rss_mib": rss, "descriptors": descriptors, "threads": threads})
            time.sleep(5)
        return samples

    def judge(self, samples: list[dict]) -> dict:
        tenth = max(len(samples) // 10, 1)
        before, after = samples[tenth : 2 * tenth] or samples, samples[-tenth:]
        median = lambda part, key: statistics.median(sample[key] for sample in part)  # noqa: E731
        growth = median(after, "rss_mib") - median(before, "rss_mib")
        more = median(after, "descriptors") - median(before, "descriptors")
        if growth > MOST_GROWTH_MIB:
            self.fail(f"memory grew by {growth:.1f} MiB, at most {MOST_GROWTH_MIB}")
        if more > MOST_MORE_DESCRIPTORS:
            self.fail(f"{more:.0f} more descriptors are open, at most {MOST_MORE_DESCRIPTORS}")
        return {
            "minutes": self.args.minutes,
            "rss_mib": [round(median(before, "rss_mib"), 1), round(median(after, "rss_mib"), 1)],
            "growth_mib": round(growth, 1),
            "descriptors": [median(before, "descriptors"), median(after, "descriptors")],
            "counts": dict(sorted(self.counts.items())),
            "failures": self.failures,
            "samples": samples,
        }

    def run(self) -> dict:
        loads = [self.single_calls, self.streams, self.raw_to_the_teacher, self.faults]
        threads = [threading.Thread(target=load) for load in loads]
        for thread in threads:
            thread.start()
        samples = self.watch()
        if self.server.poll() is not None:
            self.fail(f"the server ended by itself: exit {self.server.returncode}")
        for thread in threads:
            thread.join()
        self.server.terminate()
        try:
            if self.server.wait(timeout=60) != 0:
                self.fail(f"the server left with exit code {self.server.returncode}")
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.fail("the server did not leave within a minute of SIGTERM")
        return self.judge(samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--rate", type=float, default=3, help="single calls a second; the other loads follow")
    parser.add_argument("--out", type=pathlib.Path, help="write the figures there, as JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(args, pathlib.Path(folder))
        result = soak.run()
        log = (pathlib.Path(folder) / "log").read_text()
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n")
    for name, number in result["counts"].items():
        print(f"{name}: {number}")
    print(f"memory {result['rss_mib'][0]} -> {result['rss_mib'][1]} MiB, descriptors {result['descriptors']}")
    for failure in result["failures"]:
        print(f"FAILED {failure}")
    if result["failures"]:
        print(log[-2000:], file=sys.stderr)
        sys.exit(1)
    print(f"no failure in {args.minutes:g} minutes")


if __name__ == "__main__":
    main()
