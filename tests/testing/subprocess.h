// SPDX-License-Identifier: Apache-2.0
//
// Real programs in tests: started with arguments, read line by line, signalled, waited for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace candor {

struct Finished {
  int exit_code = -1;  // 128 + signal if one ended it
  std::string out;
  std::string err;
};

// Thread-compatible. Killed and reaped by the destructor.
class Subprocess {
 public:
  // argv[0] is the program's path. Test failure if it cannot be started.
  explicit Subprocess(const std::vector<std::string>& argv);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  // The next line of its standard output without the newline; empty at the end.
  std::string ReadLine();
  void Signal(int number) const;
  pid_t pid() const { return pid_; }  // -1 once it has ended
  // Reads what is left and waits for the end.
  Finished Wait();
  // Highest resident memory so far in bytes, from /proc; 0 if it has ended.
  int64_t PeakMemory() const;

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string err_file_;
  std::string pending_;  // read from out_, not yet returned
};

// Starts, waits, returns.
Finished RunProgram(const std::vector<std::string>& argv);

}  // namespace candor
