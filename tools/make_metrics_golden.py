#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/metrics.json: what NumPy, scikit-learn and SciPy say about the synthetic split that
tests/trainer/evaluation/synthetic_split.cc computes too.

    pip install numpy scipy scikit-learn
    tools/make_metrics_golden.py
"""
import json
import pathlib

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, confusion_matrix, log_loss, roc_auc_score, roc_curve

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "metrics.json"
CLASSES, PICTURES, WIDTH, HEIGHT = 7, 3, 50, 40
PIXELS = WIDTH * HEIGHT
VOID = 255


def unit(stream: int, index: np.ndarray) -> np.ndarray:
    """Float32 in [0, 1): upper 24 bits of SplitMix64 at stream * 2^32 + index."""
    with np.errstate(over="ignore"):
        z = index.astype(np.uint64) + (np.uint64(stream) << np.uint64(32))
        z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2**24).astype(np.float32)


def make_split() -> dict:
    """Class 5 is never true, class 6 neither true nor predicted (its probability is 0)."""
    g = np.arange(PICTURES * PIXELS)
    truth = (unit(2, g).astype(np.float64) * 5).astype(np.int64)
    stray = (unit(5, g).astype(np.float64) * 6).astype(np.int64)
    favoured = np.where(unit(4, g) < 0.75, truth, stray)
    weights = np.zeros((CLASSES, g.size))
    for c in range(CLASSES - 1):
        u = unit(10 + c, g).astype(np.float64)
        weights[c] = u * u + np.where(favoured == c, 3 * unit(3, g).astype(np.float64), 0)
    one_hot = g % 97 == 0
    for c in range(CLASSES):
        weights[c] = np.where(one_hot, favoured == c, weights[c])
    total = np.zeros(g.size)
    for c in range(CLASSES):
        total = total + weights[c]
    p = (weights / total).astype(np.float32)
    labels = p.argmax(0)
    truth = np.where(g % 10 == 3, VOID, truth)
    top = np.sort(p, 0)[::-1].astype(np.float64)
    p64 = p.astype(np.float64)
    entropy = -np.where(p64 > 0, p64 * np.log(np.where(p64 > 0, p64, 1)), 0).sum(0)
    distinct = (np.floor((1 - top[0]) * 9) * 6000 + g * 1009 % 6000) / 65536
    tied = np.floor((1 - (top[0] - top[1])) * 16) / 16
    z = unit(20, g) * np.float32(0.5)
    q = (np.float32(0.75) * z + np.float32(0.125) * unit(21, g)).astype(np.float32)
    return {
        "truth": truth, "labels": labels, "p": p, "z": z, "q": q,
        "teacher_labels": np.where(unit(22, g) < 0.9, labels, stray),
        "mask": np.where(g % 7 == 0, 1, np.where(g % 11 == 0, VOID, 0)),
        "kinds": {"max_probability": distinct.astype(np.float32), "margin": tied.astype(np.float32),
                  "predictive_entropy": entropy.astype(np.float32)},
    }


def iou_of(truth, labels):
    m = confusion_matrix(truth, labels, labels=range(CLASSES)).astype(np.float64)
    union = m.sum(0) + m.sum(1) - np.diag(m)
    with np.errstate(invalid="ignore"):
        return np.where(union > 0, np.diag(m) / union, np.nan)


def detection(positive, score) -> dict:
    fpr, tpr, _ = roc_curve(positive, score, drop_intermediate=False)
    return {"auroc": roc_auc_score(positive, score), "aupr": average_precision_score(positive, score),
            "aupr_negative": average_precision_score(~positive, -score), "fpr95": fpr[np.argmax(tpr >= 0.95)],
            "positives": int(positive.sum()), "negatives": int((~positive).sum())}


def cumulative_errors(wrong, score):
    """Errors among the k most certain pixels, tied ones in the mean of all their orders."""
    _, group = np.unique(score, return_inverse=True)
    mean = np.bincount(group, wrong) / np.bincount(group)
    return np.cumsum(mean[np.sort(group)])


def risk_coverage(wrong, score) -> dict:
    n = wrong.size
    k = np.arange(1, n + 1)
    risk = cumulative_errors(wrong, score) / k
    oracle = np.cumsum(np.sort(wrong.astype(np.float64))) / k

    def area(y):
        return np.trapezoid(y, k / n)
    scale = 1 - 1 / n
    return {"aurc": area(risk) / scale, "e_aurc": area(risk - oracle) / scale, "augrc": area(risk * k / n) / scale,
            "ause": area(risk - oracle) / wrong.mean(), "risk_at_30": risk[n * 3 // 10 - 1],
            "oracle_at_95": oracle[n * 95 // 100 - 1]}


def rejection(truth, labels, score) -> dict:
    order = np.argsort(score, kind="stable")
    present, every, accuracy = [], [], []
    for step in range(10):
        keep = order[: score.size * (10 - step) // 10]
        iou = iou_of(truth[keep], labels[keep])
        present.append(np.nanmean(iou))
        every.append(np.nan_to_num(iou).mean())
        accuracy.append((truth[keep] == labels[keep]).mean())
    area = np.trapezoid(present, np.arange(10) / 10) / 0.9
    return {"miou_present": present, "miou_all": every, "accuracy": accuracy, "area": area}


def ratios(correct, uncertain) -> list:
    ac, ic = (correct & ~uncertain).sum(), (~correct & ~uncertain).sum()
    au, iu = (correct & uncertain).sum(), (~correct & uncertain).sum()
    return [ac / (ac + ic), iu / (ic + iu), (ac + iu) / (ac + ic + au + iu)]


def patches(u, correct, labelled):
    """(uncertainty, accurate) of the complete 4 x 4 windows with a labelled pixel."""
    rows, columns = HEIGHT // 4, WIDTH // 4

    def windows(x):
        x = x.reshape(HEIGHT, WIDTH)[: rows * 4, : columns * 4]
        return x.reshape(rows, 4, columns, 4).swapaxes(1, 2).reshape(-1, 16)
    u, correct, labelled = windows(u.astype(np.float64)), windows(correct), windows(labelled)
    count = labelled.sum(1)
    used = count > 0
    return ((u * labelled).sum(1)[used] / count[used], ((correct & labelled).sum(1)[used] / count[used]) > 0.5)


def certainty(split, u, rule, fixed=None) -> dict:
    all_correct, all_uncertain, patch_correct, patch_uncertain, thresholds = [], [], [], [], []
    for i in range(PICTURES):
        s = slice(i * PIXELS, (i + 1) * PIXELS)
        labelled = split["truth"][s] != VOID
        correct = split["truth"][s] == split["labels"][s]
        values = u[s][labelled]
        t = {"median": lambda: np.sort(values)[(values.size - 1) // 2],
             "mean": lambda: np.float32(values.astype(np.float64).mean()), "fixed": lambda: fixed}[rule]()
        pu, pc = patches(u[s], correct, labelled)
        above = (lambda x: x >= t) if rule == "fixed" else (lambda x: x > t)
        thresholds.append(t)
        all_correct.append(correct[labelled])
        all_uncertain.append(above(values))
        patch_correct.append(pc)
        patch_uncertain.append(above(pu))
    return {"threshold": float(np.mean(thresholds)),
            "pixels": ratios(np.concatenate(all_correct), np.concatenate(all_uncertain)),
            "patches": ratios(np.concatenate(patch_correct), np.concatenate(patch_uncertain))}


def class_uncertainty(split, u) -> dict:
    pooled = [u[split["labels"] == c].astype(np.float64).mean() if (split["labels"] == c).any() else np.nan
              for c in range(CLASSES)]
    batch = []
    for c in range(CLASSES):
        means = []
        for i in range(PICTURES):
            s = slice(i * PIXELS, (i + 1) * PIXELS)
            chosen = u[s][(split["labels"][s] == c) & (u[s] != 0)]
            if chosen.size:
                means.append(chosen.astype(np.float64).mean())
        batch.append(np.mean(means) if means else np.nan)
    return {"class_pooled": pooled, "class_batch": batch, "munc_pooled": np.nanmean(pooled),
            "munc_batch": np.nan_to_num(batch).mean()}


def calibration(truth, labels, p) -> dict:
    n = truth.size
    confidence = p.max(0)
    correct = (truth == labels).astype(np.float64)

    def gaps(conf, hit):
        bins = np.clip((conf * np.float32(15)).astype(int), 0, 14)
        size = np.bincount(bins, minlength=15)
        difference = np.bincount(bins, conf.astype(np.float64), 15) - np.bincount(bins, hit, 15)
        return size / n, np.abs(difference) / np.maximum(size, 1)
    share, gap = gaps(confidence, correct)
    order = np.argsort(confidence, kind="stable")
    adaptive = sum(abs(confidence[part].astype(np.float64).mean() - correct[part].mean()) * part.size / n
                   for part in np.array_split(order, 15))
    classwise = [np.dot(*gaps(p[c], (truth == c).astype(np.float64))) for c in range(CLASSES)]
    truth_p = p[truth, np.arange(n)].astype(np.float64)
    one_hot = truth[None, :] == np.arange(CLASSES)[:, None]
    return {"ece": np.dot(share, gap), "mce": gap.max(), "rmsce": np.sqrt(np.dot(share, gap**2)),
            "adaptive_ece": adaptive, "classwise_ece": np.mean(classwise),
            "nll": -np.log(np.maximum(truth_p, 1e-12)).mean(),
            "brier": ((p.astype(np.float64) - one_hot) ** 2).sum(0).mean()}


def fidelity(split) -> dict:
    z, q = split["z"].astype(np.float64), split["q"].astype(np.float64)

    def means(u, labels):
        return np.array([u[labels == c].mean() if (labels == c).any() else np.nan for c in range(CLASSES)])
    difference = means(z, split["teacher_labels"]) - means(q, split["labels"])
    return {"label_agreement": (split["labels"] == split["teacher_labels"]).mean(), "mae": np.abs(z - q).mean(),
            "rmse": np.sqrt(((z - q) ** 2).mean()), "rmsle": np.sqrt(((np.log1p(z) - np.log1p(q)) ** 2).mean()),
            "pearson": pearsonr(z, q).statistic, "spearman": spearmanr(z, q).statistic,
            "class_difference": difference.tolist(), "mean_signed_difference": np.nanmean(difference),
            "mean_absolute_difference": np.nanmean(np.abs(difference))}


def kind_figures(split, name, u) -> dict:
    range_max = np.log(CLASSES) if name == "predictive_entropy" else 1
    labelled = split["truth"] != VOID
    truth, labels = split["truth"][labelled], split["labels"][labelled]
    wrong = truth != labels
    known = split["mask"] != VOID
    return {"mean": u.astype(np.float64).mean(), "median": float(np.median(u)), **class_uncertainty(split, u),
            "errors": detection(wrong, u[labelled]), "unknown": detection((split["mask"] == 1)[known], u[known]),
            "rejection": rejection(truth, labels, u[labelled]), "median_rule": certainty(split, u, "median"),
            "mean_rule": certainty(split, u, "mean"), **risk_coverage(wrong, u[labelled]),
            "histogram": (np.histogram(u, 64, (0, range_max))[0] / u.size).tolist()}


def main() -> None:
    split = make_split()
    labelled = split["truth"] != VOID
    truth, labels = split["truth"][labelled], split["labels"][labelled]
    iou = iou_of(truth, labels)
    result = {
        "pixels": int(labelled.sum()), "label_sum": int(split["labels"].sum()), "miou": np.nanmean(iou),
        "accuracy": (truth == labels).mean(), "class_iou": iou.tolist(),
        "confusion": confusion_matrix(truth, labels, labels=range(CLASSES)).tolist(),
        "picture_miou": [np.nanmean(iou_of(t[t != VOID], l[t != VOID])) for t, l in
                         zip(split["truth"].reshape(PICTURES, -1), split["labels"].reshape(PICTURES, -1))],
        "calibration": calibration(truth, labels, split["p"][:, labelled]), "fidelity": fidelity(split),
        "kinds": {name: kind_figures(split, name, u) for name, u in split["kinds"].items()},
    }
    result["kinds"]["max_probability"]["fixed_rule"] = certainty(split, split["kinds"]["max_probability"], "fixed", 0.5)
    entropy_rule = result["kinds"]["predictive_entropy"]["median_rule"]["pixels"]
    parts = [result["miou"], 1 - result["calibration"]["ece"], entropy_rule[0], entropy_rule[1]]
    result["rss"] = 4 / sum(1 / part for part in parts)
    sure = split["p"][:, labelled].astype(np.float64)
    sure = np.maximum(sure, 1e-12)
    assert abs(log_loss(truth, (sure / sure.sum(0)).T, labels=range(CLASSES)) - result["calibration"]["nll"]) < 1e-6
    text = json.dumps(result, indent=1, default=float).replace("NaN", "null")
    OUTPUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
