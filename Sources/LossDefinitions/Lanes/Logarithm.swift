/// The logarithm and what is made of it.
///
/// An error in ulps is the largest found over each 37th of all floats, and over millions of doubles
/// in several ranges, for both precisions together; `LanesTests` asserts it.
extension Lanes {
  /// e ln 2 + ln(m + c), for m in [√½, √2] and c of at most an ulp of m.
  ///
  /// With f = m - 1, exact, and s = f / (2 + f), ln m = 2 artanh s = 2s + s³ (2/3 + s² p(s²)), where p
  /// is `logarithmTail`. As 2s = f - f s it is f - (f²/2 - s (f²/2 + s² (2/3 + s² p))): the rounded
  /// terms are well below f. e ln 2 is exact in its high part, and its sum with f keeps its error.
  @inlinable @inline(always) static func logarithm(_ e: Self, _ m: Self, _ c: Self) -> Self {
    let f = m - one
    let s = f / (f + Self(2))
    let z = s * s
    let half = Self(0.5) * f * f
    let series = s * (half + z * (Self(2.0 / 3) + z * logarithmTail(z)))
    // c / m, by 1 / m = (1 - s) / (1 + s).
    let correction = c - c * (s + s) * (one - s)
    let (high, low) = quickTwoSum(e * Self(repeating: ln2High), f)
    return high + ((low + (e * Self(repeating: ln2Low) + correction)) - (half - series))
  }

  /// e ln 2 + ln(m + c) as an unevaluated sum.
  ///
  /// s (2 + w) with w = s² (2/3 + s² p(s²)), in double words: s is a `quotient`, whose high part has
  /// an exact square, and products of upper halves are exact, so that p alone is a plain number.
  @inlinable @inline(always) static func logarithmParts(
    _ e: Self, _ m: Self, _ c: Self
  ) -> (high: Self, low: Self) {
    let (f, fLow) = quickTwoSum(m - one, c)
    let (d, dLow) = quickTwoSum(Self(2), f)
    let (s, sLow) = quotient(f, fLow, d, dLow + fLow)
    // The argument's logarithm is s (2 + w), w = z (2/3 + z tail(z)).
    let square = s * s
    let squareLow = sLow * (s + s + sLow)
    let z = square + squareLow
    let (k, kLow) = quickTwoSum(
      Self(2.0 / 3), z * logarithmTail(z) + Self(repeating: twoThirdsLow))
    let zUpper = upperHalf(z)
    let zRest = (square - zUpper) + squareLow
    let kUpper = upperHalf(k)
    let kRest = (k - kUpper) + kLow
    let (factor, factorRound) = quickTwoSum(Self(2), zUpper * kUpper)
    let factorLow = factorRound + (zUpper * kRest + zRest * k)
    let factorUpper = upperHalf(factor)
    let factorRest = (factor - factorUpper) + factorLow
    let (high, low) = quickTwoSum(e * Self(repeating: ln2High), s * factorUpper)
    return quickTwoSum(
      high, low + ((s * factorRest + sLow * (factor + factorLow)) + e * Self(repeating: ln2Low)))
  }

  /// `value` where 0 < x < ∞, and else the logarithm's limit or NaN.
  @inlinable @inline(always) static func logarithmEnds(_ x: Self, _ value: Self) -> Self {
    let end = select(x .< zero, Self(repeating: .nan), x)
    let inside = (zero .< x) & (x .< Self(repeating: .infinity))
    return select(x .== zero, Self(repeating: -.infinity), select(inside, value, end))
  }

  /// ln x, within 0.9 ulp.
  ///
  /// -∞ at 0, NaN below.
  @inline(always) public static func log(_ x: Self) -> Self {
    let (e, m) = decomposed(x)
    return logarithmEnds(x, logarithm(e, m, zero))
  }

