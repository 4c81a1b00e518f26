// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace candor {

// A process that answers messages, and ends with this object. gRPC must not have been used in this one yet. Ends the
// program on an error.
class ChildProcess {
 public:
  // `answer` runs there, for one message after the other.
  explicit ChildProcess(const std::function<std::string(const std::string& message)>& answer);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  std::string Ask(const std::string& message);

 private:
  int socket_ = -1;
  int pid_ = -1;
};

}  // namespace candor
