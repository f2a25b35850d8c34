extension Lanes {
  /// Rounded to the nearest integer, ties to even, for magnitudes below a quarter of 2^p.
  @inlinable @inline(always) static func nearest(_ x: Self) -> Self {
    (x + Self(repeating: roundingShift)) - Self(repeating: roundingShift)
  }

  /// 2^n x, rounded once, for any n that an exponential needs.
  @inlinable @inline(always) static func scaled(_ x: Self, _ n: Self) -> Self {
    let half = nearest(n * Self(0.5))
    return x * powerOfTwo(half) * powerOfTwo(n - half)
  }

  /// n, r and t of e^(high + low) = 2^n (1 + r + t), with |r| ≤ ln 2 / 2 and |t| below r².
  @inlinable @inline(always) static func reducedExponential(
    _ high: Self, _ low: Self
  ) -> (exponent: Self, r: Self, tail: Self) {
    let n = nearest(high * Self(1.4426950408889634))
    let (r, rest) = quickTwoSum(
      high - n * Self(repeating: ln2High), low - n * Self(repeating: ln2Low))
    return (n, r, rest * (one + r) + r * r * exponentialTail(r))
  }

  /// e^x = 2^n (high + low) with the low part below half an ulp, for x ≤ 0.
  @inlinable @inline(always) static func decayParts(
    _ x: Self
  ) -> (exponent: Self, high: Self, low: Self) {
    let (n, r, tail) = reducedExponential(max(x, Self(repeating: exponentialRange.low)), zero)
    let (sum, rest) = quickTwoSum(one, r)
    let (high, low) = quickTwoSum(sum, rest + tail)
    return (n, high, low)
  }

  /// e^x.
  @inline(always) public static func exp(_ x: Self) -> Self { exp(x, zero) }

  /// e^(high + low), for a low part of at most half an ulp of the high one.
  @inline(always) public static func exp(_ high: Self, _ low: Self) -> Self {
    let x = clamp(
      high, Self(repeating: exponentialRange.low), Self(repeating: exponentialRange.high))
    let (n, r, tail) = reducedExponential(x, low)
    let (sum, rest) = quickTwoSum(one, r)
    return scaled(sum + (rest + tail), n)
  }

  /// e^x - 1.
  @inline(always) public static func expm1(_ x: Self) -> Self {
    let (n, r, tail) = reducedExponential(
      clamp(x, Self(-44), Self(repeating: exponentialRange.high)), zero)
    // 2^n (1 + r + t) - 1 = 2^n ((1 - 2^-n) + r + t).
    let (sum, rest) = quickTwoSum(one - powerOfTwo(-min(n, Self(64))), r)
    return select(x .== zero, x, scaled(sum + (rest + tail), n))
  }

  /// 1 / (1 + e^-x).
  @inline(always) public static func sigmoid(_ x: Self) -> Self {
    let (n, high, low) = decayParts(-abs(x))
    let (denominator, rest) = quickTwoSum(one, scaled(high, n))
    let negative = x .< zero
    let (quotient, correction) = quotient(
      select(negative, high, one), select(negative, low, zero),
      denominator, rest + scaled(low, n))
    return scaled(quotient + correction, select(negative, n, zero))
  }
}
