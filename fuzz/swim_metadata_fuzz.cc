// Whatever a user message under the metadata envelope holds, the parser gives a value or a Drop, a
// value comes back as it was, and a member that takes it keeps within its limits.
#include <cstdlib>

#include "proto/swim/metadata/limits.h"
#include "proto/swim/metadata/metadata.h"

using namespace ginnel;
using namespace ginnel::swim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstBytes input = std::as_bytes(std::span(data, size));
  if (const auto read = metadata::parse(input)) {
    const ByteVector bytes = std::visit([](const auto& m) { return metadata::encode(m); }, *read);
    if (!equal(bytes, input)) std::abort();
  }
  if (input.empty()) return 0;
  Config config;
  config.name = "a";
  config.advertise = {Address::v4(0x7f000001), kDefaultPort};
  Swim swim(config, Rng::from_seed(1));
  metadata::Metadata metadata(swim, Rng::from_seed(2));
  metadata.start({});
  metadata.handle({}, UserMessage{to_vector(input), false, config.advertise});
  metadata.handle_timeout(Instant{} + 20s);
  if (metadata.store().bytes() > metadata::kBytesMax) std::abort();
  if (const auto version = metadata::Version::parse(text_of(input))) {
    if (metadata::Version::parse(version->text()) != version) std::abort();
  }
  return 0;
}
