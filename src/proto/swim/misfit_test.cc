// What two members with different keys or labels can tell each other.
#include "proto/swim/misfit.h"

#include <gtest/gtest.h>

#include "proto/swim/testing/cluster.h"

namespace ginnel::swim {
namespace {

using testing::Cluster;

ByteVector key_of(int number) { return ByteVector(32, static_cast<std::byte>(number)); }

// docs/wire/ginnel.md, section 14.
constexpr std::string_view kNoteVector =
    "0d81a54572726f72da004d67696e6e656c3a20616e6f74686572206b6579206f72206c6162656c3b206b6579"
    "7320686572653a20356461386263663565393334613039373b206c6162656c20686572653a2022626c756522";

TEST(Misfit, TheNoteIsAnErrorMessageInClear) {
  Framer framer({.label = "blue"});
  framer.keys().install(*crypto::AesKey::from(key_of(1))).value();
  const ByteVector bytes = encode(ErrorReply{misfit_note(framer)});
  EXPECT_EQ(to_hex(bytes), kNoteVector);
  const auto note = find_note(bytes);
  ASSERT_TRUE(note);
  EXPECT_FALSE(note->sealed_first);
  EXPECT_EQ(note->text, "another key or label; keys here: " + fingerprint_of(key_of(1)) +
                            "; label here: \"blue\"");
}

TEST(Misfit, TheNoteIsFoundBehindASealedErrorWithoutItsKey) {
  Rng rng = Rng::from_seed(1);
  Framer framer({});
  framer.keys().install(*crypto::AesKey::from(key_of(1))).value();
  ByteVector bytes;
  framer.seal_stream(encode(ErrorReply{"x"}), Framer::Side::kListener, 1, rng, bytes);
  EXPECT_FALSE(find_note(bytes));
  const ByteVector note = encode(ErrorReply{misfit_note(framer)});
  bytes.insert(bytes.end(), note.begin(), note.end());
  const auto found = find_note(bytes);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->sealed_first);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(find_note(ConstBytes(bytes).first(size))) << size;
  }
}

TEST(Misfit, WhatOthersWroteIsFitForALog) {
  const auto note = note_of("ginnel: a\nb\x1b[31m" + std::string(2000, 'x'));
  ASSERT_TRUE(note);
  EXPECT_EQ(note->substr(0, 8), "a?b?[31m");
  EXPECT_EQ(note->size(), kNoteBytesMax);
  EXPECT_FALSE(note_of("another text"));
}

TEST(Misfit, AMemberWithAnotherKeyHearsBothFingerprints) {
  Cluster c;
  for (std::size_t i = 0; i < 2; ++i) {
    c.add();
    c[i].framer().keys().install(*crypto::AesKey::from(key_of(static_cast<int>(i)))).value();
  }
  c.join(1, 0);
  c.run(2s);
  const auto own = c.events_of<Misfit>(1);
  ASSERT_EQ(own.size(), 1u);
  EXPECT_TRUE(own[0].dialled_by_us);
  EXPECT_EQ(own[0].why, Drop::kWrongKey);
  EXPECT_NE(own[0].theirs.find(fingerprint_of(key_of(0))), std::string::npos) << own[0].theirs;
  EXPECT_EQ(c.events_of<JoinFailed>(1)[0].why, name_of(Drop::kWrongKey));
  const auto others = c.events_of<Misfit>(0);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_FALSE(others[0].dialled_by_us);
}

TEST(Misfit, AMemberWithAnotherLabelHearsTheLabelAndIsHeardWithItsOwn) {
  for (const bool sealed : {false, true}) {
    Cluster c;
    for (std::size_t i = 0; i < 2; ++i) {
      Config config = Config::lan();
      config.frame.label = i == 0 ? "blue" : "red";
      c.add(config);
      if (sealed) c[i].framer().keys().install(*crypto::AesKey::from(key_of(7))).value();
    }
    c.join(1, 0);
    c.run(2s);
    const auto own = c.events_of<Misfit>(1);
    ASSERT_EQ(own.size(), 1u) << sealed;
    EXPECT_EQ(own[0].why, Drop::kWrongLabel);
    EXPECT_NE(own[0].theirs.find("label here: \"blue\""), std::string::npos) << own[0].theirs;
    EXPECT_EQ(c.events_of<JoinFailed>(1)[0].why, name_of(Drop::kWrongLabel));
    ASSERT_EQ(c.events_of<Misfit>(0).size(), 1u);
    EXPECT_EQ(c.events_of<Misfit>(0)[0].theirs, "label here: \"red\"");
  }
}

// How many bytes a member answers to a dialler whose label is another.
std::size_t answer_to_stranger(Cluster& c) {
  const auto stream = c[0].accept_stream(c.now(), Cluster::endpoint_of(9));
  EXPECT_TRUE(stream);
  c[0].handle_stream_data(c.now(), *stream, *from_hex("f40378797a06"));
  std::size_t bytes = 0;
  while (const auto event = c[0].poll_event()) {
    const auto* write = std::get_if<StreamWrite>(&*event);
    if (write != nullptr && write->stream == *stream) bytes += write->bytes.size();
  }
  return bytes;
}

TEST(Misfit, StrangersGetABoundedNumberOfNotesEachSecond) {
  Cluster c;
  Config config = Config::lan();
  config.frame.label = "blue";
  c.add(config);
  c.run(1s);
  std::size_t notes = 0;
  for (int i = 0; i < 1000; ++i) notes += answer_to_stranger(c) > 0 ? 1 : 0;
  EXPECT_EQ(notes, Swim::kNotesPerSecond);
  c.run(1s);
  EXPECT_GT(answer_to_stranger(c), 0u);
}

}  // namespace
}  // namespace ginnel::swim
