// SPDX-License-Identifier: Apache-2.0
//
// TrainerConfig to TrainOptions: each field is read, completed, checked and, where it makes the run what it is, noted.
#include "trainer/config.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "candor/v1/config.pb.h"
#include "core/base/status_macros.h"
#include "core/base/text_proto.h"

namespace candor {
namespace {

// The shortest text that reads back as the same value, so that two values never look alike.
template <typename T>
std::string Exactly(T value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

constexpr int64_t kMiB = int64_t{1} << 20;

// Lowest and highest value allowed; for numbers that must be above the lowest, kAbove.
enum class LowEnd { kIncluded, kExcluded };

// Reads fields one by one. The first complaint is kept, the rest goes on.
class FieldReader {
 public:
  template <typename T>
  T Number(const char* field, bool is_set, T value, T fallback, T low, T high, LowEnd low_end = LowEnd::kIncluded) {
    const T result = is_set ? value : fallback;
    // Written so that NaN fails.
    const bool fits = result <= high && (low_end == LowEnd::kIncluded ? result >= low : result > low);
    if (!fits) {
      Refuse(field,
             absl::StrCat("must be in ", low_end == LowEnd::kIncluded ? "[" : "(", low, ", ", high, "], got ", result));
    }
    Note(field, Exactly(result));
    return result;
  }

  bool Flag(const char* field, bool value) {
    Note(field, value ? "true" : "false");
    return value;
  }

  std::string Text(const char* field, const std::string& value, const std::string& fallback) {
    const std::string result = value.empty() ? fallback : value;
    Note(field, result);
    return result;
  }

  // The position of the value in `choices`; an empty value is the first.
  int Choice(const char* field, const std::string& value, std::initializer_list<const char*> choices) {
    const std::string result = value.empty() ? *choices.begin() : value;
    Note(field, result);
    const auto found = std::find(choices.begin(), choices.end(), result);
    if (found != choices.end()) return static_cast<int>(found - choices.begin());
    Refuse(field,
           absl::StrCat("must be one of ", absl::StrJoin(choices, ", "), ", got \"", absl::CHexEscape(result), "\""));
    return 0;
  }

  void Refuse(absl::string_view field, absl::string_view rule) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::StrCat(field, ": ", rule));
  }

  // Fields read from now on do not belong to the run's identity.
  void EndIdentity() { is_identity_ = false; }

  const absl::Status& status() const { return status_; }
  std::vector<std::pair<std::string, std::string>> TakeIdentity() { return std::move(identity_); }

 private:
  void Note(const char* field, std::string value) {
    if (is_identity_) identity_.emplace_back(field, std::move(value));
  }

