// SPDX-License-Identifier: Apache-2.0
#include "tests/client/cut_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int PortOf(const std::string& address) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) << address;
  return port;
}

struct Pair {
  int caller;
  int server;
  int64_t left;  // bytes that the server may still say; negative: any number
};

// Passes on what one end has said, `most` bytes at most; the number of bytes, 0 or less at the end.
ssize_t Pass(int from, int to, size_t most) {
  char buffer[1 << 16];
  const ssize_t size = recv(from, buffer, std::min(most, sizeof(buffer)), 0);
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t step = send(to, buffer + sent, size - sent, MSG_NOSIGNAL);
    if (step <= 0) return 0;
    sent += step;
  }
  return size;
}

// False: the pair is to be closed.
bool Serve(Pair* pair, bool caller_spoke, bool server_spoke) {
  if (caller_spoke && Pass(pair->caller, pair->server, SIZE_MAX) <= 0) return false;
  if (!server_spoke) return true;
  const ssize_t size = Pass(pair->server, pair->caller, pair->left < 0 ? SIZE_MAX : static_cast<size_t>(pair->left));
  if (size > 0 && pair->left > 0) pair->left -= size;
  return size > 0 && pair->left != 0;
}

}  // namespace

CutRelay::CutRelay(const std::string& server, int cuts, int64_t bytes) : server_port_(PortOf(server)) {
  sockaddr_in own = Loopback(0);
  socklen_t size = sizeof(own);
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&own), size), 0);
  EXPECT_EQ(listen(listener_, 8), 0);
  EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size), 0);
  address_ = absl::StrCat("127.0.0.1:", ntohs(own.sin_port));
  EXPECT_EQ(pipe(stop_), 0);
  thread_ = std::thread([this, cuts, bytes] { Run(cuts, bytes); });
}

CutRelay::~CutRelay() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

void CutRelay::Run(int cuts, int64_t bytes) {
  std::list<Pair> pairs;
  const auto end = [](const Pair& pair) {
    close(pair.caller);
    close(pair.server);
  };
  for (;;) {
    std::vector<pollfd> watched = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      watched.push_back({pair.caller, POLLIN, 0});
      watched.push_back({pair.server, POLLIN, 0});
    }
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) break;
    size_t i = 2;
    for (auto pair = pairs.begin(); pair != pairs.end(); i += 2) {
      const bool goes_on = Serve(&*pair, watched[i].revents != 0, watched[i + 1].revents != 0);
      if (!goes_on) end(*pair);
      pair = goes_on ? std::next(pair) : pairs.erase(pair);
    }
    if (watched[1].revents == 0) continue;
    const sockaddr_in server = Loopback(server_port_);
    const Pair pair{accept(listener_, nullptr, nullptr), socket(AF_INET, SOCK_STREAM, 0),
                    connections_++ < cuts ? bytes : -1};
    if (connect(pair.server, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) == 0) {
      pairs.push_back(pair);
    } else {
      end(pair);
    }
  }
  for (const Pair& pair : pairs) end(pair);
}

}  // namespace candor
