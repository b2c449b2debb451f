// Messages, requests, and their callbacks.
#include "api/c/handles.h"

namespace ginnel::c {
namespace {

const char* const kNeeds = "node, channel and a function to call are needed";

ginnel_subscription* handle_of(Subscription subscription) {
  return new ginnel_subscription{std::move(subscription)};
}

template <class Subscribe>
ginnel_subscription* subscribe(bool complete, ginnel_error* error, Subscribe&& function) {
  ginnel_subscription* out = nullptr;
  guarded(error, [&] {
    if (!complete) return usage(error, kNeeds);
    out = handle_of(function());
    return static_cast<int>(GINNEL_OK);
  });
  return out;
}

void report(ginnel_acked_fn done, void* user, const std::vector<Failed>& failed) {
  std::vector<ginnel_error> errors;
  std::vector<ginnel_failed> rows;
  errors.reserve(failed.size());  // rows point into it
  for (const Failed& one : failed) {
    errors.push_back(error_of(one.error));
    rows.push_back({sizeof(ginnel_failed), one.peer.c_str(), &errors.back()});
  }
  done(user, rows.data(), rows.size());
}

// With a loop of the program's own nobody else would move the node meanwhile.
int wait_for(ginnel_node* node, std::future<std::vector<Failed>> result, ginnel_error* error) {
  using namespace std::chrono_literals;
  constexpr auto kStep = 10ms;
  while (node->external && result.wait_for(0s) != std::future_status::ready) {
    const auto polled = node->node.poll(std::chrono::steady_clock::now() + kStep);
    if (!polled) return put_error(error, polled.error());
  }
  const std::vector<Failed> failed = result.get();
  return failed.empty() ? GINNEL_OK : put_error(error, failed.front().error);
}

}  // namespace

MessageView::MessageView(const Message& message)
    : from_(message.from().text()),
      from_name_(message.from_name()),
      channel_(message.channel()),
      view_{sizeof view_,     from_.c_str(),         from_name_.c_str(),
            channel_.c_str(), message.data().data(), message.data().size()} {}

}  // namespace ginnel::c

using namespace ginnel::c;

extern "C" {

int ginnel_send(ginnel_node* node, const char* peer, const char* channel, const void* data,
                size_t size, ginnel_error* error) {
  return guarded(error, [&] {
    if (!node || !peer || !channel) return usage(error, "node, peer and channel are needed");
    return put_result(error, node->node.send(peer, channel, bytes_of(data, size)));
  });
}

int ginnel_send_datagram(ginnel_node* node, const char* peer, const char* channel,
                         const void* data, size_t size, ginnel_error* error) {
  return guarded(error, [&] {
    if (!node || !peer || !channel) return usage(error, "node, peer and channel are needed");
    return put_result(error, node->node.send_datagram(peer, channel, bytes_of(data, size)));
  });
}

size_t ginnel_max_datagram(const ginnel_node* node, const char* peer) {
  return node ? node->node.max_datagram(text_or_empty(peer)) : 0;
}

int ginnel_send_acked(ginnel_node* node, const char* const* peers, size_t peer_count,
                      const char* channel, const void* data, size_t size, int64_t timeout_ms,
                      ginnel_acked_fn done, void* user, ginnel_error* error) {
  return guarded(error, [&] {
    if (!node || !channel || (!peers && peer_count > 0)) {
      return usage(error, "node, peers and channel are needed");
    }
    const std::vector<std::string> to(peers, peers + peer_count);
    const auto deadline = time_of(timeout_ms);
    if (!done) {
      return wait_for(node, node->node.send_acked(to, channel, bytes_of(data, size), deadline),
                      error);
    }
    node->node.send_acked(to, channel, bytes_of(data, size), deadline,
                          [done, user](const std::vector<ginnel::Failed>& failed) {
                            report(done, user, failed);
                          });
    return static_cast<int>(GINNEL_OK);
  });
}

int ginnel_ask(ginnel_node* node, const char* peer, const char* channel, const void* data,
               size_t size, int64_t timeout_ms, ginnel_reply_fn done, void* user,
               ginnel_error* error) {
  return guarded(error, [&] {
    if (!node || !peer || !channel || !done) {
      return usage(error, "node, peer, channel and done are needed");
    }
    node->node.request(peer, channel, bytes_of(data, size), time_of(timeout_ms),
                       [done, user](const ginnel::Result<ginnel::Message, ginnel::Error>& reply) {
                         if (reply) return done(user, MessageView(*reply).get(), nullptr);
                         const ginnel_error failed = error_of(reply.error());
                         done(user, nullptr, &failed);
                       });
    return static_cast<int>(GINNEL_OK);
  });
}

ginnel_subscription* ginnel_on_message(ginnel_node* node, const char* channel,
                                       ginnel_message_fn handler, void* user,
                                       ginnel_error* error) {
  return subscribe(node && channel && handler, error, [&] {
    return node->node.on_message(channel, [handler, user](const ginnel::Message& message) {
      handler(user, MessageView(message).get());
    });
  });
}

ginnel_subscription* ginnel_on_undelivered(ginnel_node* node, ginnel_undelivered_fn handler,
                                           void* user, ginnel_error* error) {
  return subscribe(node && handler, error, [&] {
    return node->node.on_undelivered([handler, user](const ginnel::Undelivered& message) {
      const bool unknown = message.outcome == ginnel::Undelivered::Outcome::kUnknown;
      const std::string peer(message.peer_text);
      const std::string channel(message.channel);
      const ginnel_error why = error_of(message.error);
      const ginnel_undelivered view{sizeof view,
                                    unknown ? GINNEL_UNKNOWN : GINNEL_NOT_SENT,
                                    peer.c_str(),
                                    channel.c_str(),
                                    message.data.data(),
                                    message.data.size(),
                                    &why};
      handler(user, &view);
    });
  });
}

ginnel_subscription* ginnel_on_writable(ginnel_node* node, ginnel_writable_fn handler, void* user,
                                        ginnel_error* error) {
  return subscribe(node && handler, error, [&] {
    return node->node.on_writable([handler, user](const ginnel::Id& peer, std::string_view name) {
      handler(user, peer.text().c_str(), std::string(name).c_str());
    });
  });
}

void ginnel_unsubscribe(ginnel_subscription* subscription) { delete subscription; }

ginnel_subscription* ginnel_on_request(ginnel_node* node, const char* channel,
                                       ginnel_request_fn handler, void* user,
                                       ginnel_error* error) {
  return subscribe(node && channel && handler, error, [&] {
    return node->node.on_request(channel, [handler, user](const ginnel::Request& request) {
      handler(user, MessageView(request).get(), new ginnel_request{request});
    });
  });
}

int ginnel_reply(ginnel_request* request, const void* data, size_t size, ginnel_error* error) {
  return guarded(error, [&] {
    if (!request) return usage(error, "request is NULL");
    return put_result(error, request->request.reply(bytes_of(data, size)));
  });
}

int ginnel_refuse(ginnel_request* request, int code, ginnel_error* error) {
  return guarded(error, [&] {
    if (!request) return usage(error, "request is NULL");
    return put_result(error, request->request.fail(errc_of(code)));
  });
}

void ginnel_request_free(ginnel_request* request) { delete request; }

}  // extern "C"
