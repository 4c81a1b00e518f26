# SPDX-License-Identifier: Apache-2.0
"""Dockerfile, deploy/compose.yaml and tools/sbom.py, as far as they can be held to the tree and the programs without Docker."""
import fnmatch
import json
import pathlib
import re
import sys
import tempfile
import unittest

from programs import BIN, SOURCE, TOOLS, run

try:
    import yaml
except ImportError as error:
    print(f"skipped: {error} (tools/setup.sh --deploy installs it)")
    sys.exit(77)

DEPLOY = SOURCE / "deploy"
PROMTOOL = TOOLS / "usr/bin/promtool"
PREFIX = "/opt/candor"


def instructions(text):
    """(name, the rest) of each instruction of a Dockerfile, its lines joined."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def stages(text):
    """{name: (base, instructions)} of the stages, in order."""
    found = {}
    for name, rest in instructions(text):
        if name == "FROM":
            base, _, stage = rest.partition(" AS ")
            found[stage] = (base, [])
        elif found:
            found[stage][1].append((name, rest))
    return found


def inherited(found, stage):
    """The instructions of a stage after those of the stages that it is made from."""
    base, own = found[stage]
    return (inherited(found, base) if base in found else []) + own


def copy_problems(found, stage, earlier, ignored):
    for name, rest in found[stage][1]:
        words = rest.split()
        source = next((word.partition("=")[2] for word in words if word.startswith("--from=")), None)
        if name == "ADD":
            yield f"{stage}: ADD {rest}: COPY says what it does"
        if name != "COPY":
            continue
        if source is not None:
            if source not in earlier:
                yield f"{stage}: COPY from {source}, which is no stage before it"
            continue
        for path in words[:-1]:
            if not (SOURCE / path).exists() or any(fnmatch.fnmatch(path, pattern) for pattern in ignored):
                yield f"{stage}: COPY {path}: not in the build's context"


def image_problems(found, stage):
    last = {}
    for name, rest in inherited(found, stage):
        last[name] = rest
    user = last.get("USER", "0")
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user):
        yield f"{stage}: USER {user}: must be numbers, and not root's"
    if last.get("STOPSIGNAL") != "SIGTERM":
        yield f"{stage}: STOPSIGNAL {last.get('STOPSIGNAL')}"
    for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        command = last.get(name, "").partition("CMD ")[2] if name == "HEALTHCHECK" else last.get(name, "")
        if not command.startswith("["):
            yield f"{stage}: {name} {command}: not in exec form, so signals would end at a shell"
    if any(name == "USER" for name, _ in found[stage][1]):
        yield f"{stage}: changes the user again"


def problems(text, ignored):
    found = stages(text)
    earlier = []
    for stage, (base, _) in found.items():
        if base != "${DEBIAN}" and base not in earlier:
            yield f"{stage}: FROM {base}, which is no stage before it"
        yield from copy_problems(found, stage, earlier, ignored)
        earlier.append(stage)
    for stage in ("cuda", "cpu"):
        yield from image_problems(found, stage)
    if list(found)[-1] != "cpu":
        yield "the last stage, which is built by default, is not cpu"


class DockerfileTest(unittest.TestCase):

    def setUp(self):
        self.text = (SOURCE / "Dockerfile").read_text()
        self.stages = stages(self.text)
        self.ignored = [line for line in (SOURCE / ".dockerignore").read_text().splitlines() if line]

    def words(self, name):
        return json.loads(next(rest for key, rest in self.stages["runtime"][1] if key == name))

    def test_it_is_in_order(self):
        self.assertEqual(list(problems(self.text, self.ignored)), [])

    def test_faults_are_found(self):
        cases = [
            ("USER 65532:65532", "USER candor", "must be numbers"),
            ("USER 65532:65532", "", "must be numbers"),
            ("COPY . .", "ADD . .", "ADD . ."),
            ("COPY tools/setup.sh", "COPY tools/set-up.sh", "not in the build's context"),
            ("COPY tools/setup.sh", "COPY .git", "not in the build's context"),
            ("--from=tree-cuda", "--from=trees", "no stage before it"),
            ('ENTRYPOINT ["candor-server"]', "ENTRYPOINT candor-server", "not in exec form"),
            ('CMD ["candor", "health"]', "CMD candor health", "not in exec form"),
            ("STOPSIGNAL SIGTERM", "", "STOPSIGNAL None"),
            ("FROM runtime AS cpu", "FROM running AS cpu", "FROM running"),
        ]
        for old, new, message in cases:
            with self.subTest(change=(old, new)):
                self.assertIn(old, self.text)
                self.assertIn(message, " ".join(problems(self.text.replace(old, new), self.ignored)))

    def test_what_was_built_and_the_history_stay_out(self):
        for path in (".git", ".deps", "build"):
            self.assertTrue(any(fnmatch.fnmatch(path, pattern) for pattern in self.ignored), path)

    def test_the_programs_take_its_commands(self):
        command = [word.replace(f"{PREFIX}/share/candor", str(SOURCE)) for word in self.words("ENTRYPOINT") + self.words("CMD")]
        done = run(BIN / command[0], *command[1:], "--check-config")
        self.assertEqual((done.returncode, done.stdout), (0, "configuration ok\n"), done.stderr)
        health = next(rest for key, rest in self.stages["runtime"][1] if key == "HEALTHCHECK")
        probe = json.loads(health.partition("CMD ")[2])
        self.assertEqual(run(BIN / probe[0], *probe[1:], "--server", "127.0.0.1:1", "--timeout", "0.1").returncode, 69)

    def test_the_set_up_has_its_options(self):
        usage = run(SOURCE / "tools/setup.sh", "--help").stdout
        options = set(re.findall(r"tools/setup.sh((?: --[a-z]+)+)", self.text))
        self.assertEqual({word for words in options for word in words.split() if f" {word} " not in usage}, set())

    def test_every_file_has_the_same_version(self):
        version = re.search(r"project\(candor VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
        self.assertIn(f'image.version="{version}"', self.text)
        tags = re.findall(r"image: candor:(\S+)", (DEPLOY / "compose.yaml").read_text())
        for path in (DEPLOY / "kubernetes").rglob("kustomization.yaml"):
            tags += [image["newTag"] for image in yaml.safe_load(path.read_text()).get("images", [])]
        self.assertEqual({tag.removesuffix("-cuda") for tag in tags}, {version})


class ComposeTest(unittest.TestCase):

    def setUp(self):
        self.services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
        runtime = dict(stages((SOURCE / "Dockerfile").read_text())["runtime"][1])
        self.flags = json.loads(runtime["CMD"])

    def mounts(self, service):
        return dict(mount.removesuffix(":ro").split(":")[::-1] for mount in self.services[service]["volumes"])

    def port(self, flag):
        return self.flags[self.flags.index(flag) + 1].rpartition(":")[2]

    def test_what_is_mounted_is_there(self):
        missing = [source for service in ("prometheus", "grafana") for source in self.mounts(service).values()
                   if source.startswith("./") and not (DEPLOY / source).exists()]
        # The rules and dashboards are of other files' making: their tests hold them.
        self.assertEqual([path for path in missing if path not in ("./prometheus/rules", "./grafana/dashboards")], [])

    def test_ports_are_this_machines_and_the_servers(self):
        for service in self.services.values():
            for port in service["ports"]:
                self.assertRegex(port, r"^127\.0\.0\.1:")
        self.assertEqual(self.services["server"]["ports"][0].rpartition(":")[2], self.port("--listen"))
        scraped = yaml.safe_load((DEPLOY / "prometheus/compose.yml").read_text())["scrape_configs"][0]
        self.assertEqual(scraped["static_configs"][0]["targets"], [f"server:{self.port('--metrics-listen')}"])

    def test_it_may_end_in_peace(self):
        bundle = SOURCE / "models/camvid-student"
        printed = run(BIN / "candor-server", "--bundle", bundle, "--print-config").stdout
        drain_ms = sum(int(ms) for ms in re.findall(r"^drain_\w+_ms: (\d+)$", printed, re.MULTILINE))
        self.assertEqual(self.services["server"]["stop_grace_period"], f"{drain_ms // 1000 + 5}s")

    def test_grafana_finds_prometheus_and_the_dashboards(self):
        provisioning = DEPLOY / "grafana/provisioning"
        source = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"][0]
        port = self.services["prometheus"]["ports"][0].rpartition(":")[2]
        self.assertEqual((source["url"], source["isDefault"]), (f"http://prometheus:{port}", True))
        provider = yaml.safe_load((provisioning / "dashboards/candor.yml").read_text())["providers"][0]
        self.assertEqual(self.mounts("grafana")[provider["options"]["path"]], "./grafana/dashboards")
        self.assertIn("/etc/grafana/provisioning", self.mounts("grafana"))

    @unittest.skipUnless(PROMTOOL.exists(), "no promtool (tools/setup.sh --test unpacks it)")
    def test_prometheus_takes_its_configuration(self):
        done = run(PROMTOOL, "check", "config", DEPLOY / "prometheus/compose.yml")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)


class BillOfMaterialsTest(unittest.TestCase):

    STATUS = """Package: libssl3
