// SPDX-License-Identifier: Apache-2.0
#include "fuzz/message_seeds.h"

#include <cstdint>
#include <cstdio>

#include "candor/v1/segmentation.pb.h"
#include "core/base/text_proto.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/rpc/error_details.pb.h"
#include "inference/grpc_service.pb.h"

namespace candor {
namespace {

// The same bytes each time, the order of maps included.
std::string Bytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

template <typename Message>
std::string FromText(const std::string& text) {
  Message message;
  const absl::Status status = MergeTextProto(text, &message);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return Bytes(message);
}

std::string Segment(const std::string& text, const std::string& encoded = "") {
  v1::SegmentRequest request;
  request.ParseFromString(FromText<v1::SegmentRequest>(text));
  if (!encoded.empty()) request.mutable_image()->set_encoded(encoded);
  return Bytes(request);
}

std::string LengthAndBytes(const std::string& file) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(file.size() >> (8 * i)));
  return bytes + file;
}

std::string Infer(const std::string& text, const std::string& raw = "") {
  inference::ModelInferRequest request;
  request.ParseFromString(FromText<inference::ModelInferRequest>(text));
  if (!raw.empty()) request.add_raw_input_contents(raw);
  return Bytes(request);
}

std::string Reply(unsigned asked, const std::string& text) {
  return static_cast<char>(asked) + FromText<v1::StreamResponse>(text);
}

}  // namespace

std::string SmallJpeg(JpegColour colour, JpegScans scans) {
  JpegSpec spec;
  spec.width = 10;
  spec.height = 9;
  spec.colour = colour;
  spec.scans = scans;
  spec.quality = 60;
  return MakeJpeg(spec);
}

std::string SmallPng(int depth, int colour_type, bool is_interlaced, int exif_orientation) {
  PngSpec spec;
  spec.width = 9;
  spec.height = 7;
  spec.depth = depth;
  spec.colour_type = colour_type;
  spec.is_interlaced = is_interlaced;
  spec.exif_orientation = exif_orientation;
  return MakePng(spec);
}

Seeds SegmentSeeds() {
  const std::string jpeg = SmallJpeg(JpegColour::kRgb);
  const std::string rgb = "image { raw { format: RGB8 width: 2 height: 2 data: \"abcdefghijkl\" } } ";
  return {{"raw", Segment(rgb + "labels: LABEL_RAW")},
          {"strided", Segment("image { raw { format: BGR8 width: 1 height: 2 stride: 4 data: \"abcdefg\" } } "
                              "labels: LABEL_RLE")},
          {"grey", Segment("image { raw { format: GREY8 width: 3 height: 1 data: \"abc\" } } labels: LABEL_PNG")},
          {"yuyv", Segment("image { raw { format: YUYV width: 2 height: 1 data: \"abcd\" } } model: \"teacher\"")},
          {"nv12", Segment("image { raw { format: NV12 width: 2 height: 2 data: \"abcdef\" } } model: \"committee\" "
                           "anytime: true priority: PRIORITY_HIGH")},
          {"jpeg", Segment("labels: LABEL_RLE model: \"student\"", jpeg)},
          {"png", Segment("labels: LABEL_PNG", SmallPng(4, 3))},
          {"maps", Segment(rgb + "uncertainty { encoding: MAP_F32 threshold: 0.5 } "
                                 "uncertainty { kind: MARGIN encoding: MAP_F16 } "
                                 "uncertainty { kind: MAX_PROBABILITY encoding: MAP_U8 }")},
          {"abstain", Segment(rgb + "labels: LABEL_RAW abstain { kind: MARGIN threshold: 0.4 index: 200 }")},
          {"by_class", Segment(rgb + "labels: LABEL_RAW abstain { class_thresholds: [0.1, 0.2, 0.3, 0.4] }")},
          {"overlay", Segment(rgb + "overlay { encoding: OVERLAY_PNG opacity: 0.7 }")},
          {"overlay_jpeg", Segment(rgb + "region { width: 1 height: 2 x: 1 } "
                                         "overlay { encoding: OVERLAY_JPEG quality: 50 }")},
          {"region", Segment(rgb + "labels: LABEL_RAW region { x: 1 y: 1 width: 1 height: 1 } "
                                   "uncertainty { encoding: MAP_F32 }")},
          {"escalation", Segment(rgb + "escalation { above: 0.01 model: \"committee\" } labels: LABEL_RAW "
                                       "frame { camera: \"left\" sequence: 7 stamp_ns: 9 frame_id: \"base\" }")},
          {"by_verdict", Segment(rgb + "escalation { } uncertainty { encoding: MAP_F32 }")}};
}

