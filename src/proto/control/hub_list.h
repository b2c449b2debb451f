// The hubs of a network, as JOINED and the control message HUBS carry them (docs/wire/ginnel.md
// section 7).
//
//     0  count u8 (1..32), per hub: session key 32, name text8,
//        endpoint count u8 (1..8), per endpoint text8 "host:port"
#pragma once
#include <ginnel/result.h>

#include <optional>
#include <string>
#include <vector>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/keys.h"
#include "proto/control/control_message.h"

namespace ginnel::control {

inline constexpr std::size_t kHubsMax = 32;
inline constexpr std::size_t kHubEndpointsMax = 8;

struct HubEntry {
  crypto::SessionPublic session;
  std::string name;                    // as in its certificate
  std::vector<std::string> endpoints;  // "host:port"; names are resolved by whoever connects
  friend bool operator==(const HubEntry&, const HubEntry&) = default;
};

// Reads one list from where the reader stands; what follows is the caller's.
// Errors: kTooMany, kBadField.
Result<std::vector<HubEntry>, Drop> read_hub_list(Reader& r);
void write_hub_list(Writer& w, const std::vector<HubEntry>& hubs);
std::size_t hub_entry_bytes(const HubEntry& hub);

// The control message HUBS: after the first REGISTERED of a session, and when the list changes.
struct Hubs {
  static constexpr ControlType kControlType = ControlType::kHubs;
  static constexpr std::size_t kBytesMax = 1 + kHubsMax * (32 + 64 + 1 + kHubEndpointsMax * 256);

  std::vector<HubEntry> hubs;
  friend bool operator==(const Hubs&, const Hubs&) = default;
};
Result<Hubs, Drop> parse_hubs(ConstBytes body);
void encode(const Hubs& message, Writer& w);

// `count` texts of "host:port". nullopt: too many, or no such text.
std::optional<std::vector<std::string>> read_endpoint_texts(Reader& r, std::size_t count);
void write_endpoint_texts(Writer& w, const std::vector<std::string>& endpoints);

}  // namespace ginnel::control
