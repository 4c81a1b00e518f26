#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the Grafana dashboards, deploy/grafana/dashboards/*.json, from the panels listed here.

    tools/make_dashboards.py [FOLDER]

Classic schema, so that Grafana 9 and newer read them. Each panel is (title, description, unit, targets, options); a target
is (PromQL, legend). Rows are as wide as the screen, panels of a row equally wide.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24

SERVER = 'instance=~"$instance"'
MODEL = 'instance=~"$instance", model=~"$model"'
SEGMENT = f'method=~"Segment.*|Model(Stream)?Infer", {MODEL}'
RUN = 'instance=~"$instance"'
TRAINING_SERVICE = 'instance=~"$service"'


def rate(metric: str, labels: str) -> str:
    return f"rate({metric}{{{labels}}}[$__rate_interval])"


def mean(histogram: str, labels: str, by: str) -> str:
    return f"sum by ({by}) ({rate(histogram + '_sum', labels)}) / sum by ({by}) ({rate(histogram + '_count', labels)})"


def quantile(q: float, histogram: str, labels: str, by: str) -> str:
    return f"histogram_quantile({q}, sum by ({by}, le) ({rate(histogram + '_bucket', labels)}))"


SERVICE_ROWS = [
    ("Now", 4, [
        ("Servers", "Those whose metrics page answers, and those of them that are ready.", "none",
         [(f'sum(up{{job="candor", {SERVER}}})', "up"),
          (f"count(max by (instance) (candor_serving{{{SERVER}}}) == 1) or vector(0)", "ready")], {"type": "stat"}),
        ("Requests", "Pictures and frames asked for, by any protocol, a second.", "reqps",
         [(f"sum({rate('candor_requests_total', SEGMENT)})", "requests")], {"type": "stat"}),
        ("Failed", "Share of requests that failed through no fault of the caller, 5 minutes. The alert rings above 1 %.",
         "percentunit", [("job:candor_failed_requests:ratio_rate5m", "failed")], {"type": "stat", "steps": [0.001, 0.01]}),
        ("Turned away", "Share of requests answered with RESOURCE_EXHAUSTED, 5 minutes. The alert rings above 5 %.",
         "percentunit", [("job:candor_rejected_requests:ratio_rate5m", "turned away")], {"type": "stat", "steps": [0.01, 0.05]}),
        ("Later than the objective", "Share of requests answered later than 0.5 s (an ensemble: 5 s), 1 hour. 1 % may be.",
         "percentunit", [('job_model:candor_slow_requests:ratio_rate1h{model=~"$model"}', "{{model}}")],
         {"type": "stat", "steps": [0.01, 0.06]}),
        ("Version", "What runs: version and commit, by the number of servers.", "none",
         [(f"count by (version, git) (candor_build_info{{{SERVER}}})", "{{version}} {{git}}")], {"type": "stat"}),
    ]),
    ("Requests", 8, [
        ("Requests", "Pictures and frames asked for a second, by method and status.", "reqps",
         [(f"sum by (method, code) ({rate('candor_requests_total', SEGMENT)})", "{{method}} {{code}}")], {}),
        ("Failed requests", "Requests a second whose status is not OK, by status, of whatever reason.", "reqps",
         [(f"sum by (code) ({rate('candor_requests_total', SEGMENT + ', code!=' + json.dumps('OK'))})", "{{code}}")], {}),
        ("In flight", "Requests received and not yet answered, by server; and callers that left before the answer, a second.",
         "short", [(f"candor_requests_in_flight{{{SERVER}}}", "{{instance}}"),
                   (f"sum({rate('candor_requests_abandoned_total', SERVER)})", "abandoned a second")], {}),
    ]),
    ("Time", 8, [
        ("Time to the answer", "Arrival to answer, whatever the status: half, 95 % and 99 % of the requests are faster.", "s",
         [(quantile(q, "candor_request_duration_seconds", SEGMENT, "model"), "{{model}} p%g" % (100 * q))
          for q in (0.5, 0.95, 0.99)], {}),
        ("Where the time goes", "Mean time of each part of a request, stacked.", "s",
         [(mean("candor_stage_duration_seconds", MODEL, "model, stage"), "{{model}} {{stage}}")], {"stacked": True}),
        ("Queue wait", "95 % of the pictures wait less than this for their model, 5 minutes. The alert rings above 0.5 s.", "s",
         [('job_model:candor_queue_wait_seconds:p95_rate5m{model=~"$model"}', "{{model}}")], {}),
        ("Slow answers", "Share later than the objective, over the windows of the alerts: 14.4 % in an hour or 6 % in six ring.",
         "percentunit", [(f'job_model:candor_slow_requests:ratio_rate{window}{{model=~"$model"}}', "{{model}} " + window)
                         for window in ("1h", "6h")], {}),
    ]),
    ("Work", 8, [
        ("Pictures", "Pictures segmented a second, by model.", "ops",
         [(f"sum by (model) ({rate('candor_images_total', MODEL)})", "{{model}}")], {}),
        ("Picture size", "Mean pixels of a picture, by model.", "short",
         [(f"sum by (model) ({rate('candor_pixels_total', MODEL)}) / sum by (model) ({rate('candor_images_total', MODEL)})",
           "{{model}}")], {}),
        ("Batch size", "Pictures that ran through the network together, mean over pictures.", "short",
         [(mean("candor_batch_size", MODEL, "model"), "{{model}}")], {}),
        ("Frames of streams", "What became of frames, a second: superseded ones were overtaken by a newer one.", "ops",
         [(f"sum by (outcome) ({rate('candor_stream_frames_total', SERVER)})", "{{outcome}}")], {}),
    ]),
    ("Process", 8, [
        ("CPU", "Cores in use, by server.", "short", [(rate("process_cpu_seconds_total", f'job="candor", {SERVER}'), "{{instance}}")], {}),
        ("Memory", "Resident memory, by server, and the limit that the alert knows.", "bytes",
         [(f'process_resident_memory_bytes{{job="candor", {SERVER}}}', "{{instance}}"),
          ("candor:memory_limit:bytes", "limit")], {}),
        ("File descriptors", "Share of the descriptors a server may open. The alert rings above 80 %.", "percentunit",
         [(f'process_open_fds{{job="candor", {SERVER}}} / process_max_fds{{job="candor", {SERVER}}}', "{{instance}}")], {}),
    ]),
    ("Models", 8, [
        ("Served versions", "Servers that serve each version of a model.", "short",
         [(f"count by (model, version) (candor_model_loaded{{{MODEL}}} == 1)", "{{model}} {{version}}")], {}),
        ("Load time", "Time to read, verify and warm up a model.", "s",
         [(f"candor_model_load_seconds{{{MODEL}}}", "{{model}} {{instance}}")], {}),
        ("Members", "Members that answer, and those whose files could not be read.", "short",
         [(f"min by (model) (candor_model_members{{{MODEL}}})", "{{model}}"),
          (f"max by (model) (candor_model_members_damaged{{{MODEL}}})", "{{model}} damaged")], {}),
        ("Loads", "Versions loaded while serving, in an hour, by result.", "short",
         [(f"sum by (model, result) (increase(candor_model_loads_total{{{MODEL}}}[1h]))", "{{model}} {{result}}")], {}),
    ]),
]

