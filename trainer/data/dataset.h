// SPDX-License-Identifier: Apache-2.0
//
// Labelled pictures on disk, in the layouts people have them in, read into one form.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/image/image.h"
#include "core/model/model_spec.h"

namespace candor {

// The label of a pixel that belongs to no class (void, ignore, unlabelled), whatever the files call it.
inline constexpr uint8_t kIgnoreLabel = 255;

// A picture and its class indices, of one size.
struct LabelledPicture {
  Image image;
  ByteMap labels;  // class indices, or kIgnoreLabel
};

// One split of a data set. Immutable; Read may be called from many threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual const std::vector<ClassSpec>& classes() const = 0;
  virtual int size() const = 0;
  // A picture's name, unique in the split: its file name without suffix.
  virtual const std::string& name(int index) const = 0;
  // Reads and checks one pair. InvalidArgument or DataLoss: "FILE: rule, value" (sizes that differ, a label out of
  // range with its count and first pixel, a mask that is no index picture, a damaged file).
  virtual absl::StatusOr<LabelledPicture> Read(int index) const = 0;
  // SHA-256 over names, sizes and contents of all files of the split, as 64 hex digits: what a checkpoint and a result
  // remember. Reads every file once; DataLoss if one cannot be read.
  virtual absl::StatusOr<std::string> Fingerprint() const = 0;
};

// Opens a split of "camvid:DIR", "cityscapes:DIR", "voc:DIR" or "folder:DIR". Lists files and pairs them; pictures are
// read later. NotFound: no such directory. InvalidArgument: another prefix, an unknown split (the message lists those
// there are), a picture without a mask or the other way round, two pictures of one name, an empty split. What each
// folder must hold stands at the top of camvid.cc, cityscapes.cc, voc.cc and folder.cc.
absl::StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& location, const std::string& split);

// The splits that OpenDataset can open there, sorted. Errors as OpenDataset's; a folder that does not look like the
// layout is InvalidArgument.
absl::StatusOr<std::vector<std::string>> ListSplits(const std::string& location);

}  // namespace candor
