// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/paired_dataset.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/in_file.h"
#include "core/base/status_macros.h"
#include "core/image/decode.h"

namespace candor {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 29;

// A file that was listed and is gone is a loss too.
absl::StatusOr<std::string> ReadListed(const std::string& path) {
  auto bytes = ReadFile(path, kMaxFileBytes);
  if (absl::IsNotFound(bytes.status())) return absl::DataLossError(bytes.status().message());
  return bytes;
}

class PairedDataset : public Dataset {
 public:
  PairedDataset(std::vector<ClassSpec> classes, SplitFiles files)
      : classes_(std::move(classes)), files_(std::move(files)) {}

  const std::vector<ClassSpec>& classes() const override { return classes_; }
  int size() const override { return static_cast<int>(files_.pairs.size()); }
  const std::string& name(int index) const override { return Pair(index).name; }

  absl::StatusOr<LabelledPicture> Read(int index) const override {
    const FilePair& pair = Pair(index);
    ASSIGN_OR_RETURN(const std::string image_bytes, ReadListed(pair.image_path));
    ASSIGN_OR_RETURN(const std::string mask_bytes, ReadListed(pair.mask_path));
    auto image = DecodeImage(image_bytes, kDataLimits);
    if (!image.ok()) return InFile(PathForMessage(pair.image_path), image.status());
    auto labels = files_.decode_mask(mask_bytes);
    if (!labels.ok()) return InFile(PathForMessage(pair.mask_path), labels.status());
    if (image->width != labels->width || image->height != labels->height) {
      return absl::InvalidArgumentError(absl::StrCat(PathForMessage(pair.mask_path), ": must have its picture's size, ",
                                                     image->width, " x ", image->height, ", is ", labels->width, " x ",
                                                     labels->height));
    }
    return LabelledPicture{*std::move(image), *std::move(labels)};
  }

  absl::StatusOr<std::string> Fingerprint() const override {
    std::string listing;
    for (const FilePair& pair : files_.pairs) {
      absl::StrAppend(&listing, pair.name, "\n");
      for (const std::string* path : {&pair.image_path, &pair.mask_path}) {
        const auto bytes = ReadFile(*path, kMaxFileBytes);
        if (!bytes.ok()) return absl::DataLossError(bytes.status().message());
        absl::StrAppend(&listing, bytes->size(), " ", Sha256Hex(*bytes), "\n");
      }
    }
    return Sha256Hex(listing);
  }

 private:
  const FilePair& Pair(int index) const { return files_.pairs[static_cast<size_t>(index)]; }

  const std::vector<ClassSpec> classes_;
  const SplitFiles files_;
};

}  // namespace

std::unique_ptr<Dataset> MakePairedDataset(std::vector<ClassSpec> classes, SplitFiles files) {
  return std::make_unique<PairedDataset>(std::move(classes), std::move(files));
}

}  // namespace candor
