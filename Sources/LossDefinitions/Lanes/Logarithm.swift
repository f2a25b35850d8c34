extension Lanes {
  /// e ln 2 + ln(m + c), for m in [√½, √2] and c of at most an ulp of m.
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
  @inlinable @inline(always) static func logarithmParts(
    _ e: Self, _ m: Self, _ c: Self
  ) -> (high: Self, low: Self) {
    let f = m - one
    let (d, dLow) = quickTwoSum(Self(2), f)
    let (s, sLow) = quotient(f, c, d, dLow + c)
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

  /// ln x.
  @inline(always) public static func log(_ x: Self) -> Self {
    let (e, m) = decomposed(x)
    return logarithmEnds(x, logarithm(e, m, zero))
  }

  /// ln(1 + x).
  @inline(always) public static func log1p(_ x: Self) -> Self {
    let (sum, rest) = twoSum(one, x)
    let (e, m) = decomposed(sum)
    let value = logarithm(e, m, rest * powerOfTwo(-min(e, Self(64))))
    return select(x .== zero, x, logarithmEnds(sum, value))
  }

  /// ln x as an unevaluated sum.
  @inline(always) public static func logParts(_ x: Self) -> (high: Self, low: Self) {
    let (e, m) = decomposed(x)
    let (high, low) = logarithmParts(e, m, zero)
    let inside = (zero .< x) & (x .< Self(repeating: .infinity))
    return (logarithmEnds(x, high), select(inside, low, zero))
  }

  /// ln(1 + x) as an unevaluated sum.
  @inline(always) public static func log1pParts(_ x: Self) -> (high: Self, low: Self) {
    let (sum, rest) = twoSum(one, x)
    let (e, m) = decomposed(sum)
    let (high, low) = logarithmParts(e, m, rest * powerOfTwo(-min(e, Self(64))))
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

  /// ln(1 + e^x).
  @inline(always) public static func softplus(_ x: Self) -> Self {
    let (e, m, c) = onePlusDecay(x)
    return max(x, zero) + logarithm(e, m, c)
  }

  /// ln(1 + e^x) as an unevaluated sum.
  @inline(always) public static func softplusParts(_ x: Self) -> (high: Self, low: Self) {
    let (e, m, c) = onePlusDecay(x)
    let (high, low) = logarithmParts(e, m, c)
    let (sum, rest) = twoSum(max(x, zero), high)
    let end = x .== Self(repeating: .infinity)
    return (select(end, x, sum), select(end, zero, rest + low))
  }

  /// x to the power y, for x ≥ 0.
  @inline(always) public static func pow(_ x: Self, _ y: Self) -> Self {
    let (high, low) = logParts(x)
    let (product, rest) = twoProduct(y, high)
    let inRange = abs(product) .< Self(1024)
    let power = exp(product, select(inRange, rest + y * low, zero))
    let isOne = ((x .== one) & (y .== y)) | ((y .== zero) & (x .== x))
    return select(isOne, one, power)
  }
}
