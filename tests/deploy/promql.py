# SPDX-License-Identifier: Apache-2.0
"""What a PromQL expression names, and whether live metrics have it. Whether it parses at all is for promtool to say."""
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\d[\w.]*|[a-zA-Z_:][\w:]*|=~|!~|!=|==|>=|<=|\S')
_NAME = re.compile(r"[a-zA-Z_:][\w:]*")
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan", "sum", "min", "max", "avg", "count", "topk", "bottomk",
          "quantile", "stddev", "stdvar", "group", "count_values"}
# What Prometheus adds to whatever it scrapes.
TARGET_LABELS = {"job", "instance"}


def parse(expr):
    """([(metric, [(label, operator, value)])], {labels that are grouped or joined by})."""
    tokens = _TOKEN.findall(expr)
    selectors, grouping = [], set()
    i = 0
    while i < len(tokens):
        token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else ""
        i += 1
        if token in _GROUPING and after == "(":
            end = tokens.index(")", i)
            grouping.update(t for t in tokens[i + 1:end] if t != ",")
            i = end + 1
        elif _NAME.fullmatch(token) and token.lower() not in _WORDS and after != "(":
            matchers = []
            if after == "{":
                end = tokens.index("}", i)
                inside = [t for t in tokens[i + 1:end] if t != ","]
                matchers = [(name, operator, value[1:-1]) for name, operator, value in zip(*[iter(inside)] * 3)]
                i = end + 1
            selectors.append((token, matchers))
        elif token == "[":
            i = tokens.index("]", i) + 1
    return selectors, grouping


def _fits(labels, matcher):
    name, operator, value = matcher
    actual = labels.get(name, "")
    is_equal = re.fullmatch(value, actual) is not None if "~" in operator else actual == value
    return is_equal != operator.startswith("!")


class LiveMetrics:
    """Series that are there, {metric: [labels]}, and recording rules, {metric: expression}."""

    def __init__(self, series, recorded):
        self._series = series
        self._recorded = recorded

    def labels_of(self, metric):
        """Of a recording rule those that it sums by or, if it sums nothing, those of what it names."""
        if metric not in self._recorded:
            return {name for labels in self._series.get(metric, []) for name in labels}
        expr = self._recorded[metric]
        summed_by = re.findall(r"\bby \(([^)]*)\)", expr)
        if summed_by:
            return set(re.findall(r"\w+", " ".join(summed_by)))
        return set().union(*(self.labels_of(source) for source, _ in parse(expr)[0]))

    def complaints(self, expr):
        """What the expression names that is not there, one line each."""
        selectors, grouping = parse(expr)
        found = []
        known = set(TARGET_LABELS)
        for metric, matchers in selectors:
            matchers = [matcher for matcher in matchers if matcher[0] not in TARGET_LABELS]
            names = self.labels_of(metric)
            known |= names
            missing = [f"{metric}: no label {name}" for name, _, _ in matchers if name not in names]
            if metric not in self._series and metric not in self._recorded:
                found.append(f"{metric}: no such metric")
            elif missing:
                found += missing
            elif metric in self._series and not any(all(_fits(labels, m) for m in matchers) for labels in self._series[metric]):
                found.append(f"{metric}: no series with {matchers}")
        if not selectors and "vector" not in expr:
            found.append("names no metric")
        return found + [f"no label {name} to group by" for name in sorted(grouping - known)]
