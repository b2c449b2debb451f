#include "proto/stun/wire.h"

#include "base/reader.h"
#include "base/writer.h"
#include "proto/stun/fingerprint.h"

namespace ginnel::stun {
namespace {

constexpr std::size_t kFingerprintBytes = 8;
constexpr std::uint16_t kFirstOptional = 0x8000;  // RFC 8489 section 18.3
constexpr std::uint8_t kFamilyV4 = 1;
constexpr std::uint8_t kFamilyV6 = 2;
constexpr std::uint32_t kChangePort = 2;     // RFC 5780 section 7.2, "B"
constexpr std::uint32_t kChangeAddress = 4;  // "A"

// The year 2116: two clocks can be subtracted without care.
constexpr std::uint64_t kClockMax = std::uint64_t{1} << 62;

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Required attributes that authenticate or redirect. We know them and act on none: a server without
// credentials ignores integrity, and RESPONSE-ADDRESS (RFC 3489) would aim answers at a third
// party.
bool is_ignored(std::uint16_t type) {
  constexpr std::array<std::uint16_t, 11> kIgnored = {
      0x0002, 0x0006, 0x0007, 0x0008, 0x000b, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0024};
  return std::ranges::find(kIgnored, type) != kIgnored.end();
}

// RFC 8489 section 14.2: X-Port and X-Address are XORed with the cookie and, for IPv6, the
// transaction id that follows it. Applying it twice gives the value back.
Endpoint xored(const Endpoint& endpoint, const std::array<std::uint8_t, 16>& key) {
  Endpoint out = endpoint;
  out.port = static_cast<std::uint16_t>(endpoint.port ^ (key[0] << 8 | key[1]));
  const std::size_t from = endpoint.address.is_v4() ? 12 : 0;
  for (std::size_t i = from; i < 16; ++i) {
    out.address.bytes[i] = static_cast<std::uint8_t>(out.address.bytes[i] ^ key[i - from]);
  }
  return out;
}

// `key`: what the value is XORed with, or null. An IPv6 value that becomes a v4-mapped address is
// refused: it could not be written back, and no such address is seen on a wire.
std::optional<Endpoint> read_address(ConstBytes value, const std::array<std::uint8_t, 16>* key) {
  Reader r(value);
  r.u8();
  const std::uint8_t family = r.u8();
  const std::uint16_t port = r.u16be();
  if (family != kFamilyV4 && family != kFamilyV6) return std::nullopt;
  ConstBytes bytes = r.take(family == kFamilyV4 ? 4 : 16);
  if (!r.finished()) return std::nullopt;
  std::array<std::uint8_t, 16> raw{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    raw[i] =
        static_cast<std::uint8_t>(std::to_integer<unsigned>(bytes[i]) ^ (key ? (*key)[i] : 0u));
  }
  Endpoint out;
  out.address = Address::from_wire(std::as_bytes(std::span(raw)).first(bytes.size()));
  out.port = static_cast<std::uint16_t>(key ? port ^ ((*key)[0] << 8 | (*key)[1]) : port);
  if (out.address.is_v4() != (family == kFamilyV4)) return std::nullopt;
  return out;
}

std::optional<ChangeRequest> read_change(ConstBytes value) {
  Reader r(value);
  const std::uint32_t flags = r.u32be();
  if (!r.finished()) return std::nullopt;
  return ChangeRequest{.address = (flags & kChangeAddress) != 0,
                       .port = (flags & kChangePort) != 0};
}

// RFC 8489 section 14.8: class 3..6 in the low three bits, number 0..99.
std::optional<ErrorCode> read_error(ConstBytes value) {
  Reader r(value);
  r.u16be();
  const auto hundreds = static_cast<std::uint16_t>(r.u8() & 7);
  const std::uint16_t number = r.u8();
  if (!r.ok() || hundreds < 3 || hundreds > 6 || number > 99) return std::nullopt;
  return ErrorCode{static_cast<std::uint16_t>(hundreds * 100 + number), r.rest()};
}

std::optional<UnknownAttributes> read_unknown(ConstBytes value) {
  if (value.size() % 2 != 0) return std::nullopt;
  UnknownAttributes out;
  for (Reader r(value); r.remaining() > 0;) out.add(r.u16be());
  return out;
}

std::optional<ClockReading> read_clock(ConstBytes value) {
  if (value.empty()) return ClockReading{};
  Reader r(value);
  const std::uint64_t ns = r.u64be();
  if (!r.finished() || ns > kClockMax) return std::nullopt;
  return ClockReading{Wall{static_cast<std::int64_t>(ns)}};
}

// Sets `field` if it is the first of its kind. False: the value is not one.
template <class T>
bool keep_first(std::optional<T>& field, std::optional<T> value) {
  if (!value) return false;
  if (!field) field = std::move(value);
  return true;
}

bool take_attribute(Message& m, std::uint16_t type, ConstBytes value) {
  switch (static_cast<Attribute>(type)) {
    case Attribute::kMappedAddress:
      return keep_first(m.mapped, read_address(value, nullptr));
    case Attribute::kXorMappedAddress:
      return keep_first(m.xor_mapped, read_address(value, &m.transaction));
    case Attribute::kChangeRequest:
      return keep_first(m.change, read_change(value));
    case Attribute::kSourceAddress:
    case Attribute::kResponseOrigin:
      return keep_first(m.origin, read_address(value, nullptr));
    case Attribute::kChangedAddress:
    case Attribute::kOtherAddress:
      return keep_first(m.other, read_address(value, nullptr));
    case Attribute::kErrorCode:
      return keep_first(m.error, read_error(value));
    case Attribute::kUnknownAttributes:
      return keep_first(m.unknown, read_unknown(value));
    case Attribute::kSoftware:
      return keep_first(m.software, std::optional(value));
    case Attribute::kGinnelCert:
      return keep_first(m.certificate, std::optional(value));
    case Attribute::kGinnelTime:
      return keep_first(m.clock, read_clock(value));
    case Attribute::kPadding:
      return keep_first(m.padding, std::optional(value.size()));
    case Attribute::kFingerprint:
      return false;  // anywhere but at the end
  }
  if (type < kFirstOptional && !is_ignored(type)) m.not_understood.add(type);
  return true;
}

// RFC 8489 section 14.7: FINGERPRINT is the last attribute, over all before it.
bool is_fingerprint(std::uint16_t type, ConstBytes value, const Reader& r) {
  return static_cast<Attribute>(type) == Attribute::kFingerprint && value.size() == 4 &&
         r.remaining() == 0;
}

class AttributeWriter {
 public:
  AttributeWriter(Writer& writer, const std::array<std::uint8_t, 16>& transaction)
      : w_(writer), transaction_(transaction) {}

