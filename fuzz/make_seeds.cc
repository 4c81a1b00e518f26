// SPDX-License-Identifier: Apache-2.0
//
// make_seeds CORPUS: writes the inputs that fuzzing starts from, CORPUS/<target>/seed_*, sound ones that reach every
// part of a format. What broke something stays beside them under a name of its own.
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "candor/v1/config.pb.h"
#include "core/base/file.h"
#include "core/base/text_proto.h"
#include "core/image/encode.h"
#include "core/image/run_lengths.h"
#include "core/model/class_json.h"
#include "core/model/safetensors.h"
#include "fuzz/message_seeds.h"
#include "google/protobuf/text_format.h"
#include "tests/core/model/valid_spec.h"
#include "tests/testing/test_images.h"
#include "trainer/evaluation/result_json.h"
#include "trainer/evaluation/split_evaluation.h"

namespace candor {
namespace {

Seeds ImageSeeds() {
  const std::string jpeg = SmallJpeg(JpegColour::kRgb);
  return {{"jpeg", jpeg},
          {"jpeg_grey", SmallJpeg(JpegColour::kGrey)},
          {"jpeg_cmyk", SmallJpeg(JpegColour::kCmyk)},
          {"jpeg_ycck", SmallJpeg(JpegColour::kYcck, JpegScans::kOneAComponent)},
          {"jpeg_ink", SmallJpeg(JpegColour::kPlainCmyk)},
          {"jpeg_progressive", SmallJpeg(JpegColour::kRgb, JpegScans::kProgressive)},
          {"jpeg_many_scans", SmallJpeg(JpegColour::kGrey, JpegScans::kProgressiveBits)},
          {"jpeg_turned", WithExifOrientation(jpeg, 6)},
          {"jpeg_huge", WithJpegSize(jpeg, 65500, 65500)},
          {"png_bits", SmallPng(1, 0)},
          {"png_grey_alpha", SmallPng(8, 4)},
          {"png_wide", SmallPng(16, 0)},
          {"png_wide_rgb", SmallPng(16, 2, true)},
          {"png_palette", SmallPng(4, 3)},
          {"png_turned", SmallPng(8, 2, false, 5)},
          {"png_rgba", SmallPng(8, 6, true)},
          {"png_huge", WithPngSize(SmallPng(8, 2), 1U << 30, 1U << 30)},
          {"png_transparent", WithPngChunk(SmallPng(8, 2), "tRNS", std::string(6, '\1'))},
          {"exif_little", ExifWithOrientation(3, ByteOrder::kLittleEndian)},
          {"exif_big", ExifWithOrientation(8, ByteOrder::kBigEndian)}};
}

Seeds MapSeeds() {
  const auto runs = [](const std::vector<uint8_t>& labels) {
    const char head[] = {0, static_cast<char>(labels.size()), static_cast<char>(labels.size() >> 8), 0};
    return std::string(head, 4) + EncodeRuns(labels);
  };
  std::vector<uint8_t> long_run(300, 7);
  long_run.push_back(255);
  const FloatMap map{3, 2, {0, 0.25F, 0.5F, 1, 1e-9F, 3e8F}};
  return {{"runs", runs({1, 1, 1, 0, 2, 2})}, {"long_run", runs(long_run)}, {"npy", "\1" + EncodeNpy(map)}};
}

Seeds SafetensorsSeeds() {
  TensorFile file;
  file.metadata = {{"format", "pt"}};
  file.tensors = {{"scalar", DType::kF32, {}, std::string(4, '\0')},
                  {"half", DType::kF16, {2, 3}, std::string(12, '\x3c')},
                  {"brain", DType::kBF16, {1, 2}, std::string(4, '\x3f')},
                  {"steps", DType::kI64, {1}, std::string(8, '\1')},
                  {"bytes", DType::kU8, {3}, "abc"},
                  {"none", DType::kF32, {0, 4}, ""}};
  return {{"mixed", SerializeSafetensors(file).value_or("")}, {"empty", SerializeSafetensors({}).value_or("")}};
}

EvaluationResult SmallResult() {
  SplitEvaluation evaluation({UncertaintyKind::kMargin}, 2);
  const std::vector<uint8_t> truth = {0, 1, 1, 0};
  const std::vector<uint8_t> labels = {0, 1, 0, 0};
  const std::vector<float> margin = {0.2F, 0.4F, 0.8F, 0.6F};
  const std::vector<float> probabilities = {0.9F, 0.2F, 0.6F, 0.7F, 0.1F, 0.8F, 0.4F, 0.3F};
  const ScoredPicture picture = {"a", 2, 2, truth.data(), labels.data(), {margin.data()}, probabilities.data()};
  const absl::Status status = evaluation.AddPicture(picture);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  EvaluationResult result;
  result.model = "student";
  result.classes = {{"a", {1, 2, 3}}, {"b", {4, 5, 6}}};
  result.data = "camvid:/data";
  evaluation.Fill(&result);
  return result;
}

Seeds JsonSeeds() {
  ModelSpec grouped = ValidSpec(ModelKind::kEnsemble, 2);
  grouped.groups = {{"drivable", {0, 2}}};
  return {{"student", ModelSpecToJson(Calibrated(ValidSpec(ModelKind::kStudent, 1)))},
          {"ensemble", ModelSpecToJson(grouped)},
          {"dropout", ModelSpecToJson(DropoutSpec())},
          {"augmented", ModelSpecToJson(AugmentedSpec())},
          {"classes", ClassesToJson(grouped.classes).dump()},
          {"result", nlohmann::json::parse(ResultToJson(SmallResult())).dump()}};
}

// A file of the tree without its comments.
template <typename Config>
std::string Plain(const std::string& path) {
  Config config;
  const absl::Status status = ReadTextProto(path, &config);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::string text;
  google::protobuf::TextFormat::PrintToString(config, &text);
  return text;
}

Seeds ServerConfigSeeds() {
  return {{"all", Plain<v1::ServerConfig>("config/server.textproto")},
          {"least", "models { bundle: \"m\" }"},
          {"secure",
           "models { bundle: \"m\" aliases: \"x\" version: 2 }\nmodel_roots: \"/m\"\nlisten: \"[::]:1\"\n"
           "metrics_listen: \"off\"\ntls { certificate_file: \"c\" key_file: \"k\" client_ca_file: \"a\" }\n"
           "token_file: \"t\"\nshadow { share: 0.5 }\n"}};
}

Seeds TrainerConfigSeeds() {
  return {{"all", Plain<v1::TrainerConfig>("config/trainer.textproto")},
          {"nuclei", Plain<v1::TrainerConfig>("config/nuclei.textproto")},
          {"compact", Plain<v1::TrainerConfig>("config/camvid-compact.textproto")}};
}

Seeds MetadataSeeds() {
  return {{"trace", std::string(1, 0) + "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
          {"ids", std::string(1, 0) + "camera-7/81\nother"},
          {"tokens", "\1# robots\ninfer 0123456789abcdef\nadmin ABCDEFGHIJKLMNOP=\n"},
          {"error", "\2models[0].batching.max_batch_size: must be >= 1, got 0 \xc3\xa9\xff"},
          {"address", "\4[::1]:8500"},
          {"name", "\4localhost:0"}};
}

Seeds FrameSeeds() {
  return {{"every", std::string("\0\1\2\0\x80\x81\1\x82\0", 9)},
          {"latest", std::string("\1\1\1\1\2\2\x80\1\x81\x80\0\0", 12)}};
}

Seeds JpegStreamSeeds() {
  const std::string jpeg = SmallJpeg(JpegColour::kGrey);
  return {{"two", "\6" + jpeg + WithExifOrientation(jpeg, 3)}, {"half", "\1" + jpeg + jpeg.substr(0, jpeg.size() / 2)}};
}

int Write(const std::string& corpus) {
  const std::initializer_list<std::pair<const char*, Seeds>> targets = {{"image", ImageSeeds()},
                                                                        {"maps", MapSeeds()},
                                                                        {"safetensors", SafetensorsSeeds()},
                                                                        {"model_json", JsonSeeds()},
                                                                        {"server_config", ServerConfigSeeds()},
                                                                        {"trainer_config", TrainerConfigSeeds()},
                                                                        {"segment", SegmentSeeds()},
                                                                        {"infer", InferSeeds()},
                                                                        {"reply", ReplySeeds()},
                                                                        {"metadata", MetadataSeeds()},
                                                                        {"frames", FrameSeeds()},
                                                                        {"jpeg_stream", JpegStreamSeeds()}};
  for (const auto& [target, seeds] : targets) {
    for (const auto& [name, bytes] : seeds) {
      absl::Status status = MakeDirectories(corpus + "/" + target);
      if (status.ok()) status = WriteFileAtomically(corpus + "/" + target + "/seed_" + name, bytes);
      if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.ToString().c_str());
        return 1;
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  if (argc == 2) return candor::Write(argv[1]);
  std::fprintf(stderr, "make_seeds CORPUS, from the root of the tree: writes CORPUS/<target>/seed_*\n");
  return 2;
}
