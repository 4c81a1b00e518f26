#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what candor needs on Debian 12 (amd64): packages of Debian, and LibTorch into .deps/ of this checkout.
# Safe to repeat: it does only what is missing, and needs neither network nor root when nothing is.
#
#   tools/setup.sh [--test] [--deploy] [--lint] [--tsan] [--fuzz] [--bench] [--cuda] [--nvcc]
#
#   --test   promtool, unpacked below .deps/tools (no service is installed or started), what the Python client needs, and
#            Triton's Python client below .deps/tritonclient (without it its test is skipped)
#   --deploy what the tests of deploy/ run, unpacked below .deps/tools like promtool, Python's YAML, and kubernetes-validate
#            below .deps/kubernetes (without it its test is skipped)
#   --lint   clang, clang-tidy, clang-format and shellcheck
#   --tsan   Abseil from Debian's source package, built for the thread sanitizer, below .deps/absl-tsan
#   --fuzz   clang with libFuzzer and the sanitizers
#   --bench  Google Benchmark, and the peers that `make bench` runs against: PyTorch, ONNX Runtime, OpenVINO (3 GB)
#   --cuda   the CUDA libraries that LibTorch loads on a GPU, below .deps/nvidia
#   --nvcc   the CUDA compiler, .deps/nvidia/cu13/bin/nvcc, for libcandor_cuda.so: give it to CMake as
#            CMAKE_CUDA_COMPILER
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

root=$(cd "$(dirname "$0")/.." && pwd)
deps=$root/.deps

packages=(
  g++ make cmake ninja-build ccache pkg-config
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev libssl-dev
  libopencv-core-dev libopencv-imgproc-dev libjpeg62-turbo-dev libpng-dev
  prometheus-cpp-dev libcli11-dev libspdlog-dev nlohmann-json3-dev libhwy-dev libsystemd-dev
  libgtest-dev libgmock-dev
)

say() { echo "setup: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env=DEBIAN_FRONTEND,LC_ALL "$@"
  else
    fail "needs root or sudo for: $*"
  fi
}

