# SPDX-License-Identifier: Apache-2.0
"""The steps from a configuration to every method's bundle and figures.

    DIR/bundles/METHOD    what is scored and served
    DIR/runs/...          trainings, checkpoints and logs of candor-train
    DIR/results/METHOD.json
"""
import dataclasses
import pathlib
import shutil

import bundles
from catalogue import METHODS
from settings import Settings
from steps import Step
from unknown_set import evenly, has_masks, known_pictures, make_unknown_set

# Whatever samples networks gives as many predictions as the ensemble has members.
_DROPOUT = 0.2  # after each encoder layer, as in the papers of DUDES' authors
_VIEWS = "1,1f,0.75,0.75f,1.25,1.25f"
_RANK = 2
_TAIL_SHARE = 0.4  # of SWAG: epochs at a constant rate, an iterate each
_MOST_ITERATES = 20


def quoted(value) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@dataclasses.dataclass
class Plan:
    steps: list[Step]
    trainings: dict[str, list[str]]  # method: its own steps that are training
    base: dict[str, list[str]]  # method: steps of others that it stands on


class Planner:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.train = settings.programs / "candor-train"
        self.runs = settings.folder / "runs"
        self.ensemble_run = self.runs / "ensemble"
        self.teacher_cache = self.runs / "teacher_cache"
        self.first_member = self.ensemble_run / "members" / "0" / "model"
        self.steps: dict[str, Step] = {}
        self.trainings: dict[str, list[str]] = {}

    # Parts.

    def bundle(self, method: str) -> pathlib.Path:
        return self.settings.folder / "bundles" / method

    def add(self, name: str, output: pathlib.Path, command: list, needs: list, method: str = "", **more) -> str:
        self.steps[name] = Step(name, output, tuple(command), tuple(needs), is_training=bool(method), **more)
        if method:
            self.trainings.setdefault(method, []).append(name)
        return name

    def configured(self, *fields: str) -> list:
        """Flags: the configuration, what was asked for, and `fields`; the last of a field counts."""
        settings = self.settings
        overrides = [*settings.overrides, f"data: {quoted(settings.data)}"]
        if settings.encoder:
            overrides += [f"encoder_weights: {quoted(settings.encoder)}", "pretrained_members: true"]
        flags = ["--config", settings.config]
        for field in [*overrides, *fields]:
            flags += ["--set", field]
        return flags

    def sets(self, *fields: str) -> list:
        """The same for a training, which takes one core."""
        return [*self.configured(*fields), "--threads", "1"]

    def member(self, run: pathlib.Path, index: int, name: str, needs: list, method: str, *fields: str) -> str:
        command = [self.train, "member", *self.sets(*fields), "--run", run, "--index", index]
        return self.add(name, run / "members" / str(index) / "model" / "model.json", command, needs, method)

    def publish(self, method: str, source: pathlib.Path, needs: list) -> str:
        """The bundle of a method is that of a training."""
        target = self.bundle(method)
        return self.add(f"{method}-bundle", target / "model.json", [], needs, before=lambda: bundles.copy_bundle(source, target))

    def altered(self, method: str, source: str, command: list, needs: list) -> str:
        """The bundle of a method is `source`'s after a command on a copy of it."""
        target = self.bundle(method)
        partial = target.with_name(target.name + ".partial")

        def copy() -> None:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(self.bundle(source), partial)

        return self.add(
            f"{method}-fit", target / "model.json", [*command, "--bundle", partial], needs, method,
            before=copy, publish=lambda: bundles.publish_bundle(target),
        )

    def student(self, method: str, teacher: str, needs: list, after: tuple, *fields: str) -> str:
        fields = (f'student_method: "{method_field(method)}"', *fields)
        command = [self.train, "distill", *self.sets(*fields), "--run", self.runs / method, "--teacher", self.bundle(teacher)]
        command += ["--out", self.bundle(method)]
        return self.add(f"{method}-train", self.bundle(method) / "model.json", command, needs, method, after=after)

    # Methods. Trainings are in the order in which they should start: what others wait for first.

    def one_network(self) -> None:
        data = ["--data", self.settings.data, "--split", "val", "--threads", "1"]
        single = self.publish("single", self.first_member, ["member-0"])
        # Verdicts are beside the point here, and must not fail a network that is wrong too often for useful ones.
        verdicts = ["--error-rate", "0.9", "--reject-error-rate", "0.95"]
        self.altered("temperature", "single", [self.train, "calibrate", "--temperature", *verdicts, *data], [single])
        for method in ("energy", "feature_density"):
            out = self.bundle(method)
            command = [self.train, "fit", "--method", method, "--bundle", self.bundle("single"), *data, "--out", out]
            self.add(f"{method}-fit", out / "model.json", command, [single], method)

    def augmentation(self) -> None:
        classes = self.settings.folder / "classes.json"
        self.add("classes", classes, [], ["single-bundle"], before=lambda: bundles.write_classes(self.bundle("single"), classes))
        command = [
            self.train, "import", "--weights", self.bundle("single") / "model.safetensors", "--kind", "single",
            "--classes", classes, "--width", self.settings.value("width", "64"), "--sampling", f"augmentation:{_VIEWS}",
            "--out", self.bundle("augmentation"),
        ]
        if self.settings.value("normalisation", "none") == "imagenet":
            command.append("--imagenet-normalisation")
        self.add("augmentation-import", self.bundle("augmentation") / "model.json", command, ["classes"])

    def ensembles(self) -> None:
        members = [f"member-{i}" for i in range(self.settings.members)]
        join = [self.train, "ensemble", "--members-only"]
        command = [*join, *self.sets(), "--run", self.ensemble_run, "--out", self.bundle("ensemble")]
        self.add("ensemble-join", self.bundle("ensemble") / "model.json", command, members)

    def sub_ensemble(self) -> None:
        """A run of its own, first member and all: a run goes by what it knows of its members' trainings."""
        run, shared, first = self.runs / "sub_ensemble", "shared_encoder: true", []
        members = []
        for i in range(self.settings.members):
            members.append(self.member(run, i, f"sub_ensemble-member-{i}", first, "sub_ensemble", shared))
            first = members[:1]
        command = [self.train, "ensemble", "--members-only", *self.sets(shared), "--run", run, "--out", self.bundle("sub_ensemble")]
        self.add("sub_ensemble-join", self.bundle("sub_ensemble") / "model.json", command, members)

    def samplers(self) -> None:
        """One training of its own each."""
        for method, fields in (
            ("bayes", ['member_method: "bayes"', f"passes: {self.settings.members}"]),
            ("batch_ensemble", ['member_method: "batch_ensemble"', f"passes: {self.batch_members()}"]),
        ):
            trained = self.member(self.runs / method, 0, f"{method}-train", [], method, *fields)
            self.publish(method, self.runs / method / "members" / "0" / "model", [trained])

    def batch_members(self) -> int:
        """Members of a batch ensemble share a batch evenly."""
        batch = int(self.settings.value("batch_size", "16"))
        return max(count for count in range(1, self.settings.members + 1) if batch % count == 0)

    def weight_paths(self) -> None:
        """Ensembles out of one training's way through the weights."""
        members, epochs = self.settings.members, self.settings.epochs
        cycles = max(2, min(members, epochs))
        run = self.runs / "snapshot"
        trained = self.member(run, 0, "snapshot-train", [], "snapshot", 'schedule: "cyclic"', f"cycles: {cycles}")
        out = self.bundle("snapshot")
        self.add("snapshot-join", out / "model.json", [self.train, "join", "--run", run, "--index", 0, "--out", out], [trained])

        run, out = self.runs / "swag", self.bundle("swag")
        iterates = max(2, min(_MOST_ITERATES, int(_TAIL_SHARE * epochs)))
        fields = ['schedule: "constant_tail"', f"tail_share: {_TAIL_SHARE}", f"snapshots: {iterates}"]
        trained = self.member(run, 0, "swag-train", [], "swag", *fields)
        command = [self.train, "swag", *self.sets(*fields), "--run", run, "--index", 0, "--samples", members, "--out", out]
        self.add("swag-draw", out / "model.json", command, [trained], "swag")

    def students(self) -> None:
        cache = f"teacher_cache: {quoted(self.teacher_cache)}"
        donor = f"encoder_weights: {quoted(self.first_member / 'model.safetensors')}"
        first = self.student("knowledge", "ensemble", ["ensemble-join"], (), donor, cache)
        self.student("dudes", "ensemble", ["ensemble-join"], (), donor)
        self.dropout()
        # The first fills the cache for them.
        for method, fields in (
            ("dense_stddev", []),
            ("dirichlet", []),
            ("logit_gaussian", ["rank: 0"]),
            ("structured_gaussian", [f"rank: {_RANK}"]),
        ):
            self.student(method, "ensemble", ["ensemble-join"], (first,), donor, *fields, cache)

    def dropout(self) -> None:
        fields = [f"dropout: {_DROPOUT}", f"dropout_passes: {self.settings.members}"]
        trained = self.member(self.runs / "mc_dropout", 0, "mc_dropout-train", [], "mc_dropout", *fields)
        self.publish("mc_dropout", self.runs / "mc_dropout" / "members" / "0" / "model", [trained])

    def observer(self) -> None:
        # A head on its frozen teacher; it looks at no labels.
        self.student("observer", "mc_dropout", ["mc_dropout-bundle"], (), 'encoder_weights: ""', 'class_weights: "none"')

    # Figures.

    def unknown(self) -> list[str]:
        source = self.settings.unknown
        if source is None or has_masks(source):
            return []
        out = self.settings.folder / "unknown"
        make = lambda: make_unknown_set(source, self.settings.data, self.settings.split, out)
        return [self.add("unknown-set", out, [], [], before=make)]

    def evaluate(self, method: str, made_by: str, unknown: list[str]) -> str:
        settings = self.settings
        out = settings.folder / "results" / f"{method}.json"
        command = [
            self.train, "evaluate", "--bundle", self.bundle(method), "--data", settings.data, "--split", settings.split,
            "--threads", "1", "--pictures", 0, "--out", out,
        ]
        shown = evenly([path.stem for path in known_pictures(settings.data, settings.split)], settings.show)
        if shown:
            command += ["--show", ",".join(shown)]
        if settings.unknown:
            command += ["--unknown", settings.folder / "unknown" if unknown else settings.unknown]
        needs = [made_by, *unknown]
        if method != "ensemble":
            command += ["--teacher", self.bundle("ensemble")]
            needs.append("ensemble-join")
        return self.add(f"{method}-evaluate", out, command, needs)

    def plan(self) -> Plan:
        for i in range(self.settings.members):
            self.member(self.ensemble_run, i, f"member-{i}", [], "single" if i == 0 else "ensemble")
        self.ensembles()
        self.one_network()
        self.augmentation()
        self.students()
        self.observer()
        self.samplers()
        self.sub_ensemble()
        self.weight_paths()
        unknown = self.unknown()
        for method in METHODS:
            self.evaluate(method.name, self.makers()[method.name], unknown)
        return self.chosen()

    def makers(self) -> dict[str, str]:
        """The step after which a method's bundle is there."""
        return {step.output.parent.name: name for name, step in self.steps.items() if step.output.parent.parent.name == "bundles"}

    def closure(self, names: list[str]) -> set:
        found, left = set(), list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.steps[name].needs
        return found

    def chosen(self) -> Plan:
        names = [method.name for method in METHODS]
        wanted = [name for name in names if not self.settings.only or name == "single" or name in self.settings.only]
        needed = self.closure([f"{method}-evaluate" for method in wanted])
        steps = in_order([step for name, step in self.steps.items() if name in needed])
        makers, base = self.makers(), {}
        for method in wanted:
            stands_on = [name for name in self.closure([makers[method]]) if self.steps[name].is_training]
            own = set(self.trainings.get(method, []))
            if method == "ensemble":
                own |= {"member-0"}
                self.trainings["ensemble"] = sorted(own)
            base[method] = sorted(set(stands_on) - own)
        return Plan(steps, {method: self.trainings.get(method, []) for method in wanted}, base)


def method_field(method: str) -> str:
    return "logit_gaussian" if method == "structured_gaussian" else method


def in_order(steps: list[Step]) -> list[Step]:
    """Figures as soon as they can be had, so that each method's row comes as the method ends; else as given."""
    figures = [step for step in steps if step.name.endswith("-evaluate")]
    quick = [step for step in steps if not step.is_training and step not in figures]
    first = [step for step in steps if step.name.startswith("member-")]
    rest = [step for step in steps if step.is_training and step not in first]
    return [*quick, *first, *figures, *rest]
