// SPDX-License-Identifier: Apache-2.0
//
// Upsampling by 4, concatenation and depthwise 3x3 of the decoder at full width: candor's one pass and ATen's three.
// Arguments of a benchmark: height and width of the context.
#include "core/kernels/decoder_strip.h"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/kernels/bench_map.h"
#include "core/nn/depthwise_conv.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

constexpr int kContext = 256;
constexpr int kLowLevel = 48;

template <class T>
struct Decoder {
  explicit Decoder(const benchmark::State& state)
      : height(static_cast<int>(state.range(0))),
        width(static_cast<int>(state.range(1))),
        context(RandomMap<T>(kContext, height, width)),
        low_level(RandomMap<T>(kLowLevel, 4 * height, 4 * width)),
        weights(torch::randn({kContext + kLowLevel, 1, 3, 3}).to(kTypeOf<T>)) {}

  int height, width;
  torch::Tensor context, low_level, weights;
};

template <class T>
void DecoderOurs(benchmark::State& state) {
  const torch::InferenceMode inference;
  const Decoder<T> decoder(state);
  const torch::Tensor output = RandomMap<T>(kContext + kLowLevel, 4 * decoder.height, 4 * decoder.width);
  const torch::Tensor weights = DepthwiseTaps(decoder.weights);
  DecoderStripMaps<T> maps;
  maps.context_size = {decoder.height, decoder.width, kContext};
  maps.low_level_channels = kLowLevel;
  maps.context = PictureOf<const T>(decoder.context, 0);
  maps.low_level = PictureOf<const T>(decoder.low_level, 0);
  maps.output = PictureOf<T>(output, 0);
  for (auto unused : state) {
    at::parallel_for(0, 4 * decoder.height, 1, [&](int64_t begin, int64_t end) {
      thread_local std::vector<float> scratch;
      scratch.resize(DecoderStripScratch(decoder.width));
      DecoderStrip(maps, {weights.data_ptr<float>()}, static_cast<int>(begin), static_cast<int>(end), scratch.data());
    });
  }
}

template <class T>
void DecoderAten(benchmark::State& state) {
  const torch::InferenceMode inference;
  const Decoder<T> decoder(state);
  for (auto unused : state) {
    const torch::Tensor context =
        at::upsample_bilinear2d(decoder.context, {4 * decoder.height, 4 * decoder.width}, /*align_corners=*/true);
    const torch::Tensor map = at::cat({context, decoder.low_level}, 1);
    benchmark::DoNotOptimize(at::conv2d(map, decoder.weights, {}, 1, 1, 1, kContext + kLowLevel));
  }
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond)->Args({23, 30})->Args({32, 64})->Args({64, 128});
}
BENCHMARK_TEMPLATE(DecoderOurs, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(DecoderAten, float)->Apply(Shapes);
BENCHMARK_TEMPLATE(DecoderOurs, uint16_t)->Apply(Shapes);
BENCHMARK_TEMPLATE(DecoderAten, uint16_t)->Apply(Shapes);

}  // namespace
}  // namespace candor
