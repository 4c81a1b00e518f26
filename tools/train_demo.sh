#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Trains a small ensemble and its student on the sample pictures of data/nuclei, measures both, writes a report, and lets
# candor-server load what came out. All below BUILD_DIR/train-demo; run again, it goes on where it stopped.
#
#   tools/train_demo.sh [BUILD_DIR]      default: build
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
run=$build/train-demo
train=$build/bin/candor-train
for program in candor-server candor-train; do
  if [[ ! -x $build/bin/$program ]]; then
    echo "train-demo: $build/bin/$program is missing: run make build" >&2
    exit 1
  fi
done

"$train" check-data --data folder:data/nuclei
"$train" ensemble --config config/nuclei.textproto --run "$run"
"$train" evaluate --bundle "$run/teacher" --data folder:data/nuclei --split val --out "$run/teacher.json"
"$train" evaluate --bundle "$run/student" --teacher "$run/teacher" --data folder:data/nuclei --split val \
  --out "$run/student.json"
"$train" report --results "$run/teacher.json,$run/student.json" --run "$run" --title "Cell nuclei: a small ensemble and its student" \
  --out "$run/report.html"
"$build/bin/candor-server" --bundle "$run/student" --bundle "$run/teacher" --check-config

cat <<EOF

To go on:
  open $run/report.html
  $build/bin/candor-server --bundle $run/student --bundle $run/teacher
      serves what was trained: gRPC on 127.0.0.1:8500, metrics on 127.0.0.1:8502
  $build/bin/candor segment --out results data/nuclei/images/val/*
      in a second terminal: labels, uncertainty and overlay as files
EOF
