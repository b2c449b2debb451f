// The names of a network and the addresses behind them, as the node's own DNS server gives them
// out.
//
//   NameTable names("home");                         // home.ginnel.internal
//   names.set({{"bob", {*Address::parse("10.66.0.3")}}});
//   const dns::Answer answer = names.look_up(query);
//
// Pure. Names compare without regard to case (RFC 4343).
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/names/dns_message.h"

namespace ginnel::runtime {

// Names follow their nodes within this time.
inline constexpr std::uint32_t kNameTtlSeconds = 5;

class NameTable {
 public:
  using Names = std::map<std::string, std::vector<Address>, std::less<>>;

  explicit NameTable(std::string_view network);

  // Replaces all of them.
  void set(const Names& names);
  // "home.ginnel.internal"
  const std::string& domain() const { return domain_; }
  // A name of the domain that nobody has is kNoName; one outside the domain is kRefused, so that
  // whoever asks asks another server.
  dns::Answer look_up(const dns::Query& query) const;

 private:
  std::string domain_;
  Names names_;  // in lower case
};

}  // namespace ginnel::runtime
