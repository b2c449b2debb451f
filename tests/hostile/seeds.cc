#include "seeds.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "proto/control/frame.h"

namespace ginnel::hostile {
namespace {

namespace fs = std::filesystem;

ByteVector read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return to_vector(bytes_of(text));
}

// In the order of their names, so that a seed means the same everywhere.
std::vector<fs::path> files_of(const fs::path& folder) {
  std::error_code missing;
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder, missing)) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

}  // namespace

bool Seeds::load(const fs::path& corpora) {
  for (const char* name : {"stun_message", "relay_frame", "wg_wire"}) {
    for (const fs::path& file : files_of(corpora / name)) outer_.push_back(read(file));
  }
  for (const fs::path& file : files_of(corpora / "control_frames")) frames_.push_back(read(file));
  for (const fs::path& file : files_of(corpora / "control_lane")) load_lane(file);
  outer_fixed_ = outer_.size();
  frames_fixed_ = frames_.size();
  return !outer_.empty() && !frames_.empty() && !control_.empty();
}

// A seed of control_lane_fuzz: one byte that says how, then a stream of control messages.
void Seeds::load_lane(const fs::path& file) {
  const ByteVector bytes = read(file);
  if (bytes.empty() || (bytes[0] & std::byte{1}) != std::byte{0}) return;
  control::ControlReader reader;
  ConstBytes stream = ConstBytes(bytes).subspan(1);
  while (!stream.empty() && !reader.failed()) {
    stream = stream.subspan(reader.feed(stream));
    if (!reader.ready()) return;
    auto whole = reader.take();
    control_.push_back({whole.header.type, std::move(whole.body)});
  }
}

void Seeds::keep(List& list, std::size_t fixed, std::size_t& next, ConstBytes bytes) {
  if (bytes.empty() || bytes.size() > kDatagramBytesMax) return;
  if (list.size() < fixed + kLiveMax) return list.push_back(to_vector(bytes));
  list[fixed + next++ % kLiveMax].assign(bytes.begin(), bytes.end());
}

ByteVector Seeds::random() {
  ByteVector out(rng_.below(rng_.chance(0.9) ? 200 : kDatagramBytesMax) + 1);
  rng_.fill(out);
  // Half of them look like something at the first glance.
  constexpr std::uint8_t kFirst[] = {1, 2, 3, 4, 0x80, 0, 0x45, 0x60};
  if (rng_.chance(0.5)) out[0] = std::byte{kFirst[rng_.below(std::size(kFirst))]};
  if (out.size() > 3 && rng_.chance(0.5)) std::fill(out.begin() + 1, out.begin() + 4, std::byte{0});
  return out;
}

ByteVector Seeds::mutated(ConstBytes bytes) {
  ByteVector out = to_vector(bytes);
  for (std::uint64_t i = rng_.below(4) + 1; i > 0; --i) change(out);
  if (out.empty()) out.push_back(std::byte{0});
  out.resize(std::min(out.size(), kDatagramBytesMax));
  return out;
}

void Seeds::change(ByteVector& bytes) {
  const std::size_t at = bytes.empty() ? 0 : rng_.below(bytes.size());
  const std::size_t left = bytes.size() - at;
  const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto some = static_cast<std::ptrdiff_t>(std::min(left, rng_.below(16) + 1));
  constexpr std::uint8_t kEdges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  switch (rng_.below(8)) {
    case 0:
    case 1:
      if (left > 0) *here ^= std::byte{1} << static_cast<int>(rng_.below(8));
      return;
    case 2:
      if (left > 0) *here = std::byte{kEdges[rng_.below(std::size(kEdges))]};
      return;
    case 3: bytes.erase(here, here + some); return;
    case 4: bytes.resize(at); return;
    case 5: bytes.insert(here, rng_.below(16) + 1, std::byte{kEdges[rng_.below(6)]}); return;
    case 6: {
      const ByteVector piece(here, here + some);
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return;
    }
    default:
      if (left > 0) rng_.fill(Bytes(bytes).subspan(at, static_cast<std::size_t>(some)));
  }
}

ByteVector Seeds::mutated_frame(ConstBytes plaintext) {
  std::vector<control::Frame> found;
  control::FrameReader frames(plaintext);
  while (const auto frame = frames.next()) found.push_back(*frame);
  if (found.empty()) return mutated(plaintext);
  const control::Frame& frame = found[rng_.below(found.size())];
  const ByteVector body = mutated(frame.body);
  ByteVector out(control::kFrameHeaderBytes + body.size());
  out.resize(control::write_frame(frame.type, body, out));
  return out;
}

}  // namespace ginnel::hostile
