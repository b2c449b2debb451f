#include "runtime/names/dns_message.h"

#include "base/reader.h"
#include "base/writer.h"

namespace ginnel::dns {
namespace {

//  0  id            2  QR opcode(4) AA TC RD   3  RA Z(3) RCODE(4)
//  4  questions     6  answers      8  authorities      10  additionals
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kLabelBytesMax = 63;
// Flags of byte 2 and the shift of its opcode.
constexpr std::uint8_t kResponse = 0x80;
constexpr std::uint8_t kAuthoritative = 0x04;
constexpr std::uint8_t kTruncated = 0x02;
constexpr std::uint8_t kRecursionDesired = 0x01;
constexpr int kOpcodeShift = 3;
constexpr std::uint16_t kInternet = 1;
// RFC 1035 section 4.1.4: a pointer to the name at offset 12, that of the question.
constexpr std::uint16_t kNameOfQuestion = 0xC000 | kHeaderBytes;
// A record's name (a pointer), type, class, TTL and length.
constexpr std::size_t kRecordHeadBytes = 12;

// A dot inside a label is not one between two: it becomes what no name of ours has.
char text_of_byte(std::byte b) {
  const char c = static_cast<char>(b);
  if (c == '.') return '\\';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The labels up to the root. A question is the first name of its message, so a pointer in it has
// nowhere to point to.
bool read_name(Reader& r, std::string& out) {
  std::size_t bytes = 1;
  for (std::size_t length = r.u8(); r.ok() && length > 0; length = r.u8()) {
    bytes += length + 1;
    if (length > kLabelBytesMax || bytes > kNameBytesMax) return false;
    if (!out.empty()) out += '.';
    for (const std::byte b : r.take(length)) out += text_of_byte(b);
  }
  return r.ok();
}

bool read_question(Reader& r, Query& query) {
  if (!read_name(r, query.name)) return false;
  query.type = r.u16be();
  query.query_class = r.u16be();
  return r.ok();
}

bool fits_type(const Address& address, std::uint16_t type) {
  if (type == static_cast<std::uint16_t>(Type::kAny)) return true;
  return type == static_cast<std::uint16_t>(address.is_v4() ? Type::kA : Type::kAaaa);
}

// Those of the question's type.
std::vector<Address> chosen(const Query& query, const Answer& answer) {
  std::vector<Address> out = answer.addresses;
  if (query.trouble != Rcode::kNone) out.clear();
  std::erase_if(out, [&](const Address& address) { return !fits_type(address, query.type); });
  return out;
}

std::size_t record_bytes(const Address& address) {
  return kRecordHeadBytes + (address.is_v4() ? 4 : 16);
}

void write_record(Writer& w, const Address& address, std::uint32_t ttl_seconds) {
  const ConstBytes all = bytes_of(address.bytes);
  const ConstBytes data = address.is_v4() ? all.last(4) : all;
  w.u16be(kNameOfQuestion);
  w.u16be(static_cast<std::uint16_t>(address.is_v4() ? Type::kA : Type::kAaaa));
  w.u16be(kInternet);
  w.u32be(ttl_seconds);
  w.u16be(static_cast<std::uint16_t>(data.size()));
  w.put(data);
}

}  // namespace

Result<Query, Drop> parse_query(ConstBytes bytes) {
  Reader r(bytes);
  Query out;
  out.id = r.u16be();
  const std::uint8_t flags = r.u8();
  (void)r.u8();
  const std::uint16_t questions = r.u16be();
  (void)r.take(6);
  if (!r.ok()) return Fail(Drop::kTooShort);
  if ((flags & kResponse) != 0) return Fail(Drop::kNotAQuery);
  out.opcode = flags >> kOpcodeShift & 0x0F;
  out.recursion_desired = (flags & kRecursionDesired) != 0;
  if (out.opcode != 0) {
    out.trouble = Rcode::kNotImplemented;
    return out;
  }
  const ConstBytes from = bytes.subspan(kHeaderBytes);
  // RFC 9619: a query has exactly one question.
  if (questions != 1 || !read_question(r, out)) {
    out.trouble = Rcode::kFormat;
    return out;
  }
  out.question = to_vector(from.first(from.size() - r.remaining()));
  if (out.query_class != kInternet) out.trouble = Rcode::kRefused;
  return out;
}

std::size_t write_answer(const Query& query, const Answer& answer, Bytes out) {
  std::vector<Address> addresses = chosen(query, answer);
  std::size_t left = kMessageBytesMax - kHeaderBytes - query.question.size();
  std::size_t count = 0;
  for (; count < addresses.size() && record_bytes(addresses[count]) <= left; ++count)
    left -= record_bytes(addresses[count]);
  const bool cut = count < addresses.size();
  addresses.resize(count);
  Writer w(out.first(kMessageBytesMax));
  const Rcode rcode = query.trouble != Rcode::kNone ? query.trouble : answer.rcode;
  const bool ours = rcode == Rcode::kNone || rcode == Rcode::kNoName;
  w.u16be(query.id);
  w.u8(static_cast<std::uint8_t>(kResponse | query.opcode << kOpcodeShift |
                                 (ours ? kAuthoritative : 0) | (cut ? kTruncated : 0) |
                                 (query.recursion_desired ? kRecursionDesired : 0)));
  w.u8(static_cast<std::uint8_t>(rcode));
  w.u16be(query.question.empty() ? 0 : 1);
  w.u16be(static_cast<std::uint16_t>(count));
  w.u32be(0);  // authorities, additionals
  w.put(query.question);
  for (const Address& address : addresses) write_record(w, address, answer.ttl_seconds);
  return w.size();
}

}  // namespace ginnel::dns
