# SPDX-License-Identifier: Apache-2.0
"""Figures of given files as rows and tables."""
import json
import pathlib
import struct
import tempfile
import unittest
import zlib

from methods_fixture import kind_figures, result

# isort: split
import bundles
from ablations import class_table, ensemble_size_table, largest_study, pretraining_table
from figures import result_figures
from page import cost_table, figure_table, notes_section, replace_sections
from serving import serving_figures
from steps import StepError
from unknown_set import evenly, make_unknown_set, picture_size


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|\n").split("|")]


class TemporaryFolderTest(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)


class ResultFiguresTest(unittest.TestCase):
    def test_the_first_kind_is_the_default_and_the_best_is_found(self) -> None:
        kinds = {"predictive_stddev": kind_figures(0.8, 0.7), "predictive_entropy": kind_figures(0.9, 0.6)}
        row = result_figures(result(kinds))
        self.assertEqual((row["kind"], row["error_auroc"], row["unknown_auroc"]), ("predictive_stddev", 0.8, 0.7))
        self.assertEqual((row["best_error_kind"], row["best_error_auroc"]), ("predictive_entropy", 0.9))
        self.assertEqual((row["best_unknown_kind"], row["best_unknown_auroc"]), ("predictive_stddev", 0.7))

    def test_the_distance_is_that_of_the_default_kind(self) -> None:
        entropy = {"kind": "predictive_entropy", "label_agreement": 0.94, "mae": 0.2, "pearson": 0.7, "spearman": 0.6}
        row = result_figures(result({"predictive_entropy": kind_figures(0.8)}, [entropy]))
        self.assertEqual((row["distance_mae"], row["distance_pearson"]), (0.2, 0.7))

    def test_without_that_kind_in_the_ensemble_there_are_labels_to_compare(self) -> None:
        entropy = {"kind": "predictive_entropy", "label_agreement": 0.94, "mae": 0.2, "pearson": 0.7, "spearman": 0.6}
        row = result_figures(result({"energy": kind_figures(0.8), "predictive_entropy": kind_figures(0.7)}, [entropy]))
        self.assertEqual((row["label_agreement"], row["distance_mae"]), (0.94, None))

    def test_without_unknown_pictures_there_is_no_such_figure(self) -> None:
        row = result_figures(result({"energy": kind_figures(0.8)}))
        self.assertIsNone(row["unknown_auroc"])
        self.assertIsNone(row["best_unknown_kind"])


class TableTest(unittest.TestCase):
    def row(self, method: str, miou: float, **more) -> dict:
        figures = result_figures(result({"energy": kind_figures(0.8)}, miou=miou))
        costs = {"own_core_seconds": 30.0, "shared_core_seconds": 60.0, "member_core_seconds": 20.0, "parameters": 1234567, "bytes": 2500000, "predictions": "1"}
        return {"method": method, **figures, **costs, **more}

    def test_the_best_of_a_column_is_bold(self) -> None:
        lines = figure_table([self.row("single", 0.40), self.row("energy", 0.41)]).splitlines()
        header = cells(lines[0])
        self.assertEqual(cells(lines[2])[header.index("mIoU")], "0.400")
        self.assertEqual(cells(lines[3])[header.index("mIoU")], "**0.410**")
        self.assertEqual(cells(lines[3])[header.index("ECE")], "0.020", "all the same: none is best")

    def test_what_was_not_measured_is_a_dash(self) -> None:
        lines = figure_table([self.row("single", 0.4)]).splitlines()
        self.assertEqual(cells(lines[2])[cells(lines[0]).index("unknown AUROC")], "–")

    def test_training_is_in_units_of_one_member(self) -> None:
        lines = cost_table([self.row("dudes", 0.4, latency_factor=1.25, latency_ms=10.04, resident_mib=101.6)]).splitlines()
        self.assertEqual(cells(lines[2]), ["DUDES student (`dudes`)", "1.50", "4.50", "1.235", "2.50", "1", "1.25", "10.0", "102"])

    def test_a_row_has_a_cell_for_every_heading(self) -> None:
        for text in (figure_table([self.row("single", 0.4)]), cost_table([self.row("single", 0.4)])):
            self.assertEqual({len(cells(line)) for line in text.splitlines()}, {len(cells(text.splitlines()[0]))})


