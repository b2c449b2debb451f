// Names where no systemd-resolved is: a marked block in /etc/hosts (docs/design.md section 4).
//
//   HostsFile hosts("/etc/hosts", id);
//   hosts.write(hosts_lines("home", rows));      // only when it differs from what stands there
//   ~HostsFile removes the block.
//
//   # ginnel Sc9f4… begin
//   10.66.0.3 bob bob.home.ginnel.internal
//   # ginnel Sc9f4… end
//
// One block per node. Written in place and under a lock: the file may be a bind mount, and other
// nodes of this machine write their own blocks.
#pragma once
#include <ginnel/error.h>
#include <ginnel/id.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace ginnel::runtime {

// A longer file is not ours to rewrite.
inline constexpr std::size_t kHostsBytesMax = std::size_t{4} << 20;

// Pairs of name and address to the lines of the block, sorted.
std::string hosts_lines(const std::string& network,
                        std::vector<std::pair<std::string, std::string>> names);
// The file's text with the block of `id` replaced; empty lines: the block goes. A begin without an
// end is taken to end with its own line, so that nothing of others is lost.
std::string with_block(const std::string& text, const Id& id, const std::string& lines);

class HostsFile {
 public:
  HostsFile(std::filesystem::path path, const Id& id) : path_(std::move(path)), id_(id) {}
  ~HostsFile();
  HostsFile(const HostsFile&) = delete;
  HostsFile& operator=(const HostsFile&) = delete;

  // Errors: kFile, kPermission (both: the file is as it was).
  Result<void, Error> write(const std::string& lines);

 private:
  std::filesystem::path path_;
  Id id_;
  std::string written_;  // the lines that stand there; empty: no block
};

}  // namespace ginnel::runtime
