#include "runtime/daemon/recent_warnings.h"

#include <algorithm>

namespace ginnel::runtime {

void RecentWarnings::add(Instant now, const node::Notice& notice) {
  if (notice.level == node::Notice::Level::kInfo || notice.code.empty()) return;
  std::erase_if(rows_, [&](const Row& row) {
    return row.until <= now || (row.notice.code == notice.code && row.notice.text == notice.text);
  });
  if (rows_.size() >= kWarningsMax) rows_.erase(rows_.begin());
  rows_.push_back({now + kShownFor, notice});
}

std::vector<node::Notice> RecentWarnings::at(Instant now) const {
  std::vector<node::Notice> out;
  for (const Row& row : rows_) {
    if (row.until > now) out.push_back(row.notice);
  }
  return out;
}

}  // namespace ginnel::runtime
