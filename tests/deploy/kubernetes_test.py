# SPDX-License-Identifier: Apache-2.0
"""deploy/kubernetes, rendered: the schemas of Kubernetes, what has to fit together, and the programs' own view of it."""
import copy
import itertools
import os
import pathlib
import re
import sys
import tempfile
import unittest
import urllib.request
import zlib

from programs import BIN, SOURCE, TOOLS, Server, run

sys.path.insert(0, str(TOOLS.parent / "kubernetes"))
try:
    import kubernetes_validate
    import yaml
except ImportError as error:
    print(f"skipped: {error} (tools/setup.sh --deploy installs it)")
    sys.exit(77)

import kubernetes_checks as checks
import kustomize

FOLDER = SOURCE / "deploy" / "kubernetes"
SERVERS = ["cpu", "gpu", "teacher", "monitoring"]
# The oldest release that knows every field here, and the newest that the schemas are there for.
RELEASES = ["1.30", "1.37"]
CUSTOM = {"ServiceMonitor"}
# Where the image has the models: see Dockerfile.
IMAGE_MODELS = "/opt/candor/share/candor/models"


def overlay(name):
    return kustomize.render(FOLDER / "overlays" / name)


def first(objects, kind):
    return checks.of_kind(objects, kind)[0]


def container(workload):
    return checks.pod_of(workload)["containers"][0]


def write_server_config(objects, folder):
    """The configuration that the Deployment's server reads, as a file with the models of this tree."""
    deployment = first(objects, "Deployment")
    path = checks.flag(container(deployment)["args"], "config")
    text = checks.file_in_config_map(objects, checks.pod_of(deployment), path)
    file = pathlib.Path(folder) / "server.textproto"
    file.write_text(text.replace(IMAGE_MODELS, str(SOURCE / "models")))
    return file


def settings(file):
    """Every setting in effect, from the server's own mouth."""
    printed = run(BIN / "candor-server", "--config", file, "--print-config").stdout
    return {key: value.strip('"') for key, value in re.findall(r"^(\w+): (.*)$", printed, re.MULTILINE)}


def write_noise(file, width, height):
    """A PNG that compresses badly, without any library's help."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    rows = b"".join(b"\0" + os.urandom(192) * (width // 64) for _ in range(height))
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def measure_peak(config, folder):
    """Bytes that a server with this configuration, on this machine's CPU, took at most for a picture as large as it allows."""
    side = int(int(settings(config)["max_pixels"]) ** 0.5)
    picture = pathlib.Path(folder) / "noise.png"
    write_noise(picture, side, side)
    flags = ["--config", config, "--device", "cpu", "--threads", 1, "--listen", "127.0.0.1:0", "--metrics-listen", "off"]
    with Server(BIN / "candor-server", *flags) as server:
        for name in re.findall(r'bundle: ".*/camvid-(\w+)"', config.read_text()):
            done = run(BIN / "candor", "segment", "--server", server.address, "--model", name, "--timeout", 240, picture)
            if done.returncode != 0:
                raise RuntimeError(done.stderr)
        return server.peak_bytes()


class SchemaTest(unittest.TestCase):

    def test_every_object_has_the_form_that_kubernetes_knows(self):
        for name in [*(f"overlays/{name}" for name in SERVERS), "training"]:
            for entry, release in itertools.product(kustomize.render(FOLDER / name), RELEASES):
                if entry["kind"] in CUSTOM:
                    continue
                with self.subTest(overlay=name, object=checks.name_of(entry), release=release):
                    kubernetes_validate.validate(entry, release, strict=True)

    def test_an_unknown_field_is_found(self):
        deployment = first(overlay("cpu"), "Deployment")
        checks.pod_of(deployment)["terminationGracePeriod"] = 45
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(deployment, RELEASES[0], strict=True)


