// SPDX-License-Identifier: Apache-2.0
//
// The encoder's 3x3 convolutions of stride 1 by Winograd's algorithm and by oneDNN directly, its weights packed.
// Arguments of a benchmark: height and width of the map, channels, dilation.
#include <benchmark/benchmark.h>

#include <type_traits>

#include "bench/kernels/bench_map.h"
#include "core/engine/cpu_features.h"
#include "core/engine/packed_conv.h"
#include "core/engine/winograd_conv.h"

namespace candor {
namespace {

template <class T>
struct Convolution {
  explicit Convolution(const benchmark::State& state)
      : input(RandomMap<T>(state.range(2), state.range(0), state.range(1))),
        weight(torch::randn({state.range(2), state.range(2), 3, 3})),
        bias(torch::randn({state.range(2)})),
        geometry{1, state.range(3), state.range(3)} {}

  torch::Tensor input, weight, bias;
  ConvGeometry geometry;
};

// Whether there are products of T; says so in `state` if not.
template <class T>
bool CanMultiply(benchmark::State* state) {
  if (std::is_same_v<T, float> || HasNativeBf16()) return true;
  state->SkipWithError("no bfloat16 products on this processor");
  return false;
}

template <class T>
void ConvolutionOurs(benchmark::State& state) {
  if (!CanMultiply<T>(&state)) return;
  const torch::InferenceMode inference;
  const Convolution<T> convolution(state);
  const WinogradConv conv(convolution.weight, convolution.bias, convolution.geometry, kTypeOf<T>);
  for (auto unused : state) benchmark::DoNotOptimize(conv.Run(convolution.input, Activation::kRelu));
}

template <class T>
void ConvolutionOneDnn(benchmark::State& state) {
  if (!CanMultiply<T>(&state)) return;
  const torch::InferenceMode inference;
  const Convolution<T> convolution(state);
  PackedConvLayer layer(convolution.weight, convolution.bias, convolution.geometry, kTypeOf<T>);
  const PackedConv conv = layer.PackFor(convolution.input.sizes());
  for (auto unused : state) benchmark::DoNotOptimize(conv.Run(convolution.input, Activation::kRelu));
}

// The four stages of pictures of 368x480, 512x1024 and 1024x2048.
void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const auto& [height, width] : {std::pair<int, int>{92, 120}, {128, 256}, {256, 512}}) {
    benchmark->Args({height, width, 64, 1})->Args({height / 2, width / 2, 128, 1});
    benchmark->Args({height / 4, width / 4, 256, 1})->Args({height / 4, width / 4, 512, 2});
  }
}
BENCHMARK_TEMPLATE(ConvolutionOurs, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(ConvolutionOneDnn, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(ConvolutionOurs, uint16_t)->Apply(Shapes);
BENCHMARK_TEMPLATE(ConvolutionOneDnn, uint16_t)->Apply(Shapes);

}  // namespace
}  // namespace candor
