// SPDX-License-Identifier: Apache-2.0
//
// What a bundle's model.json says, as plain data.
#pragma once

#include <cstdint>
#include <optional>
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

// Classes that belong together, such as all that can be driven on. A class may be in several groups or in none.
struct ClassGroup {
  std::string name;          // unique, UTF-8, 1 to 64 bytes
  std::vector<int> classes;  // indices, each once; at least one
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

// How one network gives several predictions. Gal and Ghahramani 2016: dropout stays on at inference. Augmentation: the
// picture is shown in several views, and each view's scores are turned back.
enum class SamplingMethod { kNone, kMcDropout, kAugmentation };

absl::string_view SamplingMethodName(SamplingMethod method);  // "none", "mc_dropout", "augmentation"
absl::StatusOr<SamplingMethod> ParseSamplingMethod(absl::string_view name);

// One view of a picture: scaled by `scale`, then mirrored.
struct AugmentedView {
  float scale = 1;  // [0.25, 4]
  bool flip = false;
};

// Of a model of one network (kSingle). Makes it a model of several predictions, with the kinds of an ensemble.
struct Sampling {
  SamplingMethod method = SamplingMethod::kNone;
  int passes = 0;                    // of kMcDropout, 2 to 128
  float dropout = 0;                 // of kMcDropout, after each encoder layer, in (0, 1)
  std::vector<AugmentedView> views;  // of kAugmentation, 2 to 32
};

// What validation data said. Each part is optional.
struct Calibration {
  // Verdict on a whole picture by its mean uncertainty of `kind`: ACCEPT at most accept_max, REJECT above review_max,
  // REVIEW between. accept_max: the largest value at which accepted validation pictures have at most error_rate wrong
  // pixels; review_max: the same for reject_error_rate.
  struct Verdict {
    UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
    float accept_max = 0;
    float review_max = 0;
    float error_rate = 0;
    float reject_error_rate = 0;
  };
  // Share of validation pixels in each of 64 equal bins over the kind's range, to notice drift by.
  struct Reference {
    UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
    std::vector<float> histogram;
  };

  std::string data;       // what it was fitted on; free text
  float temperature = 1;  // class scores are divided by it before every softmax, (0, 100]
  std::optional<Verdict> verdict;
  std::optional<Reference> reference;
};

// Bins of Calibration::Reference.
inline constexpr size_t kReferenceBins = 64;

struct ModelSpec {
  static constexpr int kFormatVersion = 2;

  ModelKind kind = ModelKind::kStudent;
  std::string architecture = "deeplabv3plus_resnet18";  // the only one so far
  int width = 64;                                       // channels of the first stage, a multiple of 4 in [4, 512]
  std::vector<ClassSpec> classes;                       // 2 to 255
  std::vector<ClassGroup> groups;                       // at most 64; may be empty
  Normalisation normalisation;
  std::vector<UncertaintyKind> uncertainty;  // at least one; the first is the default
  // What a student's uncertainty head says, channel by channel: sigmoid times the kind's upper bound. Empty for others.
  std::vector<UncertaintyKind> learned;
  Sampling sampling;
  std::vector<FileRecord> weights;  // one a member, in member order
  KnownAnswer known_answer;
  std::optional<Calibration> calibration;
  std::string training;  // free text: data, recipe, licence of the weights; may be empty

  int class_count() const { return static_cast<int>(classes.size()); }
  UncertaintyKind default_kind() const { return uncertainty.front(); }
};

// How many predictions the model's uncertainty is made of: members, passes or views; 1 for one plain network.
int PredictionCount(const ModelSpec& spec);

// The kinds this model can give, the default first (table in the README); looks at kind, learned and sampling only. A
// student: what it has learned, in that order, then the others of one network. Several predictions: all kinds. One
// plain network: entropy, max probability, margin.
std::vector<UncertaintyKind> UncertaintyKindsOf(const ModelSpec& spec);

// Checks every rule above, of a spec however made. InvalidArgument begins with the field's path in model.json.
absl::Status ValidateModelSpec(const ModelSpec& spec);

// JSON text of the spec, indented, ending in a newline.
std::string ModelSpecToJson(const ModelSpec& spec);

// Reads and checks, this version and version 1 (no learned, sampling, calibration, groups; a student has learned
// predictive_stddev). "groups" may be missing: there are none. InvalidArgument: not JSON, an unknown, missing, repeated
// or ill-typed key (the message gives its path), a value out of range, a newer format version, a file name with a
// slash.
absl::StatusOr<ModelSpec> ModelSpecFromJson(absl::string_view json);

// The 64x64 RGB picture of the known answer: smooth ramps, edges and noise from a fixed integer generator.
Image KnownAnswerPicture();

}  // namespace candor