class FitTest(unittest.TestCase):

    def test_objects_fit_together(self):
        for name in [*(f"overlays/{name}" for name in SERVERS), "training"]:
            with self.subTest(overlay=name):
                self.assertEqual(checks.check(kustomize.render(FOLDER / name)), [])

    def test_overlays_stand_beside_each_other(self):
        for one, other in itertools.combinations(["cpu", "gpu", "teacher"], 2):
            with self.subTest(overlays=(one, other)):
                self.assertEqual(list(checks.apart(overlay(one), overlay(other))), [])
        self.assertNotEqual(list(checks.apart(overlay("cpu"), overlay("monitoring"))), [])

    def test_faults_are_found(self):
        healthy = overlay("monitoring")

        def fault(kind, change):
            objects = copy.deepcopy(healthy)
            change(first(objects, kind))
            return " ".join(checks.check(objects))

        def set_at(*path, value):
            def change(entry):
                for key in path[:-1]:
                    entry = entry[key]
                entry[path[-1]] = value
            return change

        pod = ("spec", "template", "spec")
        box = (*pod, "containers", 0)
        cases = [
            ("Service", set_at("spec", "ports", 0, "targetPort", value="http"), "targetPort http is no container's"),
            ("Service", set_at("spec", "selector", value={"app.kubernetes.io/name": "x"}), "Service/candor: selects no pod"),
            ("NetworkPolicy", set_at("spec", "ingress", 0, "ports", 0, "port", value="web"), "port web is no container's"),
            ("PodDisruptionBudget", set_at("spec", "selector", "matchLabels", value={"a": "b"}), "selects no pod"),
            ("Deployment", set_at("spec", "template", "metadata", "labels", value={}), "does not select its own pods"),
            ("Deployment", set_at(*pod, "volumes", 0, "configMap", "name", value="candor-config"), "no ConfigMap candor-config"),
            ("Deployment", set_at("spec", "replicas", value=2), "replicas, which HorizontalPodAutoscaler/candor owns"),
            ("Deployment", set_at(*pod, "securityContext", "runAsUser", value=0), "may run as root"),
            ("Deployment", set_at(*pod, "automountServiceAccountToken", value=True), "service account's token"),
            ("Deployment", set_at(*box, "securityContext", "readOnlyRootFilesystem", value=False), "write its root"),
            ("Deployment", set_at(*box, "securityContext", "capabilities", value={}), "keeps capabilities"),
            ("Deployment", set_at(*box, "resources", "limits", value={}), "no limit of memory or cpu"),
            ("HorizontalPodAutoscaler", set_at("spec", "scaleTargetRef", "name", value="x"), "no Deployment x"),
            ("ServiceMonitor", set_at("spec", "selector", "matchLabels", value={"a": "b"}), "selects no Service"),
            ("ServiceMonitor", set_at("spec", "jobLabel", value="x"), "the job is not named candor"),
            ("ServiceMonitor", set_at("spec", "endpoints", 0, "interval", value="soon"), "is not the CRD's"),
        ]
        for kind, change, message in cases:
            with self.subTest(message=message):
                self.assertIn(message, fault(kind, change))

    def test_an_unknown_key_of_a_kustomization_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "kustomization.yaml"
            file.write_text("kind: Kustomization\nnamePrefix: my-\n")
            with self.assertRaisesRegex(kustomize.KustomizeError, "namePrefix"):
                kustomize.render(folder)


