/// The exponential and what is made of it.
///
/// An error in ulps is the largest found over each 37th of all floats, and over millions of doubles
/// in several ranges, for both precisions together; `LanesTests` asserts it.
extension Lanes {
  /// Rounded to the nearest integer, ties to even, for magnitudes below a quarter of 2^p.
  @inlinable @inline(always) static func nearest(_ x: Self) -> Self {
    (x + Self(repeating: roundingShift)) - Self(repeating: roundingShift)
  }

  /// The maximum with a bound that is a number: one instruction, and NaN passes through.
  @inlinable @inline(always) static func atLeast(_ bound: Element, _ x: Self) -> Self {
    select(x .< Self(repeating: bound), Self(repeating: bound), x)
  }

  /// The minimum with a bound that is a number: one instruction, and NaN passes through.
  @inlinable @inline(always) static func atMost(_ bound: Element, _ x: Self) -> Self {
    select(Self(repeating: bound) .< x, Self(repeating: bound), x)
  }

  /// 2^n x, rounded once, for any n that an exponential needs.
  @inlinable @inline(always) static func scaled(_ x: Self, _ n: Self) -> Self {
    let half = nearest(n * Self(0.5))
    return x * powerOfTwo(half) * powerOfTwo(n - half)
  }

  /// n, r and t of e^(high + low) = 2^n (1 + r + t), with |r| ≤ ln 2 / 2 and |t| below r².
  ///
  /// n is the integer nearest to x / ln 2. ln 2 is split so that n times its high part is exact; so is
  /// then the difference from x. With ρ what r lacks of the reduced argument,
  /// e^(r + ρ) = e^r + ρ e^r, and ρ (1 + r) is enough of the second term: t = ρ (1 + r) + r² q(r),
  /// where q is `exponentialTail`. The sum 1 + r is left to the caller, which keeps its error.
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
    let (n, r, tail) = reducedExponential(atLeast(exponentialRange.low, x), zero)
    let (sum, rest) = quickTwoSum(one, r)
    let (high, low) = quickTwoSum(sum, rest + tail)
    return (n, high, low)
  }

  /// e^x, within 0.76 ulp; within 0.63 where the result is not subnormal.
  ///
  /// Below -105 (-746) it is 0, above 88.73 (709.79) infinite; subnormal results are rounded twice.
  @inline(always) public static func exp(_ x: Self) -> Self { exp(x, zero) }

  /// e^(high + low), within 0.76 ulp, for a low part of about half an ulp of the high one.
  ///
  /// 2^n ((1 + r) + t), where 1 + r loses nothing: its error is added to t, below 0.06, so that only
  /// the last sum rounds at the size of the result.
  @inline(always) public static func exp(_ high: Self, _ low: Self) -> Self {
    let x = atMost(exponentialRange.high, atLeast(exponentialRange.low, high))
    let (n, r, tail) = reducedExponential(x, low)
    let (sum, rest) = quickTwoSum(one, r)
    return scaled(sum + (rest + tail), n)
  }

  /// e^x - 1, within 0.96 ulp.
  ///
  /// 2^n (1 + r + t) - 1 = 2^n ((1 - 2^-n) + r + t), where the first two sums keep their errors. At
  /// n = 0 that is r + t, without cancellation. Below -44 it is -1.
  @inline(always) public static func expm1(_ x: Self) -> Self {
    let (n, r, tail) = reducedExponential(
      atMost(exponentialRange.high, atLeast(-44, x)), zero)
    let (difference, differenceLow) = quickTwoSum(one, -powerOfTwo(-atMost(64, n)))
    let (sum, rest) = quickTwoSum(difference, r)
    return select(x .== zero, x, scaled(sum + (rest + (differenceLow + tail)), n))
  }

  /// 1 / (1 + e^-x), within 0.76 ulp; within 0.63 where the result is not subnormal.
  ///
  /// With t = e^-|x| it is 1 / (1 + t), or t / (1 + t) for a negative x. t and 1 + t are kept as
  /// sums of two, and the division is `quotient`, so that only the last sum rounds. The 2^n of t is
  /// multiplied last, for t itself may be subnormal.
  @inline(always) public static func sigmoid(_ x: Self) -> Self {
    let (n, high, low) = decayParts(-abs(x))
    // Below 2^-64 the denominator is 1.
    let scale = powerOfTwo(atLeast(-64, n))
    let (denominator, rest) = quickTwoSum(one, high * scale)
    let negative = x .< zero
    let (quotient, correction) = quotient(
      select(negative, high, one), select(negative, low, zero),
      denominator, rest + low * scale)
    return scaled(quotient + correction, select(negative, n, zero))
  }
}
