// SPDX-License-Identifier: Apache-2.0
//
// The dilated depthwise convolutions of the ASPP: candor's kernel and ATen's (oneDNN), channels last.
// Arguments of a benchmark: height and width of the map, channels, dilation.
#include "core/kernels/dilated_depthwise.h"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "bench/kernels/bench_map.h"
#include "core/nn/depthwise_conv.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

struct Layer {
  Layer(const benchmark::State& state, at::ScalarType type)
      : size{static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2))},
        dilation(static_cast<int>(state.range(3))),
        weights(torch::randn({size.channels, 1, 3, 3}).to(type)) {}

  MapSize size;
  int dilation;
  torch::Tensor weights;
};

template <class T>
void DepthwiseOurs(benchmark::State& state) {
  const torch::InferenceMode inference;
  const Layer layer(state, kTypeOf<T>);
  const torch::Tensor input = RandomMap<T>(layer.size.channels, layer.size.height, layer.size.width);
  const torch::Tensor output = torch::empty_like(input);
  const torch::Tensor weights = DepthwiseTaps(layer.weights);
  const DepthwiseFilter filter{weights.data_ptr<float>()};
  for (auto unused : state) {
    at::parallel_for(0, layer.size.height, 1, [&](int64_t begin, int64_t end) {
      DilatedDepthwise(layer.size, PictureOf<const T>(input, 0), filter, layer.dilation, static_cast<int>(begin),
                       static_cast<int>(end), PictureOf<T>(output, 0));
    });
  }
}

template <class T>
void DepthwiseAten(benchmark::State& state) {
  const torch::InferenceMode inference;
  const Layer layer(state, kTypeOf<T>);
  const torch::Tensor input = RandomMap<T>(layer.size.channels, layer.size.height, layer.size.width);
  for (auto unused : state) {
    benchmark::DoNotOptimize(
        at::conv2d(input, layer.weights, {}, 1, layer.dilation, layer.dilation, layer.size.channels));
  }
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const int dilation : {12, 24, 36}) {
    benchmark->Args({23, 30, 512, dilation});
    benchmark->Args({32, 64, 512, dilation});
    benchmark->Args({64, 128, 512, dilation});
  }
}
BENCHMARK_TEMPLATE(DepthwiseOurs, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(DepthwiseAten, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(DepthwiseOurs, uint16_t)->Apply(Shapes);
BENCHMARK_TEMPLATE(DepthwiseAten, uint16_t)->Apply(Shapes);

}  // namespace
}  // namespace candor
