#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden tensors of tests/golden with PyTorch and segmentation_models_pytorch, independently of candor's code.

    pip install torch==2.11.0 segmentation-models-pytorch safetensors pillow numpy
    tools/make_golden.py network                      # network_{baseline,student}.safetensors, state_dict_keys.txt
    tools/make_golden.py ensemble                     # ensemble.safetensors
    tools/make_golden.py bundles                      # bundle_{student,teacher}.safetensors, from models/camvid-*

Weights of the first two come from a formula (`formula_weights`), which the C++ test computes too: nothing large is kept.
"""
import argparse
import json
import pathlib
import zlib

import numpy as np
import segmentation_models_pytorch as smp
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from segmentation_models_pytorch.encoders.resnet import ResNetEncoder
from torchvision.models.resnet import BasicBlock

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"


def uniform(name: str, count: int) -> np.ndarray:
    """`count` float32 values in [-1, 1): SplitMix64 of crc32(name) * 2^32 + index, upper 24 bits."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + (np.uint64(zlib.crc32(name.encode())) << np.uint64(32))
        z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32)


def formula_weights(module: torch.nn.Module, seed: str) -> None:
    """Fills a network: convolutions U(-1, 1) * sqrt(6 / fan_in), biases and means U(-0.1, 0.1), scales and variances
    1 + 0.3 U(-1, 1)."""
    for name, tensor in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        values = torch.from_numpy(uniform(f"{seed}:{name}", tensor.numel())).reshape(tensor.shape)
        if tensor.dim() == 4:
            values = values * float(np.float32((6.0 / tensor[0].numel()) ** 0.5))
        elif name.endswith(("running_var", "weight")):
            values = 1 + 0.3 * values
        else:
            values = 0.1 * values
        tensor.copy_(values)


class NarrowEncoder(ResNetEncoder):
    """ResNet-18 with `width` channels in its first stage instead of 64."""

    def __init__(self, width: int):
        super().__init__(out_channels=(3, width, width, 2 * width, 4 * width, 8 * width), block=BasicBlock, layers=[2, 2, 2, 2])
        self.inplanes = width
        self.conv1 = torch.nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(width)
        self.layer1 = self._make_layer(BasicBlock, width, 2)
        self.layer2 = self._make_layer(BasicBlock, 2 * width, 2, stride=2)
        self.layer3 = self._make_layer(BasicBlock, 4 * width, 2, stride=2)
        self.layer4 = self._make_layer(BasicBlock, 8 * width, 2, stride=2)


class Net(torch.nn.Module):
    """smp's DeepLabV3Plus, optionally narrow and with the DUDES uncertainty head."""

    def __init__(self, classes: int, student: bool, width: int = 64):
        super().__init__()
        model = smp.DeepLabV3Plus("resnet18", encoder_weights=None, classes=classes, decoder_channels=4 * width)
        self.encoder, self.decoder, self.segmentation_head = model.encoder, model.decoder, model.segmentation_head
        if width != 64:
            encoder = NarrowEncoder(width)
            encoder.make_dilated(output_stride=16)
            decoder = smp.decoders.deeplabv3.decoder
            wide = decoder.DeepLabV3PlusDecoder(
                encoder_channels=encoder.out_channels, encoder_depth=5, out_channels=4 * width,
                atrous_rates=(12, 24, 36), output_stride=16, aspp_separable=True, aspp_dropout=0.5)
            low = 3 * width // 4  # smp fixes 48
            wide.block1 = torch.nn.Sequential(
                torch.nn.Conv2d(width, low, 1, bias=False), torch.nn.BatchNorm2d(low), torch.nn.ReLU())
            wide.block2 = torch.nn.Sequential(
                decoder.SeparableConv2d(low + 4 * width, 4 * width, 3, padding=1, bias=False),
                torch.nn.BatchNorm2d(4 * width), torch.nn.ReLU())
            self.encoder, self.decoder = encoder, wide
        if student:
            self.uncertainty_head = smp.base.SegmentationHead(4 * width, 1, kernel_size=1, upsampling=4)
        self.student = student

    def forward(self, x):
        features = self.encoder(x)
        decoded = self.decoder(features)
        logits = self.segmentation_head(decoded)
        z = torch.sigmoid(self.uncertainty_head(decoded)) if self.student else None
        return logits, z, decoded


