// `ginnel help E_CODE`: one paragraph a code, what it means and what to do.
#include <array>

#include "cli/help.h"

namespace ginnel::cli {
namespace {

struct Paragraph {
  Errc code;
  std::string_view text;
};

constexpr std::array kParagraphs = {
    Paragraph{Errc::kUsage,
              "The command line was malformed, or asks for something that this version does not "
              "have; nothing was done. Read `ginnel VERB --help`: it begins with examples."},
    Paragraph{Errc::kFile,
              "A file or folder could not be read or written for a reason other than permission: "
              "it is missing, the disk is full, or it is no regular file. Look at the path in the "
              "message."},
    Paragraph{Errc::kNotRunning,
              "No daemon answers on the control socket of this folder. Start it with `ginnel up`; "
              "if it runs elsewhere, name its folder with --dir or GINNEL_DIR."},
    Paragraph{Errc::kPermission,
              "The system refused access to a file, socket or device; nothing was changed. Run the "
              "command as the user that owns the folder, or with sudo."},
    Paragraph{Errc::kTokenMalformed,
              "The text is no join token: a token begins with ginnel1- and ends with a checksum. "
              "It was probably cut while copying. Copy it again, or make a new one on a hub with "
              "`ginnel invite`."},
    Paragraph{Errc::kTokenInvalid,
              "The hub that was asked does not know this token: it was made by another hub or "
              "network, or the hub has lost its state. Make a new one with `ginnel invite`."},
    Paragraph{Errc::kTokenUsed,
              "All uses of this token are redeemed by other keys. Make a new one with `ginnel "
              "invite`, with --uses N for several nodes."},
    Paragraph{Errc::kTokenExpired,
              "The lifetime of this token is over. Make a new one with `ginnel invite`, with "
              "--ttl for a longer one. If it is fresh, compare the clocks of both machines."},
    Paragraph{Errc::kTokenRevoked,
              "The hub has withdrawn this token. Ask whoever runs the hub why, and for a new one."},
    Paragraph{Errc::kKeyUnreadable,
              "A key file is damaged or cannot be read. Check who owns the files in state/. If the "
              "file is lost, restore it from a backup; without one the node must join again and "
              "gets a new Id."},
    Paragraph{Errc::kKeyFileMode,
              "A file with a secret can be read by others, so the secret may be known already. "
              "chmod 600 the file; if others may have read it, make a new key."},
    Paragraph{Errc::kSharedSecret,
              "This network is made by a shared secret: every holder is an equal, so nobody can be "
              "revoked. Make a new secret and give it to those who shall stay."},
    Paragraph{Errc::kSecretWeak,
              "The secret is empty, short, a word, or made of few different characters: it can be "
              "guessed. Use a random one of at least 22 characters."},
    Paragraph{Errc::kUnknownPeer,
              "No peer has this name or Id, or the name means several. `ginnel peers` lists those "
              "that this node knows; use the Id where a name is ambiguous."},
    Paragraph{Errc::kUnknownKey,
              "There is no such key in the cluster's shared data, as far as this member knows: it "
              "was never written or has been deleted. `ginnel kv ls` lists the keys."},
    Paragraph{Errc::kChanged,
              "The key has another version than the one given with --if-seen, so nothing was "
              "written. Read it again with `ginnel kv get --json`, decide again, and put with the "
              "new version."},
    Paragraph{Errc::kHubUnreachable,
              "No hub answered at any of the addresses in the message. Check that the hub runs, "
              "that its UDP port is open to you (firewall, port forwarding), and that the address "
              "is right. `ginnel init --hub --public` sets what tokens say."},
    Paragraph{Errc::kUnreachable,
              "The peer is known and cannot be reached now: neither direct nor through a hub. "
              "Nothing was sent. `ginnel why PEER` shows each attempt."},
    Paragraph{Errc::kNoSubscriber,
              "The peer was reached, and no program there takes this channel. Start one there, "
              "such as `ginnel sub CHANNEL`, or raise --timeout to wait for it."},
    Paragraph{Errc::kTimeout,
              "The deadline passed. Whether what was asked happened is unknown; a message that "
              "arrives late is still given once only. Raise --timeout, or see `ginnel why PEER`."},
    Paragraph{Errc::kConfigSyntax,
              "ginnel.toml is no valid TOML at the line and column in the message: often a missing "
              "quote or bracket. Texts stand in double quotes."},
    Paragraph{Errc::kConfigKey,
              "ginnel.toml has a key or section that does not exist, or that belongs to a feature "
              "which this version lacks; the message says which. Mend the name or take the line "
              "out. `ginnel help config` lists all keys."},
    Paragraph{Errc::kConfigValue,
              "A value in ginnel.toml or the environment is of the wrong type or out of range; the "
              "message says what it must be."},
    Paragraph{Errc::kNoQuorum,
              "There is no Master, since a majority of the hubs cannot be reached. Data goes on "
              "flowing. Start the hubs that are down."},
    Paragraph{Errc::kNotMaster,
              "The Master changed meanwhile, or the node that was asked is not the Master. Ask "
              "again."},
    Paragraph{Errc::kPortBusy,
              "Another program holds the UDP port; the message names it where it can. End it, or "
              "set another port with node.listen."},
    Paragraph{Errc::kAddressInUse,
              "The overlay range is in use on this machine, on the interface in the message. "
              "Choose another range with network.cidr, or take the other one away."},
    Paragraph{Errc::kNameClash,
              "Two Ids claim one name or overlay address; the message has both. The first one seen "
              "keeps it. Rename the other, or revoke the old one if it is gone for good."},
    Paragraph{Errc::kNotAHub,
              "This needs a hub and the node is none. Run the command on a hub: `ginnel hubs` "
              "lists them."},
    Paragraph{Errc::kAlreadyRunning,
              "A daemon runs in this folder already. Use it, end it with `ginnel down`, or give "
              "this one another folder with --dir."},
    Paragraph{Errc::kNameTaken,
              "Another node or WireGuard peer has this name. Choose another one (--name)."},
    Paragraph{Errc::kWrongApp,
              "The gossip cluster carries another application's messages, which would be misread. "
              "Use its own verbs. `kv` and `meta` need a cluster whose members were all started with "
              "--app ginnel."},
    Paragraph{Errc::kReplyFailed,
              "The program that replies failed. Its own messages are on the stderr of `ginnel "
              "reply` there."},
    Paragraph{Errc::kDenied, "The receiver refused: the path or the peer is not allowed there. Of a hub: it does "
              "not let this node in, since it was revoked or its certificate does not hold."},
    Paragraph{Errc::kExists, "It exists there already, with other content, and was kept."},
    Paragraph{Errc::kWrongNetwork,
              "The other end has a certificate of another network. Compare the token, or the list "
              "of hubs, with the network that you mean."},
    Paragraph{Errc::kNotServed, "Nobody serves this port at the peer."},
    Paragraph{Errc::kRefused,
              "The peer serves this port, and the connection behind it was refused: the program "
              "that should listen there does not run."},
    Paragraph{Errc::kWouldBlock,
              "The window to this peer is full: it takes messages more slowly than they come. Wait "
              "and send again; nothing was lost."},
    Paragraph{Errc::kTooLarge,
              "The message is larger than what the channel carries: 16 MiB for a reliable one. Shared "
              "data: a key has at most 512 bytes and a value 1 MiB."},
    Paragraph{Errc::kClosed, "The node or channel was closed while this was under way."},
    Paragraph{Errc::kCancelled, "Given up by the caller, or interrupted."},
    Paragraph{Errc::kNotJoined,
              "This folder holds no identity. Make a network with `ginnel init --hub`, or join one "
              "with `ginnel join --token-file F`."},
    Paragraph{Errc::kNoTun,
              "No TUN device could be made, so no IP packets are carried; messages still work. Run "
              "as root or give the program CAP_NET_ADMIN, and check that /dev/net/tun exists; or "
              "set tun.enable = \"no\" and mean it."},
    Paragraph{Errc::kInternal,
              "A bug of Ginnel. Please report it with what you did and the version."},
};

// Of doctor's checks, those that no error of a verb has.
struct CheckParagraph {
  std::string_view code;
  std::string_view text;
};
constexpr std::array kChecks = {
    CheckParagraph{"E_CAPABILITY",
                   "Without CAP_NET_ADMIN no TUN device can be made, so the node carries messages "
                   "only. Run it as root, give the program the capability (setcap "
                   "cap_net_admin+ep), or let its systemd unit do so (AmbientCapabilities=)."},
    CheckParagraph{"E_RP_FILTER",
                   "The kernel drops packets that come in on another interface than answers to "
                   "them would leave by (RFC 3704, strict). With several ways to the network that "
                   "cuts paths. `ginnel doctor --fix` sets net.ipv4.conf.all.rp_filter to 2 "
                   "(loose) until the next boot; a file in /etc/sysctl.d keeps it."},
    CheckParagraph{"E_FORWARDING",
                   "Whether this host forwards packets of others (net.ipv4.ip_forward). No node "
                   "needs it yet; it is shown so that a report is complete."},
    CheckParagraph{"E_UDP_BUFFERS",
                   "The system's limit for receive buffers is small, so bursts are lost before "
                   "the program can read them. `ginnel doctor --fix` raises net.core.rmem_max and "
                   "wmem_max until the next boot; a file in /etc/sysctl.d keeps it."},
    CheckParagraph{"E_HOSTS_READ_ONLY",
                   "Where systemd-resolved is not in use, names of peers go into a marked block of "
                   "/etc/hosts, which cannot be written here. Make it writable, or set dns.names = "
                   "\"off\" and use addresses."},
    CheckParagraph{"E_CLOCK",
                   "This machine's clock and the hub's differ. Certificates have dates: past five "
                   "minutes nodes are refused. Let NTP set both clocks."},
    CheckParagraph{"E_MTU_BLACK_HOLE",
                   "Large packets vanish on the way to a hub and no router says so, mostly since a "
                   "firewall drops ICMP. Ginnel finds the size that works by itself, but other "
                   "programs stall. Let ICMP \"fragmentation needed\" (IPv6: \"packet too big\") "
                   "through, or lower the MTU of the outgoing interface."},
};

}  // namespace

std::vector<std::string_view> check_codes() {
  std::vector<std::string_view> out;
  for (const CheckParagraph& check : kChecks) out.push_back(check.code);
  return out;
}

std::string error_help(std::string_view code) {
  for (const CheckParagraph& check : kChecks) {
    if (check.code == code)
      return wrapped(std::string(code) + " (doctor): " + std::string(check.text), "") + "\n";
  }
  for (const Paragraph& paragraph : kParagraphs) {
    if (code_name(paragraph.code) != code) continue;
    return wrapped(std::string(code) + " (exit " + std::to_string(exit_code(paragraph.code)) +
                       "): " + std::string(paragraph.text),
                   "") +
           "\n";
  }
  return "";
}

}  // namespace ginnel::cli
