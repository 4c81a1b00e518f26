#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a compact encoder's first weights from a pretrained ResNet-18: fewer channels, refitted to say the same.

    pip install torch==2.11.0 numpy pillow
    tools/narrow_encoder.py --from DIR --pictures DIR --width 32 --out DIR
    candor-train ensemble --set 'encoder_weights: "OUT"' --set 'pretrained_members: true' --set 'normalisation: "imagenet"' ...

Of each stage the channels that vary most over the pictures stay. Every convolution behind them is then fitted by least
squares to what the wide one gives for those channels (He, Zhang, Sun 2017, "Channel pruning for accelerating very deep
neural networks"), the second of a block also to what its identity path has lost. A batch norm of the pictures' own
statistics follows each, so that training starts consistent. `--from` holds folded convolutions as torchvision names
them (conv1.weight.npy and conv1.bias.npy, layer1.0.conv1..., OIHW float32); conv1 to layer3 are made, layer4 is left to
chance.
"""
import argparse
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def read_pictures(folder: pathlib.Path, limit: int) -> torch.Tensor:
    """At most `limit` pictures, evenly over the sorted names, as [N, 3, H, W] in ImageNet's normalisation."""
    names = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not names:
        raise SystemExit(f"narrow_encoder: {folder}: has no pictures")
    size = Image.open(names[0]).size
    chosen = [names[i] for i in np.linspace(0, len(names) - 1, min(limit, len(names))).astype(int)]
    pixels = np.stack([np.asarray(Image.open(p).convert("RGB").resize(size)) for p in chosen])
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - MEAN) / DEVIATION


