// SPDX-License-Identifier: Apache-2.0
//
// Checks requests and puts answers together.
#include "server/kserve/infer_codec.h"

#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "server/kserve/infer_parameters.h"
#include "server/model_codec.h"
#include "wire/large_fields.h"

namespace candor {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lengths are copied as they lie in memory");

using inference::InferTensorContents;
using inference::ModelInferRequest;
using inference::ModelInferResponse;

std::string ShapeText(const google::protobuf::RepeatedField<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ","), "]");
}

absl::Status RefuseShape(const ModelInferRequest::InferInputTensor& input, absl::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat("inputs[0].shape: must be ", rule, ", got ", ShapeText(input.shape())));
}

absl::Status CheckPictureCount(const ModelInferRequest::InferInputTensor& input, const InferLimits& limits) {
  if (input.shape(0) >= 1 && input.shape(0) <= limits.max_pictures) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("inputs[0].shape[0]: must be in [1, ", limits.max_pictures,
                                                 "], the pictures of one request, got ", input.shape(0)));
}

// Exactly one kind of typed contents, `wanted` elements of it.
absl::Status CheckContents(const InferTensorContents& contents, int wanted_kind_size, absl::string_view wanted_kind) {
  const int all = contents.bool_contents_size() + contents.int_contents_size() + contents.int64_contents_size() +
                  contents.uint_contents_size() + contents.uint64_contents_size() + contents.fp32_contents_size() +
                  contents.fp64_contents_size() + contents.bytes_contents_size();
  if (all == wanted_kind_size) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("inputs[0].contents: must have ", wanted_kind, " alone for this datatype"));
}

// Where the input lies in shared memory; nothing: it is in the request.
absl::StatusOr<std::optional<SharedTensor>> SharedInput(const ModelInferRequest& request, const InferLimits& limits) {
  const ModelInferRequest::InferInputTensor& input = request.inputs(0);
  ASSIGN_OR_RETURN(std::optional<SharedTensor> shared, ReadSharedParameters("inputs[0]", input.parameters()));
  if (!shared.has_value()) return shared;
  if (request.raw_input_contents_size() > 0 || input.has_contents()) {
    return absl::InvalidArgumentError("inputs[0]: must have no contents beside shared_memory_region");
  }
  if (shared->bytes > static_cast<uint64_t>(limits.max_bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("inputs[0].parameters[\"shared_memory_byte_size\"]: must be at most max_message_bytes (",
                     limits.max_bytes, "), got ", shared->bytes));
  }
  return shared;
}

// Bytes of an input in the request; nothing: typed contents.
absl::StatusOr<std::optional<absl::string_view>> RawInput(const ModelInferRequest& request) {
  const ModelInferRequest::InferInputTensor& input = request.inputs(0);
  if (request.raw_input_contents_size() > 0 && input.has_contents()) {
    return absl::InvalidArgumentError("inputs[0].contents: must be absent beside raw_input_contents");
  }
  if (request.raw_input_contents_size() == 1) return absl::string_view(request.raw_input_contents(0));
  if (request.raw_input_contents_size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("raw_input_contents: must have one entry, that of ", kImageInput,
                                                   ", got ", request.raw_input_contents_size()));
  }
  if (!input.has_contents()) {
    return absl::InvalidArgumentError("inputs[0]: has neither raw_input_contents, contents nor shared_memory_region");
  }
  return std::nullopt;
}

