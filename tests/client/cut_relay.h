// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace candor {

// Passes bytes between callers and a server, as a network does; of the first `cuts` connections only `bytes` of what
// the server says, then both ends see the connection closed: to the caller the server has died in the middle of its
// answer.
class CutRelay {
 public:
  // `server` is HOST:PORT with an IPv4 address of this machine.
  CutRelay(const std::string& server, int cuts, int64_t bytes);
  ~CutRelay();
  CutRelay(const CutRelay&) = delete;
  CutRelay& operator=(const CutRelay&) = delete;

  std::string address() const { return address_; }
  int connections() const { return connections_; }

 private:
  void Run(int cuts, int64_t bytes);

  const int server_port_;
  std::string address_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // a pipe: closing the second end ends the thread
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace candor
