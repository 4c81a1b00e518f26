#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Serves the shipped models on free ports, segments the sample pictures with both, and writes BUILD_DIR/demo/index.html.
#
#   tools/demo.sh [BUILD_DIR]      default: build
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
for program in candor-server candor-demo; do
  if [[ ! -x $build/bin/$program ]]; then
    echo "demo: $build/bin/$program is missing: run make build" >&2
    exit 1
  fi
done

scratch=$(mktemp -d)
server_pid=
stop() {
  if [[ -n $server_pid ]]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "demo: starting candor-server with models/camvid-student and models/camvid-teacher" >&2
mkfifo "$scratch/out"
"$build/bin/candor-server" --bundle models/camvid-student --bundle models/camvid-teacher \
  --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 >"$scratch/out" 2>"$scratch/log" &
server_pid=$!

# Reading ends with the server's line, or with the server. The pipe stays open, so that it can go on writing.
exec 3<"$scratch/out"
grpc=
while IFS= read -r -u 3 line; do
  if [[ $line =~ ^listening\ grpc=([^ ]+) ]]; then
    grpc=${BASH_REMATCH[1]}
    break
  fi
done
if [[ -z $grpc ]]; then
  status=0
  wait "$server_pid" || status=$?
  server_pid=
  cat "$scratch/log" >&2
  echo "demo: candor-server ended before it was ready, exit code $status" >&2
  exit $((status == 0 ? 1 : status))
fi

status=0
"$build/bin/candor-demo" --server "$grpc" --samples models/samples --out "$build/demo" || status=$?
if ((status != 0)); then
  echo "demo: candor-demo failed, exit code $status; the server's last lines:" >&2
  tail -n 20 "$scratch/log" >&2
  exit "$status"
fi

cat <<EOF

To go on:
  make serve
      serves these models: gRPC on 127.0.0.1:8500, metrics on 127.0.0.1:8502
  $build/bin/candor segment --out results YOUR_PICTURE.jpg
      in a second terminal: labels, uncertainty and overlay as files
  $build/bin/candor compare YOUR_PICTURE.jpg
      student and teacher side by side
  curl http://127.0.0.1:8502/metrics
      what the server counts, for Prometheus
EOF
