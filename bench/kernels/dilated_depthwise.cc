// SPDX-License-Identifier: Apache-2.0
//
// The dilated depthwise convolutions of the ASPP: candor's kernel and ATen's (oneDNN), two threads each, channels last.
//
// Arguments of a benchmark: height and width of the map, channels, dilation.
#include "core/kernels/dilated_depthwise.h"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/torch.h>

namespace candor {
namespace {

struct Layer {
  explicit Layer(const benchmark::State& state, at::ScalarType type)
      : size{static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2))},
        dilation(static_cast<int>(state.range(3))),
        input(torch::randn({1, size.channels, size.height, size.width})
                  .contiguous(at::MemoryFormat::ChannelsLast)
                  .to(type)),
        weights(torch::randn({size.channels, 1, 3, 3}).to(type)) {}

  MapSize size;
  int dilation;
  torch::Tensor input, weights;
};

template <class T>
MapView<T> ViewOf(const torch::Tensor& map) {
  using Element = std::remove_const_t<T>;
  return {static_cast<Element*>(map.data_ptr()), map.stride(3), map.stride(2)};
}

template <class T>
void Ours(benchmark::State& state) {
  const torch::InferenceMode inference;
  const Layer layer(state, sizeof(T) == 2 ? at::kBFloat16 : at::kFloat);
  const torch::Tensor output = torch::empty_like(layer.input);
  const torch::Tensor weights = layer.weights.to(at::kFloat).view({layer.size.channels, 9}).t().contiguous();
  const DepthwiseFilter filter{weights.data_ptr<float>()};
  for (auto unused : state) {
    at::parallel_for(0, layer.size.height, 1, [&](int64_t begin, int64_t end) {
      DilatedDepthwise(layer.size, ViewOf<const T>(layer.input), filter, layer.dilation, static_cast<int>(begin),
                       static_cast<int>(end), ViewOf<T>(output));
    });
  }
}

template <class T>
void ATen(benchmark::State& state) {
  const torch::InferenceMode inference;
  const Layer layer(state, sizeof(T) == 2 ? at::kBFloat16 : at::kFloat);
  for (auto unused : state) {
    benchmark::DoNotOptimize(
        at::conv2d(layer.input, layer.weights, {}, 1, layer.dilation, layer.dilation, layer.size.channels));
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
BENCHMARK_TEMPLATE(Ours, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(ATen, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(Ours, uint16_t)->Apply(Shapes);
BENCHMARK_TEMPLATE(ATen, uint16_t)->Apply(Shapes);

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  at::set_num_threads(2);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
