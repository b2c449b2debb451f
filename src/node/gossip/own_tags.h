// The tags of this node as a member: those of its certificate, what its user changed, and `role`,
// which is always the certificate's. The user's changes outlive the process.
//
//   OwnTags tags(Role::kPeer, record.tags);
//   tags.read(stored);
//   tags.change({{"rack", "7"}}, {"os"});   // then keep tags.write()
#pragma once
#include <ginnel/id.h>

#include <set>

#include "base/bytes.h"
#include "proto/swim/serf/tags.h"

namespace ginnel::node {

class OwnTags {
 public:
  using Tags = swim::serf::Tags;
  // Of the user's changes as stored; more than a member's metadata can ever hold.
  static constexpr std::size_t kStoredBytesMax = 4096;

  // The certificate's, also when it is a new one.
  void set_certified(Role role, const std::vector<std::pair<std::string, std::string>>& tags);
  // False: `role` is among them; nothing changed.
  bool change(const Tags& set, const std::vector<std::string>& del);

  Tags all() const;
  ByteVector write() const;
  // Damaged bytes: no changes.
  void read(ConstBytes stored);

 private:
  Tags certified_;
  Tags set_;
  std::set<std::string> del_;
};

}  // namespace ginnel::node
