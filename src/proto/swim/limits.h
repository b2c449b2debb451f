// What one peer may make us hold or do. Beyond a limit a message is dropped and counted.
#pragma once
#include <cstddef>

namespace ginnel::swim {

inline constexpr std::size_t kMetaBytesMax = 512;       // memberlist's MetaMaxSize
inline constexpr std::size_t kDatagramBytesMax = 65507; // the largest that UDP over IPv4 carries
inline constexpr std::size_t kNameBytesMax = 256;       // memberlist has no limit; DNS has 253
inline constexpr std::size_t kLabelBytesMax = 255;      // its length is one byte

// memberlist's limit for an encrypted stream, a user state and a user message.
inline constexpr std::size_t kStreamBytesMax = 20u << 20;
// Of all streams of others together, while they are not complete; beyond it the stream that brings
// more is closed. One largest push/pull and several usual ones have room.
inline constexpr std::size_t kStreamsBufferedMax = 64u << 20;
// memberlist: "maxPushPullDecompressedSize", twice the above. Of a stream's one frame.
inline constexpr std::size_t kStreamPlainBytesMax = 40u << 20;
// All decompressed bytes of one datagram together. Deviation: memberlist allows 40 MiB for each
// frame, which would let 64 KiB cost us 50 ms.
inline constexpr std::size_t kDatagramPlainBytesMax = 1u << 20;
inline constexpr std::size_t kPushPullNodesMax = 1'048'576;  // memberlist's maxPushStateNodes
// One member in a push/pull: its fields and what a later version may add.
inline constexpr std::size_t kNodeStateBytesMax = 4096;
inline constexpr std::size_t kHeaderBytesMax = 512;  // of a push/pull, a user message, a frame
// Compound in compress in compound: what memberlist sends has two levels.
inline constexpr int kNestingMax = 4;

}  // namespace ginnel::swim
