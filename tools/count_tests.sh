#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints "N passed, N failed, N skipped" for a directory of results that tools/run_tests.sh made:
#
#   ctest.xml         CTest's JUnit file: which programs ran and how they ended
#   gtest/NAME.xml    what the GoogleTest program of the CTest test NAME wrote; its cases are counted one by one
#
# A test that is not a GoogleTest program counts as one. So does a program that failed without a failed case to blame:
# it crashed, ran out of time, or a sanitizer ended it.
set -euo pipefail

results=$1

# Prints "cases failed skipped" of one GoogleTest file. A disabled case is none of them.
count_cases() {
  # A failure's message is quoted as it is, between CDATA brackets.
  awk '
    quoted { if (/]]>/) quoted = 0; next }
    /^ *<testcase / { open = 0; if (/status="notrun"/) next; cases++; open = 1; if (/result="skipped"/) skipped++ }
    /^ *<failure / && open { failed++; open = 0 }
    /<!\[CDATA\[/ { quoted = !/]]>/ }
    END { print cases + 0, failed + 0, skipped + 0 }' "$1"
}

passed=0 failed=0 skipped=0
while read -r name status; do
  file=$results/gtest/$name.xml
  if [[ -f $file ]]; then
    read -r cases bad omitted < <(count_cases "$file")
    [[ $status == fail && $bad -eq 0 ]] && failed=$((failed + 1))
    passed=$((passed + cases - bad - omitted)) failed=$((failed + bad)) skipped=$((skipped + omitted))
  else
    case $status in
      run) passed=$((passed + 1)) ;;
      notrun | disabled) skipped=$((skipped + 1)) ;;
      *) failed=$((failed + 1)) ;;
    esac
  fi
done < <(sed -nE 's/^[[:space:]]*<testcase name="([^"]*)".* status="([a-z]*)".*/\1 \2/p' "$results/ctest.xml")

echo "$passed passed, $failed failed, $skipped skipped"