  void bytes(Attribute type, const std::optional<ConstBytes>& value) {
    if (!value) return;
    head(type, value->size());
    w_.put(*value).zeros(padded(value->size()) - value->size());
  }
  void address(Attribute type, const std::optional<Endpoint>& endpoint) {
    if (!endpoint) return;
    const bool v4 = endpoint->address.is_v4();
    const Endpoint value =
        type == Attribute::kXorMappedAddress ? xored(*endpoint, transaction_) : *endpoint;
    head(type, v4 ? 8 : 20);
    w_.u8(0).u8(v4 ? kFamilyV4 : kFamilyV6).u16be(value.port);
    w_.put(bytes_of(value.address.bytes).subspan(v4 ? 12 : 0));
  }
  void change(const std::optional<ChangeRequest>& change) {
    if (!change) return;
    head(Attribute::kChangeRequest, 4);
    w_.u32be((change->address ? kChangeAddress : 0) | (change->port ? kChangePort : 0));
  }
  void error(const std::optional<ErrorCode>& error) {
    if (!error) return;
    const ConstBytes reason = error->reason.first(std::min<std::size_t>(error->reason.size(), 509));
    head(Attribute::kErrorCode, 4 + reason.size());
    w_.u16be(0).u8(static_cast<std::uint8_t>(error->code / 100));
    w_.u8(static_cast<std::uint8_t>(error->code % 100));
    w_.put(reason).zeros(padded(reason.size()) - reason.size());
  }
  void unknown(const std::optional<UnknownAttributes>& unknown) {
    if (!unknown) return;
    head(Attribute::kUnknownAttributes, unknown->count * 2);
    for (std::size_t i = 0; i < unknown->count; ++i) w_.u16be(unknown->types[i]);
    w_.zeros(padded(unknown->count * 2) - unknown->count * 2);
  }
  void clock(const std::optional<ClockReading>& clock) {
    if (!clock) return;
    head(Attribute::kGinnelTime, clock->wall ? 8 : 0);
    if (clock->wall) w_.u64be(static_cast<std::uint64_t>(clock->wall->ns));
  }
  void padding(const std::optional<std::size_t>& size) {
    if (!size) return;
    head(Attribute::kPadding, *size);
    w_.zeros(padded(*size));
  }

