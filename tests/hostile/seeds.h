// What hostile datagrams are made from: the fuzz corpora, and packets of live sessions, changed.
//
//   Seeds seeds(rng.fork("seeds"));
//   seeds.load("fuzz/corpus");
//   seeds.add_live(datagram);                    // the newest kLiveMax are kept
//   ByteVector bytes = seeds.mutated(seeds.outer());
//
// One thread.
#pragma once
#include <filesystem>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"
#include "proto/control/control_message.h"

namespace ginnel::hostile {

class Seeds {
 public:
  static constexpr std::size_t kLiveMax = 512;
  static constexpr std::size_t kDatagramBytesMax = 1500;
  struct Control {
    control::ControlType type{};
    ByteVector body;
  };

  explicit Seeds(Rng rng) : rng_(std::move(rng)) {}

  // False: the folder lacks a corpus.
  bool load(const std::filesystem::path& corpora);
  void add_live(ConstBytes datagram) { keep(outer_, outer_fixed_, next_outer_, datagram); }
  // The plaintext of a packet of ours or of the target's.
  void add_live_frames(ConstBytes plaintext) {
    keep(frames_, frames_fixed_, next_frames_, plaintext);
  }

  ConstBytes outer() { return outer_[rng_.below(outer_.size())]; }
  ConstBytes frames() { return frames_[rng_.below(frames_.size())]; }
  const Control& control() { return control_[rng_.below(control_.size())]; }

  ByteVector random();
  // A few changes: bits, bytes, lengths, pieces of another seed.
  ByteVector mutated(ConstBytes bytes);
  // One frame with its body changed and its length right, so that its parser sees it.
  ByteVector mutated_frame(ConstBytes plaintext);

 private:
  using List = std::vector<ByteVector>;
  void keep(List& list, std::size_t fixed, std::size_t& next, ConstBytes bytes);
  void load_lane(const std::filesystem::path& file);
  void change(ByteVector& bytes);

  Rng rng_;
  List outer_, frames_;
  std::size_t outer_fixed_ = 0, frames_fixed_ = 0;  // those in front are of the corpora
  std::size_t next_outer_ = 0, next_frames_ = 0;
  std::vector<Control> control_;
};

}  // namespace ginnel::hostile
