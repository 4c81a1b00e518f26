// SPDX-License-Identifier: Apache-2.0
#include "bench/serving/child_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace candor {
namespace {

bool ReadAll(int fd, char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t got = read(fd, bytes, size);
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// False at the end of the stream.
bool Receive(int fd, std::string* message) {
  uint32_t size = 0;
  if (!ReadAll(fd, reinterpret_cast<char*>(&size), sizeof(size))) return false;
  message->resize(size);
  return ReadAll(fd, message->data(), size);
}

void Send(int fd, const std::string& message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  bytes += message;
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t wrote = write(fd, bytes.data() + sent, bytes.size() - sent);
    if (wrote <= 0) std::abort();
    sent += static_cast<size_t>(wrote);
  }
}

}  // namespace

ChildProcess::ChildProcess(const std::function<std::string(const std::string&)>& answer) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(sockets[0]);
    std::string message;
    while (Receive(sockets[1], &message)) Send(sockets[1], answer(message));
    _exit(0);
  }
  close(sockets[1]);
  socket_ = sockets[0];
}

ChildProcess::~ChildProcess() {
  close(socket_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string ChildProcess::Ask(const std::string& message) {
  Send(socket_, message);
  std::string answer;
  if (!Receive(socket_, &answer)) std::abort();
  return answer;
}

}  // namespace candor
