# SPDX-License-Identifier: Apache-2.0
"""Does steps side by side, each once: what is done stays done, whatever ends this process."""
import pathlib
import sys
import time

from child import Child
from steps import Record, Step, StepError

_POLL_S = 0.05
_NOTE_EVERY_S = 10
_RETRY = 75  # of candor-train: stopped with its checkpoint saved
_ATTEMPTS = 3


class Interrupted(Exception):
    pass


class Runner:
    """`jobs`: cores in use at most. `stop_requested`: a function without arguments."""

    def __init__(self, folder: pathlib.Path, jobs: int, stop_requested) -> None:
        self.folder = folder
        self.jobs = jobs
        self.stop_requested = stop_requested
        self.failed: dict[str, str] = {}  # step: why
        self._running: dict[str, tuple[Record, Child]] = {}
        self._noted = time.monotonic()

    def run(self, steps: list[Step], on_done=None) -> None:
        """All steps whose needs can be met, in the order of the list as cores become free. `on_done(name)`, after each.

        What fails is in `failed`, with what needs it. Interrupted: stop was requested; every program got SIGTERM and has
        ended.
        """
        waiting = {step.name: Record(self.folder, step) for step in steps}
        total, done = len(waiting), set()
        for name in [name for name, record in waiting.items() if record.is_done()]:
            del waiting[name]
            done.add(name)
            if on_done:
                on_done(name)
        if done:
            self._say(f"{len(done)} of {total} steps were done before")
        while waiting or self._running:
            if self.stop_requested():
                self._stop()
            self._start_ready(waiting, done)
            ended = self._collect()
            for name in ended:
                if name in self.failed:
                    continue
                done.add(name)
                self._say(f"[{len(done)}/{total}] {name}")
                if on_done:
                    on_done(name)
            self._give_up(waiting)
            if not ended and self._running:
                time.sleep(_POLL_S)

    def _start_ready(self, waiting: dict[str, Record], done: set) -> None:
        for name, record in list(waiting.items()):
            step = record.step
            pending = [*waiting, *self._running]
            if any(need not in done for need in step.needs) or any(other in pending for other in step.after):
                continue
            cores = min(step.cores, self.jobs)
            if sum(min(r.step.cores, self.jobs) for r, _ in self._running.values()) + cores > self.jobs:
                return  # a large step is not overtaken for ever by small ones
            del waiting[name]
            self._start(record)

    def _start(self, record: Record) -> None:
        record.start()
        step = record.step
        try:
            if step.before:
                step.before()
            command = step.command or ("true",)
            self._running[step.name] = (record, Child(command, record.log))
        except (OSError, StepError) as error:
            self._fail(record, str(error))

    def _collect(self) -> list[str]:
        ended = []
        must_note = time.monotonic() - self._noted > _NOTE_EVERY_S
        if must_note:
            self._noted = time.monotonic()
        for name, (record, child) in list(self._running.items()):
            if not child.poll():
                if must_note:
                    record.spend(child.core_seconds())
                continue
            record.spend(child.core_seconds())
            del self._running[name]
            if child.exit_code == _RETRY and record.values["attempts"] % _ATTEMPTS and not self.stop_requested():
                self._start(record)
                continue
            if child.exit_code and self.stop_requested():
                continue  # a terminal's Ctrl-C reaches it too: stopped, not failed
            ended.append(name)
            self._end(record, child)
        return ended

    def _end(self, record: Record, child: Child) -> None:
        step = record.step
        if child.exit_code != 0:
            self._fail(record, f"exit {child.exit_code}: {child.complaint()}")
            return
        try:
            if step.publish:
                step.publish()
        except (OSError, StepError) as error:
            self._fail(record, str(error))
            return
        if step.output.exists():
            record.finish()
        else:
            self._fail(record, f"made no {step.output}")

    def _fail(self, record: Record, why: str) -> None:
        record.finish(error=why)
        self.failed[record.step.name] = why
        self._say(f"{record.step.name}: failed: {why} (log: {record.log})")

    def _give_up(self, waiting: dict[str, Record]) -> None:
        for name, record in list(waiting.items()):
            missing = [need for need in record.step.needs if need in self.failed]
            if missing:
                self.failed[name] = f"needs {missing[0]}, which failed"
                del waiting[name]

    def _stop(self) -> None:
        for _, child in self._running.values():
            child.terminate()
        while self._running:
            for name, (record, child) in list(self._running.items()):
                if child.poll():
                    record.spend(child.core_seconds())
                    del self._running[name]
            time.sleep(_POLL_S)
        raise Interrupted

    @staticmethod
    def _say(text: str) -> None:
        print(f"methods: {text}", file=sys.stderr, flush=True)
