// SPDX-License-Identifier: Apache-2.0
//
// A serialized inference.ModelInferRequest: the codec for both forms of input, with shared memory that may hold
// anything, and from the message to the answer.
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "fuzz/serving.h"
#include "fuzz/target.h"
#include "server/kserve/infer_codec.h"
#include "server/kserve/infer_run.h"

namespace candor {
namespace {

constexpr InferLimits kLimits = {4, 1 << 14};

void Plan(const inference::ModelInferRequest& request, InputForm form) {
  const SharedReader read_shared = [](const SharedTensor& tensor) -> absl::StatusOr<std::string> {
    Demand(tensor.bytes <= static_cast<uint64_t>(kLimits.max_bytes), "shared memory is read up to the limit alone");
    return std::string(tensor.bytes, '\x01');
  };
  const auto plan = PlanInfer(request, "street", form, kLimits, read_shared);
  if (!plan.ok()) return DemandRefusal(plan.status());
  Demand(!plan->pictures.empty() && static_cast<int>(plan->pictures.size()) <= kLimits.max_pictures,
         "as many pictures as allowed");
  Demand(!plan->outputs.empty() && plan->outputs.size() <= 2, "labels, uncertainty or both");
  Demand(plan->shared_pixels.empty() || plan->shared_pixels.size() == plan->pictures.size(),
         "all pixels are shared or none");
  for (size_t i = 0; i < plan->pictures.size(); ++i) {
    const v1::SegmentRequest& picture = plan->pictures[i];
    Demand(picture.image().has_raw() == (form == InputForm::kPixels), "pictures come in the form of the model");
    if (!picture.image().has_raw()) continue;
    const v1::RawImage& raw = picture.image().raw();
    const bool is_shared = !plan->shared_pixels.empty();
    const uint64_t bytes = is_shared ? plan->shared_pixels[i].bytes : raw.data().size();
    Demand(bytes <= static_cast<uint64_t>(kLimits.max_bytes) || !is_shared,
           "shared memory is read up to the limit alone");
    Demand(static_cast<int64_t>(bytes) == int64_t{raw.width()} * raw.height() * 3,
           "pixels have the bytes of their shape");
  }
}

int BytesOf(const std::string& datatype) { return datatype == "UINT8" ? 1 : datatype == "FP16" ? 2 : 4; }

void DemandSound(const inference::ModelInferRequest& request, const inference::ModelInferResponse& response) {
  Demand(response.id() == request.id() && response.model_name() == request.model_name(), "an answer says whose it is");
  Demand(response.outputs_size() >= 1 && response.outputs_size() == response.raw_output_contents_size(),
         "every output has its contents");
  for (int i = 0; i < response.outputs_size(); ++i) {
    int64_t bytes = BytesOf(response.outputs(i).datatype());
    for (const int64_t side : response.outputs(i).shape()) bytes *= side;
    Demand(bytes > 0 && static_cast<int64_t>(response.raw_output_contents(i).size()) == bytes,
           "an output has the bytes of its shape");
  }
}

void Serve(const inference::ModelInferRequest& request) {
  inference::ModelInferResponse response;
  absl::Notification done;
  absl::Status result;
  const std::shared_ptr<InferRun> run =
      InferRun::Make({FuzzServing(), kLimits, nullptr}, {"ModelInfer", {"fuzz", {}}}, request, &response);
  run->Start([&done, &result](const absl::Status& status) {
    result = status;
    done.Notify();
  });
  done.WaitForNotification();
  if (result.ok()) return DemandSound(request, response);
  const bool is_late = absl::IsUnavailable(result) && request.parameters().count("timeout") > 0;
  const bool is_shared = absl::IsUnimplemented(result);  // there is no shared memory here
  Demand(absl::IsInvalidArgument(result) || absl::IsNotFound(result) || is_late || is_shared,
         "a refusal is the caller's fault", result.ToString());
  DemandOneLine(result);
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  inference::ModelInferRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  candor::Plan(request, candor::InputForm::kPixels);
  candor::Plan(request, candor::InputForm::kFiles);
  candor::Serve(request);
  return 0;
}
