// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/cuda_input.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/base/status_macros.h"
#include "core/model/padded_size.h"
#include "core/nn/preprocess.h"
#include "core/segmenter/cuda_status.h"

namespace candor {
namespace {

// The picture's bytes, in memory that the GPU copies from by itself, of Torch's cache, which keeps it until then.
torch::Tensor Stage(const Picture& picture, torch::Device device) {
  constexpr int64_t kRowsAtOnce = 64;
  torch::Tensor staged =
      torch::empty({picture.bytes()}, torch::TensorOptions(torch::kUInt8).pinned_memory(device.is_cuda()));
  auto* const bytes = staged.mutable_data_ptr<uint8_t>();
  const int64_t row_bytes = int64_t{3} * picture.width();
  at::parallel_for(0, picture.height(), kRowsAtOnce, [&](int64_t first, int64_t last) {
    std::vector<uint8_t> scratch;
    for (int64_t y = first; y < last; ++y) {
      std::memcpy(bytes + y * row_bytes, picture.Row(static_cast<int>(y), &scratch), static_cast<size_t>(row_bytes));
    }
  });
  return staged;
}

}  // namespace

CudaPreprocessJob PreprocessJobFor(int height, int width, const Normalisation& normalisation) {
  const ValueTable table = ValueTableOf(normalisation);
  CudaPreprocessJob job;
  for (size_t c = 0; c < table.size(); ++c) std::copy(table[c].begin(), table[c].end(), job.table[c]);
  job.height = height;
  job.width = width;
  job.padded_height = PaddedSize(height);
  job.padded_width = PaddedSize(width);
  return job;
}

// On its way to the device.
torch::Tensor CudaInput::Upload(const Picture& picture) {
  const torch::Tensor staged = Stage(picture, incoming_.device());
  const auto use = incoming_.Use();
  return staged.to(incoming_.device(), /*non_blocking=*/true);
}

absl::StatusOr<torch::Tensor> CudaInput::Make(absl::Span<const Picture* const> pictures,
                                              const Normalisation& normalisation) {
  CudaPreprocessJob job = PreprocessJobFor(pictures[0]->height(), pictures[0]->width(), normalisation);
  std::vector<torch::Tensor> uploads;
  for (const Picture* picture : pictures) {
    TORCH_CHECK(HaveOnePaddedSize(*picture, *pictures[0]), "pictures of a batch must have one padded size");
    uploads.push_back(Upload(*picture));
  }
  incoming_.LetCurrentFollow();
  const torch::Tensor images =
      torch::empty({static_cast<int64_t>(pictures.size()), job.padded_height, job.padded_width, 3},
                   torch::TensorOptions(incoming_.device()));
  for (size_t n = 0; n < pictures.size(); ++n) {
    incoming_.KeepForCurrent(uploads[n]);
    job.height = pictures[n]->height();
    job.width = pictures[n]->width();
    job.pixels = uploads[n].const_data_ptr<uint8_t>();
    job.out = images[static_cast<int64_t>(n)].mutable_data_ptr<float>();
    // Torch's current stream is the default one here.
    RETURN_IF_ERROR(CudaStatus(plugin_->Preprocess(job, nullptr)));
  }
  return images.permute({0, 3, 1, 2});
}

}  // namespace candor
