// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr char kFormat[] = "candor-checkpoint-1";
constexpr char kPrefix[] = "checkpoint-";
constexpr char kSuffix[] = ".safetensors";
constexpr char kIdentityPrefix[] = "run.";
constexpr int64_t kMaxBytes = int64_t{16} << 30;
constexpr size_t kKept = 2;

constexpr char kDigestKey[] = "digest";

// Over everything the file says but the digest itself, in any order of its tensors. Each part is its length and its
// bytes.
std::string DigestOf(const TensorFile& file) {
  std::vector<std::string> parts;
  for (const NamedTensor& tensor : file.tensors) {
    parts.push_back(absl::StrCat("tensor ", tensor.name, " ", DTypeName(tensor.dtype), " [",
                                 absl::StrJoin(tensor.shape, ","), "] ", Sha256Hex(tensor.data)));
  }
  for (const auto& [key, value] : file.metadata) {
    if (key != kDigestKey) parts.push_back(absl::StrCat("metadata ", key, "=", value));
  }
  std::sort(parts.begin(), parts.end());
  std::string all;
  for (const std::string& part : parts) absl::StrAppend(&all, part.size(), ":", part);
  return Sha256Hex(all);
}

// Steps of the folder's checkpoints, newest first.
std::vector<int64_t> ListSteps(const std::string& folder) {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    absl::string_view digits = name;
    int64_t step = 0;
    if (absl::ConsumePrefix(&digits, kPrefix) && absl::ConsumeSuffix(&digits, kSuffix) &&
        absl::SimpleAtoi(digits, &step)) {
      steps.push_back(step);
    }
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

std::string PathOf(const std::string& folder, int64_t step) {
  return absl::StrFormat("%s/%s%09d%s", folder, kPrefix, step, kSuffix);
}

absl::StatusOr<std::string> Meta(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) return absl::DataLossError(absl::StrCat("no '", key, "' in its metadata"));
  return found->second;
}

absl::StatusOr<Checkpoint> Load(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxBytes));
  ASSIGN_OR_RETURN(TensorFile file, ParseSafetensors(bytes));
  Checkpoint checkpoint;
  ASSIGN_OR_RETURN(const std::string format, Meta(file, "format"));
  ASSIGN_OR_RETURN(const std::string step, Meta(file, "step"));
  ASSIGN_OR_RETURN(const std::string best_miou, Meta(file, "best_miou"));
  ASSIGN_OR_RETURN(const std::string best_step, Meta(file, "best_step"));
  ASSIGN_OR_RETURN(const std::string validated_step, Meta(file, "validated_step"));
  ASSIGN_OR_RETURN(const std::string digest, Meta(file, kDigestKey));
  if (format != kFormat) return absl::DataLossError(absl::StrCat("format must be ", kFormat, ", is ", format));
  if (!absl::SimpleAtoi(step, &checkpoint.step) || !absl::SimpleAtod(best_miou, &checkpoint.best_miou) ||
      !absl::SimpleAtoi(best_step, &checkpoint.best_step) ||
      !absl::SimpleAtoi(validated_step, &checkpoint.validated_step)) {
    return absl::DataLossError("metadata that are no numbers");
  }
  if (digest != DigestOf(file)) return absl::DataLossError("its contents do not have the digest it states");
  for (const auto& [key, value] : file.metadata) {
    absl::string_view field = key;
    if (absl::ConsumePrefix(&field, kIdentityPrefix)) checkpoint.identity.emplace_back(field, value);
  }
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

// Drops all but the newest up to `step`. Those of later steps are damaged ones, which the run has passed over: they
// must not push whole ones out.
void DropOthers(const std::string& folder, int64_t step) {
  size_t kept = 0;
  for (const int64_t other : ListSteps(folder)) {
    if (other <= step && ++kept <= kKept) continue;
    const std::string path = PathOf(folder, other);
    std::error_code error;
    fs::remove(path, error);
    if (error) LogWarning("an old checkpoint stays", {{"file", path}, {"reason", error.message()}});
  }
}

}  // namespace

absl::Status SaveCheckpoint(const std::string& folder, const Checkpoint& checkpoint) {
  TensorFile file;
  file.tensors = checkpoint.tensors;
  file.metadata = {{"format", kFormat},
                   {"step", absl::StrCat(checkpoint.step)},
                   {"best_miou", absl::StrFormat("%.17g", checkpoint.best_miou)},
                   {"best_step", absl::StrCat(checkpoint.best_step)},
                   {"validated_step", absl::StrCat(checkpoint.validated_step)}};
  for (const auto& [field, value] : checkpoint.identity) file.metadata[absl::StrCat(kIdentityPrefix, field)] = value;
  file.metadata[kDigestKey] = DigestOf(file);
  ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(file));
  RETURN_IF_ERROR(WriteFileAtomically(PathOf(folder, checkpoint.step), bytes));
  DropOthers(folder, checkpoint.step);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Checkpoint>> LoadNewestCheckpoint(const std::string& folder) {
  const std::vector<int64_t> steps = ListSteps(folder);
  absl::Status newest;
  for (const int64_t step : steps) {
    const std::string path = PathOf(folder, step);
    auto checkpoint = Load(path);
    if (checkpoint.ok()) return std::optional<Checkpoint>(*std::move(checkpoint));
    LogWarning("checkpoint unreadable, trying the one before",
               {{"file", path}, {"reason", checkpoint.status().message()}});
    if (newest.ok()) newest = absl::DataLossError(absl::StrCat(path, ": ", checkpoint.status().message()));
  }
  if (!newest.ok()) {
    return absl::DataLossError(
        absl::StrCat(newest.message(), " (nor is another checkpoint readable; delete them to begin anew)"));
  }
  return std::optional<Checkpoint>();
}

absl::Status CheckSameRun(const std::vector<std::pair<std::string, std::string>>& saved,
                          const std::vector<std::pair<std::string, std::string>>& wanted) {
  std::map<std::string, std::pair<std::string, std::string>> values;  // before and now
  for (const auto& [field, value] : saved) values[field].first = value;
  for (const auto& [field, value] : wanted) values[field].second = value;
  for (const auto& [field, pair] : values) {
    if (pair.first == pair.second) continue;
    return absl::FailedPreconditionError(absl::StrCat(field, ": the run began with \"", pair.first, "\", now it is \"",
                                                      pair.second,
                                                      "\"; go on with the old value or begin another run"));
  }
  return absl::OkStatus();
}

}  // namespace candor
