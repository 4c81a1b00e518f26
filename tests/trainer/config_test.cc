// SPDX-License-Identifier: Apache-2.0
#include "trainer/config.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_folder.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class TrainConfigTest : public testing::Test {
 protected:
  // A file of `text`, with `overrides`.
  absl::StatusOr<TrainOptions> Read(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    WriteContents(folder_.File("trainer.textproto"), text);
    return ReadTrainConfig(folder_.File("trainer.textproto"), overrides);
  }

  // With a data set.
  absl::StatusOr<TrainOptions> ReadWith(const std::string& text) const { return Read("data: \"folder:/d\" " + text); }

  TemporaryFolder folder_;
};

std::string Identity(const TrainOptions& options, const std::string& field) {
  for (const auto& [name, value] : options.identity) {
    if (name == field) return value;
  }
  return "(none)";
}

// DUDES, section 4.1, and what the authors' code adds to it (reference/uncertainty.md, 2.1 and 2.2).
TEST_F(TrainConfigTest, DefaultsAreThePapersRecipe) {
  const auto options = ReadWith("");
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->epochs, 200);
  EXPECT_EQ(options->loader.batch_size, 16);
  EXPECT_FALSE(options->loader.drop_last);
  EXPECT_EQ(options->loader.augment.crop, 768);
  EXPECT_FLOAT_EQ(options->loader.augment.min_scale, 0.5f);
  EXPECT_FLOAT_EQ(options->loader.augment.max_scale, 2.0f);
  EXPECT_EQ(options->loader.augment.scale_sampling, ScaleSampling::kHalves);
  EXPECT_FLOAT_EQ(options->loader.augment.flip_probability, 0.5f);
  EXPECT_EQ(options->loader.augment.jitter.brightness, 0);
  EXPECT_EQ(options->loader.augment.jitter.hue, 0);
  EXPECT_EQ(options->loader.cutmix_probability, 0);
  EXPECT_EQ(options->loader.normalisation.mean[0], 0);
  EXPECT_EQ(options->loader.normalisation.stddev[0], 1);
  EXPECT_FLOAT_EQ(static_cast<float>(options->optimizer.learning_rate), 0.01f);
  EXPECT_EQ(options->optimizer.decoder_factor, 10);
  EXPECT_FLOAT_EQ(static_cast<float>(options->optimizer.momentum), 0.9f);
  EXPECT_FLOAT_EQ(static_cast<float>(options->optimizer.weight_decay), 5e-4f);
  EXPECT_FLOAT_EQ(static_cast<float>(options->optimizer.poly_power), 0.9f);
  EXPECT_EQ(options->optimizer.poly_phase, 0);
  EXPECT_EQ(options->precision, TrainingPrecision::kBf16);
  EXPECT_EQ(options->class_weights, "none");
  EXPECT_EQ(options->ema_decay, 0);
  EXPECT_EQ(options->width, 64);
  EXPECT_EQ(options->dropout, 0);
  EXPECT_FALSE(options->pretrained_members);
  EXPECT_EQ(options->members, 10);
}

TEST_F(TrainConfigTest, DefaultsOfTheUncertaintyLossAreThePapers) {
  const auto options = ReadWith("");
  ASSERT_THAT(options, IsOk());
  EXPECT_THAT(options->uncertainty.targets, ElementsAre(UncertaintyKind::kPredictiveStddev));
  EXPECT_EQ(options->uncertainty.weight, 1);
  EXPECT_EQ(options->uncertainty.pixels, UncertaintyPixels::kAll);
  EXPECT_EQ(options->uncertainty.root, UncertaintyRoot::kBatch);
  EXPECT_FALSE(options->uncertainty.population_stddev);
  EXPECT_FALSE(options->uncertainty.detach_features);
}

TEST_F(TrainConfigTest, DefaultsOfTheRun) {
  const auto options = ReadWith("");
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->data, "folder:/d");
  EXPECT_EQ(options->train_split, "train");
  EXPECT_EQ(options->validation_split, "val");
  EXPECT_EQ(options->seed, 0u);
  EXPECT_EQ(options->validate_every, 5);
  EXPECT_EQ(options->keep, KeptWeights::kLast);
  EXPECT_EQ(options->store, DType::kF16);
  EXPECT_EQ(options->device, "auto");
  EXPECT_EQ(options->threads, 0);
  EXPECT_EQ(options->loader.threads, 1);
  EXPECT_EQ(options->loader.cache_bytes, int64_t{512} << 20);
  EXPECT_EQ(options->log_every_steps, 20);
  EXPECT_EQ(options->checkpoint_seconds, 300);
}