CLASS_PIXELS = f"sum by (model, class) ({rate('candor_predicted_pixels_total', MODEL)})"
UNCERTAINTY_ROWS = [
    ("Pictures", 8, [
        ("Mean uncertainty of pictures", "Each picture's mean uncertainty of the model's default kind, in its unit: the mean over "
         "pictures, and half and 90 % of them.", "short",
         [(mean("candor_image_uncertainty", MODEL, "model, kind"), "{{model}} {{kind}} mean")] +
         [(quantile(q, "candor_image_uncertainty", MODEL, "model, kind"), "{{model}} {{kind}} p%g" % (100 * q))
          for q in (0.5, 0.9)], {}),
        ("Pictures by uncertainty", "How many pictures had which mean uncertainty, in the kind's unit. Choose one model.", "short",
         [(f"sum by (le) (increase(candor_image_uncertainty_bucket{{{MODEL}}}[$__rate_interval]))", "{{le}}")],
         {"type": "heatmap"}),
        ("Uncertain pixels", "Share of each picture's pixels above the configured threshold, mean over pictures.", "percentunit",
         [(mean("candor_uncertain_pixel_ratio", MODEL, "model"), "{{model}}")], {}),
    ]),
    ("Trust", 8, [
        ("Drift", "Population stability index of the recent pictures' uncertainty against the validation data: 0 is the same, "
         "above 0.25 a large change. Calibrated models only.", "short",
         [(f"candor_uncertainty_drift_psi{{{MODEL}}}", "{{model}} {{instance}}")], {"steps": [0.1, 0.25]}),
        ("Verdicts", "Share of pictures by verdict, stacked. Calibrated models only.", "percentunit",
         [(f"sum by (model, verdict) ({rate('candor_verdicts_total', MODEL)}) / on (model) group_left () "
           f"sum by (model) ({rate('candor_verdicts_total', MODEL)})", "{{model}} {{verdict}}")], {"stacked": True}),
        ("Escalations", "Requests with an escalation, a second, by what came of it.", "reqps",
         [(f"sum by (model, outcome) ({rate('candor_escalations_total', MODEL)})", "{{model}} {{outcome}}")], {}),
    ]),
    ("Classes", 10, [
        ("Shares of the classes", "Share of the pixels given each label, stacked. Choose one model.", "percentunit",
         [(f"{CLASS_PIXELS} / on (model) group_left () sum by (model) ({rate('candor_predicted_pixels_total', MODEL)})",
           "{{model}} {{class}}")], {"stacked": True}),
        ("Uncertainty of the classes", "Mean uncertainty of the pixels given each label, in the unit of the model's default kind.",
         "short", [(f"sum by (model, class) ({rate('candor_predicted_uncertainty_total', MODEL)}) / ({CLASS_PIXELS} > 0)",
                    "{{model}} {{class}}")], {}),
    ]),
    ("Shadow", 8, [
        ("Agreement with the shadow", "Share of pixels with one label from both models, mean over an hour's pictures, and the "
         "tenth of the pictures that agree least. The alert rings below 80 %.", "percentunit",
         [('job_model:candor_shadow_agreement:mean_rate1h{model=~"$model"}', "{{model}} mean"),
          (f"histogram_quantile(0.1, sum by (model, le) (rate(candor_shadow_agreement_bucket{{{MODEL}}}[1h])))", "{{model}} p10")],
         {}),
        ("Difference of the uncertainty", "Root mean squared difference of both models' uncertainty maps, in the kind's unit, mean "
         "over pictures.", "short", [(mean("candor_shadow_uncertainty_rmse", MODEL, "model"), "{{model}}")], {}),
        ("Correlation of the uncertainty", "Pearson's correlation of both models' uncertainty maps, mean over pictures.", "short",
         [(mean("candor_shadow_uncertainty_correlation", MODEL, "model"), "{{model}}")], {}),
        ("Checked pictures", "Answers that the shadow was to check, a second: compared, gave way to a request, or failed.", "ops",
         [(f"sum by (model, outcome) ({rate('candor_shadow_pictures_total', MODEL)})", "{{model}} {{outcome}}")], {}),
    ]),
]