// The elements of a typed UINT8 tensor.
absl::StatusOr<std::string> TypedPixels(const InferTensorContents& contents) {
  RETURN_IF_ERROR(CheckContents(contents, contents.uint_contents_size(), "uint_contents"));
  std::string bytes;
  for (const uint32_t value : contents.uint_contents()) {
    if (value > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("inputs[0].contents.uint_contents: must be in [0, 255] for UINT8, got ", value));
    }
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

// UINT8 [N, H, W, 3].
absl::Status AddPixels(const ModelInferRequest& request, const InferLimits& limits, InferPlan* plan) {
  constexpr int64_t kMostSide = std::numeric_limits<int32_t>::max();
  const ModelInferRequest::InferInputTensor& input = request.inputs(0);
  if (input.shape_size() != 4 || input.shape(3) != 3 || input.shape(1) < 1 || input.shape(1) > kMostSide ||
      input.shape(2) < 1 || input.shape(2) > kMostSide) {
    return RefuseShape(input, "[N,H,W,3]");
  }
  RETURN_IF_ERROR(CheckPictureCount(input, limits));
  ASSIGN_OR_RETURN(const std::optional<SharedTensor> shared, SharedInput(request, limits));
  std::string typed;
  absl::string_view bytes;
  if (!shared.has_value()) {
    ASSIGN_OR_RETURN(const std::optional<absl::string_view> raw, RawInput(request));
    if (!raw.has_value()) {
      ASSIGN_OR_RETURN(typed, TypedPixels(input.contents()));
    }
    bytes = raw.value_or(typed);
  }
  // Compared by division: the product of a client's numbers may overflow.
  const uint64_t size = shared.has_value() ? shared->bytes : bytes.size();
  const uint64_t count = static_cast<uint64_t>(input.shape(0));
  const uint64_t row = 3 * static_cast<uint64_t>(input.shape(2));
  const uint64_t picture = row * static_cast<uint64_t>(input.shape(1));  // below 2^64: 3 * (2^31)^2
  if (size % count != 0 || size / count != picture) {
    return absl::InvalidArgumentError(absl::StrCat("inputs[0]: shape ", ShapeText(input.shape()), " needs ", count,
                                                   " times ", picture, " bytes, got ", size));
  }
  for (uint64_t i = 0; i < count; ++i) {
    v1::RawImage* image = plan->pictures.emplace_back().mutable_image()->mutable_raw();
    image->set_format(v1::RGB8);
    image->set_width(static_cast<int32_t>(input.shape(2)));
    image->set_height(static_cast<int32_t>(input.shape(1)));
    if (shared.has_value()) {
      plan->shared_pixels.push_back({shared->region, shared->offset + i * picture, picture});
    } else {
      image->set_data(bytes.data() + i * picture, picture);
    }
  }
  return absl::OkStatus();
}

// The elements of a BYTES tensor: each its length as four bytes, little-endian, then that many bytes.
absl::Status AddElements(absl::string_view bytes, int64_t count, std::vector<v1::SegmentRequest>* pictures) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t size = 0;
    if (bytes.size() >= sizeof(size)) std::memcpy(&size, bytes.data(), sizeof(size));
    if (bytes.size() < sizeof(size) + size) {
      return absl::InvalidArgumentError(absl::StrCat("inputs[0]: element ", i, " of ", count,
                                                     " goes beyond the bytes given; each is its length as 4 bytes, "
                                                     "little-endian, then the file"));
    }
    pictures->emplace_back().mutable_image()->set_encoded(bytes.data() + sizeof(size), size);
    bytes.remove_prefix(sizeof(size) + size);
  }
  if (bytes.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("inputs[0]: ", bytes.size(), " bytes after the last of ", count, " elements"));
}

// BYTES [N].
absl::Status AddFiles(const ModelInferRequest& request, const InferLimits& limits, const SharedReader& read_shared,
                      std::vector<v1::SegmentRequest>* pictures) {
  const ModelInferRequest::InferInputTensor& input = request.inputs(0);
  if (input.shape_size() != 1) return RefuseShape(input, "[N]");
  RETURN_IF_ERROR(CheckPictureCount(input, limits));
  ASSIGN_OR_RETURN(const std::optional<SharedTensor> shared, SharedInput(request, limits));
  if (shared.has_value()) {
    ASSIGN_OR_RETURN(const std::string elements, read_shared(*shared));
    return AddElements(elements, input.shape(0), pictures);
  }
  ASSIGN_OR_RETURN(const std::optional<absl::string_view> raw, RawInput(request));
  if (raw.has_value()) return AddElements(*raw, input.shape(0), pictures);
  const InferTensorContents& contents = input.contents();
  RETURN_IF_ERROR(CheckContents(contents, contents.bytes_contents_size(), "bytes_contents"));
  if (contents.bytes_contents_size() != input.shape(0)) {
    return absl::InvalidArgumentError(absl::StrCat("inputs[0].contents.bytes_contents: must have ", input.shape(0),
                                                   " elements as shape says, got ", contents.bytes_contents_size()));
  }
  for (const std::string& file : contents.bytes_contents()) {
    pictures->emplace_back().mutable_image()->set_encoded(file);
  }
  return absl::OkStatus();
}