class AblationTablesTest(unittest.TestCase):
    def test_ensemble_sizes_stand_beside_the_papers(self) -> None:
        text = ensemble_size_table({"rows": [{"members": 2, "miou": 0.31, "munc": 0.09, "error_auroc": 0.81}]})
        self.assertIn("| 2 | 0.310 | 0.090 | 0.810 | 70.6 | 0.092 |", text)
        self.assertIn("| 10 | – | – | – | 71.3 | 0.106 |", text)

    def test_the_study_that_goes_furthest_is_shown(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            studies = pathlib.Path(name) / "studies"
            studies.mkdir()
            self.assertIsNone(largest_study(pathlib.Path(name)))
            for size in (4, 20, 10):
                (studies / f"ensemble-size-{size}.json").write_text(json.dumps({"rows": [size]}), encoding="utf-8")
            self.assertEqual(largest_study(pathlib.Path(name)), {"rows": [20]})

    def test_first_weights_stand_beside_table_4(self) -> None:
        text = pretraining_table({"student, random": (0.25, 0.08), "baseline, random": (0.3, None)}, (0.4, 0.1))
        self.assertIn("| teacher | 0.400 | 0.100 | 71.3 | 0.106 |", text)
        self.assertIn("| student, random | 0.250 | 0.080 | 64.6 | 0.097 |", text)
        self.assertIn("| baseline, random | 0.300 | – | 68.5 | – |", text)

    def test_classes_that_one_never_predicts_have_no_difference(self) -> None:
        teacher, student = (result({"predictive_stddev": kind_figures(0.8, munc=munc)}) for munc in (0.1, 0.12))
        student["kinds"]["predictive_stddev"]["class_pooled"] = [0.12, None]
        student["fidelity"] = [{"kind": "predictive_stddev", "mean_absolute_difference": 0.02}]
        text = class_table(teacher, student)
        self.assertIn("| sky | 0.500 | 0.500 | 0.100 | 0.120 | 0.020 | 94.3 | 94.2 | 0.031 | 0.025 |", text)
        self.assertIn("| road | 0.500 | 0.500 | 0.100 | – | – | 97.8 | 98.0 | 0.024 | 0.018 |", text)


class PageTest(TemporaryFolderTest):
    def test_only_what_is_between_markers_is_replaced(self) -> None:
        page = "by hand\n<!-- methods:a -->\nold\n<!-- /methods:a -->\nby hand too\n"
        once = replace_sections(page, {"a": "new"})
        self.assertEqual(once, "by hand\n<!-- methods:a -->\n\nnew\n\n<!-- /methods:a -->\nby hand too\n")
        self.assertEqual(replace_sections(once, {"a": "new"}), once)

    def test_a_page_without_a_marker_is_refused(self) -> None:
        with self.assertRaisesRegex(StepError, "<!-- /methods:a -->, each once"):
            replace_sections("<!-- methods:a -->", {"a": "new"})

    def test_notes_are_joined_by_name_with_lower_headings(self) -> None:
        (self.folder / "swag.md").write_text("# SWAG\nText.\n## Options\n", encoding="utf-8")
        (self.folder / "bayes.md").write_text("# Bayes\n", encoding="utf-8")
        self.assertEqual(notes_section(self.folder), "### Bayes\n\n### SWAG\nText.\n#### Options\n")


class ServingTest(TemporaryFolderTest):
    def test_factors_are_of_the_same_round(self) -> None:
        rounds = self.folder / "serving" / "swag"
        rounds.mkdir(parents=True)
        for number, (latency, reference) in enumerate([(20, 10), (90, 30), (24, 10)]):
            values = {"latency_ms": latency, "reference_ms": reference, "resident_mib": 100 + number}
            (rounds / f"round-{number}.json").write_text(json.dumps(values), encoding="utf-8")
        figures = serving_figures(self.folder, "swag")
        self.assertEqual(figures["latency_factor"], 2.4)
        self.assertEqual(figures["latency_ms"], 24)
        self.assertEqual(serving_figures(self.folder, "energy"), {})


class BundleTest(TemporaryFolderTest):
    def test_statistics_are_no_parameters(self) -> None:
        header = {
            "__metadata__": {"format": "pt"},
            "head.weight": {"shape": [11, 64, 1, 1]},
            "head.bias": {"shape": [11]},
            "norm.running_mean": {"shape": [64]},
            "norm.running_var": {"shape": [64]},
            "norm.num_batches_tracked": {"shape": []},
            "scale": {"shape": []},
        }
        text = json.dumps(header).encode()
        (self.folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
        (self.folder / "model.json").write_text(json.dumps({"weights": [{"file": "model.safetensors", "bytes": 9}]}), encoding="utf-8")
        self.assertEqual(bundles.parameter_count(self.folder), 11 * 64 + 11 + 1)
        self.assertEqual(bundles.weight_bytes(self.folder), 9)


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))


class UnknownSetTest(TemporaryFolderTest):
    def test_sizes_are_read_from_the_headers(self) -> None:
        (self.folder / "a.png").write_bytes(png_of(31, 17))
        jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 17, 31) + bytes(12)
        (self.folder / "a.jpg").write_bytes(jpeg)
        self.assertEqual(picture_size(self.folder / "a.png"), (31, 17))
        self.assertEqual(picture_size(self.folder / "a.jpg"), (31, 17))

    def test_masks_say_unknown_and_known(self) -> None:
        for place in ("ood/far-ood/images", "camvid/test/images"):
            (self.folder / place).mkdir(parents=True)
            (self.folder / place / "x.png").write_bytes(png_of(5, 3))
        out = self.folder / "out"
        make_unknown_set(self.folder / "ood", f"camvid:{self.folder / 'camvid'}", "test", out)
        for name, value in (("unknown-x", 1), ("known-x", 0)):
            data = (out / "labels" / f"{name}.png").read_bytes()
            size = struct.unpack(">I", data[33:37])[0]
            self.assertEqual(picture_size(out / "labels" / f"{name}.png"), (5, 3))
            self.assertEqual(zlib.decompress(data[41 : 41 + size]), (b"\0" + bytes([value]) * 5) * 3)
            self.assertTrue((out / "images" / f"{name}.png").exists())

    def test_a_folder_without_pictures_is_refused(self) -> None:
        with self.assertRaisesRegex(StepError, "no pictures there"):
            make_unknown_set(self.folder, "camvid:nowhere", "test", self.folder / "out")

    def test_choices_are_spread_over_the_whole_list(self) -> None:
        self.assertEqual(evenly(list(range(10)), 3), [0, 3, 6])
        self.assertEqual(evenly([1, 2], 3), [1, 2])


if __name__ == "__main__":
    unittest.main()
