// SPDX-License-Identifier: Apache-2.0
//
// prometheus-cpp's HTTP server, without its exceptions and its slow end.
#include "server/metrics/metrics_page.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace candor {
namespace {

// A connection has a thread to itself until its request has come. By default there are two threads and half a minute:
// two hung scrapers would hide the metrics.
constexpr char kThreads[] = "8";
constexpr char kTimeoutMs[] = "1000";

// Opens a connection and closes it.
void Knock(absl::string_view host, int port) {
  absl::ConsumePrefix(&host, "[");
  absl::ConsumeSuffix(&host, "]");
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* address = nullptr;
  if (getaddrinfo(std::string(host).c_str(), absl::StrCat(port).c_str(), &hints, &address) != 0) return;
  const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    // Nobody reads: what counts is that the listener wakes up.
    [[maybe_unused]] const int ignored = connect(fd, address->ai_addr, address->ai_addrlen);
    close(fd);
  }
  freeaddrinfo(address);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsPage>> MetricsPage::Open(
    const std::string& host, int port, std::vector<std::shared_ptr<prometheus::Collectable>> sources,
    std::shared_ptr<prometheus::Collectable> triton) {
  const std::string address = absl::StrCat(host, ":", port);
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(std::vector<std::string>{
        "listening_ports", address, "num_threads", kThreads, "request_timeout_ms", kTimeoutMs});
    for (const auto& source : sources) exposer->RegisterCollectable(source);
    if (triton != nullptr) {
      exposer->RegisterCollectable(triton, "/metrics/triton");
      sources.push_back(std::move(triton));
    }
    const int real_port = exposer->GetListeningPorts().at(0);
    return std::unique_ptr<MetricsPage>(new MetricsPage(host, real_port, std::move(sources), std::move(exposer)));
  } catch (const std::exception&) {  // its text says "null context", and no more
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", address, ": the port is taken, or the host is not an IP address of this machine"));
  }
}

MetricsPage::~MetricsPage() {
  // civetweb's listener looks for the end only every 2 s, and whenever somebody connects: so connect until it is over.
  const std::future<void> closed = std::async(std::launch::async, [this] { exposer_.reset(); });
  while (closed.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) Knock(host_, port_);
}

}  // namespace candor
