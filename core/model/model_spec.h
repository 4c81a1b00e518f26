// SPDX-License-Identifier: Apache-2.0
//
// What a bundle's model.json says, as plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/image/image.h"
#include "core/model/uncertainty_kind.h"

namespace candor {

// kStudent: one pass, uncertainty distilled from a teacher. kEnsemble: members of one architecture. kSingle: one
// network.
enum class ModelKind { kStudent, kEnsemble, kSingle };

absl::string_view ModelKindName(ModelKind kind);  // "student", "ensemble", "single"
absl::StatusOr<ModelKind> ParseModelKind(absl::string_view name);

struct ClassSpec {
  std::string name;
  Colour colour;
};

// Subtracted from, and divided into, RGB in [0, 1]. Preset `dudes` is none: mean 0, stddev 1.
struct Normalisation {
  float mean[3] = {0, 0, 0};
  float stddev[3] = {1, 1, 1};
};

// One file of the bundle, relative to its directory.
struct FileRecord {
  std::string name;
  int64_t bytes = 0;
  std::string sha256;
};

// Output of the model for the fixed picture of KnownAnswerPicture(): a load that does not reproduce it is refused.
struct KnownAnswer {
  std::vector<uint8_t> labels;       // 64 * 64
  std::vector<uint8_t> uncertainty;  // 64 * 64, of the default kind; value = u / range_max * 255
};

struct ModelSpec {
  static constexpr int kFormatVersion = 1;

  ModelKind kind = ModelKind::kStudent;
  std::string architecture = "deeplabv3plus_resnet18";  // the only one so far
  int width = 64;                                       // channels of the first stage, a multiple of 4 in [4, 512]
  std::vector<ClassSpec> classes;                       // 2 to 255
  Normalisation normalisation;
  std::vector<UncertaintyKind> uncertainty;  // at least one; the first is the default
  std::vector<FileRecord> weights;           // one a member, in member order
  KnownAnswer known_answer;
  std::string training;  // free text: data, recipe, licence of the weights; may be empty

  int class_count() const { return static_cast<int>(classes.size()); }
  UncertaintyKind default_kind() const { return uncertainty.front(); }
};

// The kinds a model of this kind can give, the default first (table in the README): a student its learned stddev, then
// entropy, max probability and margin; an ensemble of >= 2 all six; a single network entropy, max probability, margin.
std::vector<UncertaintyKind> UncertaintyKindsOf(ModelKind kind);

// Checks every rule above, of a spec however made. InvalidArgument begins with the field's path in model.json.
absl::Status ValidateModelSpec(const ModelSpec& spec);

// JSON text of the spec, indented, ending in a newline.
std::string ModelSpecToJson(const ModelSpec& spec);

// Reads and checks. InvalidArgument: not JSON, an unknown, missing, repeated or ill-typed key (the message gives its
// path), a value out of range, a newer format version, a file name with a slash.
absl::StatusOr<ModelSpec> ModelSpecFromJson(absl::string_view json);

// The 64x64 RGB picture of the known answer: smooth ramps, edges and noise from a fixed integer generator.
Image KnownAnswerPicture();

}  // namespace candor