TEST_F(TrainConfigTest, FieldsReachTheirOptions) {
  const auto options = ReadWith(
      "normalisation: 'imagenet' precision: 'fp32' scale_sampling: 'uniform' uncertainty_pixels: 'labelled' "
      "uncertainty_root: 'image' target_stddev: 'population' detach_uncertainty: true keep: 'best' store: 'fp32' "
      "targets: 'mutual_information' targets: 'predictive_stddev' seed: 18446744073709551615 drop_last: true "
      "jitter_hue: 0.25 learning_rate: 0.5 cache_mib: 1048576 poly_phase: 1 encoder_weights: '/w' training: 'by me'");
  ASSERT_THAT(options, IsOk());
  EXPECT_FLOAT_EQ(options->loader.normalisation.mean[2], 0.406f);
  EXPECT_FLOAT_EQ(options->loader.normalisation.stddev[0], 0.229f);
  EXPECT_EQ(options->precision, TrainingPrecision::kFp32);
  EXPECT_EQ(options->loader.augment.scale_sampling, ScaleSampling::kUniform);
  EXPECT_EQ(options->uncertainty.pixels, UncertaintyPixels::kLabelled);
  EXPECT_EQ(options->uncertainty.root, UncertaintyRoot::kImage);
  EXPECT_TRUE(options->uncertainty.population_stddev);
  EXPECT_TRUE(options->uncertainty.detach_features);
  EXPECT_EQ(options->keep, KeptWeights::kBest);
  EXPECT_EQ(options->store, DType::kF32);
  EXPECT_THAT(options->uncertainty.targets,
              ElementsAre(UncertaintyKind::kMutualInformation, UncertaintyKind::kPredictiveStddev));
  EXPECT_EQ(options->seed, 18446744073709551615u);
  EXPECT_EQ(options->loader.seed, options->seed);
  EXPECT_TRUE(options->loader.drop_last);
  EXPECT_EQ(options->loader.augment.jitter.hue, 0.25f);
  EXPECT_EQ(options->optimizer.learning_rate, 0.5);
  EXPECT_EQ(options->loader.cache_bytes, int64_t{1} << 40);
  EXPECT_EQ(options->optimizer.poly_phase, 1);
  EXPECT_EQ(options->encoder_weights, "/w");
  EXPECT_EQ(options->training, "by me");
}

struct BadField {
  const char* text;
  const char* field;
  const char* value;  // as the message ends
};

class BadFieldTest : public TrainConfigTest, public testing::WithParamInterface<BadField> {};

