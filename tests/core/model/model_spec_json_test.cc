// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <string>

#include "absl/strings/str_replace.h"
#include "core/model/model_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// A file as another program would write it: base64 of 4096 zero bytes is 5460 times 'A', then "AA==" less two bytes.
std::string HandWrittenJson(const std::string& version = R"("format_version": 2, "learned": [],
    "sampling": {"method": "none"}, "calibration": null)") {
  const std::string zeros = std::string(5462, 'A') + "==";
  const std::string hex(64, 'f');
  return R"({"training": "b\u00e4r", )" + version + R"(, "kind": "single", "architecture": "deeplabv3plus_resnet18",
    "width": 64, "classes": [{"name": "sky", "colour": [1, 2, 3]}, {"name": "road", "colour": [255, 0, 9]}],
    "normalisation": {"mean": [0.485, 0, -1], "stddev": [0.25, 1, 2]},
    "uncertainty": [{"kind": "margin", "unit": "probability", "range_max": 1},
                    {"kind": "predictive_entropy", "unit": "nats", "range_max": 0.69314718056}],
    "weights": [{"file": "a.safetensors", "bytes": 12, "sha256": ")" +
         hex + R"("}], "known_answer": {"labels": ")" + zeros + R"(", "uncertainty": ")" + zeros + "\"}}";
}

// 64 shares, all in the first bin.
std::string FirstBinOnly() {
  std::string list = "[1";
  for (int i = 1; i < 64; ++i) list += ", 0";
  return list + "]";
}

// The parts of version 2 filled in, for the spec above.
ordered_json FullCalibration() {
  return ordered_json::parse(R"({"data": "val", "temperature": 1.5,
    "verdict": {"kind": "margin", "accept_max": 0.1, "review_max": 0.2, "error_rate": 0.05, "reject_error_rate": 0.1},
    "reference": {"kind": "predictive_entropy", "histogram": )" +
                             FirstBinOnly() + "}}");
}

TEST(ModelSpecJsonTest, ASharedEncoderIsWrittenOnlyWhereThereIsOneAndReadBack) {
  ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 2);
  EXPECT_THAT(ModelSpecToJson(spec), Not(HasSubstr("shared_encoder")));
  EXPECT_FALSE(ModelSpecFromJson(ModelSpecToJson(spec))->is_encoder_shared);
  spec.is_encoder_shared = true;
  const std::string json = ModelSpecToJson(spec);
  EXPECT_THAT(json, HasSubstr("\"shared_encoder\": true"));
  EXPECT_TRUE(ModelSpecFromJson(json)->is_encoder_shared);
  EXPECT_THAT(ModelSpecFromJson(absl::StrReplaceAll(json, {{"\"shared_encoder\": true", "\"shared_encoder\": 1"}})),
              HasStatus(kInvalid, HasSubstr("shared_encoder: ")));
}

TEST(ModelSpecJsonTest, ReadsAHandWrittenFile) {
  const auto spec = ModelSpecFromJson(HandWrittenJson());
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->kind, ModelKind::kSingle);
  EXPECT_EQ(spec->architecture, "deeplabv3plus_resnet18");
  EXPECT_EQ(spec->width, 64);
  ASSERT_EQ(spec->class_count(), 2);
  EXPECT_EQ(spec->classes[1].name, "road");
  EXPECT_EQ(spec->classes[1].colour, (Colour{255, 0, 9}));
  EXPECT_EQ(spec->normalisation.mean[0], 0.485f);
  EXPECT_EQ(spec->normalisation.mean[2], -1.0f);
  EXPECT_EQ(spec->normalisation.stddev[0], 0.25f);
  EXPECT_THAT(spec->uncertainty, testing::ElementsAre(UncertaintyKind::kMargin, UncertaintyKind::kPredictiveEntropy));
  EXPECT_EQ(spec->default_kind(), UncertaintyKind::kMargin);
  ASSERT_EQ(spec->weights.size(), 1u);
  EXPECT_EQ(spec->weights[0].name, "a.safetensors");
  EXPECT_EQ(spec->weights[0].bytes, 12);
  EXPECT_EQ(spec->weights[0].sha256, std::string(64, 'f'));
  EXPECT_THAT(spec->known_answer.labels, testing::SizeIs(4096));
  EXPECT_THAT(spec->known_answer.uncertainty, testing::Each(0));
  EXPECT_EQ(spec->training, "bär");
  EXPECT_THAT(spec->learned, testing::IsEmpty());
  EXPECT_EQ(spec->sampling.method, SamplingMethod::kNone);
  EXPECT_FALSE(spec->calibration.has_value());
}

