#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""candor-train, candor-server or candor, by its name: notes each call and writes files of the right shape.

FAKE_FOLDER   `calls` in it gets a line a call
FAKE_FAIL     a call with this in an argument complains and ends with 78
FAKE_RETRY    the first call with this in an argument ends with 75
FAKE_BLOCK    a call with this in an argument writes into the fifo FAKE_FOLDER/blocked and waits for a signal
"""
import json
import os
import pathlib
import signal
import sys

SAMPLING = {"mc_dropout": {"method": "mc_dropout", "passes": 2}, "augmentation": {"method": "augmentation", "views": [{}, {}, {}]}}


def has(variable: str) -> bool:
    wanted = os.environ.get(variable, "")
    return bool(wanted) and any(wanted in argument for argument in sys.argv[1:])


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def write_bundle(folder: str, files: int = 1, sampling=None) -> None:
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"head.weight": {"dtype": "F16", "shape": [3, 5], "data_offsets": [0, 30]},
                         "norm.running_mean": {"dtype": "F32", "shape": [7], "data_offsets": [30, 58]}}).encode()
    names = [f"member_{i}.safetensors" for i in range(files)] if files > 1 else ["model.safetensors"]
    for name in names:
        (path / name).write_bytes(len(header).to_bytes(8, "little") + header + bytes(58))
    model = {
        "classes": [{"name": "sky", "colour": [0, 0, 0]}],
        "normalisation": {"mean": [0.485, 0.456, 0.406]},
        "sampling": sampling or {"method": "none"},
        "weights": [{"file": name, "bytes": 58, "sha256": "0"} for name in names],
    }
    (path / "model.json").write_text(json.dumps(model), encoding="utf-8")


def evaluate() -> None:
    name = pathlib.Path(option("--bundle")).name
    kind = {"munc_pooled": 0.1, "class_pooled": [0.1, 0.1], "errors": {"auroc": 0.8}, "unknown": None, "risk_coverage": {"aurc": 0.05}}
    fidelity = []
    if "--teacher" in sys.argv:
        fidelity = [{"kind": "predictive_stddev", "label_agreement": 0.9, "mae": 0.04, "pearson": 0.6, "spearman": 0.8, "mean_absolute_difference": 0.03}]
    classes = [{"name": "sky"}, {"name": "road"}]
    figures = {"miou": 0.5, "accuracy": 0.8, "ece": 0.02, "nll": 0.4, "class_iou": [0.5, 0.5], "classes": classes, "fidelity": fidelity}
    figures["kinds"] = {"predictive_stddev": kind}
    figures["model"] = {"name": name}
    out = pathlib.Path(option("--out"))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures), encoding="utf-8")


def train() -> None:
    verb = sys.argv[1]
    if verb == "member":
        run = pathlib.Path(option("--run"))
        write_bundle(str(run / "members" / option("--index") / "model"), sampling=SAMPLING.get(run.name))
    elif verb == "ensemble":
        assert "--members-only" in sys.argv
        write_bundle(option("--out"), 2)
    elif verb == "join":
        write_bundle(option("--out"), 2)
    elif verb == "import":
        write_bundle(option("--out"), sampling=SAMPLING["augmentation"])
    elif verb == "evaluate":
        evaluate()
    elif verb in ("ensemble-size", "pretraining"):
        pathlib.Path(option("--out")).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(option("--out")).write_text('{"rows": []}', encoding="utf-8")
    elif verb == "report":
        pathlib.Path(option("--out")).write_text("<html>", encoding="utf-8")
    elif verb != "calibrate":
        write_bundle(option("--out"))


def main() -> int:
    folder = pathlib.Path(os.environ["FAKE_FOLDER"])
    name = pathlib.Path(sys.argv[0]).name
    with open(folder / "calls", "a", encoding="utf-8") as calls:
        calls.write(json.dumps([name, *sys.argv[1:]]) + "\n")
    if has("FAKE_BLOCK"):
        with open(folder / "blocked", "w", encoding="ascii") as fifo:
            fifo.write(str(os.getpid()))
        signal.pause()
    if has("FAKE_FAIL"):
        print('{"time":"", "message": "progress"}', file=sys.stderr)
        print("candor-train: members: must be at most 3, got 4", file=sys.stderr)
        return 78
    if has("FAKE_RETRY") and not (folder / "retried").exists():
        (folder / "retried").touch()
        return 75
    if name == "candor-train":
        train()
    elif name == "candor-server":
        print("listening grpc=127.0.0.1:1 metrics=off", flush=True)
        signal.pause()
    else:
        print(json.dumps({"latency_ms": {"p50": 8.0}, "server_median_ms": {"infer": 6.0}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