Seeds InferSeeds() {
  const std::string jpeg = SmallJpeg(JpegColour::kGrey);
  const std::string pixels =
      "model_name: \"street\" id: \"7\" inputs { name: \"image\" datatype: \"UINT8\" shape: [2, 1, 2, 3] ";
  const std::string files = "model_name: \"street_encoded\" inputs { name: \"image\" datatype: \"BYTES\" shape: 1 ";
  return {{"pixels", Infer(pixels + "}", "abcdefghijkl")},
          {"typed", Infer(pixels + "contents { uint_contents: [1,2,3,4,5,6,7,8,9,10,11,255] } }")},
          {"files", Infer(files + "} outputs { name: \"labels\" }", LengthAndBytes(jpeg))},
          {"typed_files", Infer(files + "contents { bytes_contents: \"\\377\\330\\377\" } }")},
          {"half", Infer(pixels + "} outputs { name: \"uncertainty\" } "
                                  "parameters { key: \"uncertainty_datatype\" value { string_param: \"FP16\" } } "
                                  "parameters { key: \"uncertainty_kind\" value { string_param: \"margin\" } } "
                                  "parameters { key: \"uncertainty_threshold\" value { double_param: 0.5 } } "
                                  "parameters { key: \"priority\" value { int64_param: 1 } } "
                                  "parameters { key: \"timeout\" value { int64_param: 1000000 } }",
                         "abcdefghijkl")},
          {"shared", Infer("model_name: \"committee\" inputs { name: \"image\" datatype: \"UINT8\" shape: [1, 2, 2, 3] "
                           "parameters { key: \"shared_memory_region\" value { string_param: \"r\" } } "
                           "parameters { key: \"shared_memory_byte_size\" value { int64_param: 12 } } "
                           "parameters { key: \"shared_memory_offset\" value { int64_param: 4 } } } "
                           "outputs { name: \"labels\" "
                           "parameters { key: \"shared_memory_region\" value { string_param: \"r\" } } "
                           "parameters { key: \"shared_memory_byte_size\" value { int64_param: 4 } } }")}};
}

Seeds ReplySeeds() {
  const std::string figures = "statistics { kind: PREDICTIVE_STDDEV mean: 0.25 max: 0.5 share_above_threshold: 0.5 } ";
  const std::string other = "statistics { kind: MARGIN mean: 0.25 } ";
  const std::string labels = "width: 2 height: 2 label_encoding: LABEL_RAW labels: \"abcd\" ";
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  google::rpc::ErrorInfo info;
  info.set_reason("QUEUE_FULL");
  info.set_domain("candor");
  return {
      {"labels", Reply(1, "result { " + labels + figures + "classes { class_index: 97 share: 1 } verdict: ACCEPT }")},
      {"runs", Reply(3, "result { width: 2 height: 2 label_encoding: LABEL_RLE labels: \"\\004a\" " + figures + "}")},
      {"huge_runs", Reply(3,
                          "result { width: 2147483647 height: 2147483647 label_encoding: LABEL_RLE "
                          "labels: \"\\004a\" " +
                              figures + "}")},
      {"map", Reply(4, "result { width: 1 height: 1 " + figures +
                           "maps { kind: PREDICTIVE_STDDEV encoding: MAP_F32 "
                           "scale: 1 data: \"\\000\\000\\200>\" } groups { name: \"g\" share: 0.5 } members: 2 }")},
      {"two_kinds", Reply(13, "result { " + labels + figures + other +
                                  "maps { kind: PREDICTIVE_STDDEV encoding: MAP_F32 data: \"0000000000000000\" } "
                                  "maps { kind: MARGIN encoding: MAP_F32 data: \"0000000000000000\" } }")},
      {"abstained", Reply(49, "result { " + labels + figures + "abstained_share: 0.25 timing { infer_ms: 3 } }")},
      {"frame", Reply(65, "frame { camera: \"left\" } result { frame { camera: \"left\" } " + labels + figures + "}")},
      {"superseded", Reply(0, "index: 0 superseded { by_index: 2 }")},
      {"error", Reply(0, "index: 0 error { code: 8 message: \"full\" reason: \"QUEUE_FULL\" retry_delay_ms: 20 }")},
      {"statistics", Reply(0, "index: 3 statistics { frames: 3 answered: 2 late: 1 mean_latency_ms: 3 }")},
      {"model",
       std::string(1, '\0') +
           FromText<v1::Model>("identity { name: \"m\" version: 1 } kind: STUDENT classes { name: \"a\" red: 9 } "
                               "uncertainty { kind: MARGIN name: \"margin\" unit: \"probability\" range_max: 1 } "
                               "calibration { temperature: 2 verdict { kind: MARGIN accept_max: 0.25 } }")},
      {"retry", std::string(1, '\0') + Bytes(retry)},
      {"info", std::string(1, '\0') + Bytes(info)}};
}

}  // namespace candor
