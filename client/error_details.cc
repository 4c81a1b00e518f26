// SPDX-License-Identifier: Apache-2.0
//
// Payloads to plain values. Nothing here trusts what the server sent.
#include "client/error_details.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace candor {
namespace {

// False: there is none, or it cannot be read.
template <typename Detail>
bool ReadDetail(const absl::Status& status, Detail* detail) {
  const auto payload = status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  return payload.has_value() && detail->ParseFromString(std::string(*payload));
}

// Ours; another domain's reasons mean something else.
bool ReadErrorInfo(const absl::Status& status, google::rpc::ErrorInfo* info) {
  return ReadDetail(status, info) && info->domain() == "candor";
}

}  // namespace

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  google::rpc::RetryInfo info;
  if (!ReadDetail(status, &info) || !info.has_retry_delay()) return std::nullopt;
  return std::max(absl::ZeroDuration(),
                  absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos()));
}

std::string ErrorReason(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  return ReadErrorInfo(status, &info) ? info.reason() : "";
}

std::string ErrorRequestId(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  if (!ReadErrorInfo(status, &info)) return "";
  const auto id = info.metadata().find("request_id");
  return id == info.metadata().end() ? "" : id->second;
}

std::string RefusedField(const absl::Status& status) {
  google::rpc::BadRequest bad_request;
  if (!ReadDetail(status, &bad_request) || bad_request.field_violations_size() == 0) return "";
  return bad_request.field_violations(0).field();
}

}  // namespace candor