# Prints those of the arguments that are not installed, in order.
missing_packages() {
  local installed name
  installed=" $(dpkg-query --show --showformat '${binary:Package}|${db:Status-Status} ' "$@" 2>/dev/null || true)"
  installed=${installed//:amd64|/|}
  for name in "$@"; do
    [[ $installed == *" $name|installed "* ]] || echo "$name"
  done
}

check_system() {
  local codename arch
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
  arch=$(dpkg --print-architecture)
  [[ $codename == bookworm && $arch == amd64 ]] ||
    fail "this script installs on Debian 12 (bookworm) amd64 only, this is $codename $arch; install by hand: $*"
}

install_packages() {
  local missing plan
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return
  check_system "${missing[*]}"
  say "Debian packages to install: ${missing[*]}"
  [[ $(id -u) -eq 0 ]] || say "installing them needs root: sudo may ask for your password"
  as_root apt-get update -qq || say "apt-get update failed; trying the package lists that are there"
  # Asked without the lock, so that a plain user gets an answer too.
  plan=$(apt-get install --no-install-recommends --assume-no -o Debug::NoLocking=1 "${missing[@]}" 2>&1 || true)
  grep -E '^(Need to get|After this operation)|newly installed' <<<"$plan" | sed 's/^/setup: /' >&2 || true
  if ! as_root apt-get install -qq --yes --no-install-recommends "${missing[@]}" >"$deps/apt.log" 2>&1; then
    tail -n 20 "$deps/apt.log" >&2
    fail "could not install: ${missing[*]}"
  fi
}

# Whether the wheels of a set, torch, cuda or nvcc, are in place. The stamp has the digest of the requirements it was made from,
# so a changed pin installs again.
has_wheels() {
  [[ -f $deps/$1.stamp && $(<"$deps/$1.stamp") == "$(sha256sum <"$root/tools/$1-requirements.txt")" ]]
}

# install_wheels SET SIZE: into .deps. Unpacked beside it and moved in place; the stamp comes last, so that an interrupted
# run is repeated.
install_wheels() {
  local requirements=$root/tools/$1-requirements.txt stamp=$deps/$1.stamp size=$2 progress=off entry
  has_wheels "$1" && return
  say "LibTorch and CUDA libraries, to install below $deps: $(grep -oE '^[a-z0-9-]+==[0-9.]+' "$requirements" | paste -sd ' ')"
  say "about $size"
  [[ -t 2 ]] && progress=on
  rm -rf "$deps/wheels.tmp"
  mkdir -p "$deps/wheels.tmp/tmp"
  # Debian's own Python is 3.11, which the wheel is for; another one may be first in PATH.
  TMPDIR=$deps/wheels.tmp/tmp PIP_USER=0 /usr/bin/python3 -m pip install --target "$deps/wheels.tmp/new" --no-deps --no-compile \
    --require-hashes --only-binary :all: --no-input --no-warn-script-location --root-user-action ignore \
    --disable-pip-version-check --progress-bar "$progress" --requirement "$requirements" >&2 ||
    fail "could not install the wheels of ${requirements#"$root"/}"
  rm -f "$stamp"
  for entry in "$deps/wheels.tmp/new"/*; do
    # nvidia/ is shared by the sets of wheels; everything else belongs to one.
    [[ $(basename "$entry") == nvidia ]] || rm -rf "${deps:?}/$(basename "$entry")"
  done
  cp --archive --link --force "$deps/wheels.tmp/new/." "$deps/"
  sha256sum <"$requirements" >"$stamp.tmp"
  mv "$stamp.tmp" "$stamp"
  rm -rf "$deps/wheels.tmp"
}

# unpack_tool PROGRAM SIZE PACKAGE...: unpacks Debian packages below .deps/tools, as they lie below /, unless PROGRAM (a path
# in there) is there already. Nothing of them is installed, configured or started.
unpack_tool() {
  local program=$1 size=$2 tmp=$deps/tools.tmp
  shift 2
  [[ -x $deps/tools/$program ]] && return
  check_system "$program below $deps/tools"
  say "$(basename "$program"), from Debian's packages $*, to unpack below $deps/tools: $size to download"
  rm -rf "$tmp"
  mkdir -p "$tmp/root" "$deps/tools"
  # As root apt would like to download as user _apt, who may not write here.
  (cd "$tmp" && apt-get download -qq -o APT::Sandbox::User=root "$@") ||
    { as_root apt-get update -qq && (cd "$tmp" && apt-get download -qq -o APT::Sandbox::User=root "$@"); } ||
    fail "could not download Debian's packages $*"
  local package
  for package in "$tmp"/*.deb; do dpkg-deb --extract "$package" "$tmp/root"; done
  # The program itself comes last, so that an interrupted run is repeated.
  mv "$tmp/root/$program" "$tmp/program"
  cp --archive --force "$tmp/root/." "$deps/tools/"
  mv "$tmp/program" "$deps/tools/$program"
  rm -rf "$tmp"
}

# install_apart NAME SIZE USER: the wheels of tools/NAME-requirements.txt, into a folder of their own below .deps: they
# bring other versions of what Debian has. Only USER, a test or benchmark, needs them, so a failure ends nothing.
install_apart() {
  local name=$1 size=$2 user=$3 requirements=$root/tools/$1-requirements.txt tmp=$deps/$1.tmp
  [[ -f $deps/$name.stamp && $(<"$deps/$name.stamp") == "$(sha256sum <"$requirements")" ]] && return
  say "$name, for $user, to install below $deps/$name: $size"
  rm -rf "$tmp"
  if ! PIP_USER=0 /usr/bin/python3 -m pip install --target "$tmp" --no-deps --no-compile --require-hashes --only-binary :all: \
    --no-input --no-warn-script-location --root-user-action ignore --disable-pip-version-check --progress-bar off \
    --quiet --requirement "$requirements" >&2; then
    rm -rf "$tmp"
    say "could not install it: $user will be left out"
    return
  fi
  rm -rf "${deps:?}/$name" "$deps/$name.stamp"
  mv "$tmp" "$deps/$name"
  sha256sum <"$requirements" >"$deps/$name.stamp"
}

# Prints a deb-src line for every Debian suite that this machine's apt reads, whatever mirror it uses.
source_lists() {
  # shellcheck disable=SC2016  # apt expands these, not the shell
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 ~ /^bookworm/ && $3 == "main" && !seen[$1 $2]++ {
      print "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $1, $2, $3 }'
}

install_absl_tsan() {
  local version work=$deps/absl-tsan.tmp
  version=$(dpkg-query --show --showformat '${source:Version}' libabsl-dev)
  [[ -f $deps/absl-tsan/version && $(<"$deps/absl-tsan/version") == "$version" ]] && return
  check_system "Abseil $version built with -fsanitize=thread in .deps/absl-tsan"
  say "Abseil $version, from Debian's source package, to build for the thread sanitizer: 15 MB to download, minutes to build"
  rm -rf "$work"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts"
  source_lists >"$work/sources.list"
  # An apt of its own: the user's source lists stay as they are, and no root is needed.
  local apt=(apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/parts"
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update || fail "could not read the lists of Debian's source packages"
  (cd "$work" && "${apt[@]}" source --only-source "abseil=$version") || fail "could not download Debian's source package abseil"
  cmake -S "$work"/abseil-*/ -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS=-fsanitize=thread -DCMAKE_CXX_STANDARD=17 -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DABSL_PROPAGATE_CXX_STD=ON -DBUILD_TESTING=OFF -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_INSTALL_PREFIX="$deps/absl-tsan" >&2
  ninja -C "$work/build" install >"$work/build.log" || fail "Abseil did not build: see $work/build.log"
  echo "$version" >"$deps/absl-tsan/version"
  rm -rf "$work"
}

main() {
  local option want=" "
  for option in "$@"; do
    case $option in
      --test | --deploy | --lint | --tsan | --fuzz | --bench | --cuda | --nvcc) want+="$option " ;;
      --help | -h)
        sed -n '4,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
      *)
        say "unknown option $option: must be one of --test --deploy --lint --tsan --fuzz --bench --cuda --nvcc"
        exit 2
        ;;
    esac
  done
  [[ $want == *" --lint "* ]] && packages+=(clang clang-tidy clang-format shellcheck)
  [[ $want == *" --tsan "* ]] && packages+=(dpkg-dev)
  [[ $want == *" --fuzz "* ]] && packages+=(clang-14 libclang-rt-14-dev llvm-14)
  [[ $want == *" --bench "* ]] && packages+=(libbenchmark-dev python3 python3-pip)
  [[ $want == *" --test "* ]] && packages+=(python3 python3-pip python3-grpcio python3-protobuf python3-numpy)
  [[ $want == *" --deploy "* ]] && packages+=(python3-yaml python3-pip python3-grpcio python3-protobuf python3-numpy)
  # pip only unpacks the wheels; candor itself runs no Python.
  local set sets=(torch)
  [[ $want == *" --cuda "* ]] && sets+=(cuda)
  [[ $want == *" --nvcc "* ]] && sets+=(nvcc)
  for set in "${sets[@]}"; do has_wheels "$set" || packages+=(python3 python3-pip); done

  # Two set-ups at once, as from two terminals, take turns.
  mkdir -p "$deps"
  exec 9>"$deps/setup.lock"
  flock 9

  install_packages "${packages[@]}"
  install_wheels torch "0.6 GB to download, 1.3 GB on disk"
  [[ $want == *" --test "* ]] && unpack_tool usr/bin/promtool "30 MB" prometheus
  [[ $want == *" --test "* ]] && install_apart tritonclient "30 MB to download, 130 MB on disk" triton_client_test
  [[ $want == *" --deploy "* ]] && install_apart kubernetes "23 MB to download, 115 MB on disk" kubernetes_test
  # slurmctld is a link below /etc/alternatives when installed; unpacked it is slurmctld-wlm.
  [[ $want == *" --deploy "* ]] && unpack_tool usr/sbin/slurmctld-wlm "4 MB" slurmctld slurmd slurm-client \
    slurm-wlm-basic-plugins munge libmunge2 libhwloc15 libnuma1 libjson-c5 liblz4-1 libreadline8
  # What Debian 12 has on every machine, such as libpcre2 and libsystemd, haproxy finds there.
  [[ $want == *" --deploy "* ]] &&
    unpack_tool usr/sbin/haproxy "2 MB" haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1
  [[ $want == *" --bench "* ]] && install_apart peers "3 GB to download, 6 GB on disk" "the benchmarks against PyTorch, ONNX Runtime and OpenVINO"
  [[ $want == *" --tsan "* ]] && install_absl_tsan
  [[ $want == *" --cuda "* ]] && install_wheels cuda "2 GB to download, 3 GB on disk"
  [[ $want == *" --nvcc "* ]] && install_wheels nvcc "100 MB to download, 270 MB on disk"
  return 0
}

main "$@"
