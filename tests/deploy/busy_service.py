# SPDX-License-Identifier: Apache-2.0
"""A server and a training run to look at: everything that has a metric has happened to them."""
import pathlib
import tempfile

from live_programs import SAMPLES, TEACHER, Server, TrainingRun, TrainingService, candor, make_calibrated_student, parse_page
from waiting import wait_for

STREET = SAMPLES / "0001TP_008550.jpg"
STUDENT_NAME = "calibrated-student"
TEACHER_NAME = "camvid-teacher"


class BusyService:
    """Two models with verdicts, drift and a shadow; four requests at a time."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        self._programs = []
        try:
            self.server = Server(folder, "server", [make_calibrated_student(folder), TEACHER], settings='''
                max_pending_requests: 4
                log_level: "error"
                shadow { model: "teacher" share: 1 max_busy_share: 1 }''')
            self._programs.append(self.server)
            self.training = TrainingRun(folder)
            self._programs.append(self.training)
            self.training_service = TrainingService(folder)
            self._programs.append(self.training_service)
            self._refused = folder / "no_picture.jpg"
            self._refused.write_bytes(b"no picture")
        except BaseException:
            self.close()
            raise

    def close(self):
        for program in self._programs:
            program.close()
        self._folder.cleanup()

    def ask_a_little(self):
        """Each outcome of a request at least once: answers of both models, errors, refusals, late ones, frames, escalations."""
        server = ["--server", self.server.address]
        bench = ["bench", *server, "--warmup", "0"]
        small = [*bench, "--size", "64x48"]
        candor(*small, "--requests", "10")
        candor(*small, "--requests", "24", "--concurrency", "8", "--expect", "RESOURCE_EXHAUSTED")
        self.ask_too_late()
        candor(*small, "--requests", "8", "--cameras", "2", "--rate", "20", "--policy", "latest")
        candor("segment", *server, "--escalate-above", "0", STREET)
        candor("segment", *server, "--model", "teacher", STREET)
        candor("segment", *server, self._refused, codes=(1,))
        candor("admin", "reload", *server)

    def ask_too_late(self):
        """The teacher on two megapixels takes longer than 0.3 s, which the server does not know before the first time."""
        candor("bench", "--server", self.server.address, "--warmup", "0", "--size", "2048x1024", "--requests", "1", "--model",
               "teacher", "--timeout", "0.3", "--expect", "DEADLINE_EXCEEDED")

    def wait_for_what_takes_time(self):
        """Drift is measured after 50 pictures, the shadow looks when nothing else is to do, validation comes after an epoch."""
        candor("bench", "--server", self.server.address, "--warmup", "0", "--size", "64x48", "--requests", "60")
        wait_for("a picture that the shadow has checked",
                 lambda: self.server.value("candor_shadow_pictures_total", outcome="compared"))
        wait_for("a late request", self.has_been_late)
        wait_for("a validation", lambda: "candor_training_validation_miou_ratio" in self.training.page())

    def has_been_late(self):
        """If not yet, once more: whether the caller's goodbye or the server's own clock comes first is a matter of luck."""
        if self.server.value("candor_requests_total", code="DEADLINE_EXCEEDED"):
            return True
        self.ask_too_late()
        return False

    def ask_once_more(self):
        """A picture for the student, and time for its shadow."""
        before = self.server.value("candor_shadow_pictures_total")
        candor("segment", "--server", self.server.address, STREET)
        wait_for("the shadow", lambda: self.server.value("candor_shadow_pictures_total") > before)

    def series(self):
        """{metric: [labels]} of all pages, with Prometheus' own `up` and `ALERTS`."""
        series = {"up": [{}], "ALERTS": [{"alertname": "CandorAny", "alertstate": "firing"}]}
        for page in (self.server.page(), self.training.page(), self.training_service.page()):
            for metric, samples in parse_page(page).items():
                series.setdefault(metric, []).extend(labels for labels, _ in samples)
        return series
