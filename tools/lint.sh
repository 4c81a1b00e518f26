#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tools/lint.sh [FILE...]: shellcheck, clang-format and clang-tidy (with clang's thread-safety analysis), on the given
# files or on all. All files take a quarter of an hour on two cores: those that include Torch take most of it.
set -euo pipefail

cd "$(dirname "$0")/.."
build=build/lint

if [[ $# -gt 0 ]]; then
  files=("$@")
else
  # Files that are not yet added count too; deleted ones do not.
  mapfile -t files < <(git ls-files --cached --others --exclude-standard | sort -u | while read -r f; do
    [[ -f $f ]] && echo "$f"
  done)
fi

shells=() sources=() units=()
for file in "${files[@]}"; do
  case $file in
    *.sh | .ci/run) shells+=("$file") ;;
    *.h | *.cuh | *.cu) sources+=("$file") ;;
    *.cc) sources+=("$file") units+=("$file") ;;
  esac
done

status=0
if [[ ${#shells[@]} -gt 0 ]]; then
  echo "lint: shellcheck, ${#shells[@]} files"
  shellcheck -x "${shells[@]}" || status=1
fi
if [[ ${#sources[@]} -gt 0 ]]; then
  echo "lint: clang-format, ${#sources[@]} files"
  clang-format --dry-run -Werror "${sources[@]}" || status=1
fi

if [[ ${#units[@]} -gt 0 ]]; then
  [[ -f $build/build.ninja ]] || cmake --preset lint >/dev/null
  # clang-tidy compiles nothing, but the generated headers have to be there.
  mapfile -t generated < <(ninja -C "$build" -t targets all | sed -n 's/^\(.*\.pb\.h\): CUSTOM_COMMAND$/\1/p')
  ninja -C "$build" --quiet build.ninja "${generated[@]}"
  known=()
  for file in "${units[@]}"; do
    if grep -qF "\"file\": \"$PWD/$file\"" "$build/compile_commands.json"; then
      known+=("$file")
    else
      echo "lint: $file is in no CMake target, so clang-tidy leaves it out"
    fi
  done
  echo "lint: clang-tidy, ${#known[@]} files"
  if [[ ${#known[@]} -gt 0 ]]; then
    # "N warnings generated" counts those of system headers, which are not shown.
    printf '%s\0' "${known[@]}" | xargs -0 -n 1 -P "${JOBS:-$(nproc)}" clang-tidy --quiet -p "$build" \
      2> >(grep -v 'warnings\? generated\|warnings\? treated as error' >&2) || status=1
  fi
fi

if [[ $status -eq 0 ]]; then echo "lint: clean"; else echo "lint: see above"; fi
exit "$status"
