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

// How one network gives several predictions.
enum class SamplingMethod {
  kNone,
  kMcDropout,      // dropout stays on at inference (Gal and Ghahramani 2016)
  kAugmentation,   // the picture is shown in several views, and each view's scores are turned back
  kWeightSamples,  // weights are Gaussians, each prediction has draws of its own (Blundell et al. 2015)
  kRankOne,        // members share weights up to a factor a channel on either side (Wen et al. 2020)
  kLogitSamples,   // the head gives a Gaussian over scores, of which predictions are draws (Shen et al. 2021)
  kDirichlet,      // scores are the logarithms of a Dirichlet's parameters: no draws needed (Malinin et al. 2019)
};

// "none", "mc_dropout", "augmentation", "weight_samples", "rank_one", "logit_samples", "dirichlet".
absl::string_view SamplingMethodName(SamplingMethod method);
absl::StatusOr<SamplingMethod> ParseSamplingMethod(absl::string_view name);

// One view of a picture: scaled by `scale`, then mirrored.
struct AugmentedView {
  float scale = 1;  // [0.25, 4]
  bool flip = false;
};

// Makes a model of one network one of several predictions, with the kinds of an ensemble. kLogitSamples and kDirichlet
// are ways of students, the others of kSingle.
struct Sampling {
  SamplingMethod method = SamplingMethod::kNone;
  int passes = 0;                    // of all but kAugmentation and kDirichlet, 2 to 128
  float dropout = 0;                 // of kMcDropout, after each encoder layer, in (0, 1)
  std::vector<AugmentedView> views;  // of kAugmentation, 2 to 32
  bool is_decoder_only = false;      // of kWeightSamples: the encoder's weights are numbers
  int rank = 0;                      // of kLogitSamples: columns of the covariance's low-rank part, 0 to 16
};

// What stands beside the class scores and answers for the learned kinds.
enum class UncertaintyHead {
  kLinear,          // a 1x1 convolution on the decoder's features, a channel a kind
  kPerClass,        // the same with a channel a class, of which the label's counts
  kObserver,        // a small network that looks at features and scores of one that is frozen (Besnier et al. 2021)
  kEnergy,          // of the scores themselves, fitted afterwards (Liu et al. 2020)
  kFeatureDensity,  // a Gaussian a class over the decoder's features, fitted afterwards (Mukhoti et al. 2023)
};

// "linear", "per_class", "observer", "energy", "feature_density".
absl::string_view UncertaintyHeadName(UncertaintyHead head);
absl::StatusOr<UncertaintyHead> ParseUncertaintyHead(absl::string_view name);

// The least and the largest value of a map.
struct ValueRange {
  float least = 0;
  float largest = 0;
};

// Maps between the convolutions of the encoder (core/engine/encoder_shape.h).
inline constexpr size_t kEncoderMaps = 20;

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
  std::vector<ValueRange> encoder_ranges;  // of kEncoderMaps maps, over all members, for computing in int8; or empty
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
  // What the uncertainty head says, kind by kind: sigmoid times the kind's upper bound. Of students without sampling,
  // and of single models whose head was fitted afterwards; empty for others.
  std::vector<UncertaintyKind> learned;
  UncertaintyHead head = UncertaintyHead::kLinear;
  // Of kFeatureDensity: dimensions of the subspace in which densities are, at most 4 width; 0: no subspace. 0 for
  // others.
  int density_components = 0;
  // Of an ensemble: the encoder is one for all, and the files of members beyond the first have decoder and heads only.
  bool is_encoder_shared = false;
  Sampling sampling;
  std::vector<FileRecord> weights;  // one a member, in member order
  KnownAnswer known_answer;
  std::optional<Calibration> calibration;
  std::string training;  // free text: data, recipe, licence of the weights; may be empty

  int class_count() const { return static_cast<int>(classes.size()); }
  UncertaintyKind default_kind() const { return uncertainty.front(); }
};

// How many predictions the model's uncertainty is made of: members, passes or views; 1 for one pass.
int PredictionCount(const ModelSpec& spec);

// The kinds this model can give, the default first (table in the README); looks at kind, learned and sampling only.
// What is learned, in that order, then the others of one network: entropy, max probability, margin. Several
// predictions: all that members give. A Dirichlet: those but disagreement.
std::vector<UncertaintyKind> UncertaintyKindsOf(const ModelSpec& spec);

// Checks every rule above, of a spec however made. InvalidArgument begins with the field's path in model.json.
absl::Status ValidateModelSpec(const ModelSpec& spec);

// JSON text of the spec, indented, ending in a newline.
std::string ModelSpecToJson(const ModelSpec& spec);

// Reads and checks, this version and version 1 (no learned, sampling, calibration, groups; a student has learned
// predictive_stddev). "groups", "head", "density_components", "shared_encoder" and "calibration.encoder_ranges" may be
// missing: none, linear, 0, false, none. InvalidArgument: not JSON, an unknown, missing, repeated or ill-typed key (the
// message gives its path), a value out of range, a newer format version, a file name with a slash.
absl::StatusOr<ModelSpec> ModelSpecFromJson(absl::string_view json);

// The 64x64 RGB picture of the known answer: smooth ramps, edges and noise from a fixed integer generator.
Image KnownAnswerPicture();

}  // namespace candor