TEST_P(BadFieldTest, IsRefusedWithFieldAndValue) {
  EXPECT_THAT(ReadWith(GetParam().text),
              HasStatus(StatusCode::kInvalidArgument,
                        AllOf(StartsWith(std::string(GetParam().field) + ": "), EndsWith(GetParam().value))));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadFieldTest,
    testing::Values(
        BadField{"preset: 'other'", "preset", "got \"other\""}, BadField{"width: 2", "width", "got 2"},
        BadField{"width: 66", "width", "multiple of 4, got 66"}, BadField{"width: 516", "width", "got 516"},
        BadField{"normalisation: 'x\\n'", "normalisation", "got \"x\\n\""}, BadField{"dropout: 1", "dropout", "got 1"},
        BadField{"dropout: -0.5", "dropout", "got -0.5"}, BadField{"epochs: 0", "epochs", "got 0"},
        BadField{"epochs: -1", "epochs", "got -1"}, BadField{"batch_size: 1", "batch_size", "got 1"},
        BadField{"crop: 100", "crop", "multiple of 16, got 100"}, BadField{"crop: 16", "crop", "got 16"},
        BadField{"min_scale: 0", "min_scale", "got 0"}, BadField{"max_scale: 11", "max_scale", "got 11"},
        BadField{"min_scale: 1 max_scale: 0.5", "max_scale", "min_scale (1), got 0.5"},
        BadField{"scale_sampling: 'log'", "scale_sampling", "got \"log\""},
        BadField{"flip_probability: 1.5", "flip_probability", "got 1.5"},
        BadField{"jitter_brightness: 2", "jitter_brightness", "got 2"},
        BadField{"jitter_contrast: -1", "jitter_contrast", "got -1"},
        BadField{"jitter_saturation: 3", "jitter_saturation", "got 3"},
        BadField{"jitter_hue: 0.75", "jitter_hue", "got 0.75"},
        BadField{"cutmix_probability: 2", "cutmix_probability", "got 2"},
        BadField{"learning_rate: 0", "learning_rate", "got 0"},
        BadField{"learning_rate: nan", "learning_rate", "got nan"},
        BadField{"learning_rate: inf", "learning_rate", "got inf"},
        BadField{"decoder_factor: 0", "decoder_factor", "got 0"}, BadField{"momentum: 1", "momentum", "got 1"},
        BadField{"weight_decay: -1", "weight_decay", "got -1"}, BadField{"poly_power: 11", "poly_power", "got 11"},
        BadField{"poly_phase: 2", "poly_phase", "got 2"}, BadField{"precision: 'fp16'", "precision", "got \"fp16\""},
        BadField{"ema_decay: 1", "ema_decay", "got 1"},
        BadField{"targets: 'mutual_information' targets: 'mutual_information'", "targets[1]", "there twice"},
        BadField{"uncertainty_weight: -1", "uncertainty_weight", "got -1"},
        BadField{"uncertainty_pixels: 'void'", "uncertainty_pixels", "got \"void\""},
        BadField{"uncertainty_root: 'pixel'", "uncertainty_root", "got \"pixel\""},
        BadField{"target_stddev: 'x'", "target_stddev", "got \"x\""},
        BadField{"validate_every: 0", "validate_every", "got 0"}, BadField{"keep: 'first'", "keep", "got \"first\""},
        BadField{"keep: 'best' validation_split: 'none'", "keep", "got \"none\""},
        BadField{"store: 'int8'", "store", "got \"int8\""}, BadField{"members: 1", "members", "got 1"},
        BadField{"dropout_passes: 1", "dropout_passes", "got 1"}, BadField{"snapshots: -1", "snapshots", "got -1"},
        BadField{"device: 'tpu'", "device", "got \"tpu\""}, BadField{"threads: -1", "threads", "got -1"},
        BadField{"loader_threads: 0", "loader_threads", "got 0"}, BadField{"cache_mib: -1", "cache_mib", "got -1"},
        BadField{"log_every_steps: 0", "log_every_steps", "got 0"},
        BadField{"checkpoint_seconds: 0", "checkpoint_seconds", "got 0"}));

// Fields of a schedule that is not chosen, and what a schedule or a shared encoder asks of others.
INSTANTIATE_TEST_SUITE_P(
    Schedules, BadFieldTest,
    testing::Values(BadField{"shared_encoder: true dropout: 0.5", "shared_encoder", "in the encoder"},
                    BadField{"shared_encoder: true member_method: 'bayes'", "shared_encoder",
                             "unless member_method is plain"},
                    BadField{"schedule: 'linear'", "schedule", "got \"linear\""},
                    BadField{"schedule: 'cyclic' cycles: 1", "cycles", "got 1"},
                    BadField{"schedule: 'cyclic' cycles: 4 epochs: 3", "cycles", "at most epochs (3), got 4"},
                    BadField{"cycles: 5", "cycles", "unless schedule is cyclic, which is poly"},
                    BadField{"tail_share: 0.5", "tail_share", "unless schedule is constant_tail, which is poly"},
                    BadField{"schedule: 'cyclic' tail_factor: 0.5", "tail_factor", "which is cyclic"},
                    BadField{"schedule: 'cyclic' snapshots: 3", "snapshots", "got 3"},
                    BadField{"schedule: 'cyclic' ema_decay: 0.5", "ema_decay", "got 0.5"},
                    BadField{"schedule: 'constant_tail' snapshots: 3 ema_decay: 0.5", "ema_decay", "got 0.5"},
                    BadField{"schedule: 'constant_tail'", "snapshots", "got 0"},
                    BadField{"schedule: 'constant_tail' epochs: 8 tail_share: 0.5 snapshots: 5", "snapshots", "got 5"},
                    BadField{"schedule: 'constant_tail' tail_share: 0 snapshots: 2", "tail_share", "got 0"},
                    BadField{"schedule: 'constant_tail' tail_factor: 1.5 snapshots: 2", "tail_factor", "got 1.5"}));

