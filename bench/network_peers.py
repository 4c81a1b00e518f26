#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times candor's engine against what a user would take instead: the same weights, picture and threads, in turns.

    tools/setup.sh --bench && ninja -C build candor-bench-network
    PYTHONPATH=.deps/peers bench/network_peers.py [--height 512 --width 1024 --classes 19] [--only openvino] [--out FILE]

Each runner is a process of its own that waits while another has its turn. It maps one normalised picture [1, 3, H, W]
float32 to labels and to the student's uncertainty at full size, in its best way; `--network` stops at the scores at a
quarter of the size. Every peer's answer is compared with eager PyTorch's in fp32 before it is timed. Prints medians of
milliseconds and their ratio to candor at the same precision.
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from runner import KEEP_MEMORY, Runner, network_passes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = [
    "torch-eager-fp32", "torch-eager-bf16", "torch-compile-fp32", "torch-compile-bf16",
    "onnxruntime-fp32", "openvino-fp32", "openvino-bf16", "openvino-int8",
]  # fmt: skip


def student(args: argparse.Namespace):
    """The student network with weights of a formula, in evaluation mode: pictures to scores, or to labels and a map."""
    import torch

    sys.path.insert(0, str(ROOT / "tools"))
    from make_golden import Net, formula_weights

    class Student(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Net(args.classes, student=True, width=args.model_width)
            with torch.no_grad():
                formula_weights(self.net, "bench")
            # smp's heads end in the upsampling.
            self.heads = [self.net.segmentation_head[0], self.net.uncertainty_head[0]]

        def forward(self, x):
            net = self.net
            decoded = net.decoder(net.encoder(x))
            logits, uncertainty = self.heads[0](decoded).float(), self.heads[1](decoded).float()
            if args.network:
                return logits, uncertainty
            size = x.shape[2:]
            up = lambda t: torch.nn.functional.interpolate(t, size=size, mode="bilinear", align_corners=True)
            return up(logits).argmax(1), torch.sigmoid(up(uncertainty))

    return Student().eval()


def picture(args: argparse.Namespace):
    import torch

    generator = torch.Generator().manual_seed(1)
    small = torch.rand(1, 3, args.height // 16, args.width // 16, generator=generator)
    return torch.nn.functional.interpolate(small, size=(args.height, args.width), mode="bicubic").clamp(0, 1)


def torch_peer(args, kind: str, precision: str):
    import torch

    model, x = student(args), picture(args)
    if precision == "bf16" or kind == "compile":
        model, x = (t.to(memory_format=torch.channels_last) for t in (model, x))
    if precision == "bf16":
        model.net, x = model.net.bfloat16(), x.bfloat16()
    if kind == "compile":
        model = torch.compile(model)
    return lambda: model(x)


def export(args, folder: str) -> str:
    import torch

    path = os.path.join(folder, "student.onnx")
    torch.onnx.export(student(args), (picture(args),), path, input_names=["image"], dynamo=True, verbose=False)
    return path


def onnxruntime_peer(args, path: str):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {"image": picture(args).numpy()}
    return lambda: session.run(None, feed)


def openvino_peer(args, path: str, precision: str):
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    if precision == "int8":
        with contextlib.redirect_stdout(sys.stderr):  # it shows its progress
            import nncf

            model = nncf.quantize(model, nncf.Dataset([picture(args).numpy()]))
    # What is not quantised goes as fast as it can.
    hint = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}[precision]
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": args.threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    feed = {0: picture(args).numpy()}
    return lambda: tuple(request.infer(feed, share_inputs=True, share_outputs=True).values())


def difference(args, answer) -> str:
    """How far an answer is from eager PyTorch's in fp32."""
    import numpy as np
    import torch

    with torch.inference_mode():
        want = student(args)(picture(args))
    to_array = lambda t: t.float().numpy() if isinstance(t, torch.Tensor) else np.asarray(t, np.float32)
    first, second = (to_array(a) for a in answer)
    if args.network:
        span = float(want[0].max() - want[0].min())
        return f"scores within {np.abs(first - want[0].numpy()).max() / span:.1e} of their range"
    equal = (first == want[0].numpy()).mean()
    return f"labels {100 * equal:.2f} % equal, map within {np.abs(second - want[1].numpy()).max():.1e}"


def run_peer(args: argparse.Namespace) -> None:
    """The peer's process: says how well it agrees, then reads numbers of passes and prints their milliseconds."""
    import torch

    torch.set_num_threads(args.threads)
    kind, _, precision = args.peer.rpartition("-")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        if kind.startswith("torch"):
            run = torch_peer(args, kind.split("-")[1], precision)
        elif kind == "onnxruntime":
            run = onnxruntime_peer(args, export(args, folder))
        else:
            run = openvino_peer(args, export(args, folder), precision)
        print(difference(args, run()), flush=True)
        for line in sys.stdin:
            times = []
            for _ in range(int(line)):
                start = time.perf_counter()
                run()
                times.append((time.perf_counter() - start) * 1000)
            print(" ".join(f"{t:.4f}" for t in times), flush=True)


class Peer(Runner):
    """A process of this script that says how well it agrees, and then times passes."""

    def __init__(self, name: str, flags: list):
        command = [sys.executable, __file__, "--peer", name, *flags]
        super().__init__(name, command, KEEP_MEMORY, stderr=subprocess.DEVNULL)
        self.agreement = self.line()

    def passes(self, count: int) -> list:
        return self.ask(str(count))


class Candor:
    """candor-bench-network."""

    agreement = "held to the readable network by its tests"

    def __init__(self, precision: str, command: list, network: bool):
        self.name, self.times = f"candor-{precision}", []
        self.command = [*command, f"--precision={precision}"]
        self.row = f"engine {precision} {'network' if network else 'to labels'}"

    def passes(self, count: int) -> list:
        return network_passes(self.command, self.row, count)


def start(args: argparse.Namespace, folder: str) -> list:
    shape = [f"--{n.replace('_', '-')}={getattr(args, n)}" for n in ("height", "width", "classes", "model_width", "threads")]
    flags = [*shape, *(["--network"] if args.network else [])]
    weights = os.path.join(folder, "student.safetensors")
    subprocess.run([sys.executable, __file__, "--peer", "write", f"--weights={weights}", *flags], check=True)
    command = [f"{args.build}/bin/candor-bench-network", *shape, "--learned=1", f"--weights={weights}"]
    runners = [Candor(precision, command, args.network) for precision in args.precisions.split(",")]
    wanted = args.only.split(",")
    for peer in PEERS:
        if any(peer.startswith(name) for name in wanted):
            runners.append(Peer(peer, flags))
            print(f"  {peer}: {runners[-1].agreement}", file=sys.stderr, flush=True)
    return runners


def write_weights(args: argparse.Namespace) -> None:
    """The formula's weights for candor, under segmentation_models_pytorch's names."""
    from safetensors.torch import save_file

    state = student(args).net.state_dict()
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, args.weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--classes", type=int, default=19)
    parser.add_argument("--model-width", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--network", action="store_true", help="stop at the scores at a quarter of the size")
    parser.add_argument("--only", default="torch,onnxruntime,openvino", help="peers whose names begin so")
    parser.add_argument("--precisions", default="fp32,bf16,int8", help="candor's")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--passes", type=int, default=4, help="of each runner in a round, at least 2; the first is not kept")
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--out", help="write the figures there, as JSON")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--weights", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.passes < 2:
        parser.error(f"--passes: must be at least 2, got {args.passes}")
    if args.peer == "write":
        write_weights(args)
        return
    if args.peer:
        run_peer(args)
        return
    with tempfile.TemporaryDirectory() as folder:
        runners = start(args, folder)
        for turn in range(args.rounds):
            for runner in runners[:: 1 if turn % 2 == 0 else -1]:
                runner.times += runner.passes(args.passes)[1:]
    report(args, runners)


def report(args: argparse.Namespace, runners: list) -> None:
    medians = {runner.name: statistics.median(runner.times) for runner in runners}
    rows = []
    print(f"{'':22} {'ms':>9} {'10 %':>9} {'90 %':>9}  time against candor at the same precision")
    for runner in runners:
        deciles = statistics.quantiles(runner.times, n=10)
        ours = medians.get("candor-" + runner.name.rsplit("-", 1)[1])
        ratio = medians[runner.name] / ours if ours else None
        print(f"{runner.name:22} {medians[runner.name]:9.2f} {deciles[0]:9.2f} {deciles[8]:9.2f}  {ratio or float('nan'):6.2f}")
        rows.append({"name": runner.name, "median_ms": medians[runner.name], "p10_ms": deciles[0], "p90_ms": deciles[8],
                     "ratio": ratio, "agreement": runner.agreement})  # fmt: skip
    if args.out:
        setting = {k: getattr(args, k) for k in ("height", "width", "classes", "model_width", "threads", "network")}
        pathlib.Path(args.out).write_text(json.dumps({"setting": setting, "runs": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
