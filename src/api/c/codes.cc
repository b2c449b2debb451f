// Error numbers of the C interface. They are its own, so that Errc may change its order.
#include <algorithm>
#include <array>

#include "api/c/handles.h"

namespace ginnel::c {
namespace {

// By number; append only.
constexpr std::array<Errc, 45> kCodes{
    Errc::kUsage,         Errc::kFile,          Errc::kNotRunning,     Errc::kPermission,
    Errc::kTokenMalformed, Errc::kTokenInvalid, Errc::kTokenUsed,      Errc::kTokenExpired,
    Errc::kTokenRevoked,  Errc::kKeyUnreadable, Errc::kKeyFileMode,    Errc::kSharedSecret,
    Errc::kSecretWeak,    Errc::kUnknownPeer,   Errc::kHubUnreachable, Errc::kUnreachable,
    Errc::kNoSubscriber,  Errc::kTimeout,       Errc::kConfigSyntax,   Errc::kConfigKey,
    Errc::kConfigValue,   Errc::kNoQuorum,      Errc::kNotMaster,      Errc::kPortBusy,
    Errc::kAddressInUse,  Errc::kNameClash,     Errc::kNotAHub,        Errc::kAlreadyRunning,
    Errc::kNameTaken,     Errc::kWrongApp,      Errc::kReplyFailed,    Errc::kDenied,
    Errc::kExists,        Errc::kWrongNetwork,  Errc::kNotServed,      Errc::kRefused,
    Errc::kWouldBlock,    Errc::kTooLarge,      Errc::kClosed,         Errc::kCancelled,
    Errc::kNotJoined,     Errc::kNoTun,         Errc::kUnknownKey,     Errc::kChanged,
    Errc::kInternal};
static_assert(kCodes.size() == GINNEL_E_INTERNAL);

// Cut to the array, with its zero byte. What follows is zero already.
template <std::size_t Size>
void put_text(char (&out)[Size], std::string_view text) {
  std::memcpy(out, text.data(), std::min(text.size(), Size - 1));
}

}  // namespace

int code_of(Errc code) {
  const auto it = std::ranges::find(kCodes, code);
  return it == kCodes.end() ? GINNEL_E_INTERNAL : static_cast<int>(it - kCodes.begin()) + 1;
}

Errc errc_of(int code) {
  if (code < 1 || static_cast<std::size_t>(code) > kCodes.size()) return Errc::kReplyFailed;
  return kCodes[static_cast<std::size_t>(code) - 1];
}

ginnel_error error_of(const Error& error) {
  ginnel_error out = GINNEL_ERROR_INIT;
  out.code = code_of(error.code);
  put_text(out.name, code_name(error.code));
  put_text(out.text, error.text);
  put_text(out.hint, error.hint);
  return out;
}

int put_error(ginnel_error* out, const Error& error) {
  ginnel_error full = error_of(error);
  if (out && out->size >= sizeof out->size) {
    full.size = out->size;  // the caller's stays
    std::memcpy(out, &full, std::min(out->size, sizeof full));
  }
  return full.code;
}

int put_result(ginnel_error* out, const Result<void, Error>& result) {
  return result ? GINNEL_OK : put_error(out, result.error());
}

int usage(ginnel_error* out, const char* text) {
  return put_error(out, {Errc::kUsage, text, "see ginnel_c.h"});
}

}  // namespace ginnel::c

extern "C" const char* ginnel_code_name(int code) {
  using namespace ginnel;
  if (code == GINNEL_OK) return "OK";
  const bool is_code = code >= 1 && code <= GINNEL_E_INTERNAL;
  return code_name(is_code ? c::errc_of(code) : Errc::kInternal).data();  // of a literal
}
extern "C" const char* ginnel_version(void) { return GINNEL_VERSION; }
extern "C" int ginnel_abi_version(void) { return GINNEL_ABI_VERSION; }