TEST(ModelSpecJsonTest, ReadsAHandWrittenCalibration) {
  ordered_json document = ordered_json::parse(HandWrittenJson());
  document["calibration"] = FullCalibration();
  const auto spec = ModelSpecFromJson(document.dump());
  ASSERT_THAT(spec, IsOk());
  ASSERT_TRUE(spec->calibration.has_value());
  EXPECT_EQ(spec->calibration->data, "val");
  EXPECT_EQ(spec->calibration->temperature, 1.5f);
  ASSERT_TRUE(spec->calibration->verdict.has_value());
  EXPECT_EQ(spec->calibration->verdict->kind, UncertaintyKind::kMargin);
  EXPECT_EQ(spec->calibration->verdict->accept_max, 0.1f);
  EXPECT_EQ(spec->calibration->verdict->review_max, 0.2f);
  EXPECT_EQ(spec->calibration->verdict->error_rate, 0.05f);
  EXPECT_EQ(spec->calibration->verdict->reject_error_rate, 0.1f);
  ASSERT_TRUE(spec->calibration->reference.has_value());
  EXPECT_EQ(spec->calibration->reference->kind, UncertaintyKind::kPredictiveEntropy);
  ASSERT_THAT(spec->calibration->reference->histogram, testing::SizeIs(64));
  EXPECT_EQ(spec->calibration->reference->histogram[0], 1);

  document["calibration"]["verdict"] = nullptr;
  document["calibration"]["reference"] = nullptr;
  const auto bare = ModelSpecFromJson(document.dump());
  ASSERT_THAT(bare, IsOk());
  EXPECT_FALSE(bare->calibration->verdict.has_value());
  EXPECT_FALSE(bare->calibration->reference.has_value());
}

TEST(ModelSpecJsonTest, ReadsHandWrittenSampling) {
  ordered_json document = ordered_json::parse(HandWrittenJson());
  document["sampling"] = ordered_json::parse(R"({"method": "mc_dropout", "passes": 10, "dropout": 0.2})");
  auto spec = ModelSpecFromJson(document.dump());
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->sampling.method, SamplingMethod::kMcDropout);
  EXPECT_EQ(spec->sampling.passes, 10);
  EXPECT_EQ(spec->sampling.dropout, 0.2f);
  document["sampling"] = ordered_json::parse(
      R"({"method": "augmentation", "views": [{"scale": 1, "flip": false}, {"scale": 0.75, "flip": true}]})");
  spec = ModelSpecFromJson(document.dump());
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->sampling.method, SamplingMethod::kAugmentation);
  ASSERT_EQ(spec->sampling.views.size(), 2u);
  EXPECT_EQ(spec->sampling.views[1].scale, 0.75f);
  EXPECT_FALSE(spec->sampling.views[0].flip);
  EXPECT_TRUE(spec->sampling.views[1].flip);
}