TRAINING_ROWS = [
    ("Learning", 9, [
        ("Loss", "Loss of the last step, by part.", "short", [(f"candor_training_loss{{{RUN}}}", "{{instance}} {{part}}")], {}),
        ("Validation", "Mean IoU and pixel accuracy at the last validation, and the best mean IoU so far.", "percentunit",
         [(f"candor_training_validation_miou_ratio{{{RUN}}}", "{{instance}} mean IoU"),
          (f"candor_training_best_miou_ratio{{{RUN}}}", "{{instance}} best mean IoU"),
          (f"candor_training_validation_accuracy_ratio{{{RUN}}}", "{{instance}} accuracy")], {}),
        ("Validation uncertainty", "Mean over classes of the default kind, in its unit, at the last validation.", "short",
         [(f"candor_training_validation_mean_uncertainty{{{RUN}}}", "{{instance}}")], {}),
    ]),
    ("Progress", 8, [
        ("Epochs", "Epochs done, those before a checkpoint included.", "short", [(f"candor_training_epochs{{{RUN}}}", "{{instance}}")], {}),
        ("Steps", "Optimizer steps of the whole run, and those done by this process.", "short",
         [(f"candor_training_steps{{{RUN}}}", "{{instance}} whole run"),
          (f"candor_training_steps_total{{{RUN}}}", "{{instance}} this process")], {}),
        ("Learning rate", "Of the encoder, at the last step.", "sci", [(f"candor_training_learning_rate{{{RUN}}}", "{{instance}}")], {}),
    ]),
    ("Speed", 8, [
        ("Crops", "Crops trained on a second.", "ops", [(rate("candor_training_images_total", RUN), "{{instance}}")], {}),
        ("Step time", "Time of a step, waiting for data included: half and 95 % are faster.", "s",
         [(quantile(q, "candor_training_step_duration_seconds", RUN, "instance, run"), "{{instance}} {{run}} p%g" % (100 * q))
          for q in (0.5, 0.95)], {}),
        ("Waiting for data", "Share of a step's time that is spent waiting for data, 5 minutes.", "percentunit",
         [('job_instance:candor_training_data_wait:ratio_rate5m{instance=~"$instance"}', "{{instance}}")], {}),
    ]),
    ("Training service", 8, [
        ("Runs", "Runs of candor-training-server by state, stacked.", "short",
         [(f"sum by (state) (candor_training_service_runs{{{TRAINING_SERVICE}}})", "{{state}}")], {"stacked": True}),
        ("Failed runs", "How many more runs have failed than an hour ago. The alert rings above 0.", "none",
         [(f'sum(delta(candor_training_service_runs{{{TRAINING_SERVICE}, state="failed"}}[1h]))', "failed in an hour")],
         {"type": "stat", "steps": [0.5, 1.5]}),
        ("Since the last step", "Time since the run that waits longest logged a step or was started; 0 if none runs. The alert rings "
         "above 30 minutes.", "s", [(f"candor_training_service_last_step_age_seconds{{{TRAINING_SERVICE}}}", "{{instance}}")],
         {"steps": [900, 1800]}),
    ]),
    ("Training service: work", 8, [
        ("Images", "Crops that the trainings which run now go through a second, together.", "ops",
         [(f"candor_training_service_images_per_second{{{TRAINING_SERVICE}}}", "{{instance}}")], {}),
        ("Steps done", "Optimizer steps of all runs that are on disk.", "short",
         [(f"candor_training_service_steps_done{{{TRAINING_SERVICE}}}", "{{instance}}")], {}),
    ]),
]

