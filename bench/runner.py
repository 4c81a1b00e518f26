# SPDX-License-Identifier: Apache-2.0
"""Processes that time something on demand, so that a script can give each its turn."""
import json
import os
import pathlib
import subprocess
import sys

# Threads that wait must not spin while another runner has its turn.
QUIET = {"OMP_WAIT_POLICY": "PASSIVE"}
# glibc's allocator keeps what is freed.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 30),
    "MALLOC_TOP_PAD_": str(256 << 20),
}


def network_passes(command: list, row: str, passes: int) -> list:
    """Milliseconds of each pass of candor-bench-network's `row`. Started for each turn: it holds its weights packed only
    while it runs."""
    command = [*map(str, command), f"--rounds={passes}", f"--only={row}", "--json"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = {entry["name"]: entry["ms"] for entry in map(json.loads, out.splitlines())}
    if row not in rows:
        script = pathlib.Path(sys.argv[0]).stem
        sys.exit(f"{script}: candor-bench-network gave no {row!r}: this processor lacks the precision")
    return rows[row]


class Runner:
    """A process that answers each line with a line; ends at the end of a `with`."""

    def __init__(self, name: str, command: list, environment: dict, stderr=None):
        self.name = name
        self.times = []
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def line(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            script = pathlib.Path(sys.argv[0]).stem
            sys.exit(f"{script}: {self.name} ended early, exit code {self.process.wait()}")
        return line.strip()

    def ask(self, request: str) -> list:
        """The milliseconds that it answers with."""
        self.process.stdin.write(f"{request}\n")
        self.process.stdin.flush()
        return [float(t) for t in self.line().split()]
