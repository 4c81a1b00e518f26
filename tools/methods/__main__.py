#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains, scores and serves every method of uncertainty on the same data, and writes what came out side by side.

    make methods METHODS_DATA=camvid:DIR [METHODS_OOD=DIR] [METHODS_DIR=build/methods]
    python3 tools/methods --data camvid:DIR [--unknown DIR] [--only bayes,swag] [--ablations] ...

Whatever ends it, the same command goes on: finished trainings, scores, rows and rounds of the speed measurement are kept
below --dir, and a training goes on from its checkpoint. A method that fails is named, the others go on.

Exit codes: 0 all done; 1 a method failed; 2 usage; 74 file not read or written; 78 settings refused; 130 interrupted.
"""
import argparse
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from ablations import ablation_section, ablation_steps
from catalogue import BY_NAME
from figures import has_row, read_rows, write_row
from page import cost_table, figure_table, notes_section, replace_sections
from plan import Planner
from runner import Interrupted, Runner
from serving import measure_all, serving_figures
from settings import Settings, check_settings
from steps import StepError

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_TITLE = "Methods of uncertainty, side by side"


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="methods", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / "build" / "methods", help="where everything is kept (default build/methods)")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build" / "bin", help="folder of candor-train (default build/bin)")
    parser.add_argument("--config", type=pathlib.Path, default=ROOT / "config" / "methods" / "compact.textproto", help="TrainerConfig of every training")
    parser.add_argument("--data", required=True, help="camvid:DIR, cityscapes:DIR, voc:DIR or folder:DIR")
    parser.add_argument("--unknown", type=pathlib.Path, help="pictures of what is in no class: with masks in labels/, or unknown as a whole")
    parser.add_argument("--encoder", type=pathlib.Path, help="encoder_weights that every member starts from (default: random)")
    parser.add_argument("--epochs", type=int, help="of every training, over the configuration's")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD", help="one field over the configuration's (repeatable)")
    parser.add_argument("--only", default="", help=f"some methods, separated by commas: {', '.join(BY_NAME)}")
    parser.add_argument("--ablations", action="store_true", help="also the paper's: ensemble size, first weights, epochs")
    parser.add_argument("--largest", type=int, default=0, help="members that ensemble size goes up to, the paper's 20 (default: the configuration's members)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="programs at once, of one core each (default: the cores)")
    parser.add_argument("--rounds", type=int, default=5, help="of the speed measurement; 0: none")
    parser.add_argument("--requests", type=int, default=30, help="a model and round, at least 21 for a median")
    parser.add_argument("--page", type=pathlib.Path, help="a page like docs/methods.md whose sections to write")
    args = parser.parse_args(arguments)
    unknown = [name for name in args.only.split(",") if name and name not in BY_NAME]
    if unknown:
        parser.error(f"--only: {unknown[0]} is no method; there are {', '.join(BY_NAME)}")
    for name, low in (("jobs", 1), ("rounds", 0), ("requests", 21), ("largest", 0)):
        if getattr(args, name) < low:
            parser.error(f"--{name}: must be at least {low}, got {getattr(args, name)}")
    if args.largest and not args.ablations:
        parser.error("--largest: is of the ablations; add --ablations")
    return args


def settings_of(args: argparse.Namespace) -> Settings:
    overrides = list(args.set)
    if args.epochs is not None:
        overrides.append(f"epochs: {args.epochs}")
    return Settings(
        folder=args.dir.resolve(),
        programs=args.programs.resolve(),
        config=args.config.resolve(),
        data=args.data,
        unknown=args.unknown.resolve() if args.unknown else None,
        encoder=args.encoder.resolve() if args.encoder else None,
        overrides=tuple(overrides),
        rounds=args.rounds,
        requests=args.requests,
        has_ablations=args.ablations,
        largest=args.largest,
        only=tuple(name for name in args.only.split(",") if name),
    )


class StopSignal:
    def __init__(self) -> None:
        self.is_set = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._set)

    def _set(self, *_) -> None:
        self.is_set = True

    def __call__(self) -> bool:
        return self.is_set


def take_lock(folder: pathlib.Path):
    folder.mkdir(parents=True, exist_ok=True)
    lock = open(folder / "lock", "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StepError(f"{folder}: is in use by another run") from None
    return lock


def write_report(settings: Settings, methods: list[str]) -> None:
    results = [str(settings.folder / "results" / f"{method}.json") for method in methods]
    command = [settings.programs / "candor-train", "report", "--results", ",".join(results), "--title", _TITLE]
    command += ["--pictures", 0, "--side-by-side", settings.show, "--out", settings.folder / "report.html"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepError(f"report: exit {done.returncode}: {done.stderr.strip()[-300:]}")


def write_pages(settings: Settings, methods: list[str], page: pathlib.Path) -> None:
    """The tables as DIR/methods.md, in `page` too if given, and the report. StepError: one of them cannot be made."""
    rows = list(read_rows(settings.folder, methods).values())
    for row in rows:
        row.update(serving_figures(settings.folder, row["method"]))
    if not rows:
        return
    sections = {
        "figures": figure_table(rows),
        "costs": cost_table(rows),
        "ablations": ablation_section(settings.folder, settings.epochs),
        "notes": notes_section(ROOT / "docs" / "methods-notes"),
    }
    (settings.folder / "methods.md").write_text("\n".join(text for name, text in sections.items() if name != "notes"), encoding="utf-8")
    if page:
        page.write_text(replace_sections(page.read_text(encoding="utf-8"), sections), encoding="utf-8")
    write_report(settings, [row["method"] for row in rows])


def work(args: argparse.Namespace) -> int:
    stop = StopSignal()
    settings = settings_of(args)
    lock = take_lock(settings.folder)
    check_settings(settings)
    planner = Planner(settings)
    plan = planner.plan()
    methods = list(plan.trainings)
    steps = plan.steps + (ablation_steps(planner, args.jobs) if settings.has_ablations else [])
    runner = Runner(settings.folder, args.jobs, stop)

    def keep_row(step: str) -> None:
        method = step.removesuffix("-evaluate")
        if method in methods and step != method and not has_row(settings.folder, method):
            write_row(settings.folder, method, plan, settings.members)
            print(f"methods: {method}: row kept", file=sys.stderr, flush=True)

    runner.run(steps, keep_row)
    if not runner.failed and not settings.only:
        shutil.rmtree(planner.teacher_cache, ignore_errors=True)  # gigabytes that no student is left to read
    scored = list(read_rows(settings.folder, methods))
    failed = dict(runner.failed)
    if "single" in scored:
        failed.update(measure_all(settings, scored, stop))
    if stop():
        raise Interrupted
    try:
        write_pages(settings, methods, args.page)
    except StepError as error:
        failed["pages"] = str(error)
    lock.close()
    for name, why in failed.items():
        print(f"methods: {name}: {why}", file=sys.stderr)
    print(settings.folder / "methods.md" if scored else settings.folder)
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    args = read_arguments(arguments)
    try:
        return work(args)
    except Interrupted:
        print("methods: stopped; the same command goes on", file=sys.stderr)
        return 130
    except StepError as error:
        print(f"methods: {error}", file=sys.stderr)
        return 78
    except OSError as error:
        print(f"methods: {error}", file=sys.stderr)
        return 74


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
