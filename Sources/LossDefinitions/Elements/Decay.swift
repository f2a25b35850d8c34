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