def measures(logits: torch.Tensor, learned: torch.Tensor | None) -> dict:
    """logits [M, C, H, W] at full size -> label [H, W] and each uncertainty kind [H, W], in float64."""
    p_m = torch.softmax(logits.double(), 1)
    p = p_m.mean(0)
    label = p.argmax(0)
    h = lambda q, dim: -(q * q.clamp_min(1e-300).log()).sum(dim)
    top = p.topk(2, 0).values
    out = {"label": label.to(torch.uint8), "predictive_entropy": h(p, 0), "max_probability": 1 - top[0],
           "margin": 1 - (top[0] - top[1])}
    if learned is not None:
        out["predictive_stddev"] = learned
    if len(logits) > 1:
        out["predictive_stddev"] = p_m.std(0, unbiased=True).gather(0, label[None])[0]
        out["expected_entropy"] = h(p_m, 1).mean(0)
        out["mutual_information"] = out["predictive_entropy"] - out["expected_entropy"]
        votes = p_m.argmax(1)
        pairs = [(votes[i] != votes[j]).double() for i in range(len(votes)) for j in range(i)]
        out["disagreement"] = torch.stack(pairs).mean(0)
    return {k: v if k == "label" else v.float() for k, v in out.items()}


def save(tensors: dict, name: str) -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, str(GOLDEN / f"{name}.safetensors"))
    print(name, {k: tuple(v.shape) for k, v in tensors.items()})


def formula_image(height: int, width: int) -> torch.Tensor:
    return torch.from_numpy(uniform("image", 3 * height * width)).reshape(1, 3, height, width) * 0.5 + 0.5


@torch.no_grad()
def network() -> None:
    for student in (False, True):
        net = Net(11, student).eval()
        formula_weights(net, "golden")
        low = {}
        net.segmentation_head[0].register_forward_hook(lambda m, i, o: low.update(logits=o[0]))
        if student:
            net.uncertainty_head[0].register_forward_hook(lambda m, i, o: low.update(uncertainty=o[0]))
        net(formula_image(64, 96))
        save(low, "network_student" if student else "network_baseline")
        count = sum(p.numel() for p in net.parameters())
        lines = [f"# {count} parameters"] + [f"{k} {list(v.shape)}" for k, v in net.state_dict().items()]
        (GOLDEN / f"state_dict_{'student' if student else 'baseline'}.txt").write_text("\n".join(lines) + "\n")


@torch.no_grad()
def ensemble() -> None:
    """Three members of width 16, seven classes, on a 48x64 picture: low-resolution scores in, all measures out."""
    scores, full = [], []
    for m in range(3):
        net = Net(7, False, width=16).eval()
        formula_weights(net, f"member{m}")
        net.segmentation_head[0].register_forward_hook(lambda mod, i, o: scores.append(o[0]))
        full.append(net(formula_image(48, 64))[0][0])
    save({"scores": torch.stack(scores), **measures(torch.stack(full), None)}, "ensemble")


@torch.no_grad()
def bundles() -> None:
    """The shipped fp16 bundles on one sample picture; every fourth pixel both ways is kept."""
    picture = np.asarray(Image.open(ROOT / "models/samples/Seq05VD_f01740.jpg").convert("RGB"))
    height, width = picture.shape[:2]
    x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    x = torch.nn.functional.pad(x, (0, -width % 16, 0, -height % 16))
    for kind in ("student", "teacher"):
        folder = ROOT / f"models/camvid-{kind}"
        spec = json.loads((folder / "model.json").read_text())
        mean, stddev = (torch.tensor(spec["normalisation"][key]).view(1, 3, 1, 1) for key in ("mean", "stddev"))
        logits, learned = [], None
        for record in spec["weights"]:
            net = Net(len(spec["classes"]), kind == "student", spec["width"]).eval()
            net.load_state_dict({k: v.float() if v.is_floating_point() else v
                                 for k, v in load_file(str(folder / record["file"])).items()})
            out, z, _ = net((x - mean) / stddev)
            logits.append(out[0, :, :height, :width])
            learned = None if z is None else z[0, 0, :height, :width]
        result = measures(torch.stack(logits), learned)
        save({k: v[::4, ::4] for k, v in result.items()}, f"bundle_{kind}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["network", "ensemble", "bundles"])
    torch.set_num_threads(1)
    {"network": network, "ensemble": ensemble, "bundles": bundles}[parser.parse_args().what]()