  bool is_identity_ = true;
  absl::Status status_;
  std::vector<std::pair<std::string, std::string>> identity_;
};

// READ_NUMBER(reader, config, epochs, 200, 1, 100000): the field `epochs` of `config`.
#define READ_NUMBER(reader, config, field, ...) \
  (reader).Number(#field, (config).has_##field(), (config).field(), __VA_ARGS__)

void ReadData(const v1::TrainerConfig& config, FieldReader& reader, TrainOptions* options) {
  reader.Choice("preset", config.preset(), {"dudes"});
  options->data = config.data();  // not identity: data may move, its digest is what counts
  if (options->data.empty()) reader.Refuse("data", "must name a data set, such as \"camvid:DIR\", got \"\"");
  options->train_split = reader.Text("train_split", config.train_split(), "train");
  options->validation_split = reader.Text("validation_split", config.validation_split(), "val");
  options->width = READ_NUMBER(reader, config, width, 64, 4, 512);
  if (options->width % 4 != 0) reader.Refuse("width", absl::StrCat("must be a multiple of 4, got ", options->width));
  options->encoder_weights = reader.Text("encoder_weights", config.encoder_weights(), "");
  if (reader.Choice("normalisation", config.normalisation(), {"none", "imagenet"}) == 1) {
    options->loader.normalisation = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  }
  options->pretrained_members = reader.Flag("pretrained_members", config.pretrained_members());
  options->dropout = READ_NUMBER(reader, config, dropout, 0.0f, 0.0f, 0.95f);
  options->dropout_passes = READ_NUMBER(reader, config, dropout_passes, 10, 2, 128);
}

void ReadAugmentation(const v1::TrainerConfig& config, FieldReader& reader, TrainOptions* options) {
  LoaderOptions& loader = options->loader;
  AugmentOptions& augment = loader.augment;
  options->epochs = READ_NUMBER(reader, config, epochs, 200, 1, 100000);
  loader.batch_size = READ_NUMBER(reader, config, batch_size, 16, 2, 1024);
  loader.drop_last = reader.Flag("drop_last", config.drop_last());
  augment.crop = READ_NUMBER(reader, config, crop, 768, 32, 4096);
  if (augment.crop % 16 != 0) reader.Refuse("crop", absl::StrCat("must be a multiple of 16, got ", augment.crop));
  augment.min_scale = READ_NUMBER(reader, config, min_scale, 0.5f, 0.1f, 10.0f);
  augment.max_scale = READ_NUMBER(reader, config, max_scale, 2.0f, 0.1f, 10.0f);
  if (augment.max_scale < augment.min_scale) {
    reader.Refuse("max_scale",
                  absl::StrCat("must be at least min_scale (", augment.min_scale, "), got ", augment.max_scale));
  }
  const bool uniform = reader.Choice("scale_sampling", config.scale_sampling(), {"halves", "uniform"}) == 1;
  augment.scale_sampling = uniform ? ScaleSampling::kUniform : ScaleSampling::kHalves;
  augment.flip_probability = READ_NUMBER(reader, config, flip_probability, 0.5f, 0.0f, 1.0f);
  augment.jitter.brightness = READ_NUMBER(reader, config, jitter_brightness, 0.0f, 0.0f, 1.0f);
  augment.jitter.contrast = READ_NUMBER(reader, config, jitter_contrast, 0.0f, 0.0f, 1.0f);
  augment.jitter.saturation = READ_NUMBER(reader, config, jitter_saturation, 0.0f, 0.0f, 1.0f);
  augment.jitter.hue = READ_NUMBER(reader, config, jitter_hue, 0.0f, 0.0f, 0.5f);
  loader.cutmix_probability = READ_NUMBER(reader, config, cutmix_probability, 0.0f, 0.0f, 1.0f);
}

void ReadRecipe(const v1::TrainerConfig& config, FieldReader& reader, TrainOptions* options) {
  OptimizerOptions& optimizer = options->optimizer;
  optimizer.learning_rate = READ_NUMBER(reader, config, learning_rate, 0.01f, 0.0f, 10.0f, LowEnd::kExcluded);
  optimizer.decoder_factor = READ_NUMBER(reader, config, decoder_factor, 10.0f, 0.0f, 1000.0f, LowEnd::kExcluded);
  optimizer.momentum = READ_NUMBER(reader, config, momentum, 0.9f, 0.0f, 0.9999f);
  optimizer.weight_decay = READ_NUMBER(reader, config, weight_decay, 5e-4f, 0.0f, 1.0f);
  optimizer.poly_power = READ_NUMBER(reader, config, poly_power, 0.9f, 0.0f, 10.0f);
  optimizer.poly_phase = READ_NUMBER(reader, config, poly_phase, 0, 0, 1);
  const int precision = reader.Choice("precision", config.precision(), {"bf16", "fp32"});
  options->precision = precision == 0 ? TrainingPrecision::kBf16 : TrainingPrecision::kFp32;
  options->class_weights = reader.Text("class_weights", config.class_weights(), "none");
  options->ema_decay = READ_NUMBER(reader, config, ema_decay, 0.0f, 0.0f, 0.999999f);
}

void ReadSchedule(const v1::TrainerConfig& config, FieldReader& reader, int epochs, OptimizerOptions* optimizer) {
  const int schedule = reader.Choice("schedule", config.schedule(), {"poly", "cyclic", "constant_tail"});
  optimizer->schedule = static_cast<LearningSchedule>(schedule);
  optimizer->cycles = READ_NUMBER(reader, config, cycles, 5, 2, 128);
  if (optimizer->schedule == LearningSchedule::kCyclic && optimizer->cycles > epochs) {
    reader.Refuse("cycles", absl::StrCat("must be at most epochs (", epochs, "), got ", optimizer->cycles));
  }
  optimizer->tail_share = READ_NUMBER(reader, config, tail_share, 0.25f, 0.0f, 0.999f, LowEnd::kExcluded);
  optimizer->tail_factor = READ_NUMBER(reader, config, tail_factor, 0.5f, 0.0f, 1.0f, LowEnd::kExcluded);
}

// What the fields of a schedule say about others.
void CheckSchedule(const v1::TrainerConfig& config, FieldReader& reader, const TrainOptions& options) {
  const OptimizerOptions& optimizer = options.optimizer;
  const bool is_cyclic = optimizer.schedule == LearningSchedule::kCyclic;
  const bool has_tail = optimizer.schedule == LearningSchedule::kConstantTail;
  const std::string name = config.schedule().empty() ? "poly" : config.schedule();
  const auto only_for = [&](const char* field, bool is_set, bool is_chosen, const char* schedule) {
    if (!is_set || is_chosen) return;
    reader.Refuse(field, absl::StrCat("must not be set unless schedule is ", schedule, ", which is ", name));
  };
  only_for("cycles", config.has_cycles(), is_cyclic, "cyclic");
  only_for("tail_share", config.has_tail_share(), has_tail, "constant_tail");
  only_for("tail_factor", config.has_tail_factor(), has_tail, "constant_tail");
  if (optimizer.schedule != LearningSchedule::kPoly && options.ema_decay > 0) {
    reader.Refuse("ema_decay", absl::StrCat("must be 0 with schedule ", name,
                                            ", whose kept weights an average would mix, got ", options.ema_decay));
  }
  if (is_cyclic && options.snapshots != 0) {
    reader.Refuse("snapshots", absl::StrCat("must be 0 with schedule cyclic, which keeps the end of each cycle, got ",
                                            options.snapshots));
  }
  const int tail_epochs = static_cast<int>(optimizer.tail_share * options.epochs + 1e-4);
  if (has_tail && (options.snapshots < 2 || options.snapshots > tail_epochs)) {
    reader.Refuse("snapshots", absl::StrCat("must be in [2, ", tail_epochs,
                                            "] with schedule constant_tail, one for each "
                                            "of the last epochs of the tail, got ",
                                            options.snapshots));
  }
}

void ReadBayes(const v1::TrainerConfig& config, FieldReader& reader, BayesOptions* bayes) {
  bayes->is_decoder_only = reader.Flag("bayes_decoder_only", config.bayes_decoder_only());
  bayes->prior_stddev = READ_NUMBER(reader, config, prior_stddev, 1.0f, 0.0f, 100.0f, LowEnd::kExcluded);
  bayes->prior_narrow_stddev = READ_NUMBER(reader, config, prior_narrow_stddev, 0.1f, 0.0f, 100.0f, LowEnd::kExcluded);
  bayes->prior_mix = READ_NUMBER(reader, config, prior_mix, 0.5f, 0.0f, 1.0f);
  bayes->initial_stddev = READ_NUMBER(reader, config, initial_stddev, 0.05f, 0.0f, 1.0f, LowEnd::kExcluded);
  bayes->kl_weight = READ_NUMBER(reader, config, kl_weight, 1.0f, 0.0f, 1000.0f);
  bayes->kl_warmup = READ_NUMBER(reader, config, kl_warmup, 0.25f, 0.0f, 1.0f);
}

// Settings of a method that is not chosen would be ignored.
void RefuseBayes(const v1::TrainerConfig& config, FieldReader& reader) {
  const std::pair<const char*, bool> fields[] = {{"bayes_decoder_only", config.has_bayes_decoder_only()},
                                                 {"prior_stddev", config.has_prior_stddev()},
                                                 {"prior_narrow_stddev", config.has_prior_narrow_stddev()},
                                                 {"prior_mix", config.has_prior_mix()},
                                                 {"initial_stddev", config.has_initial_stddev()},
                                                 {"kl_weight", config.has_kl_weight()},
                                                 {"kl_warmup", config.has_kl_warmup()}};
  for (const auto& [field, is_set] : fields) {
    if (is_set) reader.Refuse(field, "must not be set unless member_method is bayes");
  }
}

void ReadMemberMethod(const v1::TrainerConfig& config, FieldReader& reader, TrainOptions* options) {
  const int method = reader.Choice("member_method", config.member_method(), {"plain", "bayes", "batch_ensemble"});
  options->member_method = static_cast<MemberMethod>(method);
  const bool is_batch_ensemble = options->member_method == MemberMethod::kBatchEnsemble;
  options->passes = READ_NUMBER(reader, config, passes, is_batch_ensemble ? 4 : 10, 2, 128);
  options->shared_encoder = reader.Flag("shared_encoder", config.shared_encoder());
  if (options->shared_encoder && options->dropout > 0) {
    reader.Refuse("shared_encoder", "must be false with dropout, whose place is in the encoder");
  }
  if (options->member_method == MemberMethod::kBayes) {
    ReadBayes(config, reader, &options->bayes);
  } else {
    RefuseBayes(config, reader);
  }
  if (options->member_method == MemberMethod::kPlain) {
    if (config.has_passes() && config.student_method() != "logit_gaussian") {
      reader.Refuse("passes", "must not be set with member_method plain, unless student_method is logit_gaussian");
    }
    return;
  }
  if (options->dropout > 0) reader.Refuse("dropout", "must be 0 unless member_method is plain");
  if (options->shared_encoder) reader.Refuse("shared_encoder", "must be false unless member_method is plain");
  if (options->optimizer.schedule != LearningSchedule::kPoly) {
    reader.Refuse("schedule", "must be poly unless member_method is plain: such snapshots make no ensemble");
  }
  const int batch = options->loader.batch_size;
  if (is_batch_ensemble && options->passes >= 2 && batch % options->passes != 0) {
    reader.Refuse("batch_size", absl::StrCat("must be a multiple of passes (", options->passes,
                                             "), the members that share a batch, got ", batch));
  }
}

void ReadStudentMethod(const v1::TrainerConfig& config, FieldReader& reader, StudentOptions* student) {
  const int method = reader.Choice("student_method", config.student_method(),
                                   {"dudes", "knowledge", "dirichlet", "logit_gaussian", "dense_stddev", "observer"});
  student->method = static_cast<StudentMethod>(method);
  const bool is_dirichlet = student->method == StudentMethod::kDirichlet;
  student->temperature = READ_NUMBER(reader, config, temperature, is_dirichlet ? 2.5f : 4.0f, 1.0f, 100.0f);
  student->distillation_weight = READ_NUMBER(reader, config, distillation_weight, 1.0f, 0.0f, 1000.0f);
  student->label_weight = READ_NUMBER(reader, config, label_weight, is_dirichlet ? 0.0f : 1.0f, 0.0f, 1000.0f);
  student->rank = READ_NUMBER(reader, config, rank, 0, 0, 16);
  student->teacher_cache = config.teacher_cache();  // not identity: it changes no result
}

void ReadTargets(const v1::TrainerConfig& config, FieldReader& reader, UncertaintyLossOptions* options) {
  if (!config.targets().empty()) options->targets.clear();
  for (int i = 0; i < config.targets_size(); ++i) {
    const std::string field = absl::StrCat("targets[", i, "]");
    const auto kind = ParseUncertaintyKind(config.targets(i));
    if (!kind.ok()) {
      reader.Refuse(field, kind.status().message());
    } else if (std::count(options->targets.begin(), options->targets.end(), *kind) > 0) {
      reader.Refuse(field, absl::StrCat(config.targets(i), " is there twice"));
    } else {
      options->targets.push_back(*kind);
    }
  }
  reader.Text(
      "targets",
      absl::StrJoin(options->targets, ",",
                    [](std::string* out, UncertaintyKind kind) { absl::StrAppend(out, UncertaintyKindName(kind)); }),
      "");
}

void ReadUncertainty(const v1::TrainerConfig& config, FieldReader& reader, UncertaintyLossOptions* options) {
  ReadTargets(config, reader, options);
  options->weight = READ_NUMBER(reader, config, uncertainty_weight, 1.0f, 0.0f, 1000.0f);
  const int pixels = reader.Choice("uncertainty_pixels", config.uncertainty_pixels(), {"all", "picture", "labelled"});
  options->pixels = static_cast<UncertaintyPixels>(pixels);
  const int root = reader.Choice("uncertainty_root", config.uncertainty_root(), {"batch", "image"});
  options->root = root == 0 ? UncertaintyRoot::kBatch : UncertaintyRoot::kImage;
  const int stddev = reader.Choice("target_stddev", config.target_stddev(), {"sample", "population"});
  options->population_stddev = stddev == 1;
  options->detach_features = reader.Flag("detach_uncertainty", config.detach_uncertainty());
}

void ReadRun(const v1::TrainerConfig& config, FieldReader& reader, TrainOptions* options) {
  options->seed = READ_NUMBER(reader, config, seed, uint64_t{0}, uint64_t{0}, std::numeric_limits<uint64_t>::max());
  options->validate_every = READ_NUMBER(reader, config, validate_every, 5, 1, 100000);
  const int keep = reader.Choice("keep", config.keep(), {"last", "best"});
  options->keep = keep == 0 ? KeptWeights::kLast : KeptWeights::kBest;
  if (options->keep == KeptWeights::kBest && options->validation_split == "none") {
    reader.Refuse("keep", "best needs a validation_split, got \"none\"");
  }
  options->snapshots = READ_NUMBER(reader, config, snapshots, 0, 0, 128);
  options->store = reader.Choice("store", config.store(), {"fp16", "fp32"}) == 0 ? DType::kF16 : DType::kF32;
  options->training = reader.Text("training", config.training(), "");
  reader.EndIdentity();
  options->members = READ_NUMBER(reader, config, members, 10, 2, 128);
  static constexpr const char* kDevices[] = {"auto", "cpu", "cuda"};
  options->device = kDevices[reader.Choice("device", config.device(), {"auto", "cpu", "cuda"})];
  options->threads = READ_NUMBER(reader, config, threads, 0, 0, 1024);
  options->loader.threads = READ_NUMBER(reader, config, loader_threads, 1, 1, 256);
  options->loader.cache_bytes = kMiB * READ_NUMBER(reader, config, cache_mib, 512, 0, 1048576);
  options->log_every_steps = READ_NUMBER(reader, config, log_every_steps, 20, 1, 1000000);
  options->checkpoint_seconds = READ_NUMBER(reader, config, checkpoint_seconds, 300, 1, 86400);
}

#undef READ_NUMBER

// A field that the chosen student_method does not read must be at its default.
template <typename T>
void RefuseUnless(bool is_read, const char* field, const T& value, const T& standard, const char* methods,
                  FieldReader& reader) {
  if (is_read || value == standard) return;
  reader.Refuse(field, absl::StrCat("must be left at its default unless student_method is ", methods));
}

void RefuseUnread(const TrainOptions& options, FieldReader& reader) {
  const StudentOptions& student = options.student;
  const StudentOptions plain;
  const bool is_softened = student.method == StudentMethod::kKnowledge || student.method == StudentMethod::kDirichlet;
  const bool is_gaussian = student.method == StudentMethod::kLogitGaussian;
  const bool has_targets = student.method == StudentMethod::kDudes || student.method == StudentMethod::kObserver;
  const bool has_maps = has_targets || student.method == StudentMethod::kDenseStddev;
  RefuseUnless(is_softened, "temperature", student.temperature, plain.temperature, "knowledge or dirichlet", reader);
  constexpr char kWeighted[] = "knowledge, dirichlet or logit_gaussian";
  RefuseUnless(is_softened || is_gaussian, "distillation_weight", student.distillation_weight,
               plain.distillation_weight, kWeighted, reader);
  RefuseUnless(is_softened || is_gaussian, "label_weight", student.label_weight, plain.label_weight, kWeighted, reader);
  RefuseUnless(is_gaussian, "rank", student.rank, plain.rank, "logit_gaussian", reader);
  RefuseUnless(!has_targets, "teacher_cache", student.teacher_cache, plain.teacher_cache,
               "knowledge, dirichlet, logit_gaussian or dense_stddev", reader);
  const UncertaintyLossOptions& maps = options.uncertainty;
  const UncertaintyLossOptions standard;
  constexpr char kOfMaps[] = "dudes, dense_stddev or observer";
  RefuseUnless(has_targets, "targets", maps.targets, standard.targets, "dudes or observer", reader);
  RefuseUnless(has_maps, "uncertainty_weight", maps.weight, standard.weight, kOfMaps, reader);
  RefuseUnless(has_maps, "uncertainty_pixels", maps.pixels, standard.pixels, kOfMaps, reader);
  RefuseUnless(has_maps, "uncertainty_root", maps.root, standard.root, kOfMaps, reader);
  RefuseUnless(has_maps, "target_stddev", maps.population_stddev, standard.population_stddev, kOfMaps, reader);
  RefuseUnless(has_maps, "detach_uncertainty", maps.detach_features, standard.detach_features, kOfMaps, reader);
}

// Its network is the teacher's and stays as it is, and it looks at no labels.
void RefuseForObserver(const TrainOptions& options, FieldReader& reader) {
  constexpr char kRule[] = " for student_method observer, ";
  if (options.keep == KeptWeights::kBest) {
    reader.Refuse("keep", absl::StrCat("must be last", kRule, "whose labels never change"));
  }
  if (options.class_weights != "none") {
    reader.Refuse("class_weights", absl::StrCat("must be none", kRule, "which looks at no labels"));
  }
  if (!options.encoder_weights.empty() && !options.pretrained_members) {
    reader.Refuse("encoder_weights", absl::StrCat("must be empty", kRule, "which starts from its teacher"));
  }
  if (options.uncertainty.root != UncertaintyRoot::kBatch) {
    reader.Refuse("uncertainty_root", absl::StrCat("must be batch", kRule, "whose loss has no root"));
  }
  if (options.uncertainty.detach_features) {
    reader.Refuse("detach_uncertainty", absl::StrCat("must be false", kRule, "which is always apart"));
  }
}

}  // namespace

absl::StatusOr<TrainOptions> ReadTrainConfig(const std::string& path, const std::vector<std::string>& overrides) {
  v1::TrainerConfig config;
  if (!path.empty()) RETURN_IF_ERROR(ReadTextProto(path, &config));
  for (const std::string& text : overrides) RETURN_IF_ERROR(MergeTextProto(text, &config));
  TrainOptions options;
  FieldReader reader;
  ReadData(config, reader, &options);
  ReadAugmentation(config, reader, &options);
  ReadRecipe(config, reader, &options);
  ReadSchedule(config, reader, options.epochs, &options.optimizer);
  ReadMemberMethod(config, reader, &options);
  ReadStudentMethod(config, reader, &options.student);
  if (options.student.method == StudentMethod::kObserver) {
    options.uncertainty.targets = {UncertaintyKind::kDisagreement};
  }
  ReadUncertainty(config, reader, &options.uncertainty);
  ReadRun(config, reader, &options);
  CheckSchedule(config, reader, options);
  RefuseUnread(options, reader);
  if (options.student.method == StudentMethod::kObserver) RefuseForObserver(options, reader);
  RETURN_IF_ERROR(reader.status());
  options.loader.seed = options.seed;
  options.identity = reader.TakeIdentity();
  return options;
}

}  // namespace candor
