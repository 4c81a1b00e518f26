# SPDX-License-Identifier: Apache-2.0
"""Figures as Markdown."""
import re
from typing import Optional

_DASH = "–"


def number(value: Optional[float], digits: int) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


def dash(value) -> str:
    return _DASH if value is None else str(value)


def table(header: list[str], rows: list[list]) -> str:
    """Columns of figures from the right, all others from the left."""
    is_text = [any(re.search(r"[a-z]", str(row[column])) for row in rows) for column in range(len(header))]
    lines = ["| " + " | ".join(header) + " |", "|" + "".join(" --- |" if text else " ---: |" for text in is_text)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def best(rows: list[dict], key: str, is_higher_better: bool, digits: int) -> Optional[str]:
    """How the best figure of a column reads; None where all read the same or there are not two."""
    values = [row[key] for row in rows if row.get(key) is not None]
    if len({number(value, digits) for value in values}) < 2:
        return None
    return number(max(values) if is_higher_better else min(values), digits)


def marked(rows: list[dict], key: str, is_higher_better: bool, digits: int) -> list[str]:
    """A column's cells, the best in bold."""
    strongest = best(rows, key, is_higher_better, digits)
    texts = [number(row.get(key), digits) for row in rows]
    return [f"**{text}**" if text == strongest else text for text in texts]
