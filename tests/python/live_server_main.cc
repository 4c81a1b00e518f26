// SPDX-License-Identifier: Apache-2.0
//
// tests/server's live server as a program, for clients in other languages: prints the addresses of gRPC and metrics,
// does what its input says, each line answered with "ok", and ends with it. With a folder as argument it asks for TLS
// with a client's certificate and for a token, and puts into the folder what a client needs: ca.pem, client.pem,
// client.key, token; and of an authority it does not know, other_ca.pem, other.pem and other.key.
#include <fstream>
#include <iostream>
#include <string>

#include "core/base/log.h"
#include "tests/server/live_server.h"
#include "tests/testing/test_certificates.h"

namespace {

void Write(const std::string& path, const std::string& contents) { std::ofstream(path) << contents; }

void Secure(const std::string& folder, candor::v1::ServerConfig* config) {
  const candor::TestAuthority authority;
  const candor::TestAuthority other("another authority");
  const candor::CertificateAndKey server = authority.Issue("server");
  const candor::CertificateAndKey client = authority.Issue("client");
  const candor::CertificateAndKey stranger = other.Issue("stranger");
  Write(folder + "/ca.pem", authority.certificate());
  Write(folder + "/server.pem", server.certificate);
  Write(folder + "/server.key", server.key);
  Write(folder + "/client.pem", client.certificate);
  Write(folder + "/client.key", client.key);
  Write(folder + "/other_ca.pem", other.certificate());
  Write(folder + "/other.pem", stranger.certificate);
  Write(folder + "/other.key", stranger.key);
  Write(folder + "/token", "robot-0123456789abcdef\n");
  Write(folder + "/tokens", "infer robot-0123456789abcdef\ninfer second-0123456789abcdef\n");
  config->mutable_tls()->set_certificate_file(folder + "/server.pem");
  config->mutable_tls()->set_key_file(folder + "/server.key");
  config->mutable_tls()->set_client_ca_file(folder + "/ca.pem");
  config->set_token_file(folder + "/tokens");
}

}  // namespace

int main(int argc, char** argv) {
  candor::SetLogLevel(candor::LogLevel::kError);
  candor::LiveServer live([&](candor::v1::ServerConfig* config) {
    config->set_system_shared_memory(true);
    config->set_log_level("error");
    if (argc > 1) Secure(argv[1], config);
  });
  std::cout << live.server().grpc_address() << " " << live.server().metrics_address() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "block") live.street().Block();
    if (line == "release") live.street().Release();
    if (line == "block committee") live.committee().Block();
    if (line == "release committee") live.committee().Release();
    if (line == "wait for one call") live.street().WaitForCalls(1);
    std::cout << "ok" << std::endl;
  }
  return 0;
}