INSTANTIATE_TEST_SUITE_P(
    MemberMethods, BadFieldTest,
    testing::Values(
        BadField{"member_method: 'laplace'", "member_method", "got \"laplace\""},
        BadField{"member_method: 'bayes' passes: 1", "passes", "got 1"},
        BadField{"member_method: 'batch_ensemble' passes: 129", "passes", "got 129"},
        BadField{"passes: 4", "passes", "unless student_method is logit_gaussian"},
        BadField{"member_method: 'bayes' dropout: 0.5", "dropout", "unless member_method is plain"},
        BadField{"member_method: 'batch_ensemble' shared_encoder: true", "shared_encoder", "member_method is plain"},
        BadField{"member_method: 'bayes' schedule: 'cyclic'", "schedule", "such snapshots make no ensemble"},
        BadField{"member_method: 'batch_ensemble' batch_size: 6", "batch_size",
                 "must be a multiple of passes (4), the members that share a batch, got 6"},
        BadField{"member_method: 'batch_ensemble' kl_weight: 1", "kl_weight", "unless member_method is bayes"},
        BadField{"bayes_decoder_only: false", "bayes_decoder_only", "unless member_method is bayes"},
        BadField{"prior_stddev: 1", "prior_stddev", "unless member_method is bayes"},
        BadField{"prior_narrow_stddev: 1", "prior_narrow_stddev", "unless member_method is bayes"},
        BadField{"prior_mix: 1", "prior_mix", "unless member_method is bayes"},
        BadField{"initial_stddev: 1", "initial_stddev", "unless member_method is bayes"},
        BadField{"kl_warmup: 1", "kl_warmup", "unless member_method is bayes"},
        BadField{"member_method: 'bayes' prior_stddev: 0", "prior_stddev", "got 0"},
        BadField{"member_method: 'bayes' prior_narrow_stddev: 101", "prior_narrow_stddev", "got 101"},
        BadField{"member_method: 'bayes' prior_mix: 1.5", "prior_mix", "got 1.5"},
        BadField{"member_method: 'bayes' initial_stddev: 0", "initial_stddev", "got 0"},
        BadField{"member_method: 'bayes' kl_weight: -1", "kl_weight", "got -1"},
        BadField{"member_method: 'bayes' kl_warmup: 2", "kl_warmup", "got 2"}));

TEST_F(TrainConfigTest, MemberMethodsHaveTheirFields) {
  const auto plain = ReadWith("");
  ASSERT_THAT(plain, IsOk());
  EXPECT_EQ(plain->member_method, MemberMethod::kPlain);
  const auto batch_ensemble = ReadWith("member_method: 'batch_ensemble'");
  ASSERT_THAT(batch_ensemble, IsOk());
  EXPECT_EQ(batch_ensemble->member_method, MemberMethod::kBatchEnsemble);
  EXPECT_EQ(batch_ensemble->passes, 4);
  const auto bayes = ReadWith("member_method: 'bayes' bayes_decoder_only: true prior_mix: 0.25 kl_warmup: 0");
  ASSERT_THAT(bayes, IsOk());
  EXPECT_EQ(bayes->member_method, MemberMethod::kBayes);
  EXPECT_EQ(bayes->passes, 10);
  EXPECT_TRUE(bayes->bayes.is_decoder_only);
  EXPECT_EQ(bayes->bayes.prior_stddev, 1);
  EXPECT_FLOAT_EQ(static_cast<float>(bayes->bayes.prior_narrow_stddev), 0.1f);
  EXPECT_EQ(bayes->bayes.prior_mix, 0.25);
  EXPECT_FLOAT_EQ(static_cast<float>(bayes->bayes.initial_stddev), 0.05f);
  EXPECT_EQ(bayes->bayes.kl_weight, 1);
  EXPECT_EQ(bayes->bayes.kl_warmup, 0);
  EXPECT_EQ(Identity(*bayes, "prior_mix"), "0.25");
}

