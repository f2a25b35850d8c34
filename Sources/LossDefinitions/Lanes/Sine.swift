/// The sine and the cosine of an angle in two words.
extension Lanes {
  /// sin and cos of an angle of up to 2^12 radians, each in two words: to 2^-31 (`Float`) or 2^-60
  /// (`Double`) of itself, or to 2^-58 (2^-100) absolutely near their zeros.
  ///
  /// With n the integer nearest to x / (π/2) the rest r = x − n π/2, |r| ≤ π/4, is taken from four
  /// parts of π/2, of which the first three have half an element's bits, so that their products with n
  /// are exact. With z = r²,
  ///
  ///     sin r = r (1 − z (1/6 − z s(z))),   cos r = 1 − z (1/2 − z (1/24 − z c(z))),
  ///
  /// where only s and c, below 1/120 and 1/720, are plain numbers: the Taylor series of either. n mod
  /// 4 says which of the two is which, and the signs.
  @inline(always)
  public static func sineAndCosine(
    _ angle: TwoWords<Self>
  ) -> (sine: TwoWords<Self>, cosine: TwoWords<Self>) {
    let (n, r) = quarterTurns(angle)
    let z = r * r
    let sixth = TwoWords(
      Self(repeating: Element(2.0 / 3) / 4), Self(repeating: twoThirdsLow / 4))
    let sineTail = z * TwoWords(sineTail(z.high))
    let sine = r - r * (z * (sixth - sineTail))
    let inner = sixth.times(0.25) - z * TwoWords(cosineTail(z.high))
    let cosine = TwoWords(one) - z * (TwoWords(Self(0.5)) - z * inner)

    return placed(sine, cosine, n)
  }

  /// sin and cos likewise, to 2^-43 (`Float`) or 2^-73 (`Double`) of themselves: two more terms of
  /// either series in two words.
  @inline(always)
  public static func fineSineAndCosine(
    _ angle: TwoWords<Self>
  ) -> (sine: TwoWords<Self>, cosine: TwoWords<Self>) {
    typealias Two = TwoWords<Self>
    func inverse(_ n: Double) -> Two { Two(one) / Two(Self(n)) }
    let (n, r) = quarterTurns(angle)
    let z = r * r
    // The rest of the tails below, from z²/9! and z³/10! on.
    let sineRest = inverse(5_040) - z * Two(ninth(z.high))
    let sineInner = inverse(6) - z * (inverse(120) - z * sineRest)
    let sine = r - r * (z * sineInner)
    let cosineRest = inverse(720) - z * (inverse(40_320) - z * Two(tenth(z.high)))
    let cosineInner = Two(Self(0.5)) - z * (inverse(24) - z * cosineRest)
    return placed(sine, Two(one) - z * cosineInner, n)
  }

  /// The integer nearest to x / (π/2), and the rest.
  @inlinable @inline(always) static func quarterTurns(
    _ angle: TwoWords<Self>
  ) -> (n: Self, rest: TwoWords<Self>) {
    let n = nearest(angle.high * Self(0.6366197723675814))
    let parts = halfPiParts
    let (first, firstLow) = twoSum(angle.high, -(n * Self(repeating: parts.0)))
    let (second, secondLow) = twoSum(first, -(n * Self(repeating: parts.1)))
    let (third, thirdLow) = twoSum(second, -(n * Self(repeating: parts.2)))
    let rest = (angle.low - n * Self(repeating: parts.3)) + ((firstLow + secondLow) + thirdLow)
    let (high, low) = twoSum(third, rest)
    return (n, TwoWords(high, low))
  }

  /// Sine and cosine of the rest, of n quarter turns more.
  @inlinable @inline(always) static func placed(
    _ sine: TwoWords<Self>, _ cosine: TwoWords<Self>, _ n: Self
  ) -> (sine: TwoWords<Self>, cosine: TwoWords<Self>) {
    // n = 4 m + k with k in −2 ... 2.
    let k = n - Self(4) * nearest(n * Self(0.25))
    let isOdd = abs(k) .== one
    let sineSign = select((k .== -one) | (abs(k) .== Self(2)), -one, one)
    let cosineSign = select((k .== one) | (abs(k) .== Self(2)), -one, one)
    let (s, c) = (TwoWords.select(isOdd, cosine, sine), TwoWords.select(isOdd, sine, cosine))
    return (
      TwoWords(s.high * sineSign, s.low * sineSign),
      TwoWords(c.high * cosineSign, c.low * cosineSign)
    )
  }

  /// 1/9! − z/11! + …, to z⁶/21!.
  @inlinable @inline(always) static func ninth(_ z: Self) -> Self {
    var p = Self(1 / 51_090_942_171_709_440_000.0)
    p = p * z + Self(-1 / 121_645_100_408_832_000.0)
    p = p * z + Self(1 / 355_687_428_096_000.0)
    p = p * z + Self(-1 / 1_307_674_368_000.0)
    p = p * z + Self(1 / 6_227_020_800.0)
    p = p * z + Self(-1 / 39_916_800.0)
    p = p * z + Self(1 / 362_880.0)
    return p
  }

  /// 1/10! − z/12! + …, to z⁵/20!.
  @inlinable @inline(always) static func tenth(_ z: Self) -> Self {
    var p = Self(-1 / 2_432_902_008_176_640_000.0)
    p = p * z + Self(1 / 6_402_373_705_728_000.0)
    p = p * z + Self(-1 / 20_922_789_888_000.0)
    p = p * z + Self(1 / 87_178_291_200.0)
    p = p * z + Self(-1 / 479_001_600.0)
    p = p * z + Self(1 / 3_628_800.0)
    return p
  }

  /// 1/5! − z/7! + …, to z⁸/21!.
  @inlinable @inline(always) static func sineTail(_ z: Self) -> Self {
    var p = Self(1 / 51_090_942_171_709_440_000.0)
    p = p * z + Self(-1 / 121_645_100_408_832_000.0)
    p = p * z + Self(1 / 355_687_428_096_000.0)
    p = p * z + Self(-1 / 1_307_674_368_000.0)
    p = p * z + Self(1 / 6_227_020_800.0)
    p = p * z + Self(-1 / 39_916_800.0)
    p = p * z + Self(1 / 362_880.0)
    p = p * z + Self(-1 / 5_040.0)
    p = p * z + Self(1 / 120.0)
    return p
  }

  /// 1/6! − z/8! + …, to z⁷/20!.
  @inlinable @inline(always) static func cosineTail(_ z: Self) -> Self {
    var p = Self(-1 / 2_432_902_008_176_640_000.0)
    p = p * z + Self(1 / 6_402_373_705_728_000.0)
    p = p * z + Self(-1 / 20_922_789_888_000.0)
    p = p * z + Self(1 / 87_178_291_200.0)
    p = p * z + Self(-1 / 479_001_600.0)
    p = p * z + Self(1 / 3_628_800.0)
    p = p * z + Self(-1 / 40_320.0)
    p = p * z + Self(1 / 720.0)
    return p
  }
}
