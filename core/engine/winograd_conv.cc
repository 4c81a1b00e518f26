// SPDX-License-Identifier: Apache-2.0
#include "core/engine/winograd_conv.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/engine/cpu_features.h"
#include "core/engine/packed_matrix.h"
#include "core/kernels/winograd.h"
#include "core/nn/picture_of.h"

namespace candor {
namespace {

using torch::Tensor;

// Narrower layers gain less from the products than they lose by the transforms.
constexpr int64_t kMinChannels = 32;
// Tiles whose planes a thread works on at a time, so that they stay in the second-level cache.
constexpr int64_t kTilesTogether = 32;
// Up to so many tiles, threads share the planes of all of them and divide the weights, each being read once.
constexpr int64_t kFewTiles = 192;
// Rows and planes that lay a power of two apart would fall on the same lines of a cache.
constexpr int64_t kPadding = 16;

// Values for kWinogradPlanes matrices of `tiles` rows. T is float, or uint16_t for the bits of a bfloat16.
template <class T>
class Planes {
 public:
  Planes(int64_t tiles, int64_t channels)
      : tile_stride_(channels + kPadding),
        plane_stride_(tiles * tile_stride_ + kPadding),
        values_(torch::empty({kWinogradPlanes * plane_stride_}, kTypeOf<T>)) {}

  // From tile `first` on.
  WinogradPlanes<T> From(int64_t first) const {
    return {static_cast<T*>(values_.data_ptr()) + first * tile_stride_, tile_stride_, plane_stride_};
  }

 private:
  int64_t tile_stride_, plane_stride_;
  Tensor values_;
};

std::vector<PackedMatrix> TransformFilters(const Tensor& weight, torch::ScalarType type) {
  const Tensor g = torch::from_blob(const_cast<double*>(&kWinogradFilter[0][0]), {kWinogradInput, 3}, torch::kDouble);
  const Tensor planes = torch::einsum("yi,ocij,xj->yxoc", {g, weight.to(torch::kDouble), g}).to(torch::kFloat);
  std::vector<PackedMatrix> matrices;
  for (int64_t plane = 0; plane < kWinogradPlanes; ++plane) {
    matrices.emplace_back(planes[plane / kWinogradInput][plane % kWinogradInput], type);
  }
  return matrices;
}

}  // namespace

class WinogradConv::Weights {
 public:
  Weights(const Tensor& weight, Tensor bias, int dilation, torch::ScalarType type)
      : dilation_(dilation), type_(type), bias_(std::move(bias)), matrices_(TransformFilters(weight, type)) {}

  int64_t out_channels() const { return matrices_[0].out(); }

  // x and y NHWC.
  void Run(const Tensor& x, bool adds_output, bool has_relu, const Tensor& y) const {
    TORCH_CHECK(x.scalar_type() == type_ && y.scalar_type() == type_, "maps: want ", type_, ", got ", x.scalar_type(),
                " and ", y.scalar_type());
    const Call call{x, y, {SizeOfPicture(x), dilation_}, {nullptr, adds_output, has_relu}};
    if (type_ == torch::kFloat) {
      RunAs<float>(call);
    } else {
      RunAs<uint16_t>(call);
    }
  }

 private:
  struct Call {
    const Tensor& x;
    const Tensor& y;
    WinogradTiles tiles;  // of one picture
    WinogradEpilogue epilogue;
  };

  template <class T>
  void RunAs(const Call& call) const {
    const int64_t tiles = call.x.size(0) * call.tiles.count;
    if (tiles > kFewTiles) {
      RunByTiles<T>(call, tiles);
    } else {
      RunByChannels<T>(call, tiles);
    }
  }

