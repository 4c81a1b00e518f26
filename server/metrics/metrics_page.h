// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"

namespace candor {

// The HTTP pages /metrics and /metrics/triton. Open from Open to the destructor.
class MetricsPage {
 public:
  // `host` is an IP address, an IPv6 one in brackets; port 0 takes a free one. Unavailable: cannot listen there.
  // `triton` is shown on /metrics/triton, if not null; its names are not those that Prometheus' own checks want.
  static absl::StatusOr<std::unique_ptr<MetricsPage>> Open(
      const std::string& host, int port, std::vector<std::shared_ptr<prometheus::Collectable>> sources,
      std::shared_ptr<prometheus::Collectable> triton = nullptr);
  ~MetricsPage();

  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  int port() const { return port_; }

 private:
  MetricsPage(std::string host, int port, std::vector<std::shared_ptr<prometheus::Collectable>> sources,
              std::unique_ptr<prometheus::Exposer> exposer)
      : host_(std::move(host)), port_(port), sources_(std::move(sources)), exposer_(std::move(exposer)) {}

  const std::string host_;
  const int port_;
  const std::vector<std::shared_ptr<prometheus::Collectable>> sources_;  // the exposer only looks at them
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace candor
