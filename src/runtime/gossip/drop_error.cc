#include "runtime/gossip/drop_error.h"

namespace ginnel::gossip {

Error drop_error(swim::Drop why, const std::string& what) {
  switch (why) {
    case swim::Drop::kTooLarge:
      return {Errc::kTooLarge, what + ": too large", "send less"};
    case swim::Drop::kEmpty:
      return {Errc::kUsage, what + ": there is nothing to send", ""};
    case swim::Drop::kUnknownMember: {
      return {Errc::kUnknownPeer, what + ": no such member", "ginnel members"};
    }
    default:
      return {Errc::kWouldBlock, what + ": too many are under way", "try again"};
  }
}

}  // namespace ginnel::gossip