  template <class T>
  void RunByTiles(const Call& call, int64_t tiles) const {
    const int64_t parts = (tiles + kTilesTogether - 1) / kTilesTogether;
    at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
      const torch::InferenceMode inference;  // a thread's own
      const Planes<T> inputs(kTilesTogether, call.x.size(1));
      const Planes<float> products(kTilesTogether, PackedMatrix::kBlock);
      for (int64_t part = begin; part < end; ++part) {
        const int64_t first = part * kTilesTogether;
        const int64_t last = std::min(first + kTilesTogether, tiles);
        TransformInputs(call, first, last, inputs.From(0));
        for (int64_t block = 0; block < matrices_[0].blocks(); ++block) {
          Multiply(call, first, last, inputs.From(0), block, products.From(0));
        }
      }
      PackedMatrix::Release();
    });
  }

  template <class T>
  void RunByChannels(const Call& call, int64_t tiles) const {
    const Planes<T> inputs(tiles, call.x.size(1));
    at::parallel_for(0, tiles, 1,
                     [&](int64_t begin, int64_t end) { TransformInputs(call, begin, end, inputs.From(begin)); });
    at::parallel_for(0, matrices_[0].blocks(), 1, [&](int64_t begin, int64_t end) {
      const torch::InferenceMode inference;
      const Planes<float> products(tiles, PackedMatrix::kBlock);
      for (int64_t block = begin; block < end; ++block) {
        Multiply(call, 0, tiles, inputs.From(0), block, products.From(0));
      }
      PackedMatrix::Release();
    });
  }

  template <class T>
  static void TransformInputs(const Call& call, int64_t begin, int64_t end, WinogradPlanes<T> planes) {
    ForEachPicture(begin, end, call.tiles.count, [&](int64_t picture, int first, int last) {
      WinogradInput(SizeOfPicture(call.x), PictureOf<const T>(call.x, picture), call.tiles, first, last, planes);
      planes.data += (last - first) * planes.tile_stride;
    });
  }

  // From the inputs of the tiles [begin, end) to their outputs in a block of channels.
  template <class T>
  void Multiply(const Call& call, int64_t begin, int64_t end, const WinogradPlanes<T>& inputs, int64_t block,
                const WinogradPlanes<float>& products) const {
    for (int64_t plane = 0; plane < kWinogradPlanes; ++plane) {
      matrices_[plane].MultiplyBlock(block, end - begin, inputs.data + plane * inputs.plane_stride, inputs.tile_stride,
                                     /*accumulate=*/false, products.data + plane * products.plane_stride,
                                     products.tile_stride);
    }
    const int64_t channel = block * PackedMatrix::kBlock;
    MapSize size = SizeOfPicture(call.y);
    size.channels = static_cast<int>(std::min(PackedMatrix::kBlock, out_channels() - channel));
    WinogradEpilogue epilogue = call.epilogue;
    epilogue.bias = bias_.const_data_ptr<float>() + channel;
    WinogradPlanes<const float> planes{products.data, products.tile_stride, products.plane_stride};
    ForEachPicture(begin, end, call.tiles.count, [&](int64_t picture, int first, int last) {
      MapView<T> map = PictureOf<T>(call.y, picture);
      map.data += channel;
      WinogradOutput(planes, size, call.tiles, first, last, epilogue, map);
      planes.data += (last - first) * planes.tile_stride;
    });
  }

  int dilation_;
  torch::ScalarType type_;
  Tensor bias_;
  std::vector<PackedMatrix> matrices_;  // of each plane
};

bool WinogradConv::Suits(const Tensor& weight, const ConvGeometry& geometry, torch::ScalarType type) {
  const auto suits = [](int64_t channels) { return channels >= kMinChannels && channels % kWinogradChannels == 0; };
  const bool pays = type == torch::kFloat || (type == torch::kBFloat16 && HasNativeBf16() && !HasMatrixUnit());
  return pays && weight.size(2) == 3 && weight.size(3) == 3 && geometry.stride == 1 &&
         geometry.padding == geometry.dilation && suits(weight.size(0)) && suits(weight.size(1));
}

WinogradConv::WinogradConv(const Tensor& weight, Tensor bias, const ConvGeometry& geometry, torch::ScalarType type) {
  TORCH_CHECK(type == torch::kFloat || type == torch::kBFloat16, "maps: must be float32 or bfloat16, got ", type);
  weights_ = std::make_shared<const Weights>(weight, std::move(bias), static_cast<int>(geometry.dilation), type);
}

Tensor WinogradConv::Run(const Tensor& x, Activation activation) const {
  Tensor y = torch::empty({x.size(0), weights_->out_channels(), x.size(2), x.size(3)},
                          x.options().memory_format(torch::MemoryFormat::ChannelsLast));
  weights_->Run(x, /*adds_output=*/false, activation == Activation::kRelu, y);
  return y;
}

void WinogradConv::AddTo(const Tensor& x, Tensor& sum) const {
  weights_->Run(x, /*adds_output=*/true, /*has_relu=*/true, sum);
}

}  // namespace candor
