// Redeeming a join token at a hub: the network's part of `join`. Needs no daemon.
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>

#include <string>
#include <vector>

#include "base/address.h"
#include "base/instant.h"
#include "proto/control/hub_list.h"
#include "proto/control/token.h"

namespace ginnel::runtime {

struct RedeemRequest {
  const control::Token& token;
  const crypto::IdentitySecret& identity;
  const crypto::SessionSecret& session;
  std::string name;
  std::vector<std::string> own_endpoints;  // of a hub: where it can be reached, "host:port"
  Nanoseconds timeout = 15s;
};

struct Redeemed {
  ByteVector chain;
  std::string network_name;
  Prefix cidr;
  std::vector<control::HubEntry> hubs;
};

// Asks the token's hubs side by side until one lets the node in or the time is over; blocks.
// Errors: kTokenInvalid, kTokenUsed, kTokenExpired, kTokenRevoked, kNameTaken, kHubUnreachable (the
// text names each address that was tried).
Result<Redeemed, Error> redeem_token(const RedeemRequest& request);

}  // namespace ginnel::runtime
