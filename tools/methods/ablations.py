# SPDX-License-Identifier: Apache-2.0
"""The paper's own ablations on the same data: DIR/studies/*.json, and the figures of Cityscapes beside ours."""
import pathlib

from figures import read_json
from plan import Planner
from steps import Step
from tables import dash, number, table

# Landgraf et al. 2023 on Cityscapes: Figure 5 as the text quotes it, Table 4, the last row of Table 2.
_PAPER_SIZES = {2: (70.6, 0.092), 6: (None, 0.107), 10: (71.3, 0.106), 12: (71.4, None)}
_PAPER_TEACHER = (71.3, 0.106)
_PAPER_TABLE_4 = {
    "baseline, random": (68.5, None),
    "student, random": (64.6, 0.097),
    "baseline, pretrained": (73.7, None),
    "student, pretrained": (73.8, 0.108),
    "student, random, four times the epochs": (73.9, 0.105),
}
# Tables 1 and 2, on Cityscapes: IoU % of teacher and student, uncertainty of teacher and student.
_PAPER_CLASSES = {
    "road": (97.8, 98.0, 0.024, 0.018),
    "sidewalk": (82.2, 83.5, 0.064, 0.065),
    "building": (90.7, 91.4, 0.038, 0.035),
    "wall": (50.4, 46.7, 0.150, 0.144),
    "fence": (54.5, 55.7, 0.165, 0.160),
    "pole": (54.9, 59.1, 0.100, 0.128),
    "traffic_light": (57.8, 63.3, 0.142, 0.112),
    "traffic_sign": (69.3, 73.3, 0.102, 0.097),
    "vegetation": (91.5, 91.8, 0.025, 0.027),
    "terrain": (62.7, 63.1, 0.101, 0.126),
    "sky": (94.3, 94.2, 0.031, 0.025),
    "person": (75.4, 79.0, 0.109, 0.117),
    "rider": (53.5, 57.9, 0.120, 0.105),
    "car": (93.2, 93.9, 0.043, 0.038),
    "truck": (69.6, 74.7, 0.175, 0.200),
    "bus": (75.9, 83.8, 0.163, 0.144),
    "train": (64.0, 69.4, 0.195, 0.171),
    "motorcycle": (47.6, 50.1, 0.158, 0.190),
    "bicycle": (69.5, 73.6, 0.108, 0.150),
}
_PAPER_MEAN = (71.3, 73.8, 0.106, 0.108)
# CamVid's name for what Cityscapes has under another; its bicyclists are riders with their bicycles.
_IN_CITYSCAPES = {
    "pavement": "sidewalk", "tree": "vegetation", "sign_symbol": "traffic_sign", "pedestrian": "person", "bicyclist": "rider",
}
_LONGER = 4
_KIND = "predictive_stddev"


