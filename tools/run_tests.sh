#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tools/run_tests.sh BUILD_DIR [CTEST_OPTION...]: runs the tests of a build directory. The last line has the counts of
# single cases, as "N passed, N failed, N skipped". Exits non-zero if a test failed or none passed.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
shift
results=$build/test-results
rm -rf "$results"
mkdir -p "$results/gtest"

# An allocation too large returns null, as without the sanitizer: tests look at what follows.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$root/tools/lsan.supp:print_suppressions=0}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:suppressions=$root/tools/tsan.supp:print_suppressions=0}

status=0
GTEST_OUTPUT=xml:$results/gtest/ ctest --test-dir "$build" --output-on-failure --no-tests=error --timeout 300 \
  --parallel "${JOBS:-2}" --output-junit "$results/ctest.xml" "$@" </dev/null || status=$?

counts="0 passed, 1 failed, 0 skipped"
[[ -f $results/ctest.xml ]] && counts=$("$root/tools/count_tests.sh" "$results")
[[ $counts == *" 0 failed"* && $counts != "0 passed"* ]] || status=1
echo "$counts" >"$results/counts"
echo "$counts"
exit "$status"
