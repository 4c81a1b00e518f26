# SPDX-License-Identifier: Apache-2.0
"""How fast each model is when served, and how much memory its server holds: one server at a time, in rounds.

Every model is asked right after the one network, in an order that turns from round to round, since a machine is faster or
slower by what it did before; a model's factor is the median over the rounds of its latency by that of the one network
just before it. What a round has measured is kept: DIR/serving/METHOD/round-N.json.
"""
import json
import pathlib
import re
import signal
import statistics
import subprocess
import sys

import bundles
from child import end_with_parent
from figures import read_json
from settings import Settings
from steps import StepError, write_json

_REFERENCE = "single"


def resident_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


def measure(settings: Settings, method: str) -> dict:
    """One server with the method's bundle, asked by one caller at 480x360, and ended. StepError: it did not work."""
    bundle = settings.folder / "bundles" / method
    log = settings.folder / "logs" / f"{method}-serve.log"
    command = [
        settings.programs / "candor-server", "--bundle", bundle, "--model", method, "--listen", "127.0.0.1:0",
        "--metrics-listen", "off", "--device", "cpu",
    ]
    with open(log, "ab") as errors:
        server = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=end_with_parent
        )
    try:
        found = re.match(r"listening grpc=(\S+)", server.stdout.readline())
        if not found:
            raise StepError(f"{method}: candor-server did not start (log: {log})")
        ask = [
            settings.programs / "candor", "bench", "--server", found.group(1), "--concurrency", 1, "--size", "480x360",
            "--requests", settings.requests, "--json", "--model", method,
        ]
        asked = subprocess.run([str(part) for part in ask], capture_output=True, text=True, check=False, timeout=600)
        if asked.returncode:
            raise StepError(f"{method}: candor bench: exit {asked.returncode}: {asked.stderr.strip()[-300:]}")
        report = json.loads(asked.stdout)
        return {
            "latency_ms": report["latency_ms"]["p50"],
            "infer_ms": report["server_median_ms"]["infer"],
            "resident_mib": round(resident_mib(server.pid), 1),
            "digest": bundles.read_model(bundle)["weights"][0]["sha256"],
        }
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()


def round_file(folder: pathlib.Path, method: str, number: int) -> pathlib.Path:
    return folder / "serving" / method / f"round-{number}.json"


def measure_all(settings: Settings, methods: list[str], stop_requested) -> dict[str, str]:
    """Rounds that are still missing; all methods have bundles. Returns why some could not be measured."""
    failed: dict[str, str] = {}
    for number in range(settings.rounds):
        left = [method for method in methods if not round_file(settings.folder, method, number).exists()]
        left = [method for method in left if f"{method}-serve" not in failed]
        if not left:
            continue
        print(f"methods: speed, round {number + 1} of {settings.rounds}: {len(left)} models", file=sys.stderr, flush=True)
        for method in left[number % len(left) :] + left[: number % len(left)]:
            if stop_requested():
                return failed
            try:
                reference = measure(settings, _REFERENCE)
            except (StepError, subprocess.TimeoutExpired) as error:
                return {**failed, f"{_REFERENCE}-serve": str(error)}
            try:
                values = reference if method == _REFERENCE else measure(settings, method)
            except (StepError, subprocess.TimeoutExpired) as error:
                failed[f"{method}-serve"] = str(error)
                print(f"methods: {error}", file=sys.stderr, flush=True)
                continue
            write_json(round_file(settings.folder, method, number), {**values, "reference_ms": reference["latency_ms"]})
    return failed


def serving_figures(folder: pathlib.Path, method: str) -> dict:
    """Medians over the rounds; empty without any."""
    rounds = [read_json(path) for path in sorted((folder / "serving" / method).glob("round-*.json"))]
    if not rounds:
        return {}
    return {
        "latency_ms": statistics.median(entry["latency_ms"] for entry in rounds),
        "latency_factor": statistics.median(entry["latency_ms"] / entry["reference_ms"] for entry in rounds),
        "resident_mib": statistics.median(entry["resident_mib"] for entry in rounds),
        "rounds": len(rounds),
    }