def ablation_steps(planner: Planner, jobs: int) -> list[Step]:
    """In addition to the steps of the methods `ensemble` and `dudes`."""
    settings = planner.settings
    studies = settings.folder / "studies"
    ensemble = planner.bundle("ensemble")
    data = ["--data", settings.data, "--split", settings.split, "--threads", "1"]
    steps = size_steps(planner, data)

    def student(name: str, epochs: int) -> None:
        fields = planner.sets('encoder_weights: ""', f"epochs: {epochs}", 'student_method: "dudes"')
        run = planner.runs / name
        train = [planner.train, "distill", *fields, "--run", run, "--teacher", ensemble, "--out", run / "model"]
        steps.append(Step(f"{name}-train", run / "model" / "model.json", tuple(train), ("ensemble-join",), is_training=True))
        score = [planner.train, "evaluate", "--bundle", run / "model", *data, "--pictures", 0, "--out", studies / f"{name}.json"]
        steps.append(Step(f"{name}-evaluate", studies / f"{name}.json", tuple(score), (f"{name}-train",)))

    if settings.encoder:
        jobs = max(1, jobs // 2)  # the longer student is trained meanwhile
        flags = planner.configured()
        command = [
            planner.train, "pretraining", *flags, "--run", planner.runs / "pretraining", "--teacher", ensemble, "--split", settings.split,
            "--jobs", jobs, "--out", studies / "pretraining.json",
        ]
        steps.append(Step("pretraining", studies / "pretraining.json", tuple(command), ("ensemble-join",), cores=jobs, is_training=True))
    else:
        student("student_random", settings.epochs)
    student("student_longer", _LONGER * settings.epochs)
    return steps


def size_steps(planner: Planner, data: list) -> list[Step]:
    """The first 2, 3, ... members of the ensemble and, beyond it, every other number of it and more of its kind."""
    settings = planner.settings
    largest = max(settings.largest, settings.members)
    sizes = sorted({*range(2, settings.members + 1), *range(2, largest + 1, 2), largest})
    bundle, steps, joined = planner.bundle("ensemble"), [], "ensemble-join"
    if largest > settings.members:
        bundle = settings.folder / "studies" / f"members-{largest}"
        run = ["--run", planner.ensemble_run, "--of", largest]
        names = []
        for i in range(settings.members, largest):
            command = [planner.train, "member", *planner.sets(), *run, "--index", i]
            output = planner.ensemble_run / "members" / str(i) / "model" / "model.json"
            steps.append(Step(f"further-member-{i}", output, tuple(command), (), is_training=True))
            names.append(steps[-1].name)
        command = [planner.train, "ensemble", "--members-only", *planner.sets(), *run, "--out", bundle]
        joined = f"join-{largest}-members"
        steps.append(Step(joined, bundle / "model.json", tuple(command), ("ensemble-join", *names)))
    study = settings.folder / "studies" / f"ensemble-size-{largest}.json"
    command = [planner.train, "ensemble-size", "--bundle", bundle, *data, "--sizes", ",".join(map(str, sizes)), "--out", study]
    return [*steps, Step("ensemble-size", study, tuple(command), (joined,))]


def largest_study(folder: pathlib.Path):
    """The study of ensemble sizes that goes furthest."""
    paths = list((folder / "studies").glob("ensemble-size-*.json"))
    return read_json(max(paths, key=lambda path: int(path.stem.rsplit("-", 1)[1]))) if paths else None


def _read(folder: pathlib.Path, study: str):
    path = folder / "studies" / f"{study}.json"
    return read_json(path) if path.exists() else None


def ensemble_size_table(study: dict) -> str:
    rows = []
    ours = {row["members"]: row for row in study["rows"]}
    for size in sorted(set(ours) | set(_PAPER_SIZES)):
        row = ours.get(size, {})
        miou, munc = _PAPER_SIZES.get(size, (None, None))
        rows.append([size, number(row.get("miou"), 3), number(row.get("munc"), 3), number(row.get("error_auroc"), 3), dash(miou), dash(munc)])
    return table(["members", "mIoU", "mUnc", "error AUROC", "paper: mIoU %", "paper: mUnc"], rows)


def pretraining_table(rows: dict[str, tuple], teacher: tuple) -> str:
    """Both by name: mIoU in [0, 1] and mUnc."""
    lines = [["teacher", number(teacher[0], 3), number(teacher[1], 3), *_PAPER_TEACHER]]
    for name, (miou, munc) in rows.items():
        theirs = _PAPER_TABLE_4.get(name, (None, None))
        lines.append([name, number(miou, 3), number(munc, 3), dash(theirs[0]), dash(theirs[1])])
    return table(["", "mIoU", "mUnc", "paper: mIoU %", "paper: mUnc"], lines)


def class_table(teacher: dict, student: dict) -> str:
    """Two results.json that both have the paper's kind, the student's with its fidelity."""
    fidelity = next(entry for entry in student["fidelity"] if entry["kind"] == _KIND)
    z, q = (result["kinds"][_KIND] for result in (teacher, student))
    rows = []
    for index, entry in enumerate(student["classes"]):
        iou = [number(result["class_iou"][index], 3) for result in (teacher, student)]
        uncertainty = [number(kind["class_pooled"][index], 3) for kind in (z, q)]
        theirs = _PAPER_CLASSES.get(_IN_CITYSCAPES.get(entry["name"], entry["name"]))
        rows.append([entry["name"], *iou, *uncertainty, number(difference(z, q, index), 3), *paper_cells(theirs)])
    rows.append([
        "mean", number(teacher["miou"], 3), number(student["miou"], 3), number(z["munc_pooled"], 3), number(q["munc_pooled"], 3),
        f"{number(fidelity['mean_absolute_difference'], 3)} absolute", *paper_cells(_PAPER_MEAN),
    ])
    paper = ["paper: IoU %, teacher", "student", "uncertainty, teacher", "student"]
    return table(["class", "IoU, teacher", "IoU, student", "uncertainty, teacher", "student", "difference", *paper], rows)


def paper_cells(values: tuple | None) -> list[str]:
    if values is None:
        return [dash(None)] * 4
    return [number(values[0], 1), number(values[1], 1), number(values[2], 3), number(values[3], 3)]


def difference(z: dict, q: dict, index: int):
    """The student's mean uncertainty of a class minus its teacher's; None where one of them never predicts it."""
    both = (z["class_pooled"][index], q["class_pooled"][index])
    return None if None in both else both[1] - both[0]


def result_pair(result: dict) -> tuple:
    """mIoU and mUnc of the paper's kind, which a single network has not."""
    kind = result["kinds"].get(_KIND)
    return result["miou"], kind["munc_pooled"] if kind else None


def study_pair(row: dict) -> tuple:
    return row["miou"], row["munc"] if row["uncertainty"] == _KIND else None


def ablation_section(folder: pathlib.Path, epochs: int) -> str:
    """Markdown of what has been measured; empty if nothing has."""
    parts = []
    study = largest_study(folder)
    if study:
        parts += ["### Members of the ensemble (the paper's Figure 5)\n", ensemble_size_table(study)]
    teacher, student = (folder / "results" / f"{name}.json" for name in ("ensemble", "dudes"))
    if teacher.exists() and student.exists():
        text = "The paper's are of Cityscapes' class of the same meaning; over its 19 classes the difference is 0.015 absolute.\n"
        parts += ["### Class by class (Tables 1 and 2)\n", text, class_table(read_json(teacher), read_json(student))]
    rows = first_weights_rows(folder)
    if rows and teacher.exists():
        text = f"{epochs} epochs unless said otherwise; the paper's 200, on Cityscapes at full width with ten members.\n"
        parts += ["### First weights and epochs (Table 4)\n", text, pretraining_table(rows, result_pair(read_json(teacher)))]
    return "\n".join(parts)


def first_weights_rows(folder: pathlib.Path) -> dict[str, tuple]:
    rows = {}
    study = _read(folder, "pretraining")
    if study:
        rows = {row["name"]: study_pair(row) for row in study["rows"] if row["name"] != "teacher"}
    elif _read(folder, "student_random"):
        single = folder / "results" / "single.json"
        if single.exists():
            rows["baseline, random"] = result_pair(read_json(single))
        rows["student, random"] = result_pair(_read(folder, "student_random"))
        dudes = folder / "results" / "dudes.json"
        if dudes.exists():
            rows["student, encoder of a member"] = result_pair(read_json(dudes))
    longer = _read(folder, "student_longer")
    if longer:
        rows["student, random, four times the epochs"] = result_pair(longer)
    return rows
