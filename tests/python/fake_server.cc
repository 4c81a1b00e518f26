// SPDX-License-Identifier: Apache-2.0
//
// tests/client's fake server as a program, for clients in other languages: prints its address, and ends with its input.
#include <iostream>

#include "tests/client/fake_service.h"

int main() {
  const candor::FakeServer server;
  std::cout << server.address() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  return 0;
}
