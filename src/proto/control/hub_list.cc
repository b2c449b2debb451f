#include "proto/control/hub_list.h"

#include "base/assert.h"
#include "proto/control/fields.h"

namespace ginnel::control {

std::optional<std::vector<std::string>> read_endpoint_texts(Reader& r, std::size_t count) {
  if (count > kHubEndpointsMax) return std::nullopt;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.emplace_back(text_of(read_text8(r)));
    if (!is_host_port(out.back())) return std::nullopt;
  }
  return out;
}

void write_endpoint_texts(Writer& w, const std::vector<std::string>& endpoints) {
  GINNEL_ASSERT(endpoints.size() <= kHubEndpointsMax);
  w.u8(static_cast<std::uint8_t>(endpoints.size()));
  for (const std::string& endpoint : endpoints) write_text8(w, endpoint);
}

Result<std::vector<HubEntry>, Drop> read_hub_list(Reader& r) {
  const std::size_t count = r.u8();
  if (count == 0) return refused(r);
  if (count > kHubsMax) return Fail(Drop::kTooMany);
  std::vector<HubEntry> hubs;
  for (std::size_t i = 0; i < count; ++i) {
    HubEntry hub;
    hub.session = read_key<crypto::SessionPublic>(r);
    hub.name = text_of(read_text8(r));
    auto endpoints = read_endpoint_texts(r, r.u8());
    if (!is_name(hub.name) || !endpoints || endpoints->empty()) return refused(r);
    hub.endpoints = *std::move(endpoints);
    hubs.push_back(std::move(hub));
  }
  return hubs;
}

void write_hub_list(Writer& w, const std::vector<HubEntry>& hubs) {
  GINNEL_ASSERT(hubs.size() <= kHubsMax);
  w.u8(static_cast<std::uint8_t>(hubs.size()));
  for (const HubEntry& hub : hubs) {
    w.put(hub.session.bytes());
    write_text8(w, hub.name);
    write_endpoint_texts(w, hub.endpoints);
  }
}

Result<Hubs, Drop> parse_hubs(ConstBytes body) {
  Reader r(body);
  auto hubs = read_hub_list(r);
  if (!hubs) return Fail(hubs.error());
  return finish(r, Hubs{*std::move(hubs)});
}

void encode(const Hubs& message, Writer& w) { write_hub_list(w, message.hubs); }

std::size_t hub_entry_bytes(const HubEntry& hub) {
  std::size_t bytes = crypto::kKeyBytes + 1 + hub.name.size() + 1;
  for (const std::string& endpoint : hub.endpoints) bytes += 1 + endpoint.size();
  return bytes;
}

}  // namespace ginnel::control
