// Network coordinates (Vivaldi, Dabek 2004, as serf's coordinate package has it): where a member
// stands, so that the distance of two tells their round trip.
//
//   CoordinateClient client;
//   client.update("a", other, 3ms);     // of an ack: where the other said it is, and how long it took
//   to_payload(client.coordinate());    // what our acks carry
//
// Sources: serf a24f620, coordinate/{client,config,coordinate}.go.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/rng.h"

namespace ginnel::swim::serf {

struct Coordinate {
  static constexpr std::size_t kDimensions = 8;

  std::array<double, kDimensions> vec{};
  double error = 1.5;       // of the estimate, from 0 (sure); 1.5 is the most
  double adjustment = 0;    // seconds
  double height = 10.0e-6;  // seconds: the part that every path of this member has

  bool is_finite() const;
  // Estimated round trip in seconds.
  double distance_to(const Coordinate& other) const;
};

// An ack's payload: 01, then a msgpack map.
ByteVector to_payload(const Coordinate& coordinate);
// nullopt: another version, other dimensions, not finite.
std::optional<Coordinate> from_payload(ConstBytes payload);

class CoordinateClient {
 public:
  // Round trips of so many members are smoothed; of others the last one counts as it is.
  static constexpr std::size_t kFilteredMax = 4096;

  explicit CoordinateClient(Rng rng) : rng_(std::move(rng)) {}

  const Coordinate& coordinate() const { return own_; }
  // Round trips beyond 10 s are no measurement and change nothing.
  void update(const std::string& name, const Coordinate& other, Nanoseconds round_trip);
  void forget(const std::string& name) { samples_.erase(name); }

 private:
  static constexpr std::size_t kFilterSize = 3;
  static constexpr std::size_t kWindow = 20;

  double filtered(const std::string& name, double seconds);
  void update_vivaldi(const Coordinate& other, double seconds);
  void update_adjustment(const Coordinate& other, double seconds);
  void update_gravity();
  Coordinate pushed(double force, const Coordinate& other);

  Rng rng_;
  Coordinate own_;
  const Coordinate origin_;
  std::array<double, kWindow> adjustments_{};
  std::size_t adjustment_at_ = 0;
  std::map<std::string, std::vector<double>> samples_;  // the last kFilterSize of each
};

}  // namespace ginnel::swim::serf
