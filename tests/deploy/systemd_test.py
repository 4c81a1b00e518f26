# SPDX-License-Identifier: Apache-2.0
"""deploy/systemd: the unit as systemd reads it, and against the configuration beside it."""
import configparser
import os
import pathlib
import re
import shutil
import socket
import sys
import tempfile
import unittest

from programs import BIN, SOURCE, Server, run

FOLDER = SOURCE / "deploy" / "systemd"
PREFIX = "/opt/candor"
# systemd's own measure, 0 (best) to 10; what remains is mostly the network.
MOST_EXPOSURE = 1.5
PATIENCE_S = 120

if not shutil.which("systemd-analyze"):
    print("skipped: no systemd-analyze (Debian's package systemd)")
    sys.exit(77)


def read_unit(text):
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text)
    return parser


class SystemdTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.text = (FOLDER / "candor.service").read_text()
        self.service = read_unit(self.text)["Service"]
        self.config = self.folder / "server.textproto"
        self.config.write_text((FOLDER / "server.textproto").read_text().replace(f"{PREFIX}/share/candor", str(SOURCE)))

    def verify(self, text):
        """systemd's opinion of a unit whose programs are those under test."""
        unit = self.folder / "candor.service"
        unit.write_text(text.replace(f"{PREFIX}/bin", str(BIN)))
        return run("systemd-analyze", "verify", "--man=no", unit)

    def test_systemd_takes_every_line(self):
        done = self.verify(self.text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_wrong_line_is_found(self):
        done = self.verify(self.text.replace("LimitNOFILE", "LimitNOFILES"))
        self.assertIn("LimitNOFILES", done.stderr)
        self.assertNotEqual(self.verify(self.text.replace("candor-server", "candor-servant")).returncode, 0)

    def exposure(self, text):
        unit = self.folder / "candor.service"
        unit.write_text(text)
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
        return float(re.search(r"exposure level for candor.service: ([0-9.]+)", done.stdout).group(1))

    def test_it_may_do_little(self):
        self.assertLessEqual(self.exposure(self.text), MOST_EXPOSURE)
        self.assertGreater(self.exposure(self.text.replace("DynamicUser=yes", "")), MOST_EXPOSURE)

    def test_the_server_takes_its_command_line_and_configuration(self):
        program, *flags = self.service["ExecStart"].split()
        self.assertEqual(program, f"{PREFIX}/bin/candor-server")
        flags = [flag.replace("/etc/candor", str(self.folder)) for flag in flags]
        done = run(BIN / "candor-server", *flags, "--check-config")
        self.assertEqual((done.returncode, done.stdout), (0, "configuration ok\n"), done.stderr)

    def test_times_fit_the_configuration(self):
        printed = run(BIN / "candor-server", "--config", self.config, "--print-config").stdout
        drain_ms = sum(int(re.search(rf"^{key}: (\d+)$", printed, re.MULTILINE).group(1))
                       for key in ("drain_delay_ms", "drain_timeout_ms"))
        self.assertEqual(int(self.service["TimeoutStopSec"]), drain_ms / 1000 + 5)

    def test_the_server_says_when_it_is_ready_lives_and_stops(self):
        self.assertEqual(self.service["Type"], "notify")
        address = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(address))
            told.settimeout(PATIENCE_S)
            quick = self.folder / "quick.textproto"
            quick.write_text(self.config.read_text() + "\nself_probe_interval_ms: 50\n")
            with Server(BIN / "candor-server", "--config", quick, "--listen", "127.0.0.1:0", "--metrics-listen", "off",
                        env={**os.environ, "NOTIFY_SOCKET": str(address)}) as server:
                said = [told.recv(1000).decode() for _ in range(3)]
                self.assertIn("READY=1", said)
                self.assertIn("WATCHDOG=1", said)
            while said[-1] != "STOPPING=1":
                said.append(told.recv(1000).decode())
        self.assertEqual(server.exit_code, 0, server.log)

    def test_the_watchdog_waits_for_more_than_one_sign(self):
        printed = run(BIN / "candor-server", "--config", self.config, "--print-config").stdout
        interval_ms, failures = (int(re.search(rf"^{key}: (\d+)$", printed, re.MULTILINE).group(1))
                                 for key in ("self_probe_interval_ms", "self_probe_failures"))
        self.assertGreater(int(self.service["WatchdogSec"]) * 1000, interval_ms * failures)

    def test_refused_configurations_are_not_tried_again(self):
        bad = self.folder / "bad.textproto"
        bad.write_text("no_such_key: 1")
        code = run(BIN / "candor-server", "--config", bad).returncode
        self.assertIn(str(code), self.service["RestartPreventExitStatus"].split())


if __name__ == "__main__":
    unittest.main()
