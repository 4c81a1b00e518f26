#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times candor's training step against PyTorch's: the same network, loss, optimizer and crops, interleaved in one run.

    pip install segmentation-models-pytorch numpy       # and PyTorch 2.11, e.g. PYTHONPATH=.deps
    ninja -C build candor-bench-training
    bench/training_step.py [--width 64] [--crop 256] [--batch 8] [--classes 19] [--threads 2] [--out result.json]

The peers are PyTorch eager with bf16 autocast and channels_last, once with glibc's default allocator and once with freed
memory kept (MALLOC_* of the environment). Prints medians of milliseconds an image and ratios to candor; the ratio to
read is that of the medians, the spread says how quiet the machine was.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import KEEP_MEMORY, QUIET, Runner  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_peer(args: argparse.Namespace) -> None:
    """The peer's process: reads "member STEPS", prints milliseconds an image."""
    import segmentation_models_pytorch as smp
    import torch

    sys.path.insert(0, str(ROOT / "tools"))
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    if args.width == 64:
        net = smp.DeepLabV3Plus("resnet18", encoder_weights=None, classes=args.classes)
    else:
        from make_golden import Net

        net = Net(args.classes, student=False, width=args.width)
    net = net.to(memory_format=torch.channels_last).train()
    encoder = [p for n, p in net.named_parameters() if n.startswith("encoder.")]
    rest = [p for n, p in net.named_parameters() if not n.startswith("encoder.")]
    optimizer = torch.optim.SGD(
        [{"params": encoder, "lr": 1e-5}, {"params": rest, "lr": 1e-4}], momentum=0.9, weight_decay=5e-4, fused=True
    )
    images = torch.rand(args.batch, 3, args.crop, args.crop).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, args.classes, (args.batch, args.crop, args.crop))
    loss_function = torch.nn.CrossEntropyLoss(ignore_index=255)
    for line in sys.stdin:
        times = []
        for _ in range(int(line.split()[1])):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = net(images)
            logits = logits[0] if isinstance(logits, tuple) else logits
            loss = loss_function(logits.float(), labels)
            loss.backward()
            optimizer.step()
            times.append((time.perf_counter() - start) * 1000 / args.batch)
        print(" ".join(f"{t:.4f}" for t in times), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--classes", type=int, default=19)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=6, help="steps of each in a round; the first is a warm-up")
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--out")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        run_peer(args)
        return
    numbers = [str(n) for n in (args.width, args.crop, args.batch, args.classes, args.threads)]
    flags = [f for n, v in zip(("width", "crop", "batch", "classes", "threads"), numbers) for f in (f"--{n}", v)]
    peer = [sys.executable, __file__, "--peer", *flags]
    runners = [
        Runner("candor", [f"{args.build}/bin/candor-bench-training", *numbers, "bf16"], QUIET),
        Runner("PyTorch", peer, QUIET),
        Runner("PyTorch, memory kept", peer, {**QUIET, **KEEP_MEMORY}),
    ]
    for runner in runners:
        runner.ask("member 2")
    for _ in range(args.rounds):
        for runner in runners:
            runner.times += runner.ask(f"member {args.steps}")
    result = {"setting": dict(zip(("width", "crop", "batch", "classes", "threads"), map(int, numbers))), "runs": []}
    ours = statistics.median(runners[0].times)
    print(f"{'':24} {'ms an image':>12} {'10 %':>8} {'90 %':>8} {'ratio':>7}")
    for runner in runners:
        deciles = statistics.quantiles(runner.times, n=10)
        median = statistics.median(runner.times)
        print(f"{runner.name:24} {median:12.2f} {deciles[0]:8.2f} {deciles[8]:8.2f} {median / ours:7.2f}")
        result["runs"].append({"name": runner.name, "median_ms": median, "p10_ms": deciles[0], "p90_ms": deciles[8]})
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
