# SPDX-License-Identifier: Apache-2.0
"""A step of the work, and what is kept of it: DIR/steps/NAME.json and DIR/logs/NAME.log."""
import dataclasses
import json
import os
import pathlib
import time
from typing import Callable, Optional


@dataclasses.dataclass
class Step:
    """One program, or one function of this process, that makes `output`."""

    name: str
    output: pathlib.Path  # a file or folder that is there when the step is done
    command: tuple = ()  # program and arguments; empty: only `before` is to be done
    needs: tuple = ()  # names of steps
    after: tuple = ()  # names of steps to wait for where they are to be done too
    before: Optional[Callable[[], None]] = None  # done first, in this process; raises StepError
    publish: Optional[Callable[[], None]] = None  # done after the program has succeeded
    cores: int = 1
    is_training: bool = False  # its core-seconds are training cost


class StepError(Exception):
    """Why a step cannot be done, as one line."""


def write_json(path: pathlib.Path, value) -> None:
    """Replaces the file whole, so that a kill leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


class Record:
    """What is known of a step over all its attempts."""

    def __init__(self, folder: pathlib.Path, step: Step) -> None:
        self.path = folder / "steps" / f"{step.name}.json"
        self.log = folder / "logs" / f"{step.name}.log"
        self.step = step
        self.values = {"command": [], "core_seconds": 0.0, "wall_seconds": 0.0, "attempts": 0, "done": False, "error": ""}
        if self.path.exists():
            self.values.update(json.loads(self.path.read_text(encoding="utf-8")))
        self._core_seconds_before = self.values["core_seconds"]
        self._wall_seconds_before = self.values["wall_seconds"]
        self._started = time.monotonic()

    def is_done(self) -> bool:
        return self.values["done"] and self.step.output.exists()

    def start(self) -> None:
        self.values.update(command=[str(part) for part in self.step.command], done=False, error="")
        self.values["attempts"] += 1
        self._core_seconds_before = self.values["core_seconds"]
        self._wall_seconds_before = self.values["wall_seconds"]
        self._started = time.monotonic()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, self.values)

    def spend(self, core_seconds: float) -> None:
        """`core_seconds`: of this attempt so far."""
        self.values["core_seconds"] = round(self._core_seconds_before + core_seconds, 2)
        self.values["wall_seconds"] = round(self._wall_seconds_before + time.monotonic() - self._started, 2)
        write_json(self.path, self.values)

    def finish(self, error: str = "") -> None:
        self.values.update(done=not error, error=error)
        write_json(self.path, self.values)