 private:
  void head(Attribute type, std::size_t size) {
    if (size > 0xffff) {  // no length field holds it: nothing fits any more
      w_.claim(w_.room() + 1);
      return;
    }
    w_.u16be(static_cast<std::uint16_t>(type)).u16be(static_cast<std::uint16_t>(size));
  }
  Writer& w_;
  const std::array<std::uint8_t, 16>& transaction_;
};

std::uint16_t length_field(std::size_t message_bytes) {
  return static_cast<std::uint16_t>(message_bytes - kHeaderBytes);
}

}  // namespace

Result<Message, Drop> Message::parse(ConstBytes datagram) {
  if (datagram.size() < kHeaderBytes) return Fail(Drop::kTooShort);
  Reader r(datagram);
  Message m;
  m.type = r.u16be();
  const std::size_t length = r.u16be();
  m.transaction = r.array<16>();
  // RFC 8489 section 5: the first two bits are zero, and so are the last two of the length.
  if ((m.type & 0xc000) != 0 || length % 4 != 0) return Fail(Drop::kNotStun);
  if (length != r.remaining()) return Fail(Drop::kNotStun);
  while (r.remaining() > 0) {
    const std::size_t at = datagram.size() - r.remaining();
    const std::uint16_t type = r.u16be();
    const std::size_t size = r.u16be();
    const ConstBytes value = r.take(padded(size)).first(r.ok() ? size : 0);
    if (!r.ok()) return Fail(Drop::kTooShort);
    if (is_fingerprint(type, value, r)) {
      if (Reader(value).u32be() != fingerprint_of(datagram.first(at))) {
        return Fail(Drop::kBadFingerprint);
      }
      m.fingerprint = true;
    } else if (!take_attribute(m, type, value)) {
      return Fail(Drop::kBadAttribute);
    }
  }
  return m;
}

std::size_t Message::write(Bytes out) const {
  Writer w(out);
  w.u16be(type).u16be(0).array(transaction);
  AttributeWriter a(w, transaction);
  const bool cookie = has_cookie();
  a.address(Attribute::kMappedAddress, mapped);
  a.address(Attribute::kXorMappedAddress, xor_mapped);
  a.change(change);
  a.address(cookie ? Attribute::kResponseOrigin : Attribute::kSourceAddress, origin);
  a.address(cookie ? Attribute::kOtherAddress : Attribute::kChangedAddress, other);
  a.error(error);
  a.unknown(unknown);
  a.bytes(Attribute::kSoftware, software);
  a.bytes(Attribute::kGinnelCert, certificate);
  a.clock(clock);
  a.padding(padding);
  const std::size_t body = w.size();
  const std::size_t total = body + (fingerprint ? kFingerprintBytes : 0);
  if (!w.ok() || total > out.size() || total - kHeaderBytes > 0xffff) return 0;
  Writer(out.subspan(2)).u16be(length_field(total));
  if (!fingerprint) return total;
  // RFC 8489 section 14.7: the length in the header covers the FINGERPRINT already.
  const std::uint32_t crc = fingerprint_of(out.first(body));
  w.u16be(static_cast<std::uint16_t>(Attribute::kFingerprint)).u16be(4).u32be(crc);
  return total;
}

bool Message::has_cookie() const { return Reader(bytes_of(transaction)).u32be() == kMagicCookie; }

Message Message::answer(std::uint16_t answer_type) const {
  Message out;
  out.type = answer_type;
  out.transaction = transaction;
  return out;
}

std::array<std::uint8_t, 16> make_transaction(const std::array<std::uint8_t, 12>& random) {
  std::array<std::uint8_t, 16> out{};
  Writer(std::as_writable_bytes(std::span(out))).u32be(kMagicCookie).array(random);
  return out;
}

bool is_stun(ConstBytes datagram, Accept accept) {
  if (datagram.size() < kHeaderBytes) return false;
  Reader r(datagram);
  const std::uint16_t type = r.u16be();
  if ((type & 0xc000) != 0 || r.u16be() != datagram.size() - kHeaderBytes) return false;
  if (r.u32be() == kMagicCookie) return true;
  return accept == Accept::kOldRequestsToo && type == kBindingRequest;
}

}  // namespace ginnel::stun
