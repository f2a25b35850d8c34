/// What every loss of a logit x is made of, from one exponential: e = e^−|x|, 1 + e and ln(1 + e).
///
/// σ(|x|) = 1 / (1 + e), σ(−|x|) = e / (1 + e), softplus(−|x|) = ln(1 + e) and
/// softplus(|x|) = |x| + ln(1 + e): all quotients and sums of non-negative numbers, so that each keeps
/// its relative accuracy in both tails. `Low` parts complete their numbers to double words.
public struct Decay<V: Lanes> {
  public let e: V
  public let eLow: V
  public let sum: V
  public let sumLow: V
  public let logarithm: V

  @inline(always) public init(_ x: V) {
    let (n, high, low) = V.decayParts(-V.abs(x))
    e = V.scaled(high, n)
    eLow = V.scaled(low, n)
    let (sum, rest) = V.quickTwoSum(V.one, e)
    self.sum = sum
    sumLow = rest + eLow
    let (exponent, mantissa, correction) = V.onePlusDecay(x)
    logarithm = V.logarithm(exponent, mantissa, correction)
  }
}

extension Lanes {
  /// (high + low)^exponent, rounded about once, of a double word in [0, 1] whose high part is an
  /// `upperHalf`.
  ///
  /// Integral and half-integral exponents up to 8 are products and a root: the product of two upper
  /// halves is exact, so that each step errs by about 2^(−3p/2). Others are exponentials of a
  /// double-word logarithm.
  @inline(always)
  public static func power(_ high: Self, _ low: Self, _ exponent: Double) -> Self {
    guard exponent <= 8 else { return pow(high, low, exponent) }
    let whole = Int(exponent)
    let isHalf = exponent == Double(whole) + 0.5
    guard isHalf || exponent == Double(whole) else { return pow(high, low, exponent) }
    let base = high + low
    var result = one
    if whole >= 1 {
      var (h, l) = (high, low)
      result = base
      for _ in 1..<Swift.max(1, whole) {
        let (sum, rest) = quickTwoSum(h * high, h * low + l * base)
        h = upperHalf(sum)
        l = (sum - h) + rest
        result = sum
      }
    }
    return isHalf ? result * sqrt(base) : result
  }

  /// (high + low)^exponent by a double-word logarithm.
  @inline(always)
  public static func pow(_ high: Self, _ low: Self, _ exponent: Double) -> Self {
    let (base, rest) = quickTwoSum(high, low)
    let (logarithm, logarithmLow) = logParts(base)
    let (product, productLow) = twoProduct(Self(exponent), logarithm)
    let tail = productLow + Self(exponent) * (logarithmLow + rest / base)
    return exp(product, select(abs(product) .< Self(1024), tail, zero))
  }
}