  /// ln(1 + x), within 0.9 ulp.
  ///
  /// 1 + x as a sum of two: 2^e (m + c). For a small x that is m = 1 and c = x. -∞ at -1, NaN below.
  @inline(always) public static func log1p(_ x: Self) -> Self {
    let (sum, rest) = twoSum(one, x)
    let (e, m) = decomposed(sum)
    let value = logarithm(e, m, rest * powerOfTwo(-atMost(64, e)))
    return select(x .== zero, x, logarithmEnds(sum, value))
  }

  /// ln x as an unevaluated sum, to 2^-33 (`Float`) or 2^-64 (`Double`), relatively.
  @inline(always) public static func logParts(_ x: Self) -> (high: Self, low: Self) {
    let (e, m) = decomposed(x)
    let (high, low) = logarithmParts(e, m, zero)
    let inside = (zero .< x) & (x .< Self(repeating: .infinity))
    return (logarithmEnds(x, high), select(inside, low, zero))
  }

  /// ln(1 + x) as an unevaluated sum, to 2^-33 (`Float`) or 2^-64 (`Double`), relatively, for
  /// |x| above 2^-20.
  ///
  /// Nearer to 0 it is as accurate as `log1p`.
  @inline(always) public static func log1pParts(_ x: Self) -> (high: Self, low: Self) {
    let (sum, rest) = twoSum(one, x)
    let (e, m) = decomposed(sum)
    let (high, low) = logarithmParts(e, m, rest * powerOfTwo(-atMost(64, e)))
    let inside = (zero .< sum) & (sum .< Self(repeating: .infinity))
    return (logarithmEnds(sum, high), select(inside, low, zero))
  }

  /// e, m and c of 1 + e^-|x| = 2^e (m + c).
  @inlinable @inline(always) static func onePlusDecay(_ x: Self) -> (e: Self, m: Self, c: Self) {
    let (n, high, low) = decayParts(-abs(x))
    let (sum, rest) = quickTwoSum(one, scaled(high, n))
    let c = rest + scaled(low, n)
    let large = Self(1.4142135623730951) .< sum
    let scale = select(large, Self(0.5), one)
    return (select(large, one, zero), sum * scale, c * scale)
  }

  /// ln(1 + e^x), within 1.15 ulp.
  ///
  /// max(x, 0) + ln(1 + e^-|x|), with the exponential and its sum with 1 as sums of two.
  @inline(always) public static func softplus(_ x: Self) -> Self {
    let (e, m, c) = onePlusDecay(x)
    return atLeast(0, x) + logarithm(e, m, c)
  }

  /// ln(1 + e^x) as an unevaluated sum, to 2^-27 (`Float`) or 2^-56 (`Double`) of the larger of itself
  /// and 1, or 1.15 ulp of itself.
  ///
  /// For powers of a sigmoid: sigmoid(-x)^γ = exp(-γ softplus(x)), where an absolute error of the
  /// exponent is a relative one of the power.
  @inline(always) public static func softplusParts(_ x: Self) -> (high: Self, low: Self) {
    let (e, m, c) = onePlusDecay(x)
    let (high, low) = logarithmParts(e, m, c)
    let (sum, rest) = twoSum(atLeast(0, x), high)
    let end = x .== Self(repeating: .infinity)
    return (select(end, x, sum), select(end, zero, rest + low))
  }

  /// x to the power y, for x ≥ 0, within 0.77 ulp.
  ///
  /// e^(y ln x), with ln x and its product with y in double words. Ends as in the C library: 1 where
  /// x is 1 or y is 0, whatever the other. NaN for x < 0.
  @inline(always) public static func pow(_ x: Self, _ y: Self) -> Self {
    let (high, low) = logParts(x)
    let (product, rest) = twoProduct(y, high)
    let inRange = abs(product) .< Self(1024)
    let power = exp(product, select(inRange, rest + y * low, zero))
    return select((x .== one) | (y .== zero), one, power)
  }
}
