// What the opaque handles of ginnel_c.h are, and the one way in and out of its functions.
//
// No exception leaves a function of the C interface: `guarded` makes GINNEL_E_INTERNAL of it.
#pragma once
#include <ginnel/ginnel.h>
#include <ginnel/ginnel_c.h>

#include <cstring>
#include <exception>

struct ginnel_node {
  ginnel::Node node;
  bool external = false;  // its loop is the program's
};
struct ginnel_subscription {
  ginnel::Subscription subscription;
};
struct ginnel_request {
  ginnel::Request request;
};

namespace ginnel::c {

int code_of(Errc code);
// kReplyFailed for a number that is no code.
Errc errc_of(int code);

// Fills what the caller's struct has room for. Returns the code.
int put_error(ginnel_error* out, const Error& error);
// The whole struct, for callbacks.
ginnel_error error_of(const Error& error);
int put_result(ginnel_error* out, const Result<void, Error>& result);
int usage(ginnel_error* out, const char* text);

template <class Function>
int guarded(ginnel_error* error, Function&& function) noexcept {
  try {
    return function();
  } catch (const std::exception& problem) {
    return put_error(error, {Errc::kInternal, problem.what(), ""});
  }
}

// A caller's struct as this version knows it: what an older one does not have is zero. False: too
// small to be one, or it asks for something that this version does not know.
template <class Struct>
bool take_struct(const Struct* from, std::size_t least, Struct& out) {
  if (!from || from->size < least) return false;
  out = {};
  std::memcpy(&out, from, std::min(from->size, sizeof out));
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  for (std::size_t i = sizeof out; i < from->size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

inline const char* text_or_empty(const char* text) { return text ? text : ""; }
inline std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), data ? size : 0};
}
std::chrono::nanoseconds time_of(std::int64_t milliseconds);

// A message's texts with a zero byte at their ends, for as long as this lives.
class MessageView {
 public:
  explicit MessageView(const Message& message);
  const ginnel_message* get() const { return &view_; }
  MessageView(const MessageView&) = delete;

 private:
  std::string from_;
  std::string from_name_;
  std::string channel_;
  ginnel_message view_{};
};

}  // namespace ginnel::c
