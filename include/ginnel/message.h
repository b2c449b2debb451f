// What arrives on a channel, requests and their answers, and what comes back when it did not arrive.
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ginnel {

// One message as its handler sees it. The views are valid during the handler only; those of a
// message that was made by owning(), as the answer to a request is, for as long as it or a copy.
class Message {
 public:
  static Message owning(const Id& from, std::string from_name, std::string channel,
                        std::vector<std::byte> data) {
    const auto owned = std::make_shared<const Owned>(
        Owned{std::move(from_name), std::move(channel), std::move(data)});
    Message out(from, owned->from_name, owned->channel, owned->data);
    out.owned_ = owned;
    return out;
  }
  Message(const Id& from, std::string_view from_name, std::string_view channel,
          std::span<const std::byte> data)
      : from_(from), from_name_(from_name), channel_(channel), data_(data) {}

  const Id& from() const { return from_; }
  std::string_view from_name() const { return from_name_; }
  std::string_view channel() const { return channel_; }
  std::span<const std::byte> data() const { return data_; }
  std::string text() const {
    return {reinterpret_cast<const char*>(data_.data()), data_.size()};
  }

 private:
  Id from_;
  std::string_view from_name_;
  std::string_view channel_;
  struct Owned {
    std::string from_name;
    std::string channel;
    std::vector<std::byte> data;
  };
  std::span<const std::byte> data_;
  std::shared_ptr<const Owned> owned_;  // what the views see; empty: its handler's caller's
};

// A request: a message that is answered once, in its handler or later, from any thread. Copies are
// one request; when the last one goes unanswered, it has failed.
class Request : public Message {
 public:
  // No code: `data` is the answer.
  using Answer = std::function<Result<void, Error>(std::optional<Errc> code,
                                                   std::span<const std::byte> data)>;
  Request(Message message, Answer answer)
      : Message(std::move(message)), open_(std::make_shared<Open>(std::move(answer))) {}

  // Errors: kWouldBlock (too much waits for that peer; it stays unanswered), kTooLarge (16 MiB; it
  // stays unanswered), kClosed (nobody waits for it any more, or it was answered).
  Result<void, Error> reply(std::span<const std::byte> data) const {
    return open_->answer(std::nullopt, data);
  }
  Result<void, Error> reply(std::string_view text) const {
    return reply(std::as_bytes(std::span(text)));
  }
  // The other side gets kDenied if that is `code`, else kReplyFailed.
  Result<void, Error> fail(Errc code = Errc::kReplyFailed) const { return open_->answer(code, {}); }

 private:
  struct Open {
    explicit Open(Answer with) : send(std::move(with)) {}
    ~Open() { (void)answer(Errc::kReplyFailed, {}); }
    Result<void, Error> answer(std::optional<Errc> code, std::span<const std::byte> data) {
      if (!send) return Fail(Error{Errc::kClosed, "the request was answered already", ""});
      auto out = send(code, data);
      const bool again = !out && (out.error().code == Errc::kWouldBlock ||
                                  out.error().code == Errc::kTooLarge);
      if (!again) send = nullptr;
      return out;
    }
    Answer send;  // empty: answered
  };
  std::shared_ptr<Open> open_;
};

// A message of a plain send that was not delivered, as far as this node knows. The views are valid
// during the handler only.
struct Undelivered {
  enum class Outcome {
    kNotSent,  // no byte of it left this node
    kUnknown,  // it was sent, at least in part, and may have arrived
  };
  Outcome outcome = Outcome::kNotSent;
  Id peer;                     // nil: nobody by this name is known
  std::string_view peer_text;  // as the sender named it, or the Id's text
  std::string_view channel;
  std::span<const std::byte> data;
  Error error;  // why: kUnknownPeer, kUnreachable, …
};

// A destination that an acknowledged send did not reach, and why.
struct Failed {
  std::string peer;  // as the caller named it
  Error error;
};

}  // namespace ginnel