Status: install ok installed
Maintainer: Debian OpenSSL Team <o@example.org>
Architecture: amd64
Version: 3.0.17-1~deb12u2
Description: Secure Sockets Layer toolkit
 more lines

Package: libgrpc++1.51
Status: install ok installed
Maintainer: A <a@example.org>
Architecture: amd64
Version: 1.51.1-3+b1

Package: gone
Status: deinstall ok config-files
Maintainer: A <a@example.org>
Architecture: all
Version: 1
"""

    def make(self, folder):
        status = pathlib.Path(folder) / "status"
        status.write_text(self.STATUS)
        out = pathlib.Path(folder) / "sbom.json"
        done = run(SOURCE / "tools/sbom.py", "--dpkg-status", status, "--requirements", SOURCE / "tools/torch-requirements.txt",
                   SOURCE / "tools/cuda-requirements.txt", "--out", out, env={"SOURCE_DATE_EPOCH": "86400", "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(out.read_text())

    def test_it_lists_what_is_installed(self):
        with tempfile.TemporaryDirectory() as folder:
            made = self.make(folder)
            self.assertEqual(made, self.make(folder))
        purls = [ref["referenceLocator"] for package in made["packages"] for ref in package["externalRefs"]]
        self.assertIn("pkg:deb/debian/libssl3@3.0.17-1~deb12u2?arch=amd64&distro=debian-12", purls)
        self.assertIn("pkg:deb/debian/libgrpc%2B%2B1.51@1.51.1-3%2Bb1?arch=amd64&distro=debian-12", purls)
        self.assertIn("pkg:pypi/torch@2.11.0", purls)
        self.assertFalse([purl for purl in purls if "gone" in purl])
        self.assertEqual(made["creationInfo"]["created"], "1970-01-02T00:00:00Z")

    def test_it_is_spdx(self):
        """What SPDX 2.3 asks of each document: its fixed values, valid and unique identifiers, relations between them."""
        with tempfile.TemporaryDirectory() as folder:
            made = self.make(folder)
        self.assertEqual((made["spdxVersion"], made["dataLicense"], made["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        ids = [package["SPDXID"] for package in made["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual([name for name in ids if not re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name)], [])
        related = {relation["relatedSpdxElement"] for relation in made["relationships"]}
        self.assertEqual(related, set(ids))


if __name__ == "__main__":
    unittest.main()
