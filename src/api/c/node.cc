// The life of a node, and who runs it.
#include <algorithm>

#include "api/c/handles.h"

namespace ginnel::c {
namespace {

constexpr std::size_t kOptionsLeast = offsetof(ginnel_options, timeout_ms);

ginnel_node* handle_of(Result<Node, Error> node, bool external, ginnel_error* error) {
  if (node) return new ginnel_node{*std::move(node), external};
  put_error(error, node.error());
  return nullptr;
}

ginnel_node* start(Result<Node, Error> (*how)(const Options&), const ginnel_options* options,
                   ginnel_error* error) {
  ginnel_node* out = nullptr;
  guarded(error, [&]() -> int {
    ginnel_options from;
    if (!take_struct(options, kOptionsLeast, from) || from.loop < GINNEL_LOOP_MANAGED ||
        from.loop > GINNEL_LOOP_EXTERNAL) {
      return usage(error, "the options are none of this version: begin with GINNEL_OPTIONS_INIT");
    }
    Options to{.token = text_or_empty(from.token),
               .name = text_or_empty(from.name),
               .dir = text_or_empty(from.dir),
               .listen = text_or_empty(from.listen)};
    if (from.timeout_ms > 0) {
      to.timeout = std::chrono::ceil<std::chrono::seconds>(time_of(from.timeout_ms));
    }
    const bool external = from.loop == GINNEL_LOOP_EXTERNAL;
    if (external) to.loop = Loop::kExternal;
    out = handle_of(how(to), external, error);
    return out ? GINNEL_OK : GINNEL_E_INTERNAL;
  });
  return out;
}

std::size_t copy_text(const std::string& text, char* out, std::size_t size) {
  if (out && size > 0) {
    const std::size_t length = std::min(text.size(), size - 1);
    std::memcpy(out, text.data(), length);
    out[length] = '\0';
  }
  return text.size();
}

}  // namespace

// Longer ones are for ever.
std::chrono::nanoseconds time_of(std::int64_t milliseconds) {
  constexpr std::int64_t kMax = std::int64_t{1000} * 3600 * 24 * 365;
  if (milliseconds < 0 || milliseconds > kMax) milliseconds = kMax;
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace ginnel::c

using namespace ginnel::c;

extern "C" {

ginnel_node* ginnel_join(const ginnel_options* options, ginnel_error* error) {
  return start(&ginnel::Node::join, options, error);
}

ginnel_node* ginnel_open(const ginnel_options* options, ginnel_error* error) {
  return start(&ginnel::Node::open, options, error);
}

ginnel_node* ginnel_attach(const char* dir, ginnel_error* error) {
  ginnel_node* out = nullptr;
  guarded(error, [&] {
    out = handle_of(ginnel::Node::attach(text_or_empty(dir)), false, error);
    return GINNEL_OK;
  });
  return out;
}

void ginnel_close(ginnel_node* node) { delete node; }

size_t ginnel_id(const ginnel_node* node, char* out, size_t size) {
  return copy_text(node ? node->node.id().text() : "", out, size);
}

size_t ginnel_name(const ginnel_node* node, char* out, size_t size) {
  return copy_text(node ? node->node.name() : "", out, size);
}

int ginnel_wait_online(ginnel_node* node, int64_t timeout_ms) {
  return node && node->node.wait_online(time_of(timeout_ms));
}

void ginnel_run(ginnel_node* node) {
  if (node) node->node.run();
}

void ginnel_stop(ginnel_node* node) {
  if (node) node->node.stop();
}

int ginnel_fd(const ginnel_node* node) { return node ? node->node.fd() : -1; }

int64_t ginnel_next_deadline_ms(const ginnel_node* node) {
  const auto next = node ? node->node.next_deadline() : std::nullopt;
  if (!next) return -1;
  const auto left = *next - std::chrono::steady_clock::now();
  return std::max<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), 0);
}

int ginnel_poll(ginnel_node* node, int64_t wait_ms, ginnel_error* error) {
  return guarded(error, [&] {
    if (!node) return usage(error, "node is NULL");
    const auto wait = wait_ms == 0 ? std::chrono::nanoseconds(0) : time_of(wait_ms);
    return put_result(error, node->node.poll(std::chrono::steady_clock::now() + wait));
  });
}

int ginnel_peers(ginnel_node* node, ginnel_peer_fn each, void* user, ginnel_error* error) {
  return guarded(error, [&] {
    if (!node || !each) return usage(error, "node and each are needed");
    for (const ginnel::PeerInfo& peer : node->node.peers()) {
      const std::string id = peer.id.is_nil() ? "" : peer.id.text();
      const std::string address = peer.addresses.empty() ? "" : peer.addresses.front();
      const ginnel_peer view{
          .size = sizeof view,
          .id = id.c_str(),
          .name = peer.name.c_str(),
          .address = address.c_str(),
          .state = ginnel::peer_state_name(peer.state).data(),    // of literals, both
          .path = ginnel::path_kind_name(peer.path.kind).data(),
          .rtt_seconds =
              peer.path.rtt ? std::chrono::duration<double>(*peer.path.rtt).count() : -1.0,
          .rx_bytes = peer.rx_bytes,
          .tx_bytes = peer.tx_bytes};
      each(user, &view);
    }
    return static_cast<int>(GINNEL_OK);
  });
}

}  // extern "C"
