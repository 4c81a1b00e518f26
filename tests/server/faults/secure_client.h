// SPDX-License-Identifier: Apache-2.0
//
// Calls over connections of their own, with certificates and tokens.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "tests/testing/test_certificates.h"

namespace candor {

// A channel that shares no connection with another one. `authority` is the certificate the server's has to come from;
// empty: plain text. `own` is the client's certificate; null: none.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, const std::string& authority = "",
                                           const CertificateAndKey* own = nullptr);

// One ListModels call with `authorization: AUTHORIZATION`; without if it is empty.
grpc::Status CallListModels(const std::shared_ptr<grpc::Channel>& channel, const std::string& authorization = "");

// One health check of the process.
grpc::Status CallHealth(const std::shared_ptr<grpc::Channel>& channel);

}  // namespace candor
