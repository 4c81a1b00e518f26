# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus with the rules of deploy/ looks at a real server and a real training run, and answers every dashboard."""
import json
import math
import pathlib
import re
import tempfile
import unittest
import urllib.parse

import yaml

import monitoring_files as files
from busy_service import BusyService
from live_programs import Program, get
from programs import TOOLS
from waiting import wait_for


class Prometheus(Program):
    """deploy/prometheus/prometheus.yml with other targets, and in a hurry."""

    def __init__(self, folder, targets):
        folder = pathlib.Path(folder)
        config = yaml.safe_load((files.PROMETHEUS / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(path) for path in files.rule_files()]
        for job in config["scrape_configs"]:
            job["static_configs"] = [{"targets": [targets.pop(job["job_name"])]}]
        assert not targets, targets
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        super().__init__(folder, "prometheus", [
            TOOLS / "usr" / "bin" / "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            "--web.listen-address=127.0.0.1:0"])
        self._address = self.find_in_log(r'"Listening on" address=(\S+)').group(1)
        self.find_in_log("Server is ready to receive web requests")

    def ask(self, path, **parameters):
        answer = json.loads(get(f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expr):
        """[(labels, value)] now. Raises for an expression that Prometheus refuses."""
        return [(sample["metric"], float(sample["value"][1])) for sample in self.ask("query", query=expr)["result"]]

    def healthy_jobs(self):
        return {target["labels"]["job"] for target in self.ask("targets")["activeTargets"] if target["health"] == "up"}

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def active_alerts(self):
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"]}


class PrometheusTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.service = BusyService()
        self.addCleanup(self.service.close)
        self.prometheus = Prometheus(folder.name, {"candor": self.service.server.metrics,
                                                   "candor-training": self.service.training.metrics,
                                                   "candor-training-service": self.service.training_service.metrics})
        self.addCleanup(self.prometheus.close)
        wait_for("all jobs up", lambda: self.prometheus.healthy_jobs() == {"candor", "candor-training", "candor-training-service"})

    def has_numbers(self, expr):
        """If not yet, one picture more: a rate sees nothing of what was there at the first scrape."""
        if any(math.isfinite(value) for _, value in self.prometheus.query(expr)):
            return True
        self.service.ask_once_more()
        return False

    def test_every_panel_shows_something_and_a_server_that_ends_is_missed(self):
        self.service.ask_a_little()
        self.service.wait_for_what_takes_time()
        for where, expr, legend in files.targets():
            with self.subTest(where):
                wait_for(expr, lambda expr=expr: self.has_numbers(expr), seconds=60)
                for labels, _ in self.prometheus.query(expr):
                    self.assertLessEqual(set(re.findall(r"{{(\w+)}}", legend)), set(labels), expr)

        wait_for("rules evaluated", lambda: all(rule["health"] != "unknown" for rule in self.prometheus.rules()))
        for rule in self.prometheus.rules():
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
        self.assertEqual(len(self.prometheus.rules()), len(files.rules()))

        missing = {"CandorServerIsDown", "CandorIsNotServing", "CandorTrainingEnded"}
        self.assertFalse(self.prometheus.active_alerts() & missing)
        self.service.server.kill()
        self.service.training.kill()
        wait_for("the alerts that they are gone", lambda: missing <= self.prometheus.active_alerts())


if __name__ == "__main__":
    files.skip_without("usr/bin/promtool", "usr/bin/prometheus")
    unittest.main()
