# SPDX-License-Identifier: Apache-2.0
"""The alerts and dashboards of deploy/: promtool reads them, every alert is tried, and all they name is on live metrics pages."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import monitoring_files as files
from busy_service import BusyService
from programs import SOURCE
from promql import LiveMetrics

COLUMNS = 24


def untried(alert, cases):
    """Which of "firing" and "silent" no case of the unit tests expects of an alert."""
    expected = [check.get("exp_alerts") for case in cases for check in case.get("alert_rule_test", [])
                if check["alertname"] == alert]
    return {"firing"} - {"firing" for alerts in expected if alerts} | {"silent"} - {"silent" for alerts in expected if not alerts}


class RulesTest(unittest.TestCase):

    def test_promtool_accepts_rules_and_configuration(self):
        for arguments in (["check", "rules", *files.rule_files()], ["check", "config", files.PROMETHEUS / "prometheus.yml"]):
            code, output = files.promtool(*arguments)
            self.assertEqual(code, 0, output)

    def test_alerts_ring_and_are_silent_as_their_cases_say(self):
        code, output = files.promtool("test", "rules", *sorted((files.PROMETHEUS / "tests").glob("*.yml")))
        self.assertEqual(code, 0, output)

    def test_every_alert_has_a_case_in_which_it_rings_and_one_in_which_it_does_not(self):
        names = [rule["alert"] for rule in files.alerts()]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertEqual(untried(name, files.unit_tests()), set(), name)
        self.assertEqual(untried("CandorIsBored", files.unit_tests()), {"firing", "silent"})

    def test_every_alert_says_how_bad_what_and_where_to_read_on(self):
        known = files.anchors(files.OPERATIONS.read_text())
        for rule in files.alerts():
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
                self.assertTrue(rule["annotations"]["summary"] and rule["annotations"]["description"])
                self.assertEqual(rule["annotations"]["runbook_url"], f"docs/operations.md#{rule['alert'].lower()}")
                self.assertIn(rule["alert"].lower(), known)

    def test_every_runbook_is_of_an_alert_that_is_there_and_links_lead_somewhere(self):
        text = files.OPERATIONS.read_text()
        names = {rule["alert"] for rule in files.alerts()}
        self.assertEqual(set(re.findall(r"^### (Candor\w+)$", text, re.MULTILINE)), names)
        for anchor in re.findall(r"\]\(#([^)]+)\)", text):
            self.assertIn(anchor, files.anchors(text))

    def test_the_runbook_names_panels_that_are_there(self):
        titles = {panel["title"] for dashboard in files.dashboards().values() for panel in files.charts(dashboard)}
        named = re.findall(r'Dashboard \*candor: \w+\*[,:] ((?:"[^"]+"(?:, | and | up or down, )?)+)', files.OPERATIONS.read_text())
        self.assertTrue(named)
        for title in re.findall(r'"([^"]+)"', " ".join(named)):
            self.assertIn(title, titles)


class DashboardsTest(unittest.TestCase):

    def test_they_are_what_the_script_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-B", SOURCE / "tools" / "make_dashboards.py", folder], check=True)
            written = {path.name: path.read_text() for path in pathlib.Path(folder).iterdir()}
        self.assertEqual({path.name: path.read_text() for path in files.DASHBOARDS.iterdir()}, written,
                         "run tools/make_dashboards.py")

    def test_identity_and_data_source(self):
        for name, dashboard in files.dashboards().items():
            with self.subTest(name):
                self.assertEqual((dashboard["uid"], dashboard["id"]), (f"candor-{name}", None))
                variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
                self.assertEqual(variables["datasource"]["type"], "datasource")
                for panel in files.charts(dashboard):
                    for part in (panel, *panel["targets"]):
                        self.assertEqual(part["datasource"]["uid"], "${datasource}", panel["title"])
                used = set(re.findall(r"\$(\w+)", " ".join(t["expr"] for p in files.charts(dashboard) for t in p["targets"])))
                self.assertLessEqual(used, {"__rate_interval", *variables})

    def test_every_panel_has_a_description_a_unit_and_a_place_of_its_own(self):
        for name, dashboard in files.dashboards().items():
            taken = set()
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)), name)
            for panel in dashboard["panels"]:
                place = panel["gridPos"]
                cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
                self.assertFalse(cells & taken, f"{name}: {panel['title']} lies over another")
                taken |= cells
                self.assertLessEqual(place["x"] + place["w"], COLUMNS, panel["title"])
            for panel in files.charts(dashboard):
                self.assertTrue(panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"])

    def test_promtool_reads_every_expression(self):
        code, output = files.check_expressions([expr for _, expr, _ in files.targets()])
        self.assertEqual(code, 0, output)
        code, output = files.check_expressions(["sum by (model) (rate(candor_images_total[1m])"])
        self.assertNotEqual(code, 0, output)


class LiveMetricsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        service = BusyService()
        cls.addClassCleanup(service.close)
        service.ask_a_little()
        service.wait_for_what_takes_time()
        recorded = {rule["record"]: rule["expr"] for rule in files.rules() if "record" in rule}
        cls.live = LiveMetrics(service.series(), recorded)

    def test_rules_name_what_is_there(self):
        for rule in files.rules():
            self.assertEqual(self.live.complaints(rule["expr"]), [], rule.get("alert", rule.get("record")))

    def test_dashboards_name_what_is_there(self):
        for where, expr, _ in files.targets():
            self.assertEqual(self.live.complaints(expr), [], where)
        for name, dashboard in files.dashboards().items():
            for alerts in dashboard["annotations"]["list"]:
                self.assertEqual(self.live.complaints(alerts["expr"]), [], name)

    def test_variables_list_labels_that_are_there(self):
        for name, dashboard in files.dashboards().items():
            for variable in dashboard["templating"]["list"]:
                if variable["type"] == "query":
                    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
                    self.assertEqual(self.live.complaints(f"sum by ({label}) ({metric})"), [], name)

    def test_what_is_not_there_is_found(self):
        for expr, complaint in {
                "rate(candor_pictures_total[5m])": "candor_pictures_total: no such metric",
                'candor_images_total{camera="a"}': "candor_images_total: no label camera",
                'candor_images_total{model!~".*t.*"}': "candor_images_total: no series with [('model', '!~', '.*t.*')]",
                'candor_request_duration_seconds_bucket{le="0.4"}':
                    "candor_request_duration_seconds_bucket: no series with [('le', '=', '0.4')]",
                "sum by (camera) (candor_images_total)": "no label camera to group by",
                'job_model:candor_slow_requests:ratio_rate1h{method="Segment"}':
                    "job_model:candor_slow_requests:ratio_rate1h: no label method",
                "1 + 1": "names no metric",
        }.items():
            self.assertEqual(self.live.complaints(expr), [complaint])


if __name__ == "__main__":
    files.skip_without("usr/bin/promtool")
    unittest.main()
