// SPDX-License-Identifier: Apache-2.0
#include "server/kserve/infer_run.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/kserve/entry_view.h"
#include "server/kserve/shared_regions.h"
#include "server/kserve/triton_status.h"

namespace candor {
namespace {

using std::chrono::steady_clock;

// What `step` returns or throws.
template <typename Step>
absl::Status Guard(Step step) noexcept {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const std::exception& e) {
    return absl::InternalError(e.what());
  }
}

}  // namespace

InferRun::InferRun(const InferContext& context, TaskCaller caller, const inference::ModelInferRequest& request,
                   inference::ModelInferResponse* response)
    : context_(context),
      request_(request),
      response_(*response),
      arrival_(steady_clock::now()),
      method_(caller.method),
      identity_(caller.identity),
      model_label_(Metrics::kUnknownModel) {
  refusal_ = Guard([&] { return Prepare(std::move(caller)); });
  if (!refusal_.ok()) tasks_.clear();
}

absl::Status InferRun::Prepare(TaskCaller caller) {
  RETURN_IF_ERROR(context_.serving.admission.CheckOpen());
  ASSIGN_OR_RETURN(const ModelEntry entry,
                   FindEntry(context_.serving.models.Now(), request_.model_name(), request_.model_version()));
  model_label_ = entry.info().name;
  const SharedReader read_shared = [this](const SharedTensor& tensor) -> absl::StatusOr<std::string> {
    if (context_.regions == nullptr) return NoSharedMemory();
    return context_.regions->Read(tensor);
  };
  ASSIGN_OR_RETURN(plan_, PlanInfer(request_, entry.info().name, entry.form, context_.limits, read_shared));
  bool is_shared = !plan_.shared_pixels.empty();
  for (const InferOutput& output : plan_.outputs) is_shared |= output.shared.has_value();
  if (is_shared && context_.regions == nullptr) return NoSharedMemory();
  if (plan_.timeout.has_value()) caller.deadline = std::min(caller.deadline, arrival_ + *plan_.timeout);
  answers_.resize(plan_.pictures.size());
  for (const SharedTensor& tensor : plan_.shared_pixels) {
    ASSIGN_OR_RETURN(SharedRegions::Borrowed borrowed, context_.regions->Borrow(tensor));
    borrowed_bytes_.push_back(borrowed.bytes());
    borrowed_.push_back(std::move(borrowed));
  }
  for (size_t i = 0; i < answers_.size(); ++i) {
    PictureBytes pixels;
    if (!borrowed_.empty()) {
      pixels.pieces = absl::MakeConstSpan(borrowed_bytes_).subspan(i, 1);
      pixels.check = [this, i] { return borrowed_[i].Check(); };
    }
    tasks_.push_back(std::make_unique<SegmentTask>(context_.serving, caller, plan_.pictures[i], &answers_[i].message,
                                                   std::move(pixels), &answers_[i].large_fields));
  }
  return absl::OkStatus();
}

void InferRun::Start(Done done) {
  {
    absl::MutexLock lock(&mu_);
    done_ = std::move(done);
  }
  if (!refusal_.ok()) {
    Refuse(refusal_);
    Finish(refusal_);
    return;
  }
  const std::shared_ptr<InferRun> self = shared_from_this();
  parts_left_ = static_cast<int>(tasks_.size()) + 1;  // the start counts as one: none may end it before all have begun
  for (const std::unique_ptr<SegmentTask>& task : tasks_) {
    task->Start([self](const absl::Status& status) { self->PictureDone(status); });
  }
  PartDone();
}

void InferRun::Cancel() {
  for (const std::unique_ptr<SegmentTask>& task : tasks_) task->Cancel();
}

void InferRun::Refuse(const absl::Status& status) {
  const double seconds = std::chrono::duration<double>(steady_clock::now() - arrival_).count();
  context_.serving.metrics.RequestStarted();
  context_.serving.metrics.RequestFinished(method_, model_label_, status.code(), seconds);
  LogInfo("request", {{"request_id", identity_.request_id},
                      {"trace_id", identity_.trace.trace_id},
                      {"parent_id", identity_.trace.parent_id},
                      {"method", method_},
                      {"model", model_label_},
                      {"code", absl::StatusCodeToString(status.code())},
                      {"error", status.message()},
                      {"total_ms", seconds * 1000}});
}

void InferRun::PictureDone(const absl::Status& status) {
  if (!status.ok() && !has_failed_.exchange(true)) {
    if (tasks_.size() > 1) Cancel();
    Finish(status);
  }
  PartDone();
}

void InferRun::PartDone() {
  if (parts_left_.fetch_sub(1, std::memory_order_acq_rel) > 1 || has_failed_) return;
  const absl::Status status = Guard([this] { return PutTogether(); });
  if (!status.ok()) response_.Clear();
  Finish(status);
}

void InferRun::Finish(const absl::Status& status) {
  Done done;
  {
    absl::MutexLock lock(&mu_);
    done.swap(done_);
  }
  if (done) done(ToTritonStatus(status));
}

absl::Status InferRun::PutTogether() {
  const SharedWriter write_shared = [this](const SharedTensor& tensor, uint64_t at, absl::string_view bytes) {
    return context_.regions->Write(tensor, at, bytes);
  };
  return FillInferResponse(request_, plan_, answers_, write_shared, &response_);
}

}  // namespace candor
