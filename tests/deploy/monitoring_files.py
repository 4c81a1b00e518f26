# SPDX-License-Identifier: Apache-2.0
"""What deploy/ has for Prometheus and Grafana, read; and promtool, which has to be there."""
import json
import re
import subprocess
import sys
import tempfile

import yaml

from programs import SOURCE, TOOLS

PROMETHEUS = SOURCE / "deploy" / "prometheus"
DASHBOARDS = SOURCE / "deploy" / "grafana" / "dashboards"
OPERATIONS = SOURCE / "docs" / "operations.md"
_PROMTOOL = TOOLS / "usr" / "bin" / "promtool"
_VARIABLES = {"$__rate_interval": "1m", "$instance": ".*", "$model": ".*", "$service": ".*"}


def skip_without(*programs):
    """Ends this script with 77 if one of these is not unpacked below CANDOR_TOOLS."""
    for program in programs:
        if not (TOOLS / program).exists():
            print(f"skipped: {TOOLS / program} is missing (tools/setup.sh --test --deploy unpacks it)")
            sys.exit(77)


def promtool(*arguments):
    """(exit code, everything it printed)."""
    done = subprocess.run([str(part) for part in (_PROMTOOL, *arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def rule_files():
    return sorted((PROMETHEUS / "rules").glob("*.yml"))


def rules():
    return [rule for path in rule_files() for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def unit_tests():
    return [case for path in sorted((PROMETHEUS / "tests").glob("*.yml")) for case in yaml.safe_load(path.read_text())["tests"]]


def dashboards():
    """{file name without .json: dashboard}."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def charts(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets():
    """[(where it stands, expression with the variables filled in, legend)] of all dashboards."""
    return [(f"{name}: {panel['title']}", fill_in(target["expr"]), target["legendFormat"])
            for name, dashboard in dashboards().items() for panel in charts(dashboard) for target in panel["targets"]]


def fill_in(expr):
    for variable, value in _VARIABLES.items():
        expr = expr.replace(variable, value)
    return expr


def check_expressions(expressions):
    """promtool's verdict on expressions, as on rules: (exit code, what it printed)."""
    group = {"groups": [{"name": "g", "rules": [{"record": f"r{i}", "expr": expr} for i, expr in enumerate(expressions)]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump(group, file)
        file.flush()
        return promtool("check", "rules", file.name)


def anchors(markdown):
    """As GitHub and GitLab make them of headings."""
    headings = re.findall(r"^#+ (.*)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
