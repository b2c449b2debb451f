#include "proto/swim/misfit.h"

#include "base/reader.h"
#include "proto/swim/wire.h"

namespace ginnel::swim {
namespace {

constexpr std::string_view kNotePrefix = "ginnel: ";

// What others wrote, fit for a line of a log.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, kNoteBytesMax));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

// A sealed frame at the beginning is passed over, whatever is in it.
ConstBytes behind_sealed(ConstBytes answer) {
  if (answer.empty() || answer[0] != static_cast<std::byte>(MessageType::kEncrypt)) return answer;
  Reader r(answer.subspan(1));
  const std::size_t size = r.u32be();
  if (!r.ok() || r.remaining() < size) return {};
  return r.rest().subspan(size);
}

}  // namespace

std::string keys_and_label(const Framer& framer) {
  std::string out = "keys here: ";
  const KeyRing& ring = framer.keys();
  for (std::size_t i = 0; i < ring.size(); ++i) {
    out += (i == 0 ? "" : ", ") + fingerprint_of(ring.key(i));
  }
  if (ring.empty()) out += "none";
  return out + "; label here: \"" + framer.options().label + "\"";
}

std::string misfit_note(const Framer& framer) {
  return std::string(kNotePrefix) + "another key or label; " + keys_and_label(framer);
}

std::optional<std::string> note_of(std::string_view error) {
  if (!error.starts_with(kNotePrefix)) return std::nullopt;
  return printable(error.substr(kNotePrefix.size()));
}

std::optional<Note> find_note(ConstBytes answer) {
  const ConstBytes clear = behind_sealed(answer);
  if (clear.empty() || clear[0] != static_cast<std::byte>(MessageType::kError)) return std::nullopt;
  const auto error = ErrorReply::parse(clear.subspan(1));
  if (!error) return std::nullopt;
  auto text = note_of(error->text);
  if (!text) return std::nullopt;
  return Note{*std::move(text), clear.size() != answer.size()};
}

std::optional<std::string> label_before(ConstBytes request) {
  if (request.empty() || request[0] != static_cast<std::byte>(MessageType::kHasLabel)) return "";
  Reader r(request.subspan(1));
  const std::size_t size = r.u8();
  if (!r.ok() || r.remaining() < size) return std::nullopt;
  return printable(text_of(r.rest().first(size)));
}

}  // namespace ginnel::swim
