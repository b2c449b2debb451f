#include "proto/stun/request.h"

namespace ginnel::stun {

std::size_t write_request(const RequestOptions& options, Bytes out) {
  constexpr std::size_t kPaddingHeader = 4;
  Message m;
  m.transaction = options.transaction;
  std::size_t size = kHeaderBytes + kPaddingHeader;
  if (options.change_port) {
    m.change = ChangeRequest{.address = false, .port = true};
    size += 8;
  }
  if (options.want_certificate) {
    m.certificate = ConstBytes{};
    size += 4;
  }
  if (options.want_clock) {
    m.clock = ClockReading{};
    size += 4;
  }
  if (options.size < size || options.size % 4 != 0) return 0;
  m.padding = options.size - size;
  return m.write(out);
}

std::optional<Endpoint> mapped_of(const Message& answer,
                                  const std::array<std::uint8_t, 16>& transaction) {
  if (answer.type != kBindingResponse || answer.transaction != transaction) return std::nullopt;
  return answer.xor_mapped ? answer.xor_mapped : answer.mapped;
}

}  // namespace ginnel::stun
