# SPDX-License-Identifier: Apache-2.0
"""What the planner asks for: one ensemble for all, and each method by its own fields."""
import pathlib
import tempfile
import unittest

from methods_fixture import make_data, write_config

# isort: split
from ablations import ablation_steps
from catalogue import METHODS
from plan import Planner
from settings import Settings


class PlanTest(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.data = make_data(self.folder)

    def settings(self, **more) -> Settings:
        return Settings(self.folder / "out", self.folder / "bin", write_config(self.folder, 3), f"camvid:{self.data}", **more)

    def plan(self, **more):
        return Planner(self.settings(**more)).plan()

    def steps(self, **more) -> dict:
        return {step.name: step for step in self.plan(**more).steps}

    def test_needs_are_steps_of_the_plan(self) -> None:
        steps = self.steps()
        for step in steps.values():
            self.assertLessEqual(set(step.needs), set(steps), step.name)

    def test_every_method_is_scored_beside_the_ensemble(self) -> None:
        steps = self.steps()
        for method in METHODS:
            command = [str(part) for part in steps[f"{method.name}-evaluate"].command]
            self.assertEqual("--teacher" in command, method.name != "ensemble", method.name)

    def test_students_learn_from_the_one_ensemble_and_start_from_its_first_member(self) -> None:
        steps = self.steps()
        for method in ("dudes", "dense_stddev", "knowledge", "dirichlet", "logit_gaussian", "structured_gaussian"):
            command = [str(part) for part in steps[f"{method}-train"].command]
            self.assertEqual(command[command.index("--teacher") + 1], str(self.folder / "out/bundles/ensemble"), method)
            self.assertIn(f'encoder_weights: "{self.folder}/out/runs/ensemble/members/0/model/model.safetensors"', command)

    def test_those_that_learn_from_softmaxes_share_what_the_first_has_kept(self) -> None:
        steps = self.steps()
        caches = {}
        for step in steps.values():
            for part in step.command:
                if str(part).startswith("teacher_cache"):
                    caches[step.name] = (part, step.after)
        self.assertEqual(len({cache for cache, _ in caches.values()}), 1)
        first = [name for name, (_, after) in caches.items() if not after]
        self.assertEqual(first, ["knowledge-train"])
        self.assertEqual(len(caches), 5)

    def test_the_first_of_them_is_not_needed_by_the_others_alone(self) -> None:
        self.assertNotIn("knowledge-train", self.steps(only=("dirichlet",)))

    def test_the_sub_ensembles_members_wait_for_its_first(self) -> None:
        steps = self.steps()
        for i, needs in enumerate([(), ("sub_ensemble-member-0",), ("sub_ensemble-member-0",)]):
            step = steps[f"sub_ensemble-member-{i}"]
            self.assertEqual(step.needs, needs)
            self.assertIn("shared_encoder: true", step.command)
        self.assertEqual(steps["sub_ensemble-join"].needs, tuple(f"sub_ensemble-member-{i}" for i in range(3)))

    def test_cost_is_parted_into_own_and_shared(self) -> None:
        plan = self.plan()
        members = ["member-0", "member-1", "member-2"]
        self.assertEqual((plan.trainings["single"], plan.base["single"]), (["member-0"], []))
        self.assertEqual((plan.trainings["ensemble"], plan.base["ensemble"]), (members, []))
        self.assertEqual((plan.trainings["dudes"], plan.base["dudes"]), (["dudes-train"], members))
        self.assertEqual((plan.trainings["augmentation"], plan.base["augmentation"]), ([], ["member-0"]))
        self.assertEqual((plan.trainings["observer"], plan.base["observer"]), (["observer-train"], ["mc_dropout-train"]))

    def test_what_is_asked_for_comes_after_the_configuration(self) -> None:
        settings = self.settings(overrides=("epochs: 3", "members: 4"))
        self.assertEqual((settings.epochs, settings.members), (3, 4))
        self.assertEqual(settings.value("normalisation", "none"), "imagenet")
        self.assertEqual(settings.value("seed", "0"), "0")

    def test_a_batch_ensembles_members_share_a_batch_evenly(self) -> None:
        self.assertIn("passes: 4", self.steps(overrides=("batch_size: 8", "members: 5"))["batch_ensemble-train"].command)

    def test_cycles_are_at_most_the_epochs(self) -> None:
        self.assertIn("cycles: 2", self.steps(overrides=("epochs: 2",))["snapshot-train"].command)

    def test_members_start_from_an_encoder_only_where_one_is_given(self) -> None:
        self.assertNotIn("pretrained_members: true", self.steps()["member-0"].command)
        self.assertIn("pretrained_members: true", self.steps(encoder=self.folder)["member-0"].command)

    def test_pictures_of_the_unknown_are_made_where_there_are_no_masks(self) -> None:
        steps = self.steps(unknown=self.folder)
        self.assertIn("unknown-set", steps["single-evaluate"].needs)
        (self.folder / "labels").mkdir()
        masked = self.steps(unknown=self.folder)
        self.assertNotIn("unknown-set", masked)
        self.assertIn(self.folder, masked["single-evaluate"].command)

    def sizes(self, largest: int) -> dict:
        planner = Planner(self.settings(largest=largest))
        planner.plan()
        return {step.name: step for step in ablation_steps(planner, 2)}

    def test_ensemble_sizes_are_of_the_ensemble_that_is_there(self) -> None:
        steps = self.sizes(0)
        command = steps["ensemble-size"].command
        self.assertEqual((command[command.index("--sizes") + 1], steps["ensemble-size"].needs), ("2,3", ("ensemble-join",)))
        self.assertFalse([name for name in steps if name.startswith("further-member")])

    def test_larger_ensembles_have_further_members_of_the_same_run(self) -> None:
        steps = self.sizes(7)
        command = steps["ensemble-size"].command
        self.assertEqual(command[command.index("--sizes") + 1], "2,3,4,6,7")
        self.assertEqual(steps["join-7-members"].needs[1:], tuple(f"further-member-{i}" for i in (3, 4, 5, 6)))
        member = [str(part) for part in steps["further-member-5"].command]
        self.assertEqual(member[member.index("--of") + 1], "7")
        self.assertEqual(member[member.index("--index") + 1], "5")

    def test_an_ensemble_of_another_size_is_joined_anew(self) -> None:
        self.assertNotEqual(self.sizes(7)["join-7-members"].output, self.sizes(8)["join-8-members"].output)


if __name__ == "__main__":
    unittest.main()