TEST(ModelSpecJsonTest, ReadsHandWrittenSamplingOfWeights) {
  ordered_json document = ordered_json::parse(HandWrittenJson());
  document["sampling"] = ordered_json::parse(R"({"method": "weight_samples", "passes": 10, "decoder_only": true})");
  auto spec = ModelSpecFromJson(document.dump());
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->sampling.method, SamplingMethod::kWeightSamples);
  EXPECT_EQ(spec->sampling.passes, 10);
  EXPECT_TRUE(spec->sampling.is_decoder_only);
  EXPECT_EQ(ordered_json::parse(ModelSpecToJson(*spec))["sampling"], document["sampling"]);
  document["sampling"] = ordered_json::parse(R"({"method": "rank_one", "passes": 4})");
  spec = ModelSpecFromJson(document.dump());
  ASSERT_THAT(spec, IsOk());
  EXPECT_EQ(spec->sampling.method, SamplingMethod::kRankOne);
  EXPECT_EQ(PredictionCount(*spec), 4);
  EXPECT_EQ(ordered_json::parse(ModelSpecToJson(*spec))["sampling"], document["sampling"]);
}

TEST(ModelSpecJsonTest, ReadsAStudentsLearnedKindsInTheirOrder) {
  ordered_json document = ordered_json::parse(HandWrittenJson());
  document["kind"] = "student";
  document["learned"] = {"mutual_information", "predictive_stddev"};
  const auto spec = ModelSpecFromJson(document.dump());
  ASSERT_THAT(spec, IsOk());
  EXPECT_THAT(spec->learned,
              testing::ElementsAre(UncertaintyKind::kMutualInformation, UncertaintyKind::kPredictiveStddev));
}

TEST(ModelSpecJsonTest, ReadsVersionOne) {
  const std::string json = HandWrittenJson(R"("format_version": 1)");
  const auto single = ModelSpecFromJson(json);
  ASSERT_THAT(single, IsOk());
  EXPECT_THAT(single->learned, testing::IsEmpty());
  EXPECT_EQ(single->sampling.method, SamplingMethod::kNone);
  EXPECT_FALSE(single->calibration.has_value());
  const auto student = ModelSpecFromJson(absl::StrReplaceAll(json, {{"\"single\"", "\"student\""}}));
  ASSERT_THAT(student, IsOk());
  EXPECT_THAT(student->learned, testing::ElementsAre(UncertaintyKind::kPredictiveStddev));
}

TEST(ModelSpecJsonTest, VersionOneHasNoKeysOfVersionTwo) {
  for (const char* key : {"learned", "sampling", "calibration"}) {
    ordered_json document = ordered_json::parse(HandWrittenJson(R"("format_version": 1)"));
    document[key] = nullptr;
    EXPECT_THAT(ModelSpecFromJson(document.dump()), HasStatus(kInvalid, HasSubstr(std::string(key) + ": unknown key")));
  }
}

TEST(ModelSpecJsonTest, RoundTripKeepsEveryField) {
  ModelSpec spec = ValidSpec(ModelKind::kEnsemble, 3);
  spec.normalisation = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 1e-30f}};
  for (size_t i = 0; i < 4096; ++i) {
    spec.known_answer.labels[i] = i % 3;
    spec.known_answer.uncertainty[i] = (i * 7) % 256;
  }
  spec.training = "line\nquote \" back\\slash \x01 ü";
  const std::string json = ModelSpecToJson(spec);
  const auto read = ModelSpecFromJson(json);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->kind, spec.kind);
  EXPECT_EQ(read->width, 16);
  EXPECT_EQ(read->classes[2].colour, (Colour{7, 8, 255}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read->normalisation.mean[i], spec.normalisation.mean[i]);
    EXPECT_EQ(read->normalisation.stddev[i], spec.normalisation.stddev[i]);
  }
  EXPECT_EQ(read->uncertainty, spec.uncertainty);
  EXPECT_EQ(read->weights[2].name, "w2.safetensors");
  EXPECT_EQ(read->weights[2].bytes, 102);
  EXPECT_EQ(read->known_answer.labels, spec.known_answer.labels);
  EXPECT_EQ(read->known_answer.uncertainty, spec.known_answer.uncertainty);
  EXPECT_EQ(read->training, spec.training);
  EXPECT_EQ(ModelSpecToJson(*read), json);
}

