#include "proto/swim/serf/coordinate.h"

#include <cmath>

#include "proto/swim/msgpack.h"

namespace ginnel::swim::serf {
namespace {

// coordinate/config.go, DefaultConfig.
constexpr double kErrorMax = 1.5;
constexpr double kCe = 0.25;
constexpr double kCc = 0.25;
constexpr double kHeightMin = 10.0e-6;
constexpr double kGravityRho = 150.0;
constexpr double kZero = 1.0e-6;
constexpr double kRoundTripMax = 10.0;  // seconds
constexpr std::byte kVersion{1};
constexpr std::array<std::string_view, 4> kFields{"Vec", "Error", "Adjustment", "Height"};

using Vec = std::array<double, Coordinate::kDimensions>;

double magnitude(const Vec& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

Vec difference(const Vec& a, const Vec& b) {
  Vec out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

double raw_distance(const Coordinate& a, const Coordinate& b) {
  return magnitude(difference(a.vec, b.vec)) + a.height + b.height;
}

}  // namespace

bool Coordinate::is_finite() const {
  const auto finite = [](double x) { return std::isfinite(x); };
  return std::ranges::all_of(vec, finite) && finite(error) && finite(adjustment) && finite(height);
}

double Coordinate::distance_to(const Coordinate& other) const {
  const double raw = raw_distance(*this, other);
  const double adjusted = raw + adjustment + other.adjustment;
  return adjusted > 0 ? adjusted : raw;
}

ByteVector to_payload(const Coordinate& coordinate) {
  ByteVector out{kVersion};
  MsgpackWriter w(out);
  w.map(4);
  w.key("Adjustment").real(coordinate.adjustment);
  w.key("Error").real(coordinate.error);
  w.key("Height").real(coordinate.height);
  w.key("Vec").array(coordinate.vec.size());
  for (const double x : coordinate.vec) w.real(x);
  return out;
}

std::optional<Coordinate> from_payload(ConstBytes payload) {
  if (payload.empty() || payload[0] != kVersion) return std::nullopt;
  MsgpackReader r(payload.subspan(1));
  Coordinate out;
  bool fits = false;
  const auto read_vec = [&] {
    fits = r.array_size() == out.vec.size();
    for (std::size_t i = 0; fits && i < out.vec.size(); ++i) out.vec[i] = r.real();
  };
  r.read_struct(kFields, [&](std::size_t field) {
    switch (field) {
      case 0: read_vec(); break;
      case 1: out.error = r.real(); break;
      case 2: out.adjustment = r.real(); break;
      default: out.height = r.real();
    }
  });
  if (r.problem() || !fits || !out.is_finite()) return std::nullopt;
  return out;
}

void CoordinateClient::update(const std::string& name, const Coordinate& other,
                              Nanoseconds round_trip) {
  const double seconds = std::chrono::duration<double>(round_trip).count();
  if (seconds < 0 || seconds > kRoundTripMax) return;
  const double smoothed = filtered(name, seconds);
  update_vivaldi(other, smoothed);
  update_adjustment(other, smoothed);
  update_gravity();
  if (!own_.is_finite()) own_ = {};  // client.go: "Client.coord is invalid, resetting"
}

// The median of the last three: one late ack says nothing.
double CoordinateClient::filtered(const std::string& name, double seconds) {
  if (!samples_.contains(name) && samples_.size() == kFilteredMax) return seconds;
  std::vector<double>& samples = samples_[name];
  samples.push_back(seconds);
  if (samples.size() > kFilterSize) samples.erase(samples.begin());
  std::vector<double> sorted = samples;
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}

void CoordinateClient::update_vivaldi(const Coordinate& other, double seconds) {
  const double distance = own_.distance_to(other);
  seconds = std::max(seconds, kZero);
  const double wrongness = std::abs(distance - seconds) / seconds;
  const double weight = own_.error / std::max(own_.error + other.error, kZero);
  own_.error = std::min(kCe * weight * wrongness + own_.error * (1.0 - kCe * weight), kErrorMax);
  own_ = pushed(kCc * weight * (seconds - distance), other);
}

void CoordinateClient::update_adjustment(const Coordinate& other, double seconds) {
  adjustments_[adjustment_at_] = seconds - raw_distance(own_, other);
  adjustment_at_ = (adjustment_at_ + 1) % kWindow;
  double sum = 0;
  for (const double sample : adjustments_) sum += sample;
  own_.adjustment = sum / (2.0 * kWindow);
}

void CoordinateClient::update_gravity() {
  const double distance = origin_.distance_to(own_);
  own_ = pushed(-std::pow(distance / kGravityRho, 2.0), origin_);
}

// Our place after a force along the line from `other`; from the same place in a random direction.
Coordinate CoordinateClient::pushed(double force, const Coordinate& other) {
  Coordinate out = own_;
  Vec unit = difference(own_.vec, other.vec);
  double size = magnitude(unit);
  const bool apart = size > kZero;
  if (!apart) {
    for (double& x : unit) x = rng_.uniform() - 0.5;
    size = std::max(magnitude(unit), kZero);
  }
  for (std::size_t i = 0; i < unit.size(); ++i) out.vec[i] += unit[i] / size * force;
  if (apart) {
    out.height = std::max((own_.height + other.height) * force / size + own_.height, kHeightMin);
  }
  return out;
}

}  // namespace ginnel::swim::serf
