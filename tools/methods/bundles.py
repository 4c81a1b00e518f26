# SPDX-License-Identifier: Apache-2.0
"""Facts of a bundle that its files tell."""
import json
import pathlib
import shutil

from steps import StepError, write_json


def read_model(bundle: pathlib.Path) -> dict:
    return json.loads((bundle / "model.json").read_text(encoding="utf-8"))


def weight_bytes(bundle: pathlib.Path) -> int:
    return sum(entry["bytes"] for entry in read_model(bundle)["weights"])


def _tensors(path: pathlib.Path) -> dict:
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return header


def parameter_count(bundle: pathlib.Path) -> int:
    """Numbers that training has found: all tensors but batch norm's statistics."""
    count = 0
    for entry in read_model(bundle)["weights"]:
        for name, tensor in _tensors(bundle / entry["file"]).items():
            if name.rsplit(".", 1)[-1] in ("running_mean", "running_var", "num_batches_tracked"):
                continue
            elements = 1
            for extent in tensor["shape"]:
                elements *= extent
            count += elements
    return count


def predictions(bundle: pathlib.Path) -> str:
    """How an answer is made, such as "5 networks"."""
    model = read_model(bundle)
    sampling = model["sampling"]
    networks = len(model["weights"])
    if sampling["method"] == "augmentation":
        return f"{len(sampling['views'])} views"
    if sampling["method"] == "logit_samples":
        return f"1 ({sampling['passes']} draws of scores)"
    if "passes" in sampling:
        return f"{sampling['passes']} passes"
    if model.get("shared_encoder"):
        return f"1 encoder, {networks} decoders"
    return "1" if networks == 1 else f"{networks} networks"


def copy_bundle(source: pathlib.Path, target: pathlib.Path) -> None:
    """A copy of its own, there as a whole or not at all."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    publish_bundle(target)


def publish_bundle(target: pathlib.Path) -> None:
    """TARGET.partial becomes TARGET."""
    shutil.rmtree(target, ignore_errors=True)
    target.with_name(target.name + ".partial").rename(target)


def write_classes(bundle: pathlib.Path, path: pathlib.Path) -> None:
    """The bundle's classes, as candor-train import reads them."""
    classes = [{"name": entry["name"], "colour": entry["colour"]} for entry in read_model(bundle)["classes"]]
    write_json(path, classes)


def is_imagenet_normalised(bundle: pathlib.Path) -> bool:
    mean = read_model(bundle)["normalisation"]["mean"]
    if all(abs(value) < 1e-6 for value in mean):
        return False
    if abs(mean[0] - 0.485) < 1e-6:
        return True
    raise StepError(f"{bundle}: its normalisation is neither none nor imagenet")