TEST(ModelSpecJsonTest, RoundTripKeepsLearnedSamplingAndCalibration) {
  ModelSpec student = Calibrated(ValidSpec(ModelKind::kStudent, 1));
  student.learned = {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kExpectedEntropy};
  student.calibration->reference->histogram[3] = 1.0f / 64 + 1e-4f;
  for (const ModelSpec& spec : {student, DropoutSpec(), Calibrated(AugmentedSpec())}) {
    const std::string json = ModelSpecToJson(spec);
    const auto read = ModelSpecFromJson(json);
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(read->learned, spec.learned);
    EXPECT_EQ(read->sampling.method, spec.sampling.method);
    EXPECT_EQ(read->sampling.dropout, spec.sampling.dropout);
    EXPECT_EQ(PredictionCount(*read), PredictionCount(spec));
    EXPECT_EQ(read->calibration.has_value(), spec.calibration.has_value());
    EXPECT_EQ(ModelSpecToJson(*read), json);
  }
  const auto read = ModelSpecFromJson(ModelSpecToJson(student));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->calibration->temperature, 1.25f);
  EXPECT_EQ(read->calibration->verdict->review_max, 0.5f);
  EXPECT_EQ(read->calibration->reference->histogram, student.calibration->reference->histogram);
}

TEST(ModelSpecJsonTest, IsWrittenForPeopleToo) {
  ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
  spec.normalisation.mean[0] = 0.485f;
  const std::string json = ModelSpecToJson(spec);
  EXPECT_EQ(json.back(), '\n');
  EXPECT_THAT(json, HasSubstr("  \"format_version\": 2,\n  \"kind\": \"student\""));
  EXPECT_THAT(json, HasSubstr("0.485,"));
  EXPECT_THAT(json, HasSubstr("\"unit\": \"nats\""));
}

TEST(ModelSpecJsonTest, WritingIllFormedTextDoesNotThrow) {
  ModelSpec spec = ValidSpec(ModelKind::kStudent, 1);
  spec.training = "\xff";
  EXPECT_THAT(ModelSpecFromJson(ModelSpecToJson(spec)), IsOk());
}

struct Fault {
  std::string message;  // part of it
  std::function<void(ordered_json*)> damage;
};

void ExpectRefused(const Fault& fault) {
  ordered_json document = ordered_json::parse(HandWrittenJson());
  fault.damage(&document);
  EXPECT_THAT(ModelSpecFromJson(document.dump()), HasStatus(kInvalid, HasSubstr(fault.message)));
}

TEST(ModelSpecJsonTest, EveryKeyIsRequired) {
  const ordered_json document = ordered_json::parse(HandWrittenJson());
  for (const auto& item : document.items()) {
    ExpectRefused({item.key() + ": missing", [&](ordered_json* d) { d->erase(item.key()); }});
  }
  ExpectRefused({"classes[1].colour: missing", [](ordered_json* d) { (*d)["classes"][1].erase("colour"); }});
  ExpectRefused({"normalisation.mean: missing", [](ordered_json* d) { (*d)["normalisation"].erase("mean"); }});
  ExpectRefused({"uncertainty[0].unit: missing", [](ordered_json* d) { (*d)["uncertainty"][0].erase("unit"); }});
  ExpectRefused({"weights[0].sha256: missing", [](ordered_json* d) { (*d)["weights"][0].erase("sha256"); }});
  const auto calibration = [](ordered_json* d) -> ordered_json& { return (*d)["calibration"] = FullCalibration(); };
  for (const char* key : {"data", "temperature", "verdict", "reference"}) {
    ExpectRefused(
        {std::string("calibration.") + key + ": missing", [&](ordered_json* d) { calibration(d).erase(key); }});
  }
  for (const char* key : {"kind", "accept_max", "review_max", "error_rate", "reject_error_rate"}) {
    ExpectRefused({std::string("calibration.verdict.") + key + ": missing",
                   [&](ordered_json* d) { calibration(d)["verdict"].erase(key); }});
  }
  ExpectRefused({"calibration.reference.histogram: missing",
                 [&](ordered_json* d) { calibration(d)["reference"].erase("histogram"); }});
  ExpectRefused({"sampling.method: missing", [](ordered_json* d) { (*d)["sampling"] = ordered_json::object(); }});
  ExpectRefused({"sampling.passes: missing", [](ordered_json* d) { (*d)["sampling"]["method"] = "mc_dropout"; }});
  ExpectRefused({"sampling.passes: missing", [](ordered_json* d) { (*d)["sampling"]["method"] = "rank_one"; }});
  ExpectRefused({"sampling.decoder_only: missing", [](ordered_json* d) {
                   (*d)["sampling"] = {{"method", "weight_samples"}, {"passes", 2}};
                 }});
  ExpectRefused({"sampling.views: missing", [](ordered_json* d) { (*d)["sampling"]["method"] = "augmentation"; }});
  ExpectRefused({"known_answer.labels: missing", [](ordered_json* d) { (*d)["known_answer"].erase("labels"); }});
}

