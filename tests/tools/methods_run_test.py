# SPDX-License-Identifier: Apache-2.0
"""tools/methods as a program: what is done stays done, what fails is named, and the exit code says so."""
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import unittest

from methods_fixture import TOOL, install_programs, make_data, read_calls, write_config


class MethodsRunTest(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.programs = install_programs(self.folder)
        self.data = make_data(self.folder)
        self.config = write_config(self.folder)
        self.out = self.folder / "out"

    def command(self, *more: object) -> list[str]:
        parts = [
            sys.executable, "-B", TOOL, "--dir", self.out, "--programs", self.programs, "--config", self.config,
            "--data", f"camvid:{self.data}", "--rounds", 1, "--jobs", 2, *more,
        ]
        return [str(part) for part in parts]

    def environment(self, **fakes: str) -> dict:
        return {**os.environ, "FAKE_FOLDER": str(self.folder), **fakes}

    def run_tool(self, *more: object, **fakes: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*more), env=self.environment(**fakes), capture_output=True, text=True, check=False, timeout=6000)

    def block_at(self, what: str, *more: object) -> tuple[subprocess.Popen, int]:
        """The tool, and the program that it waits for, whose arguments hold `what`."""
        os.mkfifo(self.folder / "blocked")
        tool = subprocess.Popen(
            self.command(*more), env=self.environment(FAKE_BLOCK=what), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        with open(self.folder / "blocked", encoding="ascii") as fifo:  # waits for the program
            return tool, int(fifo.read())

    def trainings(self) -> list[list[str]]:
        return [call for call in read_calls(self.folder) if call[1] not in ("report", "bench") and call[0] == "candor-train"]

    def rows(self) -> set:
        return {path.stem for path in (self.out / "rows").glob("*.json")}

    def test_every_method_gets_a_row_and_a_second_run_does_nothing_again(self) -> None:
        done = self.run_tool()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.rows()), 19)
        self.assertTrue((self.out / "report.html").exists())
        self.assertIn("`dudes`", (self.out / "methods.md").read_text(encoding="utf-8"))
        calls = len(read_calls(self.folder))

        again = self.run_tool()
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual([call[1] for call in read_calls(self.folder)[calls:]], ["report"])

    def test_the_members_are_trained_once_for_all(self) -> None:
        self.assertEqual(self.run_tool().returncode, 0)
        members = [call for call in self.trainings() if call[1] == "member" and str(self.out / "runs" / "ensemble") in call]
        self.assertEqual(sorted(call[call.index("--index") + 1] for call in members), ["0", "1"])

    def test_goes_on_after_a_kill(self) -> None:
        tool, program = self.block_at(str(self.out / "runs" / "swag"), "--only", "swag,dudes")
        tool.kill()
        tool.communicate()
        self.assert_ends(program)
        before = self.trainings()

        done = self.run_tool("--only", "swag,dudes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rows(), {"single", "swag", "dudes"})
        finished = [json.loads(path.read_text(encoding="utf-8")) for path in (self.out / "steps").glob("*.json")]
        self.assertTrue(all(record["done"] for record in finished))
        members = [call for call in self.trainings() if call[1] == "member" and str(self.out / "runs" / "ensemble") in call]
        self.assertEqual(len(members), 2, "both were done before the kill")
        self.assertGreater(len(self.trainings()), len(before))

    def assert_ends(self, program: int) -> None:
        """Orphans are ended by the kernel; waits for it without being the parent."""
        try:
            descriptor = os.pidfd_open(program)
        except ProcessLookupError:
            return
        self.addCleanup(os.close, descriptor)
        self.assertTrue(select.select([descriptor], [], [], 600)[0], "a program outlives the tool")

    def test_a_signal_is_passed_on_and_the_code_says_so(self) -> None:
        tool, program = self.block_at(str(self.out / "runs" / "swag"), "--only", "swag")
        tool.send_signal(signal.SIGTERM)
        _, said = tool.communicate(timeout=600)
        self.assertEqual(tool.returncode, 130)
        self.assertIn("the same command goes on", said)
        self.assert_ends(program)

    def test_a_failing_method_is_named_and_the_others_go_on(self) -> None:
        done = self.run_tool("--only", "bayes,swag", FAKE_FAIL='member_method: "bayes"')
        self.assertEqual(done.returncode, 1)
        self.assertIn("methods: bayes-train: failed: exit 78: candor-train: members: must be at most 3, got 4", done.stderr)
        self.assertIn("methods: bayes-evaluate: needs bayes-bundle, which failed", done.stderr)
        self.assertEqual(self.rows(), {"single", "swag"})

        mended = self.run_tool("--only", "bayes,swag")
        self.assertEqual(mended.returncode, 0, mended.stderr)
        self.assertEqual(self.rows(), {"single", "swag", "bayes"})

    def test_a_model_that_cannot_be_served_is_named(self) -> None:
        done = self.run_tool("--only", "swag,energy")
        self.assertEqual(done.returncode, 0, done.stderr)
        failed = self.run_tool("--only", "swag,energy", "--rounds", 2, FAKE_FAIL="bundles/energy")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("methods: energy-serve: energy: candor-server did not start", failed.stderr)
        rounds = sorted(path.relative_to(self.out / "serving").as_posix() for path in (self.out / "serving").rglob("*.json"))
        self.assertEqual(rounds, ["energy/round-0.json", "single/round-0.json", "single/round-1.json", "swag/round-0.json", "swag/round-1.json"])

    def test_a_program_that_asks_to_be_started_again_is(self) -> None:
        done = self.run_tool("--only", "swag", FAKE_RETRY='schedule: "constant_tail"')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((self.out / "steps" / "swag-train.json").read_text(encoding="utf-8"))["attempts"], 2)

    def test_other_settings_need_another_folder(self) -> None:
        self.assertEqual(self.run_tool("--only", "single").returncode, 0)
        refused = self.run_tool("--only", "single", "--epochs", 3)
        self.assertEqual(refused.returncode, 78)
        self.assertIn("was begun with another overrides ([], now ['epochs: 3']): give another METHODS_DIR", refused.stderr)

    def test_what_is_missing_is_said(self) -> None:
        (self.programs / "candor-server").unlink()
        refused = self.run_tool()
        self.assertEqual(refused.returncode, 78)
        self.assertIn("candor-server is missing: run make build", refused.stderr)

    def test_names_of_no_method_are_refused(self) -> None:
        refused = self.run_tool("--only", "single,oracle")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--only: oracle is no method", refused.stderr)

    def test_sections_of_a_page_are_written_and_the_rest_stays(self) -> None:
        page = self.folder / "page.md"
        names = ("figures", "costs", "ablations", "notes")
        page.write_text("# By hand\n" + "".join(f"<!-- methods:{name} -->\n<!-- /methods:{name} -->\n" for name in names), encoding="utf-8")
        done = self.run_tool("--only", "dudes,ensemble", "--ablations", "--page", page)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("# By hand\n"))
        self.assertIn("| DUDES student (`dudes`) |", text)
        self.assertIn("| student, random, four times the epochs | 0.500 | 0.100 | 73.9 | 0.105 |", text)


if __name__ == "__main__":
    unittest.main()
