#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds what tools/make_golden.py does not know to tests/golden, with numpy alone.

    pip install numpy safetensors
    tools/make_predictor_golden.py     # ensemble_votes.safetensors, from the scores in ensemble.safetensors
"""
import itertools
import pathlib

import numpy as np
from safetensors.numpy import load_file, save_file

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"


def weights(low: int) -> np.ndarray:
    """[4 low, low]: bilinear interpolation of one axis by 4, align_corners."""
    source = np.arange(4 * low) * (low - 1) / (4 * low - 1)
    return np.maximum(0, 1 - np.abs(source[:, None] - np.arange(low)[None, :]))


def main() -> None:
    scores = load_file(str(GOLDEN / "ensemble.safetensors"))["scores"].astype(np.float64)  # [M, C, h, w]
    full = np.einsum("yh,mchw,xw->mcyx", weights(scores.shape[2]), scores, weights(scores.shape[3]))
    labels = full.argmax(1)
    different = [a != b for a, b in itertools.combinations(labels, 2)]
    disagreement = np.mean(different, axis=0).astype(np.float32)
    save_file({"disagreement": disagreement}, str(GOLDEN / "ensemble_votes.safetensors"))


if __name__ == "__main__":
    main()
