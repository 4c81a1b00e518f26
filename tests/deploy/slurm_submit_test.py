# SPDX-License-Identifier: Apache-2.0
"""submit.sh's own checks, with a sbatch that only notes how it was called; slurm_test.py has a real one."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SUBMIT = pathlib.Path(os.environ["CANDOR_SOURCE_DIR"]) / "deploy" / "slurm" / "submit.sh"

# The first job is 11, the second 12, or is refused if a file "refuse" is there.
SBATCH = """#!/bin/bash
printf '%s|' "$@" >>calls && echo >>calls
if [[ $* == *--dependency* ]]; then [[ ! -e refuse ]] && echo 12; else echo '11;cluster'; fi
"""
SCANCEL = """#!/bin/bash
echo "scancel $*" >>calls
"""


class SlurmSubmitTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL), ("candor-train", "#!/bin/true\n")):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        (self.folder / "trainer.textproto").touch()

    def submit(self, *argv: str, further_path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess:
        env = {"PATH": f"{self.folder}:{further_path}"}
        return subprocess.run([SUBMIT, *argv], cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def test_help_is_on_stdout(self) -> None:
        done = self.submit("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--config F --run DIR --members N", done.stdout)

    def test_both_jobs_are_submitted_with_their_options(self) -> None:
        call = ["--config", "trainer.textproto", "--run", "my 5%a", "--members", "10", "--at-once", "3"]
        done = self.submit(*call, "--", "--gres=gpu:1", "--comment=a b")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "members=11 distillation=12\n", ""))
        array, distillation = self.calls()
        for call in (array, distillation):
            self.assertTrue(call.startswith("--gres=gpu:1|--comment=a b|"), call)
        run = f"{self.folder.resolve()}/my 5%%a"
        self.assertIn(f"|--array=0-9%3|--output={run}/slurm/member-%A_%a.log|{SUBMIT.parent}/member.sbatch|", array)
        self.assertIn("|--dependency=afterok:11|--kill-on-invalid-dep=yes|", distillation)
        self.assertIn(f"|--output={run}/slurm/distill-%j.log|{SUBMIT.parent}/distill.sbatch|", distillation)

    def test_members_are_cancelled_when_the_distillation_is_refused(self) -> None:
        (self.folder / "refuse").touch()
        done = self.submit("--config", "trainer.textproto", "--run", "run", "--members", "2")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(self.calls()[-1], "scancel 11")

    def test_a_wrong_call_is_one_line_and_exit_2(self) -> None:
        right = ["--config", "trainer.textproto", "--run", "run", "--members", "2"]
        cases = [
            ([], "--config: must be given"),
            (right[:4], "--members: must be given"),
            (right[2:], "--config: must be given"),
            ([*right, "--members", "ten"], "--members: must be an integer of at least 2, got 'ten'"),
            ([*right, "--members", "1"], "--members: must be an integer of at least 2, got '1'"),
            ([*right, "--at-once", "0"], "--at-once: must be an integer of at least 1, got '0'"),
            ([*right, "--config", "none"], "--config: must be a file, got 'none'"),
            ([*right, "--train", "none"], "--train: must be a program, got 'none'"),
            ([*right, "--run"], "--run: needs a value"),
            ([*right, "--gres=gpu:1"], "unknown argument '--gres=gpu:1'"),
        ]
        for argv, message in cases:
            done = self.submit(*argv)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), argv)
            self.assertIn(message, done.stderr)
        self.assertEqual(self.calls(), [])

    def test_a_machine_without_slurm_is_exit_69(self) -> None:
        (self.folder / "sbatch").unlink()
        for name in ("dirname", "realpath"):
            (self.folder / name).symlink_to(f"/usr/bin/{name}")
        done = self.submit("--config", "trainer.textproto", "--run", "run", "--members", "2", further_path="/none")
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertIn("sbatch", done.stderr)


if __name__ == "__main__":
    unittest.main()
