// SPDX-License-Identifier: Apache-2.0
//
// For serving_throughput.py: asks a server on this machine by shared memory, on demand.
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>

#include "bench/serving/shared_caller.h"
#include "core/base/file.h"
#include "core/image/decode.h"

namespace candor {
namespace {

// Answers "latency WARMUP QUERIES" with milliseconds, those of the first WARMUP seconds left out.
int Main(const std::string& address, const std::string& model, const std::string& path) {
  const auto file = ReadFile(path, int64_t{64} << 20);
  if (!file.ok()) {
    std::cerr << file.status().message() << "\n";
    return 1;
  }
  const auto image = DecodeImage(*file, {});
  if (!image.ok()) {
    std::cerr << path << ": " << image.status().message() << "\n";
    return 1;
  }
  SharedCaller caller(address, model, *file, image->width, image->height);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what;
    double warmup = 0;
    int queries = 0;
    if (!(words >> what >> warmup >> queries) || what != "latency") {
      std::cerr << "not latency WARMUP QUERIES: " << line << "\n";
      return 2;
    }
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::duration<double>(warmup)) caller.Call();
    for (int i = 0; i < queries; ++i) std::cout << caller.Call().all << " ";
    std::cout << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace candor

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: candor-bench-shared HOST:PORT MODEL JPEG\n";
    return 2;
  }
  return candor::Main(argv[1], argv[2], argv[3]);
}
