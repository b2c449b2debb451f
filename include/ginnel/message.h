// What arrives on a channel, and what comes back when it did not.
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ginnel {

// One message as its handler sees it. The views are valid during the handler only.
class Message {
 public:
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
  std::span<const std::byte> data_;
};

// A destination that an acknowledged send did not reach, and why.
struct Failed {
  std::string peer;  // as the caller named it
  Error error;
};

}  // namespace ginnel
