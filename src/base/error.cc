#include <ginnel/error.h>

#include <array>

namespace ginnel {
namespace {

struct Row {
  Errc code;
  std::string_view name;
  int exit;
};

constexpr std::array kRows = {
    Row{Errc::kUsage, "E_USAGE", 2},
    Row{Errc::kFile, "E_FILE", 2},
    Row{Errc::kNotRunning, "E_NOT_RUNNING", 3},
    Row{Errc::kPermission, "E_PERMISSION", 4},
    Row{Errc::kTokenMalformed, "E_TOKEN_MALFORMED", 4},
    Row{Errc::kTokenInvalid, "E_TOKEN_INVALID", 4},
    Row{Errc::kTokenUsed, "E_TOKEN_USED", 4},
    Row{Errc::kTokenExpired, "E_TOKEN_EXPIRED", 4},
    Row{Errc::kTokenRevoked, "E_TOKEN_REVOKED", 4},
    Row{Errc::kKeyUnreadable, "E_KEY_UNREADABLE", 4},
    Row{Errc::kKeyFileMode, "E_KEY_FILE_MODE", 4},
    Row{Errc::kSharedSecret, "E_SHARED_SECRET", 1},
    Row{Errc::kSecretWeak, "E_SECRET_WEAK", 7},
    Row{Errc::kUnknownPeer, "E_UNKNOWN_PEER", 5},
    Row{Errc::kUnknownKey, "E_UNKNOWN_KEY", 5},
    Row{Errc::kChanged, "E_CHANGED", 1},
    Row{Errc::kHubUnreachable, "E_HUB_UNREACHABLE", 6},
    Row{Errc::kUnreachable, "E_UNREACHABLE", 6},
    Row{Errc::kNoSubscriber, "E_NO_SUBSCRIBER", 6},
    Row{Errc::kTimeout, "E_TIMEOUT", 6},
    Row{Errc::kConfigSyntax, "E_CONFIG_SYNTAX", 7},
    Row{Errc::kConfigKey, "E_CONFIG_KEY", 7},
    Row{Errc::kConfigValue, "E_CONFIG_VALUE", 7},
    Row{Errc::kNoQuorum, "E_NO_QUORUM", 9},
    Row{Errc::kNotMaster, "E_NOT_MASTER", 9},
    Row{Errc::kPortBusy, "E_PORT_BUSY", 1},
    Row{Errc::kAddressInUse, "E_ADDRESS_IN_USE", 1},
    Row{Errc::kNameClash, "E_NAME_CLASH", 1},
    Row{Errc::kNotAHub, "E_NOT_A_HUB", 1},
    Row{Errc::kAlreadyRunning, "E_ALREADY_RUNNING", 1},
    Row{Errc::kNameTaken, "E_NAME_TAKEN", 1},
    Row{Errc::kWrongApp, "E_WRONG_APP", 1},
    Row{Errc::kReplyFailed, "E_REPLY_FAILED", 1},
    Row{Errc::kDenied, "E_DENIED", 1},
    Row{Errc::kExists, "E_EXISTS", 1},
    Row{Errc::kWrongNetwork, "E_WRONG_NETWORK", 4},
    Row{Errc::kNotServed, "E_NOT_SERVED", 6},
    Row{Errc::kRefused, "E_REFUSED", 6},
    Row{Errc::kWouldBlock, "E_WOULD_BLOCK", 1},
    Row{Errc::kTooLarge, "E_TOO_LARGE", 1},
    Row{Errc::kClosed, "E_CLOSED", 1},
    Row{Errc::kCancelled, "E_CANCELLED", 1},
    Row{Errc::kNotJoined, "E_NOT_JOINED", 1},
    Row{Errc::kNoTun, "E_NO_TUN", 1},
    Row{Errc::kInternal, "E_INTERNAL", 1},
};

constexpr const Row& row_of(Errc code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows.back();
}

}  // namespace

std::string_view code_name(Errc code) { return row_of(code).name; }
int exit_code(Errc code) { return row_of(code).exit; }

}  // namespace ginnel
