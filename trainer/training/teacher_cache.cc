// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/teacher_cache.h"

#include <cstring>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/model/safetensors.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{16} << 30;
constexpr char kTensor[] = "logits";
constexpr char kDigest[] = "digest";

// Fields of a run's identity that decide what a step's crops are.
const std::set<std::string>& CropFields() {
  static const auto& fields = *new std::set<std::string>{
      "train_split",     "normalisation",     "batch_size",        "drop_last",  "crop",
      "min_scale",       "max_scale",         "scale_sampling",    "jitter_hue", "flip_probability",
      "jitter_contrast", "jitter_brightness", "jitter_saturation", "seed",       "cutmix_probability",
      "data_digest"};
  return fields;
}

class TeacherCache : public TeacherSamples {
 public:
  TeacherCache(std::string folder, std::unique_ptr<TeacherSamples> teacher)
      : folder_(std::move(folder)), teacher_(std::move(teacher)) {}

  absl::StatusOr<torch::Tensor> Of(const TensorBatch& batch) override {
    const std::string path = absl::StrFormat("%s/step-%09d.safetensors", folder_, batch.step);
    auto kept = Read(path, batch);
    if (kept.ok()) return kept->to(batch.images.device());
    if (!absl::IsNotFound(kept.status())) {
      LogWarning("what the teacher said is unreadable and made again",
                 {{"file", path}, {"reason", kept.status().message()}});
    }
    ASSIGN_OR_RETURN(torch::Tensor samples, teacher_->Of(batch));
    if (can_write_) Keep(path, samples);
    return samples;
  }

 private:
  static absl::StatusOr<torch::Tensor> Read(const std::string& path, const TensorBatch& batch) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
    ASSIGN_OR_RETURN(TensorFile file, ParseSafetensors(bytes));
    if (file.tensors.size() != 1 || file.tensors[0].name != kTensor || file.tensors[0].dtype != DType::kF16) {
      return absl::DataLossError(absl::StrCat("must hold one tensor, ", kTensor, ", of F16"));
    }
    NamedTensor& tensor = file.tensors[0];
    const auto& shape = tensor.shape;
    if (shape.size() != 5 || shape[1] != batch.images.size(0) || shape[3] != batch.images.size(2) / 4 ||
        shape[4] != batch.images.size(3) / 4) {
      return absl::DataLossError("is of another batch");
    }
    if (file.metadata[kDigest] != Sha256Hex(tensor.data)) return absl::DataLossError("its digest is not its data's");
    return torch::from_blob(tensor.data.data(), shape, torch::kHalf).to(torch::kFloat32);
  }

  void Keep(const std::string& path, const torch::Tensor& samples) {
    const absl::Status status = Write(path, samples);
    if (status.ok()) return;
    can_write_ = false;
    LogWarning("teacher_cache keeps nothing more; training goes on", {{"reason", status.message()}});
  }

  absl::Status Write(const std::string& path, const torch::Tensor& samples) const {
    RETURN_IF_ERROR(MakeDirectories(folder_));
    const torch::Tensor halves = samples.to(torch::kCPU, torch::kHalf).contiguous();
    NamedTensor tensor = {kTensor, DType::kF16, halves.sizes().vec(), std::string(halves.nbytes(), '\0')};
    std::memcpy(tensor.data.data(), halves.data_ptr(), halves.nbytes());
    TensorFile file;
    file.metadata[kDigest] = Sha256Hex(tensor.data);
    file.tensors.push_back(std::move(tensor));
    ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(file));
    return WriteFileAtomically(path, bytes);
  }

  const std::string folder_;
  const std::unique_ptr<TeacherSamples> teacher_;
  bool can_write_ = true;
};

}  // namespace

std::string TeacherCacheFolder(const std::string& root, const std::string& teacher_digest, const std::string& device,
                               const std::vector<std::pair<std::string, std::string>>& identity) {
  std::string key = absl::StrCat("teacher_digest=", teacher_digest, "\ndevice=", device, "\n");
  for (const auto& [field, value] : identity) {
    if (CropFields().count(field) > 0) absl::StrAppend(&key, field, "=", value, "\n");
  }
  return absl::StrCat(root, "/", Sha256Hex(key));
}

std::unique_ptr<TeacherSamples> MakeTeacherCache(std::string folder, std::unique_ptr<TeacherSamples> teacher) {
  return std::make_unique<TeacherCache>(std::move(folder), std::move(teacher));
}

}  // namespace candor
