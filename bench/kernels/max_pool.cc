// SPDX-License-Identifier: Apache-2.0
//
// The max pooling behind the stem at full width, channels last: candor's and ATen's.
// Arguments of a benchmark: height and width of the map.
#include "core/kernels/max_pool.h"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "bench/kernels/bench_map.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

constexpr int kChannels = 64;

// T: how ATen calls the type; Bits: how the kernel does.
template <class T, class Bits>
void PoolOurs(benchmark::State& state) {
  const torch::InferenceMode inference;
  const torch::Tensor input = RandomMap<T>(kChannels, state.range(0), state.range(1)).relu();
  const torch::Tensor output = RandomMap<T>(kChannels, state.range(0) / 2, state.range(1) / 2);
  for (auto unused : state) {
    at::parallel_for(0, output.size(2), 1, [&](int64_t begin, int64_t end) {
      MaxPoolOfRelu(SizeOfPicture(input), PictureOf<const Bits>(input, 0), static_cast<int>(begin),
                    static_cast<int>(end), PictureOf<Bits>(output, 0));
    });
  }
}

template <class T>
void PoolAten(benchmark::State& state) {
  const torch::InferenceMode inference;
  const torch::Tensor input = RandomMap<T>(kChannels, state.range(0), state.range(1)).relu();
  for (auto unused : state) benchmark::DoNotOptimize(at::max_pool2d(input, 3, 2, 1));
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond)->Args({184, 240})->Args({256, 512});
}
BENCHMARK_TEMPLATE(PoolOurs, float, uint32_t)->Apply(Shapes);
BENCHMARK_TEMPLATE(PoolAten, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(PoolOurs, uint16_t, uint16_t)->Apply(Shapes);
BENCHMARK_TEMPLATE(PoolAten, uint16_t)->Apply(Shapes);

}  // namespace
}  // namespace candor
