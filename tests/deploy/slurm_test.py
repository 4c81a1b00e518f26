# SPDX-License-Identifier: Apache-2.0
"""deploy/slurm on a real Slurm of two nodes: interrupted in every way, a run ends with the bits of one that was not."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import slurm_cluster
from tiny_dataset import write_tiny_dataset
from waiting import wait_for

SUBMIT = pathlib.Path(os.environ["CANDOR_SOURCE_DIR"]) / "deploy" / "slurm" / "submit.sh"
TRAIN = pathlib.Path(os.environ["CANDOR_BIN_DIR"]) / "candor-train"
SERVICE = TRAIN.with_name("candor-training-server")
CANDOR = TRAIN.with_name("candor")
TOOLS = pathlib.Path(os.environ["CANDOR_TOOLS"]).resolve()
MEMBERS = 10
STEPS = 200
# Interrupted early, so that the rest of the training leaves time to do it.
EARLY_STEP = 10
LATE_STEP = 100
# A task that was requeued runs after the others.
ARRAY_PATIENCE_S = 300
# Of the whole script; less than its TIMEOUT in CMakeLists.txt.
LIMIT_S = 560
STOPPED = "stopped; the same command goes on"
CONFIGURATION = f"""
data: 'folder:{{data}}' width: 4 crop: 32 batch_size: 2 epochs: {STEPS // 2} validate_every: {STEPS // 4} precision: 'fp32'
store: 'fp32' members: {MEMBERS} device: 'cpu' log_every_steps: 1 checkpoint_seconds: 1
"""

cluster: slurm_cluster.SlurmCluster


def last_step(folder: pathlib.Path) -> int:
    """The last step in a training's log; 0 if there is none."""
    log = folder / "events.jsonl"
    steps = [0]
    for line in log.read_text().splitlines() if log.exists() else []:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:  # being written
            continue
        if event["event"] == "step":
            steps.append(event["step"])
    return steps[-1]


def weights(model: pathlib.Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(model.glob("*.safetensors"))}


class SlurmTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="candor-slurm-run-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.run_folder = self.folder / "run"
        self.config = self.folder / "trainer.textproto"
        self.config.write_text(CONFIGURATION.format(data=self.folder / "data"))
        write_tiny_dataset(self.folder / "data")

    def tearDown(self) -> None:
        cluster.clear()

    def submit(self, members: int, *options: str, train_args: str = "") -> tuple[str, str]:
        """The IDs of the array and of the distillation."""
        call = [SUBMIT, "--config", self.config, "--run", self.run_folder, "--members", members, "--train", TRAIN, *options]
        done = cluster.run(*call, "--", "--cpus-per-task=1", CANDOR_TRAIN_ARGS=train_args)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^members=\d+ distillation=\d+\n$")
        array, distillation = (part.partition("=")[2] for part in done.stdout.split())
        return array, distillation

    def member_folder(self, index: int) -> pathlib.Path:
        return self.run_folder / "members" / str(index)

    def await_early(self, job: str, folder: pathlib.Path) -> None:
        """Returns once the job runs and has done a few steps. Fails if it is over."""

        def is_early() -> bool:
            self.assertNotIn(cluster.job(job).get("JobState"), ("COMPLETED", "FAILED", "CANCELLED"), job)
            return last_step(folder) >= EARLY_STEP

        wait_for(f"{job} has come to step {EARLY_STEP}", is_early)

    def warn(self, job: str, log_name: str) -> None:
        """What Slurm does before the time limit: the batch script alone gets its signal. Returns once it has stopped."""
        # Ended as soon as the signal has had its effect: while other tasks of an array are pending, this controller reports
        # a failure after sending the signal, and scancel would send it again and again.
        with subprocess.Popen(["scancel", "--batch", "--signal=USR1", job], env=cluster.env, stderr=subprocess.PIPE) as scancel:
            try:
                log = self.run_folder / "slurm" / log_name
                wait_for(f"{job} goes back into the queue", lambda: "goes back into the queue" in log.read_text())
            finally:
                scancel.kill()

    def await_end(self, job: str) -> dict[str, str]:
        """The job's fields once it is over."""

        def ended() -> dict[str, str] | None:
            fields = cluster.job(job)
            over = fields.get("JobState") in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
            return fields if over else None

        return wait_for(f"{job} is over", ended, ARRAY_PATIENCE_S)

    def start_uninterrupted(self) -> subprocess.Popen:
        """The same training on this machine; each process with one thread, as --cpus-per-task says on the cluster."""
        call = [TRAIN, "ensemble", "--config", self.config, "--run", self.folder / "whole", "--threads", "1", "--jobs", "1"]
        with (self.folder / "whole.log").open("w") as log:
            process = subprocess.Popen([str(part) for part in call], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def await_early_on(self, node: str, array: str) -> int:
        """The member that trains on the node and is not long there."""
        running = ["squeue", "--noheader", "--states", "R", "--nodelist", node, "--jobs", array, "--format", "%K"]

        def early_member() -> list[int]:
            members = [int(line) for line in cluster.answer(*running).split()]
            return [index for index in members if EARLY_STEP <= last_step(self.member_folder(index)) < LATE_STEP]

        return wait_for(f"a member has come to step {EARLY_STEP} on {node}", early_member)[0]

    def test_interrupted_tasks_end_with_the_bits_of_an_uninterrupted_run(self) -> None:
        whole = self.start_uninterrupted()
        array, distillation = self.submit(MEMBERS)
        self.await_early(f"{array}_0", self.member_folder(0))
        self.warn(f"{array}_0", f"member-{array}_0.log")
        self.await_early(f"{array}_1", self.member_folder(1))
        self.assertEqual(cluster.run("scontrol", "requeue", f"{array}_1").returncode, 0)
        preempted = self.await_early_on("n1", array)
        urgent = ["sbatch", "--partition=urgent", "--nodelist=n1", "--output=/dev/null", "--wrap=true"]
        self.assertEqual(cluster.run(*urgent).returncode, 0)
        lost = self.await_early_on("n2", array)
        cluster.kill_node("n2")
        interrupted = {0, 1, preempted, lost}
        self.assertEqual(len(interrupted), 4)

        for index in range(MEMBERS):
            fields = self.await_end(f"{array}_{index}")
            self.assertEqual(fields["JobState"], "COMPLETED", f"member {index}")
            self.assertEqual(fields["Restarts"], "1" if index in interrupted else "0", f"member {index}")
        self.assertEqual(cluster.job(f"{array}_{lost}")["BatchHost"], "n1")
        for index in interrupted - {lost}:
            self.assertIn(STOPPED, (self.run_folder / "slurm" / f"member-{array}_{index}.log").read_text())
        self.await_early(distillation, self.run_folder / "distillation")
        self.warn(distillation, f"distill-{distillation}.log")
        fields = self.await_end(distillation)
        self.assertEqual((fields["JobState"], fields["Restarts"]), ("COMPLETED", "1"))

        self.assertEqual(whole.wait(ARRAY_PATIENCE_S), 0, (self.folder / "whole.log").read_text())
        for model in (*(f"members/{index}/model" for index in range(MEMBERS)), "student"):
            expected = weights(self.folder / "whole" / model)
            self.assertTrue(expected)
            self.assertTrue(weights(self.run_folder / model) == expected, model)

    def test_a_refused_configuration_is_not_tried_again_and_nothing_is_distilled(self) -> None:
        array, distillation = self.submit(2, train_args="--set 'epochs: 0'")
        for index in range(2):
            fields = self.await_end(f"{array}_{index}")
            self.assertEqual((fields["JobState"], fields["ExitCode"], fields["Restarts"]), ("FAILED", "78:0", "0"))
            log = self.run_folder / "slurm" / f"member-{array}_{index}.log"
            self.assertIn("epochs: must be in [1, 100000], got 0", log.read_text())
        fields = self.await_end(distillation)
        self.assertEqual((fields["JobState"], fields["RunTime"]), ("CANCELLED", "00:00:00"))
        self.assertFalse((self.run_folder / "slurm" / f"distill-{distillation}.log").exists())

    def test_a_cancelled_task_stays_cancelled_and_goes_on_when_submitted_again(self) -> None:
        array, distillation = self.submit(2, "--at-once", "1")
        self.await_early(f"{array}_0", self.member_folder(0))
        self.assertEqual(cluster.job(f"{array}_1")["JobState"], "PENDING")
        cluster.run("scancel", array)
        fields = self.await_end(f"{array}_0")
        self.assertEqual((fields["JobState"], fields["Restarts"]), ("CANCELLED", "0"))
        log = self.run_folder / "slurm" / f"member-{array}_0.log"
        wait_for("the member says that it stopped", lambda: STOPPED in log.read_text())
        self.assertEqual(self.await_end(distillation)["JobState"], "CANCELLED")
        wait_for("the queue is empty", lambda: cluster.run("squeue", "--noheader").stdout == "")

        array, distillation = self.submit(2)
        self.assertEqual(self.await_end(distillation)["JobState"], "COMPLETED")
        log = self.run_folder / "slurm" / f"member-{array}_0.log"
        self.assertIn("going on from a checkpoint", log.read_text())

    def start_service(self) -> tuple[subprocess.Popen, str]:
        """candor-training-server in front of the cluster, and its address."""
        call = [SERVICE, "--runs", self.folder / "runs", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--executor", "slurm",
                "--submit", SUBMIT, "--sbatch-option=--cpus-per-task=1"]
        service = subprocess.Popen([str(part) for part in call], env=cluster.env, stdout=subprocess.PIPE, text=True)
        self.addCleanup(service.stdout.close)
        self.addCleanup(service.wait)
        self.addCleanup(service.kill)
        ready = re.match(r"listening grpc=(\S+) ", service.stdout.readline())
        self.assertTrue(ready, "candor-training-server did not start")
        return service, ready.group(1)

    def train(self, address: str, command: str, *arguments: object, code: int = 0) -> str:
        """`candor train COMMAND`, which ends with `code`; what it prints."""
        done = cluster.run(CANDOR, "train", command, "--server", address, *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_the_training_service_hands_runs_to_slurm_and_finds_them_again(self) -> None:
        service, address = self.start_service()
        submission = ["--config", self.config, "--set", "members: 2"]
        self.train(address, "submit", *submission, "--name", "street")
        member = self.folder / "runs" / "street" / "members" / "0"
        wait_for("the member has come to a step", lambda: last_step(member) >= EARLY_STEP)
        service.kill()
        service.wait()
        service, address = self.start_service()
        self.train(address, "watch", "street")
        run = json.loads(self.train(address, "status", "street", "--json"))
        self.assertEqual((run["state"], run["executor"], run["starts"], run["progress"]), ("succeeded", "slurm", 1, 1.0))

        self.train(address, "submit", *submission, "--name", "left")
        wait_for("it is with Slurm", lambda: cluster.answer("squeue", "--noheader") != "")
        self.train(address, "cancel", "left")
        self.train(address, "watch", "left", code=75)
        self.assertEqual(cluster.answer("squeue", "--noheader"), "")


def main() -> int:
    global cluster
    # Told to end, or too late, the test still ends what it started. unittest lets KeyboardInterrupt through and little else.
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.default_int_handler)
    signal.alarm(LIMIT_S)
    with tempfile.TemporaryDirectory(prefix="candor-slurm-") as folder:
        try:
            cluster = slurm_cluster.SlurmCluster(TOOLS, pathlib.Path(folder))
        except slurm_cluster.Unavailable as reason:
            return skip(reason)
        try:
            cluster.start()
            passed = unittest.main(verbosity=2, exit=False).result.wasSuccessful()
            if not passed:
                print(cluster.last_words(), file=sys.stderr)
            return 0 if passed else 1
        except slurm_cluster.Unavailable as reason:
            return skip(reason)
        finally:
            cluster.stop()


def skip(reason: Exception) -> int:
    print(f"slurm_test: skipped: {reason}", file=sys.stderr)
    return 77


if __name__ == "__main__":
    sys.exit(main())