INSTANCE_OF = "label_values({}, instance)"
DASHBOARDS = {
    "service": ("candor: service", "Is the service there, in time and right?", SERVICE_ROWS,
                {"instance": INSTANCE_OF.format("candor_build_info"), "model": "label_values(candor_model_loaded, model)"}),
    "uncertainty": ("candor: uncertainty", "What the models say of the pictures, and how far to trust it.", UNCERTAINTY_ROWS,
                    {"instance": INSTANCE_OF.format("candor_build_info"), "model": "label_values(candor_model_loaded, model)"}),
    "training": ("candor: training", "Runs of candor-train with --metrics-listen, and those of candor-training-server.",
                 TRAINING_ROWS, {"instance": INSTANCE_OF.format("candor_training_steps"),
                                 "service": INSTANCE_OF.format("candor_training_service_runs")}),
}


def make_panel(panel_id: int, position: dict, panel: tuple) -> dict:
    title, description, unit, targets, options = panel
    kind = options.get("type", "timeseries")
    defaults: dict = {"unit": unit, "min": 0}
    if "steps" in options:
        colours = ["green", "yellow", "red"]
        defaults["thresholds"] = {"mode": "absolute", "steps": [
            {"color": colour, "value": value} for colour, value in zip(colours, [None, *options["steps"]])]}
    if kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 30 if options.get("stacked") else 5, "showPoints": "never",
                              "stacking": {"mode": "normal" if options.get("stacked") else "none", "group": "A"},
                              "thresholdsStyle": {"mode": "line" if "steps" in options else "off"}}
    panel_options = {
        "timeseries": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                       "tooltip": {"mode": "multi", "sort": "desc"}},
        "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "graphMode": "area",
                 "colorMode": "value", "textMode": "auto"},
        "heatmap": {"calculate": False, "yAxis": {"unit": unit}, "color": {"mode": "scheme", "scheme": "Blues", "steps": 64},
                    "tooltip": {"show": True, "yHistogram": False}},
    }[kind]
    return {
        "id": panel_id, "type": kind, "title": title, "description": description, "gridPos": position,
        "datasource": DATASOURCE, "fieldConfig": {"defaults": defaults, "overrides": []}, "options": panel_options,
        "targets": [{"refId": chr(ord("A") + i), "datasource": DATASOURCE, "editorMode": "code", "expr": expr,
                     "legendFormat": legend, "range": True, "instant": False,
                     "format": "heatmap" if kind == "heatmap" else "time_series"}
                    for i, (expr, legend) in enumerate(targets)],
    }


