#include "base/assert.h"
#include "proto/swim/misfit.h"
#include "proto/swim/stream_reader.h"

namespace {

using namespace ginnel;

// A note is short, and fit for a log.
void read_note(ConstBytes answer) {
  (void)swim::label_before(answer);
  const auto note = swim::find_note(answer);
  if (!note) return;
  GINNEL_ASSERT(note->text.size() <= swim::kNoteBytesMax);
  for (const char c : note->text) GINNEL_ASSERT(c >= ' ' && c <= '~');
}

// Whether the stream's message is found must not depend on how it is cut.
void feed(ConstBytes stream, std::size_t step, const swim::FrameOptions& options, bool keys,
          std::optional<ByteVector>& found) {
  swim::Framer framer(options);
  ByteVector key(32);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
  if (keys) framer.keys().install(*crypto::AesKey::from(key)).value();
  swim::StreamReader reader(swim::Framer::Side::kListener);
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const auto fed = reader.feed(stream.subspan(at, std::min(step, stream.size() - at)), framer);
    if (!fed) return;
    if (!*fed) continue;
    found = to_vector(reader.body());
    if (auto push_pull = swim::PushPullReader::parse(reader.body())) {
      while (push_pull->next()) {
      }
    }
    if (auto user = swim::parse_user(reader.body())) GINNEL_ASSERT(user->size() <= stream.size() * 4000);
    return;
  }
}

}  // namespace

// The first byte chooses the framing: bit 0 keys, bit 1 label, bit 2 plain text allowed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 5000) return 0;
  const swim::FrameOptions options{.label = (data[0] & 2) != 0 ? "blue" : "",
                                   .verify_incoming = (data[0] & 4) == 0};
  const ConstBytes stream = std::as_bytes(std::span(data, size)).subspan(1);
  std::optional<ByteVector> whole, cut;
  read_note(stream);
  feed(stream, 1u << 20, options, (data[0] & 1) != 0, whole);
  feed(stream, 1, options, (data[0] & 1) != 0, cut);
  if (cut) GINNEL_ASSERT(whole.has_value());
  return 0;
}
