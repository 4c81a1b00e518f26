# SPDX-License-Identifier: Apache-2.0
"""run_task.sh with a stand-in for candor-train and for scontrol; slurm_test.py has the real ones."""
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from waiting import PATIENCE_S, wait_for

RUN_TASK = pathlib.Path(os.environ["CANDOR_SOURCE_DIR"]) / "deploy" / "slurm" / "run_task.sh"

# Notes its arguments and every SIGTERM. Ends with the code in the file "end", once that is there.
TRAIN = """#!/bin/bash
trap 'echo TERM >>terms' TERM
printf '%s|' "$@" >>arguments
until [[ -e end ]]; do read -rt 0.05 <>pause; done
exit "$(<end)"
"""
SCONTROL = """#!/bin/bash
echo "$*" >>scontrol-calls
[[ $* != *show* ]] || echo "JobId=7 JobState=$STATE Reason=None"
"""


class SlurmTaskTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, text in (("train", TRAIN), ("scontrol", SCONTROL)):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        os.mkfifo(self.folder / "pause")
        self.env = {"PATH": f"{self.folder}:/usr/bin:/bin", "STATE": "RUNNING"}
        self.env |= {"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "5", "SLURM_ARRAY_TASK_ID": "3"}
        self.env |= {"CANDOR_TRAIN": str(self.folder / "train"), "CANDOR_CONFIG": "my F", "CANDOR_RUN": "R", "CANDOR_MEMBERS": "4"}

    def start(self, **env: str) -> subprocess.Popen:
        """A task, once its stand-in runs."""
        task = subprocess.Popen([RUN_TASK, "member"], cwd=self.folder, env=self.env | env, stderr=subprocess.DEVNULL)
        self.addCleanup(task.wait)
        self.addCleanup(self.end, "0")
        wait_for("the task has begun", lambda: self.lines("arguments"))
        return task

    def end(self, code: str) -> None:
        (self.folder / "end.new").write_text(code)
        (self.folder / "end.new").rename(self.folder / "end")

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def send(self, task: subprocess.Popen, number: signal.Signals) -> None:
        """Returns once the shell has noticed it."""
        task.send_signal(number)

        def is_pending() -> bool:
            status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{task.pid}/status").read_text().splitlines())
            return bool((int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)) >> (number - 1) & 1)

        wait_for("the signal has arrived", lambda: not is_pending())

    def finish(self, code: str, **env: str) -> int:
        """The exit code of a task whose stand-in ends with `code`."""
        task = self.start(**env)
        self.end(code)
        return task.wait(PATIENCE_S)

    def test_the_warning_is_passed_on_once_and_what_slurm_sends_to_all_is_not(self) -> None:
        task = self.start()
        self.send(task, signal.SIGTERM)
        self.send(task, signal.SIGUSR1)
        wait_for("the task has heard SIGTERM", lambda: self.lines("terms"))
        self.send(task, signal.SIGUSR1)
        self.send(task, signal.SIGTERM)
        self.end("75")
        self.assertEqual(task.wait(PATIENCE_S), 75)
        self.assertEqual(self.lines("terms"), ["TERM"])

    def test_no_signal_ends_it_before_its_program(self) -> None:
        task = self.start()
        for _ in range(500):
            task.send_signal(signal.SIGTERM)
            task.send_signal(signal.SIGUSR1)
        self.send(task, signal.SIGTERM)
        self.assertIsNone(task.poll())
        self.end("75")
        self.assertEqual(task.wait(PATIENCE_S), 75)

    def test_a_stopped_task_requeues_itself(self) -> None:
        self.assertEqual(self.finish("75"), 75)
        self.assertEqual(self.lines("scontrol-calls"), ["--oneliner show job 7", "requeue 5_3"])

    def test_a_task_that_ended_before_it_could_catch_the_signal_requeues_itself(self) -> None:
        self.assertEqual(self.finish("143"), 143)
        self.assertIn("requeue 5_3", self.lines("scontrol-calls"))

    def test_a_job_outside_an_array_is_requeued_by_its_number(self) -> None:
        del self.env["SLURM_ARRAY_JOB_ID"], self.env["SLURM_ARRAY_TASK_ID"]
        self.assertEqual(self.finish("75"), 75)
        self.assertIn("requeue 7", self.lines("scontrol-calls"))

    def test_a_job_that_slurm_ends_is_left_to_it(self) -> None:
        self.assertEqual(self.finish("75", STATE="COMPLETING"), 75)
        self.assertEqual(self.lines("scontrol-calls"), ["--oneliner show job 7"])

    def test_any_other_code_is_the_tasks_and_final(self) -> None:
        for code in ("0", "1", "2", "74", "78", "130"):
            self.assertEqual(self.finish(code), int(code))
            (self.folder / "arguments").unlink()
            (self.folder / "end").unlink()
        self.assertEqual(self.lines("scontrol-calls"), [])

    def test_arguments_are_those_of_the_environment(self) -> None:
        self.finish("0", SLURM_CPUS_PER_TASK="8", CANDOR_TRAIN_ARGS="--set 'epochs: 20' --metrics-listen $HOME:0")
        flags = "member|--config|my F|--run|R|--of|4|--set|threads: 8|--set|epochs: 20|--metrics-listen|$HOME:0|"
        self.assertEqual(self.lines("arguments"), [flags])

    def test_a_wrong_environment_is_exit_78_and_names_it(self) -> None:
        for name, value in (("CANDOR_RUN", ""), ("CANDOR_TRAIN_ARGS", "--set 'epochs")):
            call = subprocess.run([RUN_TASK, "member"], env=self.env | {name: value}, capture_output=True, text=True, check=False)
            self.assertEqual(call.returncode, 78)
            self.assertIn(f"{name}: must", call.stderr)


if __name__ == "__main__":
    unittest.main()
