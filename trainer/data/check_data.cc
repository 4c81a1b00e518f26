// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/check_data.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/cpu_count.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "trainer/data/dataset.h"

namespace candor {
namespace {

constexpr int kMaxThreads = 8;

// What one picture adds to the report.
struct CheckedPicture {
  absl::Status status;
  int width = 0;
  int height = 0;
  std::array<int64_t, 256> label_pixels = {};
  std::string digest;  // of size and pixels
};

CheckedPicture CheckPicture(const Dataset& dataset, int index) {
  CheckedPicture checked;
  const auto picture = dataset.Read(index);
  if (!picture.ok()) {
    checked.status = picture.status();
    return checked;
  }
  checked.width = picture->image.width;
  checked.height = picture->image.height;
  for (uint8_t label : picture->labels.values) ++checked.label_pixels[label];
  const auto* pixels = reinterpret_cast<const char*>(picture->image.pixels.data());
  checked.digest =
      absl::StrCat(checked.width, "x", checked.height, " ", Sha256Hex({pixels, picture->image.pixels.size()}));
  return checked;
}

std::vector<CheckedPicture> CheckPictures(const Dataset& dataset) {
  std::vector<CheckedPicture> checked(static_cast<size_t>(dataset.size()));
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < dataset.size(); i = next++) checked[static_cast<size_t>(i)] = CheckPicture(dataset, i);
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < std::min({UsableCores(), kMaxThreads, dataset.size()}); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return checked;
}

// Puts the report together, split by split.
class Checker {
 public:
  explicit Checker(const std::string& location) { report_.location = location; }

  void CheckSplit(const std::string& split) {
    const auto dataset = OpenDataset(report_.location, split);
    if (!dataset.ok()) return AddError(dataset.status());
    report_.classes = (*dataset)->classes();
    SplitReport& totals = report_.splits.emplace_back();
    totals.split = split;
    totals.class_pixels.assign(report_.classes.size(), 0);
    const std::vector<CheckedPicture> pictures = CheckPictures(**dataset);
    for (int i = 0; i < (*dataset)->size(); ++i) {
      const CheckedPicture& picture = pictures[static_cast<size_t>(i)];
      if (!picture.status.ok()) {
        AddError(picture.status);
        continue;
      }
      Add(picture, &totals);
      CompareWithOthers(picture.digest, {split, (*dataset)->name(i)});
    }
  }

  DataReport TakeReport() { return std::move(report_); }

 private:
  struct Place {
    std::string split;
    std::string name;
  };

  void AddError(const absl::Status& status) {
    ++report_.error_count;
    if (report_.errors.size() < DataReport::kMaxErrors) report_.errors.emplace_back(status.message());
  }

  static void Add(const CheckedPicture& picture, SplitReport* totals) {
    ++totals->pictures;
    totals->pixels += int64_t{picture.width} * picture.height;
    ++totals->sizes[{picture.width, picture.height}];
    for (size_t c = 0; c < totals->class_pixels.size(); ++c) totals->class_pixels[c] += picture.label_pixels[c];
    totals->void_pixels += picture.label_pixels[kIgnoreLabel];
  }

  // With the first picture of these pixels in each split.
  void CompareWithOthers(const std::string& digest, const Place& place) {
    std::vector<Place>& equals = seen_[digest];
    bool is_first_of_split = true;
    for (const Place& other : equals) {
      CountEqual(other, place);
      is_first_of_split = is_first_of_split && other.split != place.split;
    }
    if (is_first_of_split) equals.push_back(place);
  }

  void CountEqual(const Place& first, const Place& second) {
    for (EqualPictures& equal : report_.equal_pictures) {
      if (equal.split != first.split || equal.other_split != second.split) continue;
      ++equal.count;
      return;
    }
    report_.equal_pictures.push_back({first.split, second.split, 1, first.name, second.name});
  }

  DataReport report_;
  std::unordered_map<std::string, std::vector<Place>> seen_;
};

}  // namespace

absl::StatusOr<DataReport> CheckData(const std::string& location) {
  ASSIGN_OR_RETURN(const std::vector<std::string> splits, ListSplits(location));
  Checker checker(location);
  for (const std::string& split : splits) checker.CheckSplit(split);
  return checker.TakeReport();
}

}  // namespace candor