absl::Status CheckInput(const ModelInferRequest& request, InputForm form) {
  if (request.inputs_size() != 1 || request.inputs(0).name() != kImageInput) {
    const std::string got = request.inputs_size() == 1
                                ? absl::StrCat("\"", absl::CHexEscape(request.inputs(0).name()), "\"")
                                : absl::StrCat(request.inputs_size(), " inputs");
    return absl::InvalidArgumentError(absl::StrCat("inputs: must be one, \"", kImageInput, "\", got ", got));
  }
  const char* const datatype = form == InputForm::kPixels ? "UINT8" : "BYTES";
  if (request.inputs(0).datatype() == datatype) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("inputs[0].datatype: must be ", datatype, " for this model (pixels go to NAME, files to ",
                   "NAME_encoded), got \"", absl::CHexEscape(request.inputs(0).datatype()), "\""));
}

absl::Status PlanOutputs(const ModelInferRequest& request, InferPlan* plan) {
  for (int i = 0; i < request.outputs_size(); ++i) {
    const ModelInferRequest::InferRequestedOutputTensor& wanted = request.outputs(i);
    const std::string path = absl::StrCat("outputs[", i, "]");
    InferOutput output;
    output.is_labels = wanted.name() == kLabelsOutput;
    if (!output.is_labels && wanted.name() != kUncertaintyOutput) {
      return absl::InvalidArgumentError(absl::StrCat(path, ".name: must be ", kLabelsOutput, " or ", kUncertaintyOutput,
                                                     ", got \"", absl::CHexEscape(wanted.name()), "\""));
    }
    for (const InferOutput& other : plan->outputs) {
      if (other.is_labels == output.is_labels) {
        return absl::InvalidArgumentError(absl::StrCat(path, ".name: ", wanted.name(), " is asked for twice"));
      }
    }
    ASSIGN_OR_RETURN(output.shared, ReadSharedParameters(path, wanted.parameters()));
    plan->outputs.push_back(std::move(output));
  }
  if (plan->outputs.empty()) plan->outputs = {{true, std::nullopt}, {false, std::nullopt}};
  return absl::OkStatus();
}

// One output of one picture.
absl::string_view PartOf(const InferOutput& output, const InferAnswer& answer) {
  const std::string& placeholder = output.is_labels ? answer.message.labels() : answer.message.maps(0).data();
  const grpc::Slice& slice = answer.large_fields.at(LargeFieldIndex(placeholder, answer.large_fields.size()));
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// One output of all pictures, one after the other.
absl::Status WriteOutput(const InferOutput& output, absl::Span<const InferAnswer> answers,
                         const SharedWriter& write_shared, std::string* contents) {
  uint64_t at = 0;
  if (!output.shared.has_value()) contents->reserve(answers.size() * PartOf(output, answers[0]).size());
  for (const InferAnswer& answer : answers) {
    const absl::string_view part = PartOf(output, answer);
    if (output.shared.has_value()) {
      RETURN_IF_ERROR(write_shared(*output.shared, at, part));
    } else {
      contents->append(part.data(), part.size());
    }
    at += part.size();
  }
  return absl::OkStatus();
}

absl::Status CheckSizes(const InferPlan& plan, absl::Span<const InferAnswer> answers) {
  const v1::SegmentResponse& first = answers[0].message;
  for (const InferAnswer& each : answers) {
    const v1::SegmentResponse& answer = each.message;
    if (answer.width() != first.width() || answer.height() != first.height()) {
      return absl::InvalidArgumentError(absl::StrCat("inputs[0]: the pictures of one request must have one size, got ",
                                                     first.width(), "x", first.height(), " and ", answer.width(), "x",
                                                     answer.height()));
    }
  }
  int64_t bytes_a_pixel = 0;
  for (const InferOutput& output : plan.outputs) bytes_a_pixel += output.is_labels ? 1 : plan.is_half ? 2 : 4;
  const int64_t bytes = static_cast<int64_t>(answers.size()) * first.width() * first.height() * bytes_a_pixel;
  if (bytes <= kMostAnswerBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("inputs[0]: the answer would have ", bytes, " bytes, more than ", kMostAnswerBytes));
}

}  // namespace

