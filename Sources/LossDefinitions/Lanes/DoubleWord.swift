/// Sums and products together with their rounding errors.
extension Lanes {
  /// The sum and its rounding error, exactly (Knuth 1969).
  @inline(always) public static func twoSum(_ a: Self, _ b: Self) -> (high: Self, low: Self) {
    let sum = a + b
    let second = sum - a
    return (sum, (a - (sum - second)) + (b - second))
  }

  /// The sum and its rounding error, exactly if |a| ≥ |b| or a = 0 (Dekker 1971).
  @inline(always) public static func quickTwoSum(_ a: Self, _ b: Self) -> (high: Self, low: Self) {
    let sum = a + b
    return (sum, b - (sum - a))
  }

  /// The product and its rounding error, exactly unless it underflows (Dekker 1971).
  ///
  /// The error is NaN where the product is not finite.
  @inline(always) public static func twoProduct(_ a: Self, _ b: Self) -> (high: Self, low: Self) {
    let product = a * b
    let aHigh = upperHalf(a)
    let aLow = a - aHigh
    let bHigh = upperHalf(b)
    let bLow = b - bHigh
    let cross = ((aHigh * bHigh - product) + aHigh * bLow) + aLow * bHigh
    return (product, cross + aLow * bLow)
  }

  /// (numerator + its low part) / (denominator + its low part), whose high part is an `upperHalf`.
  ///
  /// Relative error about 2^(-3p/2), with p the bits of an element. One division.
  @inline(always) public static func quotient(
    _ numerator: Self, _ numeratorLow: Self, _ denominator: Self, _ denominatorLow: Self
  ) -> (high: Self, low: Self) {
    let inverse = one / denominator
    let high = upperHalf(numerator * inverse)
    let upper = upperHalf(denominator)
    let rest = (numerator - high * upper) - high * (denominator - upper)
    return (high, (rest + (numeratorLow - high * denominatorLow)) * inverse)
  }
}
