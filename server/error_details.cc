// SPDX-License-Identifier: Apache-2.0
//
// absl::Status payloads to google.rpc.Status.
#include "server/error_details.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/short_line.h"

namespace candor {
namespace {

constexpr size_t kMaxMessageBytes = 1024;
constexpr size_t kMaxDescriptionBytes = 512;
constexpr size_t kMaxNameBytes = 192;

template <typename Detail>
std::string TypeUrl() {
  return absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name());
}

template <typename Detail>
absl::Status WithDetail(absl::Status status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));  // no-op on OK
  return status;
}

template <typename Detail>
bool ReadDetail(const absl::Status& status, Detail* detail) {
  const auto payload = status.GetPayload(TypeUrl<Detail>());
  return payload.has_value() && detail->ParseFromString(std::string(*payload));
}

template <typename Detail>
void Append(const Detail& detail, google::rpc::Status* out) {
  google::protobuf::Any* any = out->add_details();
  any->set_type_url(TypeUrl<Detail>());
  any->set_value(detail.SerializeAsString());
}

// The field's path that our messages begin with, such as `image.raw.stride`; empty if there is none.
absl::string_view FieldPath(absl::string_view message) {
  const absl::string_view path = message.substr(0, std::min(message.find(": "), message.size()));
  const bool is_path =
      path.size() < message.size() && !path.empty() && absl::ascii_islower(path[0]) &&
      std::all_of(path.begin(), path.end(), [](char c) {
        return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '.' || c == '[' || c == ']';
      });
  return is_path ? path : absl::string_view();
}

google::rpc::ErrorInfo MakeErrorInfo(const absl::Status& status, absl::string_view request_id) {
  google::rpc::ErrorInfo info;
  if (!ReadDetail(status, &info)) info.set_reason(absl::StatusCodeToString(status.code()));
  info.set_domain(kErrorDomain);
  if (!request_id.empty()) (*info.mutable_metadata())["request_id"] = ShortLine(request_id, kMaxNameBytes);
  return info;
}

}  // namespace

absl::Status WithReason(absl::Status status, absl::string_view reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  return WithDetail(std::move(status), info);
}

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  google::rpc::RetryInfo info;
  delay = std::max(delay, absl::ZeroDuration());
  info.mutable_retry_delay()->set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &delay));
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(delay)));
  return WithDetail(std::move(status), info);
}

std::string ReasonOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  return ReadDetail(status, &info) ? info.reason() : absl::StatusCodeToString(status.code());
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  google::rpc::RetryInfo info;
  if (!ReadDetail(status, &info)) return std::nullopt;
  return absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos());
}

absl::Status WithResource(absl::Status status, absl::string_view type, absl::string_view name) {
  google::rpc::ResourceInfo info;
  info.set_resource_type(std::string(type));
  info.set_resource_name(ShortLine(name, kMaxNameBytes));
  return WithDetail(std::move(status), info);
}

std::string SerializeErrorDetails(const absl::Status& status, absl::string_view request_id) {
  google::rpc::Status out;
  out.set_code(static_cast<int>(status.code()));  // both libraries number the codes of google.rpc.Code
  out.set_message(ShortLine(status.message(), kMaxMessageBytes));
  Append(MakeErrorInfo(status, request_id), &out);
  const absl::string_view field = FieldPath(status.message());
  if (absl::IsInvalidArgument(status) && !field.empty()) {
    google::rpc::BadRequest bad_request;
    google::rpc::BadRequest::FieldViolation* violation = bad_request.add_field_violations();
    violation->set_field(ShortLine(field, kMaxNameBytes));
    violation->set_description(ShortLine(status.message().substr(field.size() + 2), kMaxDescriptionBytes));
    Append(bad_request, &out);
  }
  if (google::rpc::RetryInfo retry; ReadDetail(status, &retry)) Append(retry, &out);
  if (google::rpc::ResourceInfo resource; ReadDetail(status, &resource)) Append(resource, &out);
  return out.SerializeAsString();
}

}  // namespace candor
