extension Lanes {
  /// arctan x.
  @inline(always) public static func atan(_ x: Self) -> Self {
    let a = min(abs(x), Self(0x1p30 * (count == 4 ? 0x1p30 : 1)))
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
    return copySign(high + (low + (tLow + tail)), from: x)
  }
}
