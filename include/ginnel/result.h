// A value or the reason there is none: a subset of std::expected's interface, so that it becomes
// an alias the day Ginnel builds as C++23.
//
//   Result<int, Drop> parse(...) { if (bad) return Fail(Drop::kTooShort); return 7; }
//
// Never allocates by itself. value() on a failed Result aborts, except where the error type has its
// own `raise` (ginnel::Error throws ginnel::BadResult, the API's only exception).
#pragma once
#include <cstdlib>
#include <utility>
#include <variant>

namespace ginnel {

// Wraps an error on its way into a Result.
template <class E>
class Fail {
 public:
  constexpr explicit Fail(E error) : error_(std::move(error)) {}
  constexpr const E& error() const& { return error_; }
  constexpr E&& error() && { return std::move(error_); }

 private:
  E error_;
};

namespace detail {
template <class E>
[[noreturn]] void raise_bad_result(const E& error) {
  if constexpr (requires { error.raise(); }) error.raise();
  std::abort();
}
}  // namespace detail

template <class T, class E>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  constexpr Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class G>
  constexpr Result(Fail<G> fail) : state_(std::in_place_index<1>, std::move(fail).error()) {}

  constexpr bool has_value() const { return state_.index() == 0; }
  constexpr explicit operator bool() const { return has_value(); }
  constexpr T& value() & { return checked(), std::get<0>(state_); }
  constexpr const T& value() const& { return checked(), std::get<0>(state_); }
  constexpr T&& value() && { return checked(), std::get<0>(std::move(state_)); }
  constexpr T& operator*() & { return *std::get_if<0>(&state_); }
  constexpr const T& operator*() const& { return *std::get_if<0>(&state_); }
  constexpr T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  constexpr T* operator->() { return std::get_if<0>(&state_); }
  constexpr const T* operator->() const { return std::get_if<0>(&state_); }
  constexpr const E& error() const { return *std::get_if<1>(&state_); }
  template <class U>
  constexpr T value_or(U&& fallback) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  constexpr void checked() const {
    if (!has_value()) detail::raise_bad_result(error());
  }
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  constexpr Result() = default;
  template <class G>
  constexpr Result(Fail<G> fail) : state_(std::in_place_index<1>, std::move(fail).error()) {}

  constexpr bool has_value() const { return state_.index() == 0; }
  constexpr explicit operator bool() const { return has_value(); }
  constexpr void value() const {
    if (!has_value()) detail::raise_bad_result(error());
  }
  constexpr const E& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<std::monostate, E> state_;
};

}  // namespace ginnel