absl::StatusOr<InferPlan> PlanInfer(const ModelInferRequest& request, const std::string& model, InputForm form,
                                    const InferLimits& limits, const SharedReader& read_shared) {
  InferPlan plan;
  ASSIGN_OR_RETURN(const InferRequestParameters parameters, ReadRequestParameters(request.parameters()));
  plan.timeout = parameters.timeout;
  plan.is_half = parameters.is_half;
  RETURN_IF_ERROR(CheckInput(request, form));
  RETURN_IF_ERROR(PlanOutputs(request, &plan));
  RETURN_IF_ERROR(form == InputForm::kPixels ? AddPixels(request, limits, &plan)
                                             : AddFiles(request, limits, read_shared, &plan.pictures));
  bool wants_labels = false;
  bool wants_uncertainty = false;
  for (const InferOutput& output : plan.outputs) (output.is_labels ? wants_labels : wants_uncertainty) = true;
  for (v1::SegmentRequest& picture : plan.pictures) {
    picture.set_model(model);
    picture.set_priority(parameters.priority);
    if (wants_labels) picture.set_labels(v1::LABEL_RAW);
    v1::UncertaintyRequest* uncertainty = picture.add_uncertainty();
    if (parameters.kind.has_value()) uncertainty->set_kind(ToProto(*parameters.kind));
    if (parameters.threshold.has_value()) uncertainty->set_threshold(*parameters.threshold);
    if (wants_uncertainty) uncertainty->set_encoding(plan.is_half ? v1::MAP_F16 : v1::MAP_F32);
  }
  return plan;
}

absl::Status FillInferResponse(const ModelInferRequest& request, const InferPlan& plan,
                               absl::Span<const InferAnswer> answers, const SharedWriter& write_shared,
                               ModelInferResponse* response) {
  RETURN_IF_ERROR(CheckSizes(plan, answers));
  const v1::SegmentResponse& first = answers[0].message;
  response->set_model_name(request.model_name());
  response->set_model_version(absl::StrCat(first.model().version()));
  response->set_id(request.id());
  for (size_t i = 0; i < answers.size(); ++i) {
    FillAnswerParameters(answers[i].message, plan.pictures[i], answers.size() == 1 ? "" : absl::StrCat("[", i, "]"),
                         response->mutable_parameters());
  }
  for (const InferOutput& output : plan.outputs) {
    ModelInferResponse::InferOutputTensor* tensor = response->add_outputs();
    tensor->set_name(output.is_labels ? kLabelsOutput : kUncertaintyOutput);
    tensor->set_datatype(output.is_labels ? "UINT8" : plan.is_half ? "FP16" : "FP32");
    tensor->add_shape(static_cast<int64_t>(answers.size()));
    tensor->add_shape(first.height());
    tensor->add_shape(first.width());
    if (output.shared.has_value()) FillSharedParameters(*output.shared, tensor->mutable_parameters());
    RETURN_IF_ERROR(WriteOutput(output, answers, write_shared, response->add_raw_output_contents()));
  }
  return absl::OkStatus();
}

}  // namespace candor
