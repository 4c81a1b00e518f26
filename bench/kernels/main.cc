// SPDX-License-Identifier: Apache-2.0
//
// Google Benchmark's main, with two threads for both sides. Interleave repetitions on a machine that others use:
//
//   candor-bench-kernels --benchmark_enable_random_interleaving --benchmark_repetitions=9 --benchmark_min_time=0.02
//     --benchmark_report_aggregates_only
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "core/nn/pooled_allocator.h"

int main(int argc, char** argv) {
  // Fresh memory for each result would count against ATen.
  candor::InstallPooledAllocator();
  at::set_num_threads(2);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