TEST_F(TrainConfigTest, AnObserverLearnsDisagreementUnlessToldOtherwise) {
  EXPECT_THAT(ReadWith("student_method: 'observer'")->uncertainty.targets, ElementsAre(UncertaintyKind::kDisagreement));
  EXPECT_THAT(ReadWith("student_method: 'observer' targets: 'mutual_information'")->uncertainty.targets,
              ElementsAre(UncertaintyKind::kMutualInformation));
  EXPECT_THAT(ReadWith("student_method: 'observer' encoder_weights: 'E' pretrained_members: true"), IsOk())
      << "the members' encoder";
}

INSTANTIATE_TEST_SUITE_P(
    OfAnObserver, BadFieldTest,
    testing::Values(
        BadField{"student_method: 'observer' keep: 'best'", "keep", "whose labels never change"},
        BadField{"student_method: 'observer' class_weights: 'median'", "class_weights", "which looks at no labels"},
        BadField{"student_method: 'observer' encoder_weights: 'E'", "encoder_weights", "which starts from its teacher"},
        BadField{"student_method: 'observer' uncertainty_root: 'image'", "uncertainty_root", "no root"},
        BadField{"student_method: 'observer' detach_uncertainty: true", "detach_uncertainty",
                 "which is always apart"}));

TEST_F(TrainConfigTest, AnUnknownTargetIsNamed) {
  EXPECT_THAT(ReadWith("targets: 'doubt'"),
              HasStatus(StatusCode::kInvalidArgument, AllOf(StartsWith("targets[0]: "), HasSubstr("doubt"))));
}

TEST_F(TrainConfigTest, SchedulesReachTheirOptions) {
  const auto cyclic = ReadWith("schedule: 'cyclic' cycles: 8");
  ASSERT_THAT(cyclic, IsOk());
  EXPECT_EQ(cyclic->optimizer.schedule, LearningSchedule::kCyclic);
  EXPECT_EQ(cyclic->optimizer.cycles, 8);
  const auto tail = ReadWith("schedule: 'constant_tail' epochs: 8 tail_share: 0.5 tail_factor: 0.25 snapshots: 4");
  ASSERT_THAT(tail, IsOk());
  EXPECT_EQ(tail->optimizer.schedule, LearningSchedule::kConstantTail);
  EXPECT_EQ(tail->optimizer.tail_share, 0.5);
  EXPECT_EQ(tail->optimizer.tail_factor, 0.25);
  EXPECT_EQ(tail->snapshots, 4);
}

TEST_F(TrainConfigTest, DataIsRequired) {
  EXPECT_THAT(Read(""), HasStatus(StatusCode::kInvalidArgument, StartsWith("data: ")));
}

