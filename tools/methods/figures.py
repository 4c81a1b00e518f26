# SPDX-License-Identifier: Apache-2.0
"""A method's row: what its results.json, its bundle and its steps' records say."""
import json
import pathlib
from typing import Optional

import bundles
from plan import Plan
from steps import write_json


def read_json(path: pathlib.Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def best_kind(kinds: dict, of) -> tuple[Optional[str], Optional[float]]:
    """The kind with the highest of(figures), which may be None."""
    values = {name: of(figures) for name, figures in kinds.items()}
    values = {name: value for name, value in values.items() if value is not None}
    if not values:
        return None, None
    name = max(values, key=values.get)
    return name, values[name]


def error_auroc(figures: dict) -> Optional[float]:
    return figures["errors"]["auroc"]


def unknown_auroc(figures: dict) -> Optional[float]:
    return figures["unknown"]["auroc"] if figures["unknown"] else None


def result_figures(result: dict) -> dict:
    """Of a results.json: None where there is no such figure."""
    kind, kinds = default_kind(result), result["kinds"]
    first = kinds[kind]
    best_error_kind, best_error = best_kind(kinds, error_auroc)
    best_unknown_kind, best_unknown = best_kind(kinds, unknown_auroc)
    fidelity = {entry["kind"]: entry for entry in result["fidelity"]}.get(kind) or {}
    any_fidelity = result["fidelity"][0] if result["fidelity"] else {}
    return {
        "kind": kind,
        "miou": result["miou"],
        "accuracy": result["accuracy"],
        "munc": first["munc_pooled"],
        "ece": result["ece"],
        "nll": result["nll"],
        "error_auroc": error_auroc(first),
        "best_error_kind": best_error_kind,
        "best_error_auroc": best_error,
        "aurc": first["risk_coverage"]["aurc"],
        "unknown_auroc": unknown_auroc(first),
        "best_unknown_kind": best_unknown_kind,
        "best_unknown_auroc": best_unknown,
        "label_agreement": any_fidelity.get("label_agreement"),
        "distance_mae": fidelity.get("mae"),
        "distance_pearson": fidelity.get("pearson"),
        "distance_spearman": fidelity.get("spearman"),
    }


def default_kind(result: dict) -> str:
    """The model's first; the file's plain keys are of it."""
    return next(iter(result["kinds"]))


def core_seconds(folder: pathlib.Path, steps: list[str]) -> float:
    return sum(read_json(folder / "steps" / f"{step}.json")["core_seconds"] for step in steps)


def member_core_seconds(folder: pathlib.Path, members: int) -> float:
    """The mean of the ensemble's members that are trained: the unit of training cost."""
    costs = []
    for i in range(members):
        path = folder / "steps" / f"member-{i}.json"
        if path.exists() and read_json(path)["done"]:
            costs.append(read_json(path)["core_seconds"])
    return sum(costs) / len(costs)


def has_row(folder: pathlib.Path, method: str) -> bool:
    """Whether the method's row is there and as new as its figures."""
    row, result = folder / "rows" / f"{method}.json", folder / "results" / f"{method}.json"
    return row.exists() and row.stat().st_mtime_ns >= result.stat().st_mtime_ns


def write_row(folder: pathlib.Path, method: str, plan: Plan, members: int) -> None:
    bundle = folder / "bundles" / method
    row = {"method": method, **result_figures(read_json(folder / "results" / f"{method}.json"))}
    row["own_core_seconds"] = core_seconds(folder, plan.trainings[method])
    row["shared_core_seconds"] = core_seconds(folder, plan.base[method])
    row["member_core_seconds"] = member_core_seconds(folder, members)
    row["parameters"] = bundles.parameter_count(bundle)
    row["bytes"] = bundles.weight_bytes(bundle)
    row["predictions"] = bundles.predictions(bundle)
    write_json(folder / "rows" / f"{method}.json", row)


def read_rows(folder: pathlib.Path, methods: list[str]) -> dict[str, dict]:
    """Of the methods that have one; with serving figures where they are measured."""
    rows = {}
    for method in methods:
        path = folder / "rows" / f"{method}.json"
        if path.exists():
            rows[method] = read_json(path)
    return rows
