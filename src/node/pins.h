// Names and overlay addresses stay with whom they were first seen with (docs/design.md section 4):
// a pin moves to another Id only when the old one is revoked or released. So no hub, and no later
// certificate, can take over `bob` or 10.66.0.3.
//
// Deterministic order; bounded by kPinsMax: past it a new claim is refused, never an old one lost.
#pragma once
#include <ginnel/id.h>
#include <ginnel/result.h>

#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "node/peer_record.h"

namespace ginnel::node {

// Names and addresses together; at the limit newcomers are refused with kFull.
inline constexpr std::size_t kPinsMax = 65'536;

// Who holds what somebody else claims now.
struct Clash {
  std::string what;  // the name, or the address as text
  bool is_address = false;
  Id holder;
  Id claimant;
};

enum class PinDrop : std::uint8_t {
  kClash,  // the name or an address belongs to another Id; nothing was pinned
  kFull,   // kPinsMax reached; nothing was pinned
};

class Pins {
 public:
  // Pins the record's name and addresses to its Id, all or nothing; addresses that the Id had before
  // and has no more are free. True: something is different now.
  Result<bool, PinDrop> claim(const PeerRecord& record);
  // The first clash that claim(record) would meet; nullopt: none.
  std::optional<Clash> clash_of(const PeerRecord& record) const;
  // Frees everything this Id holds: it was revoked, or it left for good.
  void release(const Id& id);

  std::optional<Id> holder_of_name(std::string_view name) const;
  std::optional<Id> holder_of(const Address& address) const;
  std::size_t size() const { return names_.size() + addresses_.size(); }

  // The state as bytes for the identity store, and back. Damaged bytes: nullopt.
  ByteVector write() const;
  static std::optional<Pins> parse(ConstBytes bytes);

 private:
  std::map<std::string, Id, std::less<>> names_;
  std::map<Address, Id> addresses_;
};

}  // namespace ginnel::node
