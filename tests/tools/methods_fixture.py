# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for candor-train, candor-server and candor, and results as they write them."""
import json
import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(os.environ["CANDOR_SOURCE_DIR"])
TOOL = ROOT / "tools" / "methods"
sys.path.insert(0, str(TOOL))

FAKE = pathlib.Path(__file__).resolve().parent / "fake_programs.py"


def kind_figures(error_auroc: float, unknown_auroc=None, munc: float = 0.1) -> dict:
    return {
        "munc_pooled": munc,
        "class_pooled": [munc, munc],
        "errors": {"auroc": error_auroc},
        "unknown": None if unknown_auroc is None else {"auroc": unknown_auroc},
        "risk_coverage": {"aurc": 0.05},
    }


def result(kinds: dict, fidelity=(), miou: float = 0.5) -> dict:
    return {
        "miou": miou,
        "accuracy": 0.8,
        "ece": 0.02,
        "nll": 0.4,
        "class_iou": [miou, miou],
        "classes": [{"name": "sky", "colour": [0, 0, 0]}, {"name": "road", "colour": [1, 1, 1]}],
        "fidelity": list(fidelity),
        "kinds": kinds,
    }


def install_programs(folder: pathlib.Path) -> pathlib.Path:
    programs = folder / "bin"
    programs.mkdir()
    for name in ("candor-train", "candor-server", "candor"):
        shutil.copy(FAKE, programs / name)
        (programs / name).chmod(0o755)
    return programs


def make_data(folder: pathlib.Path) -> pathlib.Path:
    """A CamVid of which only the names of the test pictures matter."""
    data = folder / "camvid"
    (data / "test" / "images").mkdir(parents=True)
    for name in ("a", "b"):
        (data / "test" / "images" / f"{name}.jpg").write_bytes(b"")
    return data


def write_config(folder: pathlib.Path, members: int = 2) -> pathlib.Path:
    config = folder / "config.textproto"
    config.write_text(f'width: 16\nnormalisation: "imagenet"  # a comment\nepochs: 8\nmembers: {members}\n', encoding="utf-8")
    return config


def read_calls(folder: pathlib.Path) -> list[list[str]]:
    log = folder / "calls"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