TEST(ModelSpecJsonTest, RangesOfTheEncoderAreKeptAndChecked) {
  ModelSpec spec = Calibrated(ValidSpec(ModelKind::kStudent, 1));
  for (size_t i = 0; i < kEncoderMaps; ++i) {
    spec.calibration->encoder_ranges.push_back({-0.25F * static_cast<float>(i), 1.5F + static_cast<float>(i)});
  }
  const auto read = ModelSpecFromJson(ModelSpecToJson(spec));
  ASSERT_THAT(read, IsOk());
  ASSERT_EQ(read->calibration->encoder_ranges.size(), kEncoderMaps);
  EXPECT_EQ(read->calibration->encoder_ranges[3].least, -0.75F);
  EXPECT_EQ(read->calibration->encoder_ranges[3].largest, 4.5F);
  const auto with = [](ordered_json ranges) {
    return [ranges](ordered_json* d) { ((*d)["calibration"] = FullCalibration())["encoder_ranges"] = ranges; };
  };
  ordered_json ranges = ordered_json::array();
  for (size_t i = 0; i < kEncoderMaps; ++i) ranges.push_back({0, 1});
  ordered_json few = ranges;
  few.erase(0);
  ExpectRefused({"calibration.encoder_ranges: must have 20 items, has 19", with(few)});
  ranges[4] = {1, 0};
  ExpectRefused({"calibration.encoder_ranges[4]: must be [least, largest], both finite, is [1, 0]", with(ranges)});
  ranges[4] = {0, 1, 2};
  ExpectRefused({"calibration.encoder_ranges[4]: must have 2 items", with(ranges)});
  ranges[4] = {0, "1"};
  ExpectRefused({"calibration.encoder_ranges[4][1]: must be a number", with(ranges)});
}

TEST(ModelSpecJsonTest, UnknownKeysAreRefusedWithTheirPath) {
  ExpectRefused({"colour_space: unknown key", [](ordered_json* d) { (*d)["colour_space"] = 1; }});
  ExpectRefused({"classes[1].id: unknown key", [](ordered_json* d) { (*d)["classes"][1]["id"] = 1; }});
  ExpectRefused({"normalisation.std: unknown key", [](ordered_json* d) { (*d)["normalisation"]["std"] = 1; }});
  ExpectRefused({"uncertainty[1].max: unknown key", [](ordered_json* d) { (*d)["uncertainty"][1]["max"] = 1; }});
  ExpectRefused({"weights[0].size: unknown key", [](ordered_json* d) { (*d)["weights"][0]["size"] = 1; }});
  ExpectRefused(
      {"sampling.passes: unknown key, must be one of method", [](ordered_json* d) { (*d)["sampling"]["passes"] = 2; }});
  ExpectRefused({"calibration.drift: unknown key", [](ordered_json* d) {
                   (*d)["calibration"] = FullCalibration();
                   (*d)["calibration"]["drift"] = 1;
                 }});
  ExpectRefused({"known_answer.picture: unknown key", [](ordered_json* d) { (*d)["known_answer"]["picture"] = 1; }});
}

