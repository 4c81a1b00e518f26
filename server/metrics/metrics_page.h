// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"

namespace candor {

// The HTTP page /metrics. Open from Open to the destructor.
class MetricsPage {
 public:
  // `host` is an IP address, an IPv6 one in brackets; port 0 takes a free one. Unavailable: cannot listen there.
  static absl::StatusOr<std::unique_ptr<MetricsPage>> Open(
      const std::string& host, int port, const std::vector<std::shared_ptr<prometheus::Collectable>>& sources);
  ~MetricsPage();

  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  int port() const { return port_; }

 private:
  MetricsPage(std::string host, int port, std::unique_ptr<prometheus::Exposer> exposer)
      : host_(std::move(host)), port_(port), exposer_(std::move(exposer)) {}

  const std::string host_;
  const int port_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace candor