def by_parts(function, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([function(x[i : i + 4]) for i in range(0, len(x), 4)])


def conv(x: torch.Tensor, weight: torch.Tensor, stride: int, bias: torch.Tensor | None = None) -> torch.Tensor:
    return by_parts(lambda part: F.conv2d(part, weight, bias, stride=stride, padding=weight.shape[-1] // 2), x)


def variance(x: torch.Tensor) -> torch.Tensor:
    return x.var(dim=(0, 2, 3))


def largest(score: torch.Tensor, count: int) -> torch.Tensor:
    return torch.sort(torch.topk(score, count).indices).values


def fit(x: torch.Tensor, target: torch.Tensor, kernel: int, stride: int, positions: int) -> tuple:
    """Weight [O, I, k, k] and bias [O] that take x nearest to target, over so many positions of all pictures."""
    size = x.shape[1] * kernel * kernel + 1
    gram, cross = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, target.shape[1], dtype=torch.float64)
    for picture, wanted in zip(x, target):
        patches = F.unfold(picture[None], kernel, padding=kernel // 2, stride=stride)[0]
        at = torch.randperm(patches.shape[1])[: max(1, positions // len(x))]
        patches = torch.cat([patches[:, at], torch.ones(1, len(at))]).double()
        gram += patches @ patches.T
        cross += patches @ wanted.flatten(1)[:, at].double().T
    gram += 1e-4 * torch.trace(gram) / size * torch.eye(size, dtype=torch.float64)
    solution = torch.linalg.solve(gram, cross).float()
    return solution[:-1].T.reshape(target.shape[1], x.shape[1], kernel, kernel).contiguous(), solution[-1]


class Narrower:
    """Walks the wide encoder and the narrow one side by side over the pictures."""

    def __init__(self, source: pathlib.Path, width: int, positions: int):
        self.source, self.share, self.positions = source, width / 64, positions
        self.made = {}

    def wide(self, name: str, x: torch.Tensor, stride: int) -> torch.Tensor:
        return conv(x, self.given(f"{name}.weight"), stride, self.given(f"{name}.bias"))

    def given(self, name: str) -> torch.Tensor:
        return torch.from_numpy(np.load(self.source / f"{name}.npy").copy())

    def keep(self, name: str, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, stride: int) -> torch.Tensor:
        """Notes a convolution and the batch norm behind it, and returns what they give for x."""
        plain = conv(x, weight, stride)
        mean, var = plain.mean(dim=(0, 2, 3)), variance(plain)
        self.made[f"{name}.weight"] = weight
        norm = {"running_mean": mean, "running_var": var, "weight": (var + 1e-5).sqrt(), "bias": bias + mean}
        self.made.update({f"{name}.bn.{key}": value for key, value in norm.items()})
        return plain + bias.view(1, -1, 1, 1)

    def refit(self, name: str, x: torch.Tensor, target: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
        return self.keep(name, x, *fit(x, target, kernel, stride, self.positions), stride)

    def stem(self, pictures: torch.Tensor) -> tuple:
        """conv1 and the pooling: of the wide encoder whole, of the narrow one after `first` is known."""
        pool = lambda x: by_parts(lambda part: F.max_pool2d(part.relu(), 3, 2, 1), x)
        return pool(self.wide("conv1", pictures, 2)), pool

    def wide_stage(self, stage: int, x: torch.Tensor) -> list:
        """For both blocks: the first convolution's output, the second's, the identity path's, the block's."""
        blocks = []
        for block in (0, 1):
            name, strided = f"layer{stage}.{block}", stage > 1 and block == 0
            first = self.wide(f"{name}.conv1", x, 2 if strided else 1)
            second = self.wide(f"{name}.conv2", first.relu(), 1)
            identity = self.wide(f"{name}.downsample.0", x, 2) if strided else x
            x = (second + identity).relu()
            blocks.append((first, second, identity, x))
        return blocks

    def narrow_stage(self, stage: int, blocks: list, x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        for block, (first, second, identity, output) in enumerate(blocks):
            name, strided = f"layer{stage}.{block}", stage > 1 and block == 0
            inner = largest(variance(first.relu()), len(kept))
            activation = self.refit(f"{name}.conv1", x, first[:, inner], 3, 2 if strided else 1).relu()
            shortcut = self.refit(f"{name}.downsample.0", x, identity[:, kept], 1, 2) if strided else x
            missing = second[:, kept] + identity[:, kept] - shortcut
            x = (self.refit(f"{name}.conv2", activation, missing, 3, 1) + shortcut).relu()
            lost = ((x - output[:, kept]) ** 2).mean() / variance(output[:, kept]).mean()
            print(f"{name}: {100 * lost:.1f} % of the variance lost", flush=True)
        return x

    def run(self, pictures: torch.Tensor) -> dict:
        wide, pool = self.stem(pictures)
        narrow = None
        for stage in (1, 2, 3):
            blocks = self.wide_stage(stage, wide)
            score = sum(variance(block[3]) for block in blocks) + (variance(wide) if stage == 1 else 0)
            kept = largest(score, int(64 * 2 ** (stage - 1) * self.share))
            if stage == 1:
                weight, bias = self.given("conv1.weight")[kept], self.given("conv1.bias")[kept]
                narrow = pool(self.keep("conv1", pictures, weight, bias, 2))
            narrow = self.narrow_stage(stage, blocks, narrow, kept)
            wide = blocks[1][3]
        return self.made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=pathlib.Path, required=True, help="the wide encoder's folder")
    parser.add_argument("--pictures", type=pathlib.Path, required=True, help="folder of training pictures")
    parser.add_argument("--width", type=int, required=True, help="channels of the first stage, a multiple of 4 below 64")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=int, default=46, help="pictures that are used")
    parser.add_argument("--positions", type=int, default=60000, help="over which a convolution is fitted")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.width % 4 or not 4 <= args.width < 64:
        raise SystemExit(f"narrow_encoder: --width {args.width}: must be a multiple of 4 in [4, 60]")
    torch.manual_seed(args.seed)
    try:
        with torch.no_grad():
            made = Narrower(args.source, args.width, args.positions).run(read_pictures(args.pictures, args.limit))
    except OSError as error:
        raise SystemExit(f"narrow_encoder: {error}") from error
    args.out.mkdir(parents=True, exist_ok=True)
    for name, tensor in made.items():
        np.save(args.out / f"{name}.npy", tensor.numpy())
    print(f"{args.out}: {len(made)} tensors")


if __name__ == "__main__":
    main()
