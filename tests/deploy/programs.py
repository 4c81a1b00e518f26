# SPDX-License-Identifier: Apache-2.0
"""The programs under test, for the scripts of this folder."""
import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(os.environ["CANDOR_SOURCE_DIR"])
BIN = pathlib.Path(os.environ["CANDOR_BIN_DIR"])
TOOLS = pathlib.Path(os.environ["CANDOR_TOOLS"])


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


class Server:
    """A candor-server, by its command line, until the end of the `with`; `exit_code` and `log` thereafter."""

    def __init__(self, *command, before=(), **options):
        """`before`: a command that runs it, in its own place."""
        self.process = subprocess.Popen([str(word) for word in (*before, *command)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **options)

    def __enter__(self):
        found = re.match(r"listening grpc=(\S+) metrics=(\S+)", self.process.stdout.readline())
        if not found:
            raise RuntimeError(f"candor-server did not start: {self.process.communicate()[1]}")
        self.address, self.metrics = found.groups()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.log = self.process.communicate()[1]
        self.exit_code = self.process.returncode

    def peak_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) << 10
