// SPDX-License-Identifier: Apache-2.0
//
// gRPC's client, set up for faults.
#include "tests/server/faults/secure_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "candor/v1/segmentation.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace candor {

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, const std::string& authority,
                                           const CertificateAndKey* own) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (authority.empty()) return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authority;
  if (own != nullptr) {
    options.pem_cert_chain = own->certificate;
    options.pem_private_key = own->key;
  }
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

grpc::Status CallListModels(const std::shared_ptr<grpc::Channel>& channel, const std::string& authorization) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!authorization.empty()) context.AddMetadata("authorization", authorization);
  v1::ListModelsResponse response;
  return v1::Segmentation::NewStub(channel)->ListModels(&context, {}, &response);
}

grpc::Status CallHealth(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::health::v1::HealthCheckResponse response;
  return grpc::health::v1::Health::NewStub(channel)->Check(&context, {}, &response);
}

}  // namespace candor
