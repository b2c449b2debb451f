// Two members whose keys or labels differ cannot read each other. So that both can say in their
// logs what is wrong, the one that was dialled adds a note in clear to its answer: an error message of
// memberlist's, `0d {Error}`, behind its sealed error where it has keys. docs/wire/ginnel.md,
// section 14; docs/decisions/0017 weighs what it gives away.
//
//   out.append(encode(ErrorReply{misfit_note(framer)}));
//   if (auto note = find_note(answer)) show(note->text);
#pragma once
#include <optional>
#include <string>

#include "proto/swim/frame.h"

namespace ginnel::swim {

// Notes longer than this are cut: what others say goes into a log.
inline constexpr std::size_t kNoteBytesMax = 512;

// "ginnel: another key or label; keys here: 0123456789abcdef; label here: \"blue\""
std::string misfit_note(const Framer& framer);
// "keys here: …; label here: …": of ourselves, as the note says it.
std::string keys_and_label(const Framer& framer);

struct Note {
  std::string text;  // without "ginnel: ", printable. Not authenticated: anybody can write one
  bool sealed_first = false;  // a sealed frame came before it: the key is another, not the label
};
// The note in all that a dialled member has answered. nullopt: there is none.
std::optional<Note> find_note(ConstBytes answer);
// The note in an error message's text. nullopt: it is none.
std::optional<std::string> note_of(std::string_view error);
// The label before a dialler's request, printable, "" for none. nullopt: not all of it has come.
std::optional<std::string> label_before(ConstBytes request);

}  // namespace ginnel::swim