class ServerTest(unittest.TestCase):
    """Each overlay's server configuration, as the server reads it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_the_server_takes_the_containers_command(self):
        for name in SERVERS:
            with self.subTest(overlay=name):
                objects = overlay(name)
                write_server_config(objects, self.folder.name)
                args = [word.replace("/etc/candor", self.folder.name) for word in container(first(objects, "Deployment"))["args"]]
                done = run(BIN / "candor-server", *args, "--check-config")
                self.assertEqual((done.returncode, done.stdout), (0, "configuration ok\n"), done.stderr)

    def test_addresses_and_times_fit_the_pod(self):
        for name in SERVERS:
            with self.subTest(overlay=name):
                objects = overlay(name)
                config = settings(write_server_config(objects, self.folder.name))
                deployment = first(objects, "Deployment")
                self.assertEqual([*checks.listening(deployment, config), *checks.grace(deployment, config)], [])

    def test_wrong_addresses_and_times_are_found(self):
        objects = overlay("cpu")
        config = settings(write_server_config(objects, self.folder.name))
        deployment = first(objects, "Deployment")
        pod = checks.pod_of(deployment)
        pod["terminationGracePeriodSeconds"] -= 1
        self.assertIn("must be 45", "".join(checks.grace(deployment, config)))
        container(deployment)["readinessProbe"]["grpc"]["port"] = 8501
        self.assertIn("readinessProbe asks port 8501", "".join(checks.listening(deployment, config)))
        loopback = {**config, "metrics_listen": "127.0.0.1:9000"}
        found = "".join(checks.listening(deployment, loopback))
        self.assertIn("cannot be reached", found)
        self.assertIn("port metrics is 8502, metrics_listen says 9000", found)

    def test_memory_limits_hold_what_the_configuration_allows(self):
        for name in ["cpu", "teacher"]:
            with self.subTest(overlay=name):
                objects = overlay(name)
                file = write_server_config(objects, self.folder.name)
                peak = measure_peak(file, self.folder.name)
                deployment = first(objects, "Deployment")
                config = settings(file)
                self.assertEqual(list(checks.memory(deployment, config, peak)), [])
                greedy = {**config, "message_memory_bytes": str(2 << 30)}
                self.assertIn("memory limit", "".join(checks.memory(deployment, greedy, peak)))


class AutoscalerTest(unittest.TestCase):

    def setUp(self):
        self.objects = overlay("monitoring")
        adapter = next(entry for entry in checks.of_kind(self.objects, "ConfigMap") if "adapter-rules.yaml" in entry["data"])
        self.rules = yaml.safe_load(adapter["data"]["adapter-rules.yaml"])["rules"]

    def test_its_metric_is_the_adapters(self):
        defined = {rule["name"]["as"] for rule in self.rules}
        asked = {metric["pods"]["metric"]["name"] for metric in first(self.objects, "HorizontalPodAutoscaler")["spec"]["metrics"]}
        self.assertEqual(asked, defined)

    def test_the_adapters_metrics_are_the_servers(self):
        flags = ["--bundle", SOURCE / "models/camvid-student", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
        with Server(BIN / "candor-server", *flags) as server:
            run(BIN / "candor", "segment", "--server", server.address, next((SOURCE / "models/samples").glob("*.jpg")))
            with urllib.request.urlopen(f"http://{server.metrics}/metrics") as page:
                scraped = page.read().decode()
        for rule in self.rules:
            named = set(re.findall(r"candor_\w+", rule["seriesQuery"] + rule["metricsQuery"]))
            self.assertEqual({name for name in named if not re.search(rf"^{name}[{{ ]", scraped, re.MULTILINE)}, set())
        self.assertRegex(scraped, r'candor_stage_duration_seconds_count\{[^}]*stage="queue"')

    @unittest.skipUnless((TOOLS / "usr/bin/promtool").exists(), "no promtool (tools/setup.sh --test unpacks it)")
    def test_its_query_is_promql(self):
        for rule in self.rules:
            query = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'pod="a"').replace("<<.GroupBy>>", "pod")
            with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
                yaml.safe_dump({"groups": [{"name": "g", "rules": [{"record": "r", "expr": query}]}]}, file)
                file.flush()
                done = run(TOOLS / "usr/bin/promtool", "check", "rules", file.name)
                self.assertEqual(done.returncode, 0, done.stderr)


class TrainingTest(unittest.TestCase):

    def setUp(self):
        self.objects = kustomize.render(FOLDER / "training")
        self.members, self.student = checks.of_kind(self.objects, "Job")
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        path = checks.flag(container(self.members)["command"], "config")
        self.config = checks.file_in_config_map(self.objects, checks.pod_of(self.members), path)
        (self.folder / "trainer.textproto").write_text(self.config)

    def start(self, job, *flags, index=None):
        """The Job's own command line, on this machine's folders."""
        program, *args = container(job)["command"]
        args = [word.replace("/etc/candor", str(self.folder)).replace("=/runs", f"={self.folder}/runs") for word in args]
        environment = {"JOB_COMPLETION_INDEX": str(index)} if index is not None else {}
        return run(BIN / program, *args, *flags, env=environment)

    def test_jobs_fit_the_trainer(self):
        members = int(re.search(r"^members: (\d+)$", self.config, re.MULTILINE).group(1))
        self.assertEqual(list(checks.jobs(self.objects, members)), [])
        self.assertIn("10 completions, but 9 members", "".join(checks.jobs(self.objects, 9)))
        del self.members["spec"]["podFailurePolicy"]["rules"][0]
        self.assertIn("78 does not lead to FailIndex", "".join(checks.jobs(self.objects, members)))

    def test_their_commands_train_members_and_the_student(self):
        """The smallest ensemble there is, on the sample pictures: what the Jobs' pods do, one after the other."""
        small = [f"--set={line}" for line in (
            f'data: "folder:{SOURCE}/data/nuclei"', 'validation_split: "none"', "members: 2", "epochs: 1", "width: 4", "crop: 32",
            "batch_size: 16", "threads: 1")]
        early = self.start(self.student, *small)
        self.assertEqual(early.returncode, 78, early.stderr)
        for index in range(2):
            done = self.start(self.members, *small, index=index)
            self.assertEqual(done.returncode, 0, done.stderr)
        done = self.start(self.student, *small)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.folder / "runs/camvid/student/model.json").is_file())

    def test_bad_configuration_ends_with_the_code_that_fails_the_index(self):
        self.assertEqual(self.start(self.members, "--set=epochs: 0", index=0).returncode, 78)
        self.assertEqual(self.start(self.members, index=10).returncode, 2)


if __name__ == "__main__":
    unittest.main()
