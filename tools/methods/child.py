# SPDX-License-Identifier: Apache-2.0
"""Programs that are started here end with this process, and what they cost is known."""
import ctypes
import os
import pathlib
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent() -> None:
    # A trainer saves its checkpoint on SIGTERM, also when this process is killed and can tell it nothing.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A program with both outputs behind `log`. To be started from the main thread, whose end it is bound to."""

    def __init__(self, command: tuple, log: pathlib.Path) -> None:
        with open(log, "ab") as file:
            self._log_start = file.tell()
            self._process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file, preexec_fn=end_with_parent
            )
        self._log = log
        self._core_seconds = 0.0
        self.exit_code = None

    def poll(self) -> bool:
        """True once it has ended."""
        if self.exit_code is None:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self.exit_code = self._process.returncode = os.waitstatus_to_exitcode(status)
                self._core_seconds = usage.ru_utime + usage.ru_stime
        return self.exit_code is not None

    def core_seconds(self) -> float:
        """Of all its threads and of the programs it has waited for, in user and system mode."""
        if self.exit_code is None:
            try:
                stat = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
                # After the name in parentheses, utime is the 12th field; stime, cutime and cstime follow.
                self._core_seconds = sum(int(field) for field in stat.rsplit(")", 1)[1].split()[11:15]) / _TICKS
            except OSError:
                pass
        return self._core_seconds

    def terminate(self) -> None:
        if self.exit_code is None:
            os.kill(self._process.pid, signal.SIGTERM)  # Popen's own would also wait for it, and lose what it cost

    def complaint(self) -> str:
        """The last thing it said that is no progress line."""
        with open(self._log, "rb") as file:
            file.seek(self._log_start)
            lines = file.read().decode("utf-8", "replace").splitlines()
        noise = ('{"time"', "Run with --help")
        said = [line.strip() for line in lines if line.strip() and not line.startswith(noise)]
        return said[-1] if said else "said nothing"
