// Cuts a reliable byte stream into things that say their own length: a header of fixed size, then a
// body. Used for control messages and for the messages of a lane.
//
//   while (!bytes.empty() && !reader.failed()) {
//     bytes = bytes.subspan(reader.feed(bytes));
//     if (reader.ready()) deliver(reader.take());
//   }
//
// Memory grows with the bytes that have arrived, never by what a header announces. At most one
// thing is held: feed() stops behind it until it is taken, which is where back-pressure comes from.
#pragma once
#include <ginnel/result.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "proto/control/drop.h"

namespace ginnel::control {

// A header with a fixed size that knows how long its body is.
template <class H>
concept StreamHeader = requires(const H& header, ConstBytes bytes) {
  { H::kBytes } -> std::convertible_to<std::size_t>;
  { H::parse(bytes) } -> std::same_as<Result<H, Drop>>;
  { header.body_size() } -> std::convertible_to<std::size_t>;
};

template <StreamHeader Header>
class FramedReader {
 public:
  struct Whole {
    Header header;
    ByteVector body;
  };

  // Takes bytes in order, up to the end of the next whole thing. Returns how many it took; 0 also
  // while one is ready, and for good after a failure.
  std::size_t feed(ConstBytes bytes) {
    std::size_t taken = 0;
    if (!header_ && !drop_) taken = feed_header(bytes);
    if (!header_) return taken;
    const std::size_t more = std::min(bytes.size() - taken, header_->body_size() - body_.size());
    const ConstBytes part = bytes.subspan(taken, more);
    body_.insert(body_.end(), part.begin(), part.end());
    return taken + more;
  }
  bool ready() const { return header_ && body_.size() == header_->body_size(); }
  // Bytes until something is decided: the rest of the header, or of the body. 0: ready or failed.
  std::size_t missing() const {
    if (drop_) return 0;
    return header_ ? header_->body_size() - body_.size() : Header::kBytes - header_size_;
  }
  // Of the thing at hand, header included, also of what is still to come. 0: not known yet.
  std::size_t whole_bytes() const { return header_ ? Header::kBytes + header_->body_size() : 0; }
  // Only when ready().
  const Header& head() const { return *header_; }
  Whole take() {
    Whole out{*std::exchange(header_, std::nullopt), std::exchange(body_, {})};
    header_size_ = 0;
    return out;
  }
  // Why the stream cannot go on.
  std::optional<Drop> drop() const { return drop_; }
  bool failed() const { return drop_.has_value(); }

 private:
  std::size_t feed_header(ConstBytes bytes) {
    const std::size_t taken = std::min(bytes.size(), Header::kBytes - header_size_);
    std::ranges::copy(bytes.first(taken),
                      header_bytes_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    header_size_ += taken;
    if (header_size_ < Header::kBytes) return taken;
    auto header = Header::parse(header_bytes_);
    if (header) {
      header_ = *header;
    } else {
      drop_ = header.error();
    }
    return taken;
  }

  std::array<std::byte, Header::kBytes> header_bytes_{};
  std::size_t header_size_ = 0;   // of header_bytes_, filled
  std::optional<Header> header_;  // set: its body is being filled, or ready
  ByteVector body_;               // at most header_->body_size() bytes
  std::optional<Drop> drop_;      // set: no byte is taken any more
};

}  // namespace ginnel::control