def make_panels(rows: list) -> list:
    panels: list = []
    y = 0
    for title, height, row in rows:
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        width = COLUMNS // len(row)
        for i, panel in enumerate(row):
            position = {"x": i * width, "y": y + 1, "w": width, "h": height}
            panels.append(make_panel(len(panels) + 1, position, panel))
        y += 1 + height
    return panels


def make_variable(name: str, query: str) -> dict:
    return {"name": name, "label": name.capitalize(), "type": "query", "datasource": DATASOURCE, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}, "options": [], "regex": "", "hide": 0}


def make_dashboard(name: str) -> dict:
    title, description, rows, variables = DASHBOARDS[name]
    alerts = {"name": "Alerts", "enable": True, "datasource": DATASOURCE, "iconColor": "red", "titleFormat": "{{alertname}}",
              "expr": 'ALERTS{alertname=~"Candor.*", alertstate="firing"}', "step": "60s"}
    datasource = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
                  "multi": False, "includeAll": False, "current": {}, "options": [], "regex": "", "hide": 0}
    return {
        "uid": f"candor-{name}", "title": title, "description": description, "tags": ["candor"], "schemaVersion": 39,
        "version": 1, "id": None, "editable": True, "graphTooltip": 1, "timezone": "", "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"}, "timepicker": {}, "links": [{
            "type": "dashboards", "title": "candor", "tags": ["candor"], "asDropdown": False, "includeVars": False, "keepTime": True}],
        "annotations": {"list": [alerts]},
        "templating": {"list": [datasource] + [make_variable(*variable) for variable in variables.items()]},
        "panels": make_panels(rows),
    }


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in DASHBOARDS:
        (folder / f"{name}.json").write_text(json.dumps(make_dashboard(name), indent=1) + "\n")


if __name__ == "__main__":
    main()
