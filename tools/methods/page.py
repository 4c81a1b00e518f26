# SPDX-License-Identifier: Apache-2.0
"""docs/methods.md: its sections between markers are written here, all else by hand.

    <!-- methods:NAME -->
    ...
    <!-- /methods:NAME -->
"""
import pathlib
import re

from catalogue import BY_NAME
from steps import StepError
from tables import dash, marked, number, table


def title_of(row: dict) -> str:
    method = BY_NAME[row["method"]]
    return f"{method.title} (`{method.name}`)"


def figure_table(rows: list[dict]) -> str:
    """A row a method: what it segments, and what its uncertainty is worth."""
    columns = [
        [title_of(row) for row in rows],
        [f"`{row['kind']}`" for row in rows],
        marked(rows, "miou", True, 3),
        [number(row["munc"], 3) for row in rows],
        marked(rows, "error_auroc", True, 3),
        [f"{number(row['best_error_auroc'], 3)} `{row['best_error_kind']}`" if row["best_error_kind"] else dash(None) for row in rows],
        marked(rows, "aurc", False, 4),
        marked(rows, "ece", False, 3),
        marked(rows, "unknown_auroc", True, 3),
        [f"{number(row['best_unknown_auroc'], 3)} `{row['best_unknown_kind']}`" if row["best_unknown_kind"] else dash(None) for row in rows],
        [number(row["label_agreement"], 3) for row in rows],
        [number(row["distance_mae"], 3) for row in rows],
        [number(row["distance_pearson"], 2) for row in rows],
    ]
    header = [
        "method", "default kind", "mIoU", "mUnc", "error AUROC", "best kind", "AURC", "ECE", "unknown AUROC", "best kind",
        "labels as the ensemble's", "distance to its map", "correlation",
    ]
    return table(header, [list(cells) for cells in zip(*columns)])


def cost_table(rows: list[dict]) -> str:
    """A row a method: what it costs to make and to ask. Training in units of one member."""
    lines = []
    for row in rows:
        unit = row["member_core_seconds"]
        own, shared = row["own_core_seconds"] / unit, row["shared_core_seconds"] / unit
        factor = row.get("latency_factor")
        lines.append([
            title_of(row), f"{own:.2f}", f"{own + shared:.2f}", f"{row['parameters'] / 1e6:.3f}", f"{row['bytes'] / 1e6:.2f}",
            row["predictions"], number(factor, 2), number(row.get("latency_ms"), 1), number(row.get("resident_mib"), 0),
        ])
    header = [
        "method", "training, own", "with what it stands on", "parameters, M", "file, MB", "passes", "latency, times one network's",
        "latency, ms", "server's memory, MiB",
    ]
    return table(header, lines)


def notes_section(folder: pathlib.Path) -> str:
    """The texts of docs/methods-notes/*.md one after another, their headings as low as fits below ours."""
    parts = []
    for path in sorted(folder.glob("*.md")):
        lines = path.read_text(encoding="utf-8").strip().splitlines()
        lines = [line for line in lines if not line.startswith("<!-- SPDX")]
        parts.append("\n".join(re.sub(r"^(#+) ", lambda found: "#" * min(6, len(found.group(1)) + 2) + " ", line) for line in lines))
    return "\n\n".join(parts) + "\n" if parts else ""


def replace_sections(page: str, sections: dict[str, str]) -> str:
    """StepError: the page has not both markers of a section."""
    for name, text in sections.items():
        begin, end = f"<!-- methods:{name} -->", f"<!-- /methods:{name} -->"
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise StepError(f"the page needs {begin} and {end}, each once")
        before, after = page[: page.index(begin) + len(begin)], page[page.index(end) :]
        page = f"{before}\n\n{text.strip()}\n\n{after}" if text.strip() else f"{before}\n{after}"
    return page
