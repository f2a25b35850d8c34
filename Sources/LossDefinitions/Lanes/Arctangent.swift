extension Lanes {
  /// arctan x, within 0.73 ulp.
  @inline(always) public static func atan(_ x: Self) -> Self { atanParts(x).high }

  /// arctan x as an unevaluated sum, within 0.23 ulp of its high part.
  ///
  /// For a = |x| up to tan π/8, arctan a itself; up to tan 3π/8, π/4 + arctan((a - 1) / (a + 1)); beyond,
  /// π/2 + arctan(-1 / a). The quotient t is a sum of two, below tan π/8 in magnitude, and
  /// arctan t = t + t³ p(t²) with p `arctangentTail`; the sum with the multiple of π/4, itself of
  /// two parts, keeps its error. The figure is the largest found over each 37th of all floats and a
  /// million doubles; `LanesTests` asserts it.
  @inline(always) public static func atanParts(_ x: Self) -> (high: Self, low: Self) {
    let a = atMost(arctangentLimit, abs(x))
    let middle = Self(0.41421356237309503) .< a
    let large = Self(2.414213562373095) .< a
    let (difference, differenceLow) = quickTwoSum(-one, a)
    let (sum, sumLow) = quickTwoSum(one, a)
    let inner = middle & !large
    // arctan a = base + arctan(numerator / denominator).
    let base = select(large, Self(2), select(middle, one, zero))
    let (t, tLow) = quotient(
      select(large, -one, select(middle, difference, a)), select(inner, differenceLow, zero),
      select(large, a, select(middle, sum, one)), select(inner, sumLow, zero))
    let whole = t + tLow
    let z = whole * whole
    let (high, low) = quickTwoSum(base * Self(0.7853981633974483), t)
    let tail = base * Self(repeating: quarterPiLow) + whole * z * arctangentTail(z)
    let (result, rest) = quickTwoSum(high, low + (tLow + tail))
    return (copySign(result, from: x), select(x .< zero, -rest, rest))
  }
}