TEST(ModelSpecJsonTest, IllTypedValuesAreRefusedWithTheirPath) {
  ExpectRefused({"kind: must be a string, is a number", [](ordered_json* d) { (*d)["kind"] = 1; }});
  ExpectRefused({"architecture: must be a string, is null", [](ordered_json* d) { (*d)["architecture"] = nullptr; }});
  ExpectRefused({"width: must be an integer", [](ordered_json* d) { (*d)["width"] = "64"; }});
  ExpectRefused({"width: must be an integer", [](ordered_json* d) { (*d)["width"] = 64.0; }});
  ExpectRefused({"width: must be an integer", [](ordered_json* d) { (*d)["width"] = uint64_t{1} << 63; }});
  ExpectRefused({"classes: must be an array", [](ordered_json* d) { (*d)["classes"] = "x"; }});
  ExpectRefused({"classes[1].colour[2]: must be", [](ordered_json* d) { (*d)["classes"][1]["colour"][2] = -1; }});
  ExpectRefused({"normalisation: must be an object", [](ordered_json* d) { (*d)["normalisation"] = 1; }});
  ExpectRefused({"normalisation.mean[0]: must fit", [](ordered_json* d) { (*d)["normalisation"]["mean"][0] = 1e300; }});
  ExpectRefused({"normalisation.stddev: must have 3", [](ordered_json* d) { (*d)["normalisation"]["stddev"] = {1}; }});
  ExpectRefused({"normalisation.stddev[1]: must be above 0",
                 [](ordered_json* d) { (*d)["normalisation"]["stddev"][1] = 1e-60; }});  // 0 as a float
  ExpectRefused({"weights[0].bytes: must be an integer", [](ordered_json* d) { (*d)["weights"][0]["bytes"] = -1; }});
  ExpectRefused({"learned: must be an array", [](ordered_json* d) { (*d)["learned"] = nullptr; }});
  ExpectRefused({"learned[0]: must be a string", [](ordered_json* d) { (*d)["learned"] = {1}; }});
  ExpectRefused({"sampling: must be an object, is null", [](ordered_json* d) { (*d)["sampling"] = nullptr; }});
  ExpectRefused({"sampling.passes: must be an integer", [](ordered_json* d) {
                   (*d)["sampling"] = {{"method", "mc_dropout"}, {"passes", 2.5}, {"dropout", 0.5}};
                 }});
  ExpectRefused({"sampling.views[1].flip: must be true or false, is a number", [](ordered_json* d) {
                   (*d)["sampling"] = ordered_json::parse(
                       R"({"method": "augmentation", "views": [{"scale": 1, "flip": true}, {"scale": 1, "flip": 1}]})");
                 }});
  ExpectRefused({"calibration: must be an object, is a boolean", [](ordered_json* d) { (*d)["calibration"] = false; }});
  ExpectRefused({"calibration.verdict.error_rate: must be a number", [](ordered_json* d) {
                   (*d)["calibration"] = FullCalibration();
                   (*d)["calibration"]["verdict"]["error_rate"] = "5 %";
                 }});
  ExpectRefused({"training: must be a string", [](ordered_json* d) { (*d)["training"] = ordered_json::array(); }});
}

