#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tools/run_fuzz.sh BUILD_DIR SECONDS [TARGET...]: runs each fuzz target for so long, from fuzz/corpus/TARGET and what
# earlier runs have found in BUILD_DIR/fuzzing/TARGET. An input that breaks something is kept in BUILD_DIR/fuzzing and
# named; the other targets still run, and the exit status is 1.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
seconds=$2
shift 2
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for folder in "$root"/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$root/tools/lsan.supp:print_suppressions=0}

status=0
for target in "${targets[@]}"; do
  found=$build/fuzzing/$target
  log=$build/fuzzing/$target.log
  mkdir -p "$found"
  echo "fuzz: $target, $seconds s"
  # 64 MiB at once, or ten seconds: more than any input may cost, so that is a finding, too.
  if "$build/bin/fuzz-$target" -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=64 -rss_limit_mb=2048 \
    -use_value_profile=1 -artifact_prefix="$build/fuzzing/$target-" "$found" "$root/fuzz/corpus/$target" \
    >"$log" 2>&1 </dev/null; then
    echo "fuzz: $target: nothing found in $(grep -oE '^Done [0-9]+' "$log" | grep -oE '[0-9]+') inputs"
    continue
  fi
  status=1
  input=$(grep -oE 'Test unit written to .*' "$log" | tail -n 1 | sed 's/^Test unit written to //' || true)
  echo "fuzz: $target: FAILED: $(grep -m 1 -E 'broken promise|^SUMMARY|^==.*ERROR|runtime error' "$log" || tail -n 1 "$log")"
  echo "fuzz: $target: input ${input:-unknown}; log $log; again with: $build/bin/fuzz-$target ${input:-}"
done
exit "$status"
