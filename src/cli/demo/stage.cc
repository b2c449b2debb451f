#include "cli/demo/stage.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/socket_address.h"
#include "io/system_error.h"

namespace ginnel::cli::demo {
namespace {

constexpr std::chrono::seconds kBuildMax{10};

// Why there can be no world of namespaces; empty: nothing speaks against it.
std::string objection(const StageOptions& options) {
  if (options.loopback) return "as asked for";
  if (!options.root) return "namespaces and TUN need root (sudo ginnel demo)";
  if (!io::Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC))) return "/dev/net/tun cannot be opened";
  return "";
}

// A port that nobody held a moment ago, on every address.
Result<std::uint16_t, Error> free_udp_port() {
  const io::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  io::SocketAddress address;
  const Endpoint any{Address::v4(0), 0};
  socklen_t length = io::to_socket_address(any, AF_INET, address);
  if (!socket || ::bind(socket.get(), &address.any, length) != 0 ||
      ::getsockname(socket.get(), &address.any, &length) != 0)
    return Fail(io::system_error(errno, Errc::kInternal, "demo: a free UDP port"));
  return io::to_endpoint(address).port;
}

// Each has an /etc/hosts of its own, where its daemon may write the names of the network.
Result<Actor, Error> actor_in(const World& world, const Folder& folder, const std::string& name) {
  Actor actor{name, world.network(name), folder.path() + "/" + name + ".hosts"};
  std::ofstream hosts(actor.hosts);
  hosts << "127.0.0.1 localhost\n::1 localhost\n";
  hosts.close();
  if (!hosts) return Fail(io::system_error(errno, Errc::kFile, actor.hosts));
  return actor;
}

Result<void, Error> place_in_world(Stage& stage, World world) {
  for (Actor* actor : {&stage.hub, &stage.alice, &stage.bob}) {
    auto placed = actor_in(world, stage.folder, actor->name);
    if (!placed) return Fail(placed.error());
    *actor = *std::move(placed);
  }
  stage.hub_endpoint = std::string(kHubAddress) + ":7700";
  stage.world.emplace(std::move(world));
  return {};
}

}  // namespace

Result<Folder, Error> Folder::make() {
  const char* base = std::getenv("TMPDIR");
  const bool usable = base != nullptr && *base == '/';
  std::string path = std::string(usable ? base : "/tmp") + "/ginnel-demo-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return Fail(io::system_error(errno, Errc::kFile, "demo: " + path));
  return Folder(std::move(path));
}

Folder::~Folder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<Stage, Error> set_stage(const StageOptions& options) {
  auto folder = Folder::make();
  if (!folder) return Fail(folder.error());
  Stage stage{*std::move(folder), std::nullopt, objection(options), "",
              {"hub", "", ""}, {"alice", "", ""}, {"bob", "", ""}};
  if (stage.why_loopback.empty()) {
    auto world = World::build({std::chrono::steady_clock::now() + kBuildMax, options.interrupt_fd});
    if (!world && world.error().code == Errc::kCancelled) return Fail(world.error());
    if (!world) stage.why_loopback = world.error().text;
    else if (auto placed = place_in_world(stage, *std::move(world)); !placed)
      return Fail(placed.error());
  }
  if (stage.world) return stage;
  const auto port = free_udp_port();
  if (!port) return Fail(port.error());
  stage.hub_endpoint = "127.0.0.1:" + std::to_string(*port);
  return stage;
}

}  // namespace ginnel::cli::demo
