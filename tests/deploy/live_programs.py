# SPDX-License-Identifier: Apache-2.0
"""Real programs of candor for the tests of deploy/: a server, the command line, a training run, and what they say of themselves."""
import json
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.request

from programs import BIN, SOURCE
from waiting import PATIENCE_S, wait_for

SAMPLES = SOURCE / "models" / "samples"
STUDENT = SOURCE / "models" / "camvid-student"
TEACHER = SOURCE / "models" / "camvid-teacher"


def get(url):
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return answer.read().decode()


class Program:
    """A child process whose stderr is a file in `folder`; ended, at the latest, by close()."""

    def __init__(self, folder, name, command, **options):
        self.log = pathlib.Path(folder) / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([str(part) for part in command], stderr=log, text=True, **options)

    def find_in_log(self, pattern):
        """The first match in its stderr. AssertionError with the log's end if the process ends before it is there."""
        def look():
            ended = self.process.poll() is not None
            match = re.search(pattern, self.log.read_text())
            if match is None and ended:
                raise AssertionError(f"ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
            return match
        return wait_for(f"{pattern} in {self.log.name}", look)

    def await_listening(self):
        """Sets `address` and `metrics` as the program says them once it is ready. AssertionError if it ends before."""
        ready = re.match(r"listening grpc=(\S+) metrics=(\S+)", self.process.stdout.readline())
        if not ready:
            raise AssertionError(f"{self.process.args[0]} did not start: {self.log.read_text()[-2000:]}")
        self.address, self.metrics = ready.groups()

    def page(self):
        """What it says at `metrics`."""
        return get(f"http://{self.metrics}/metrics")

    def kill(self):
        """As the kernel does it for want of memory, or a power cut: with no goodbye."""
        self.process.kill()
        self.process.wait()

    def close(self):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()
        return code


class Server(Program):
    """candor-server, ready. `address` is its gRPC port's, `metrics` that of its pages. `settings`: more of its configuration."""

    def __init__(self, folder, name, bundles, listen="127.0.0.1:0", settings=""):
        config = pathlib.Path(folder) / f"{name}.textproto"
        models = "\n".join(f'models {{ bundle: "{bundle}" }}' for bundle in bundles)
        config.write_text(f'listen: "{listen}"\nmetrics_listen: "127.0.0.1:0"\nthreads: 1\n{models}\n{settings}\n')
        super().__init__(folder, name, [BIN / "candor-server", "--config", config], stdout=subprocess.PIPE)
        self.await_listening()

    def value(self, metric, **labels):
        """The sum of a metric's series with these labels; 0 if there is none."""
        return sum(value for series, value in parse_page(self.page()).get(metric, []) if labels.items() <= series.items())


class TrainingRun(Program):
    """candor-train member of a tiny network, with its metrics page at `metrics`; trains on until it is closed."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        config = folder / "trainer.textproto"
        config.write_text(f"data: 'folder:{SOURCE}/data/nuclei' width: 4 crop: 32 batch_size: 2 epochs: 100000 members: 2 "
                          "device: 'cpu' precision: 'fp32' validate_every: 1")
        super().__init__(folder, "training", [
            BIN / "candor-train", "member", "--config", config, "--run", folder / "run", "--index", "0", "--threads", "1",
            "--metrics-listen", "127.0.0.1:0"])
        self.metrics = "127.0.0.1:" + self.find_in_log(r'"message":"metrics","port":(\d+)').group(1)


class TrainingService(Program):
    """candor-training-server without a run, ready; `metrics` as of Server."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        super().__init__(folder, "training-service", [
            BIN / "candor-training-server", "--runs", folder / "runs", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE)
        self.await_listening()


def candor(*arguments, codes=(0,)):
    """Runs `candor` and returns its stdout. AssertionError for an exit code that is none of `codes`."""
    command = [str(part) for part in (BIN / "candor", *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode not in codes:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def parse_page(page):
    """{metric: [(labels, value)]} of a metrics page; `metric` as written, so with _bucket, _sum and _count."""
    metrics = {}
    for line in page.splitlines():
        match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
        if match:
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            metrics.setdefault(match[1], []).append((labels, float(match[3])))
    return metrics


def make_calibrated_student(folder):
    """A copy of the shipped student with verdicts and a drift reference, fitted on the sample pictures; returns its folder."""
    folder = pathlib.Path(folder)
    bundle = folder / "calibrated-student"
    shutil.copytree(STUDENT, bundle)
    for kind in ("images", "masks"):
        (folder / "data" / kind / "val").mkdir(parents=True)
    for truth in SAMPLES.glob("*_truth.png"):
        name = truth.name.replace("_truth.png", "")
        shutil.copy(SAMPLES / f"{name}.jpg", folder / "data" / "images" / "val")
        shutil.copy(truth, folder / "data" / "masks" / "val" / f"{name}.png")
    classes = json.loads((STUDENT / "model.json").read_text())["classes"]
    (folder / "data" / "classes.json").write_text(json.dumps({"classes": classes, "ignore": 11}))
    subprocess.run([BIN / "candor-train", "calibrate", "--bundle", bundle, "--data", f"folder:{folder / 'data'}", "--threads", "1",
                    "--error-rate", "0.5", "--reject-error-rate", "0.6"], check=True, capture_output=True, timeout=PATIENCE_S)
    return bundle
