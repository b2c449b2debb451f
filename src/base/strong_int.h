// Integers that cannot be mixed up: StrongInt for names and counts, SerialNumber for sequence
// numbers that wrap.
#pragma once
#include <compare>
#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>

namespace ginnel {

// An integer that cannot be mixed up with another one.
template <class Tag, std::unsigned_integral Rep>
class StrongInt {
 public:
  using rep = Rep;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;

 private:
  Rep value_ = 0;
};

// A sequence number that wraps: a < b is serial-number order (RFC 1982 section 3.2), so there is
// no `<` on the raw value. Not a strict weak order over more than half the range: never a map key.
template <class Tag, std::unsigned_integral Rep>
class SerialNumber {
 public:
  using rep = Rep;
  using Distance = std::make_signed_t<Rep>;
  constexpr SerialNumber() = default;
  constexpr explicit SerialNumber(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  // How far b lies behind a; negative when a is the older one.
  friend constexpr Distance operator-(SerialNumber a, SerialNumber b) {
    return static_cast<Distance>(static_cast<Rep>(a.value_ - b.value_));
  }
  friend constexpr SerialNumber operator+(SerialNumber a, Rep n) {
    return SerialNumber(static_cast<Rep>(a.value_ + n));
  }
  constexpr SerialNumber& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr bool operator==(SerialNumber, SerialNumber) = default;
  friend constexpr bool operator<(SerialNumber a, SerialNumber b) { return a - b < 0; }
  friend constexpr bool operator>(SerialNumber a, SerialNumber b) { return a - b > 0; }
  friend constexpr bool operator<=(SerialNumber a, SerialNumber b) { return a - b <= 0; }
  friend constexpr bool operator>=(SerialNumber a, SerialNumber b) { return a - b >= 0; }

 private:
  Rep value_ = 0;
};

}  // namespace ginnel

template <class Tag, std::unsigned_integral Rep>
struct std::hash<ginnel::StrongInt<Tag, Rep>> {
  std::size_t operator()(ginnel::StrongInt<Tag, Rep> v) const noexcept {
    return std::hash<Rep>{}(v.value());
  }
};
