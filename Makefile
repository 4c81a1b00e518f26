# SPDX-License-Identifier: Apache-2.0
#
# The short commands. CMake does the building (see CMakePresets.json); a target here adds the set-up before it.

JOBS ?= $(shell nproc)
FILES ?=
MINUTES ?= 60
FUZZ_SECONDS ?= 30
BENCH_DIR ?= build/bench-results
METHODS_DIR ?= build/methods
METHODS_DATA ?= camvid:data/camvid
METHODS_CONFIG ?= config/methods/compact.textproto
METHODS_PAGE ?= docs/methods.md
export JOBS
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help setup build demo train-demo methods serve soak bench test test-deploy test-asan test-asan-light test-tsan fuzz lint format clean

help:  ## show this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build  ## set up, build, and segment sample pictures with the student and the teacher
	@tools/demo.sh build

train-demo: build  ## set up, build, train a small ensemble and its student on sample pictures, and report on them
	@tools/train_demo.sh build

methods: build  ## train, score and serve every method of uncertainty on METHODS_DATA=camvid:DIR; see docs/methods.md
	@python3 -B tools/methods --dir '$(METHODS_DIR)' --data '$(METHODS_DATA)' --config '$(METHODS_CONFIG)' --jobs $(JOBS) \
	  --page '$(METHODS_PAGE)' $(if $(METHODS_OOD),--unknown '$(METHODS_OOD)') $(if $(METHODS_ENCODER),--encoder '$(METHODS_ENCODER)') \
	  $(if $(METHODS_EPOCHS),--epochs $(METHODS_EPOCHS)) $(if $(METHODS_ONLY),--only $(METHODS_ONLY)) $(if $(METHODS_ABLATIONS),--ablations) \
	  $(if $(METHODS_LARGEST),--largest $(METHODS_LARGEST))

test: SETUP_OPTIONS = --test
test: build  ## set up, build, and run every test that needs no daemon; the last line has the counts
	@tools/run_tests.sh build --label-exclude '^deploy$$'

test-deploy: SETUP_OPTIONS = --test --deploy
test-deploy: build  ## the tests of deploy/ and of more than one server, with the real tools, in minutes
	@tools/run_tests.sh build --label-regex '^deploy$$'

setup:  ## install what is missing: Debian packages (asks sudo) and LibTorch, below .deps
	@tools/setup.sh $(SETUP_OPTIONS)

build: setup  ## set up and build everything, optimised, into build/bin
	@test -f build/build.ninja || cmake --preset release
	@cmake --build --preset release --parallel $(JOBS)

serve: build  ## serve the shipped models on this machine
	build/bin/candor-server --bundle models/camvid-student --bundle models/camvid-teacher

soak: build  ## mixed load and faults for an hour (MINUTES=60): no wrong answer, no growth, no leak
	@python3 tools/soak.py --minutes $(MINUTES)

bench: SETUP_OPTIONS = --bench
bench: build  ## engine, kernels and service beside their peers, in turns; tables and JSON in BENCH_DIR
	@grep -q candor-bench-kernels build/build.ninja || cmake --preset release >/dev/null  # found no Google Benchmark before
	@cmake --build --preset release --parallel $(JOBS) --target benchmarks
	@bench/all.py --dir '$(BENCH_DIR)' $(if $(BENCH_ONLY),--only '$(BENCH_ONLY)')

lint: SETUP_OPTIONS = --lint
lint: setup  ## shellcheck, clang-format, clang-tidy and thread-safety analysis; FILES="a.cc b.h" for some files only
	@tools/lint.sh $(FILES)

format: SETUP_OPTIONS = --lint
format: setup  ## let clang-format rewrite our sources
	@git ls-files --cached --others --exclude-standard '*.h' '*.cc' '*.cu' '*.cuh' | xargs clang-format -i

test-asan: SETUP_OPTIONS = --test
test-asan: setup  ## all tests under the address and undefined-behaviour sanitizers
	@test -f build/asan/build.ninja || cmake --preset asan
	@cmake --build --preset asan --parallel $(JOBS)
	@tools/run_tests.sh build/asan

test-asan-light: SETUP_OPTIONS = --test
test-asan-light: setup  ## the same, for what needs no LibTorch; much quicker
	@test -f build/asan-light/build.ninja || cmake --preset asan -B build/asan-light -DCANDOR_WITH_TORCH=OFF
	@cmake --build build/asan-light --parallel $(JOBS)
	@tools/run_tests.sh build/asan-light

test-tsan: SETUP_OPTIONS = --test --tsan
test-tsan: setup  ## the tests that need neither gRPC nor LibTorch, under the thread sanitizer
	@test -f build/tsan/build.ninja || cmake --preset tsan
	@cmake --build --preset tsan --parallel $(JOBS)
	@tools/run_tests.sh build/tsan

fuzz: SETUP_OPTIONS = --fuzz
fuzz: setup  ## hostile bytes for every reader of bytes, FUZZ_SECONDS=30 each, with libFuzzer and the sanitizers
	@test -f build/fuzz/build.ninja || cmake --preset fuzz
	@cmake --build --preset fuzz --parallel $(JOBS)
	@tools/run_fuzz.sh build/fuzz $(FUZZ_SECONDS)

clean:  ## delete what was built; .deps stays
	@rm -rf build
