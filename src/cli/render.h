// The daemon's documents as text for people. Pure: the document, the moment and the style in, the
// text out.
#pragma once
#include <string>

#include "cli/document.h"

namespace ginnel::cli {

struct Style {
  bool terminal = false;  // humanised units
  bool colour = false;
  double now = 0;  // seconds since 1970, for "2h ago"
};

// Of /v1/status: the line of the network, the own one, a row per peer, then what is not well.
std::string render_status(const Json& status, const Style& style);
// The rows of one peer's status only.
std::string render_peer(const Json& peer, const Style& style);
std::string render_peers(const Json& peers, const Style& style);
std::string render_hubs(const Json& hubs, const Style& style);
std::string render_why(const Json& why, const Style& style);
// `pong from bob (10.66.0.3) via punched udp4 198.51.100.7:4164 in 3.1 ms`, without a newline.
std::string render_pong(const Json& line);

// "direct udp4 198.51.100.7:4164", "relay hub-b udp (symmetric NAT)", "-".
std::string path_text(const Json& path);

}  // namespace ginnel::cli
