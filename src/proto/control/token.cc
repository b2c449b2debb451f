#include "proto/control/token.h"

#include "base/base64.h"
#include "proto/control/fields.h"

namespace ginnel::control {
namespace {

constexpr std::uint8_t kTokenVersion = 1;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kBinaryBytesMax = kTokenTextBytesMax / 4 * 3;

// Wipes the binary form, which holds the secret, however its scope is left.
class Wiped {
 public:
  explicit Wiped(ByteVector bytes) : bytes_(std::move(bytes)) {}
  ~Wiped() { crypto::wipe(bytes_); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Bytes bytes() { return bytes_; }

 private:
  ByteVector bytes_;
};

crypto::Digest checksum(ConstBytes body) {
  return crypto::blake2s_256({bytes_of("ginnel token v1"), body});
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool read_hub(Reader& r, TokenHub& hub) {
  hub.session = read_key<crypto::SessionPublic>(r);
  const std::size_t count = r.u8();
  if (count == 0 || count > kTokenEndpointsMax) return false;
  for (std::size_t i = 0; i < count; ++i) {
    hub.endpoints.emplace_back(text_of(read_text8(r)));
    if (!is_host_port(hub.endpoints.back())) return false;
  }
  return true;
}

Result<Token, TokenError> parse_body(ConstBytes body) {
  Reader r(body);
  r.u8();  // the version, looked at before
  Token token;
  const auto role = read_role(r);
  token.network = read_key<crypto::NetworkPublic>(r);
  token.secret = read_key<TokenSecret>(r);
  token.expiry_seconds = r.u64le();
  const std::size_t hubs = r.u8();
  if (!role || hubs == 0 || hubs > kTokenHubsMax) return Fail(TokenError::kMalformed);
  token.role = *role;
  for (std::size_t i = 0; i < hubs; ++i) {
    if (!read_hub(r, token.hubs.emplace_back())) return Fail(TokenError::kMalformed);
  }
  if (!r.finished()) return Fail(TokenError::kMalformed);
  return token;
}

bool within_limits(const Token& token) {
  if (token.hubs.empty() || token.hubs.size() > kTokenHubsMax) return false;
  return std::ranges::all_of(token.hubs, [](const TokenHub& hub) {
    return !hub.endpoints.empty() && hub.endpoints.size() <= kTokenEndpointsMax &&
           std::ranges::all_of(hub.endpoints, is_host_port);
  });
}

void encode_body(const Token& token, Writer& w) {
  w.u8(kTokenVersion).u8(static_cast<std::uint8_t>(token.role)).put(token.network.bytes());
  w.put(token.secret.bytes()).u64le(token.expiry_seconds);
  w.u8(static_cast<std::uint8_t>(token.hubs.size()));
  for (const TokenHub& hub : token.hubs) {
    w.put(hub.session.bytes()).u8(static_cast<std::uint8_t>(hub.endpoints.size()));
    for (const std::string& endpoint : hub.endpoints) write_text8(w, endpoint);
  }
}

}  // namespace

Result<Token, TokenError> parse_token(std::string_view text) {
  text = trimmed(text);
  if (text.size() > kTokenTextBytesMax || !text.starts_with(kTokenPrefix)) {
    return Fail(TokenError::kMalformed);
  }
  text.remove_prefix(kTokenPrefix.size());
  auto decoded = from_base64(text, Base64::kUrlSafe);
  if (!decoded) {
    // A text cut short may end in half a byte. Without its last characters it is still base64, and
    // what is wrong with it is that it was cut.
    decoded = from_base64(text.substr(0, text.size() / 4 * 4), Base64::kUrlSafe);
    return Fail(decoded ? TokenError::kChecksum : TokenError::kMalformed);
  }
  Wiped binary(*std::move(decoded));
  const Bytes bytes = binary.bytes();
  if (bytes.empty()) return Fail(TokenError::kChecksum);
  if (std::to_integer<std::uint8_t>(bytes[0]) != kTokenVersion) return Fail(TokenError::kVersion);
  if (bytes.size() <= kChecksumBytes) return Fail(TokenError::kChecksum);
  const Bytes body = bytes.first(bytes.size() - kChecksumBytes);
  const auto expected = checksum(body);
  if (!equal(bytes.last(kChecksumBytes), ConstBytes(expected).first(kChecksumBytes))) {
    return Fail(TokenError::kChecksum);
  }
  return parse_body(body);
}

std::string token_text(const Token& token) {
  if (!within_limits(token)) return {};
  Wiped buffer{ByteVector(kBinaryBytesMax)};
  Writer w(buffer.bytes());
  encode_body(token, w);
  if (!w.ok()) return {};
  w.put(ConstBytes(checksum(w.written())).first(kChecksumBytes));
  if (!w.ok()) return {};
  std::string text(kTokenPrefix);
  text += to_base64(w.written(), Base64::kUrlSafe);
  return text.size() <= kTokenTextBytesMax ? text : std::string();
}

crypto::Digest token_secret_hash(const TokenSecret& secret) {
  return crypto::blake2s_256({bytes_of("ginnel token secret v1"), secret.bytes()});
}

}  // namespace ginnel::control