TEST_F(TrainConfigTest, OverridesWinAndALaterOneMost) {
  const auto options = Read("data: 'folder:/d' epochs: 5 crop: 64", {"epochs: 6 width: 8", "epochs: 7"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->epochs, 7);
  EXPECT_EQ(options->width, 8);
  EXPECT_EQ(options->loader.augment.crop, 64);
}

TEST_F(TrainConfigTest, AnOverrideIsCheckedToo) {
  EXPECT_THAT(Read("data: 'folder:/d'", {"epochs: 0"}),
              HasStatus(StatusCode::kInvalidArgument, StartsWith("epochs: ")));
  EXPECT_THAT(Read("data: 'folder:/d'", {"epoch: 3"}), HasStatus(StatusCode::kInvalidArgument, HasSubstr("epoch")));
}

TEST_F(TrainConfigTest, AStudentMethodHasItsOwnDefaults) {
  for (const auto& [method, temperature, label_weight] : std::vector<std::tuple<const char*, double, double>>{
           {"dudes", 4, 1}, {"knowledge", 4, 1}, {"dirichlet", 2.5, 0}, {"logit_gaussian", 4, 1}}) {
    const auto options = ReadWith(absl::StrCat("student_method: '", method, "'"));
    ASSERT_THAT(options, IsOk()) << method;
    EXPECT_EQ(options->student.temperature, temperature) << method;
    EXPECT_EQ(options->student.label_weight, label_weight) << method;
    EXPECT_EQ(options->student.distillation_weight, 1) << method;
    EXPECT_EQ(Identity(*options, "student_method"), method);
    EXPECT_EQ(Identity(*options, "teacher_cache"), "(none)");
  }
  EXPECT_EQ(ReadWith("student_method: 'logit_gaussian' rank: 3 teacher_cache: '/c'")->student.rank, 3);
}

TEST_F(TrainConfigTest, WhatAStudentMethodDoesNotReadIsRefused) {
  for (const auto& [text, field] : std::vector<std::pair<const char*, const char*>>{
           {"temperature: 3", "temperature"},
           {"distillation_weight: 2", "distillation_weight"},
           {"label_weight: 0", "label_weight"},
           {"student_method: 'dense_stddev' label_weight: 0", "label_weight"},
           {"rank: 2", "rank"},
           {"student_method: 'dirichlet' rank: 2", "rank"},
           {"student_method: 'logit_gaussian' temperature: 3", "temperature"},
           {"teacher_cache: '/c'", "teacher_cache"},
           {"student_method: 'dense_stddev' targets: 'mutual_information'", "targets"},
           {"student_method: 'knowledge' uncertainty_weight: 2", "uncertainty_weight"},
           {"student_method: 'knowledge' uncertainty_pixels: 'picture'", "uncertainty_pixels"},
           {"student_method: 'dirichlet' uncertainty_root: 'image'", "uncertainty_root"},
           {"student_method: 'dirichlet' target_stddev: 'population'", "target_stddev"},
           {"student_method: 'logit_gaussian' detach_uncertainty: true", "detach_uncertainty"}}) {
    EXPECT_THAT(ReadWith(text), HasStatus(StatusCode::kInvalidArgument,
                                          AllOf(StartsWith(absl::StrCat(field, ": ")), HasSubstr("student_method"))))
        << text;
  }
  EXPECT_THAT(ReadWith("student_method: 'hinton'"),
              HasStatus(StatusCode::kInvalidArgument, AllOf(StartsWith("student_method: "), HasSubstr("hinton"))));
  // A file of every setting at its default serves every method.
  EXPECT_THAT(ReadWith("student_method: 'knowledge' targets: 'predictive_stddev' uncertainty_weight: 1"), IsOk());
}

TEST_F(TrainConfigTest, AnUnknownFieldIsRefusedWithItsPlace) {
  EXPECT_THAT(Read("data: 'folder:/d'\nepoch: 3"),
              HasStatus(StatusCode::kInvalidArgument, AllOf(HasSubstr("trainer.textproto"), HasSubstr("epoch"))));
}

TEST_F(TrainConfigTest, AMissingFileIsNotFound) {
  EXPECT_THAT(ReadTrainConfig(folder_.File("none"), {}), HasStatus(StatusCode::kNotFound, HasSubstr("none")));
}

TEST_F(TrainConfigTest, IdentityHasTheRecipeAndNotWhereItRuns) {
  const auto options = ReadWith("epochs: 3 seed: 4 targets: 'mutual_information' drop_last: true");
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(Identity(*options, "epochs"), "3");
  EXPECT_EQ(Identity(*options, "seed"), "4");
  EXPECT_EQ(Identity(*options, "learning_rate"), "0.01");
  EXPECT_EQ(Identity(*options, "targets"), "mutual_information");
  EXPECT_EQ(Identity(*options, "drop_last"), "true");
  EXPECT_EQ(Identity(*options, "precision"), "bf16");
  for (const char* field :
       {"device", "threads", "loader_threads", "cache_mib", "log_every_steps", "checkpoint_seconds"}) {
    EXPECT_EQ(Identity(*options, field), "(none)") << field;
  }
}

TEST_F(TrainConfigTest, WhatIsSaidAndWhatIsTheDefaultAreOneIdentity) {
  const auto silent = ReadWith("");
  const auto spoken = ReadWith("preset: 'dudes' epochs: 200 learning_rate: 0.01 precision: 'bf16' threads: 3");
  ASSERT_THAT(silent, IsOk());
  ASSERT_THAT(spoken, IsOk());
  EXPECT_EQ(silent->identity, spoken->identity);
}

// Two seeds or two learning rates must not look alike.
TEST_F(TrainConfigTest, IdentityTellsNeighbouringValuesApart) {
  const auto a = ReadWith("learning_rate: 0.01234567 seed: 18446744073709551615");
  const auto b = ReadWith("learning_rate: 0.01234568 seed: 18446744073709551614");
  ASSERT_THAT(a, IsOk());
  ASSERT_THAT(b, IsOk());
  EXPECT_NE(Identity(*a, "seed"), Identity(*b, "seed"));
  EXPECT_NE(Identity(*a, "learning_rate"), Identity(*b, "learning_rate"));
}

}  // namespace
}  // namespace candor