TEST(ModelSpecJsonTest, WrongValuesAreRefusedWithTheirPath) {
  ExpectRefused({"kind: model kind: must be student", [](ordered_json* d) { (*d)["kind"] = "teacher"; }});
  ExpectRefused({"uncertainty: must have 1 to 9 items", [](ordered_json* d) { (*d)["uncertainty"].clear(); }});
  ExpectRefused({"uncertainty[0].kind: uncertainty kind: must be one of",
                 [](ordered_json* d) { (*d)["uncertainty"][0]["kind"] = "variance"; }});
  ExpectRefused({"uncertainty[0].unit: must be \"probability\" for margin, is \"nats\"",
                 [](ordered_json* d) { (*d)["uncertainty"][0]["unit"] = "nats"; }});
  ExpectRefused({"uncertainty[1].range_max: must be 0.693147 for predictive_entropy of 2 classes, is 1",
                 [](ordered_json* d) { (*d)["uncertainty"][1]["range_max"] = 1; }});
  ExpectRefused(
      {"known_answer.labels: must be base64", [](ordered_json* d) { (*d)["known_answer"]["labels"] = "A*"; }});
  ExpectRefused(
      {"known_answer.labels: must be base64", [](ordered_json* d) { (*d)["known_answer"]["labels"] = "AA"; }});
  ExpectRefused({"known_answer.uncertainty: must hold 4096 bytes, holds 1",
                 [](ordered_json* d) { (*d)["known_answer"]["uncertainty"] = "AA=="; }});
  ExpectRefused(
      {"sampling.method: sampling method: must be none, mc_dropout, augmentation, weight_samples, rank_one, "
       "logit_samples or dirichlet, is \"bagging\"",
       [](ordered_json* d) { (*d)["sampling"]["method"] = "bagging"; }});
  ExpectRefused({"learned[0]: uncertainty kind: must be one of", [](ordered_json* d) { (*d)["learned"] = {"doubt"}; }});
  ExpectRefused({"learned: must be empty for kind single", [](ordered_json* d) { (*d)["learned"] = {"margin"}; }});
  ExpectRefused({"calibration.reference.histogram: must have 64 items, has 1", [](ordered_json* d) {
                   (*d)["calibration"] = FullCalibration();
                   (*d)["calibration"]["reference"]["histogram"] = {1};
                 }});
  ExpectRefused(
      {"calibration.verdict.kind: must be a kind that uncertainty lists, is max_probability", [](ordered_json* d) {
         (*d)["calibration"] = FullCalibration();
         (*d)["calibration"]["verdict"]["kind"] = "max_probability";
       }});
  ExpectRefused({"weights[0].file: must be", [](ordered_json* d) { (*d)["weights"][0]["file"] = "../x"; }});
}

TEST(ModelSpecJsonTest, ANewerFormatIsRefusedBeforeItsKeysAreLookedAt) {
  ExpectRefused({"format_version: must be at most 2, the newest version this build reads, is 3", [](ordered_json* d) {
                   (*d)["format_version"] = 3;
                   (*d)["something_new"] = 1;
                 }});
  ExpectRefused({"format_version: must be an integer", [](ordered_json* d) { (*d)["format_version"] = 0; }});
  ExpectRefused({"format_version: must be an integer", [](ordered_json* d) { (*d)["format_version"] = "1"; }});
}

TEST(ModelSpecJsonTest, ARepeatedKeyIsRefused) {
  const std::string json =
      absl::StrReplaceAll(HandWrittenJson(), {{R"("colour": [255, 0, 9])", R"("colour": [0,0,0], "colour": [1,1,1])"}});
  EXPECT_THAT(ModelSpecFromJson(json), HasStatus(kInvalid, "classes[1].colour: repeated key"));
}

TEST(ModelSpecJsonTest, RefusesWhatIsNoObject) {
  EXPECT_THAT(ModelSpecFromJson(""), HasStatus(kInvalid, HasSubstr("not valid JSON")));
  EXPECT_THAT(ModelSpecFromJson("[]"), HasStatus(kInvalid, "top level: must be an object"));
  EXPECT_THAT(ModelSpecFromJson("{}"), HasStatus(kInvalid, "format_version: missing"));
  EXPECT_THAT(ModelSpecFromJson(std::string(1 << 20, '[')), HasStatus(kInvalid, HasSubstr("nested deeper")));
  EXPECT_THAT(ModelSpecFromJson(HandWrittenJson() + "{}"), HasStatus(kInvalid, HasSubstr("not valid JSON")));
}

TEST(ModelSpecJsonTest, AFileCutAnywhereIsRefused) {
  const std::string json = HandWrittenJson();
  for (size_t length = 0; length < json.size(); length += 37) {
    EXPECT_THAT(ModelSpecFromJson(json.substr(0, length)), Not(IsOk())) << length;
  }
}

}  // namespace
}  // namespace candor
