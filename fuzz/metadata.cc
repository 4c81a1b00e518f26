// SPDX-License-Identifier: Apache-2.0
//
// Small texts from outside: a call's metadata, a token file, an address, a certificate, and what errors make of them.
// The first byte says which.
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "core/base/pem.h"
#include "fuzz/target.h"
#include "google/rpc/status.pb.h"
#include "security/token_table.h"
#include "server/config.h"
#include "server/error_details.h"
#include "server/request_identity.h"
#include "server/short_line.h"

namespace candor {
namespace {

void ReadMetadata(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  const auto trace = ParseTraceparent(text);
  if (trace.has_value()) {
    Demand(trace->trace_id.size() == 32 && trace->parent_id.size() == 16, "ids of a trace have their length");
  }
  for (const auto& [ids, traces] : {std::make_pair(lines, std::vector<absl::string_view>{text}),
                                    std::make_pair(std::vector<absl::string_view>{text}, lines)}) {
    const RequestIdentity identity = IdentifyRequest(ids, traces, "own");
    Demand(IsRequestId(identity.request_id), "every request has an id", identity.request_id);
  }
}

void ReadTokens(absl::string_view text) {
  const auto table = TokenTable::Parse(text);
  if (!table.ok()) return DemandRefusal(table.status());
  Demand(!table->Find("").has_value(), "nothing is no token");
}

void WriteError(absl::string_view text) {
  constexpr size_t kMostDetails = 2600;
  const std::string line = ShortLine(text, 100);
  Demand(line.size() <= 100 && line.find('\n') == std::string::npos, "a short line is short and a line");
  Demand(ShortLine(line, 100) == line, "a short line stays as it is");
  absl::Status status = WithReason(absl::InvalidArgumentError(text), kImageRefused);
  status = WithResource(WithRetryDelay(status, absl::Seconds(1)), "candor.v1.Model", text);
  const std::string details = SerializeErrorDetails(status, text);
  google::rpc::Status message;
  Demand(message.ParseFromString(details), "details of an error can be read");
  Demand(details.size() <= kMostDetails, "details of an error fit into trailers");
}

void ReadPem(absl::string_view text) {
  const absl::Status certificates = CheckCertificates(text);
  if (!certificates.ok()) DemandRefusal(certificates);
  const auto expiry = CertificateExpiry(text);
  if (!expiry.ok()) DemandRefusal(expiry.status());
  const absl::Status key = CheckKeyMatches(text, text);
  if (!key.ok()) DemandRefusal(key);
}

void ReadAddress(absl::string_view text) {
  const auto address = ParseHostPort(text);
  if (!address.ok()) return DemandRefusal(address.status());
  Demand(!address->host.empty() && address->port >= 0 && address->port <= 65535, "an address has host and port");
  const auto again = ParseHostPort(address->host + ":" + std::to_string(address->port));
  Demand(again.ok() && again->host == address->host && again->port == address->port, "an address stays as it is");
  IsLoopback(*address);
}

}  // namespace
}  // namespace candor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr void (*kReaders[])(absl::string_view) = {candor::ReadMetadata, candor::ReadTokens, candor::WriteError,
                                                     candor::ReadPem, candor::ReadAddress};
  kReaders[data[0] % 5](candor::AsText(data + 1, size - 1));
  return 0;
}
