/// The numbers a reference can be evaluated over.
///
/// Deliberately not `Comparable`: a reference may not branch on a value, only `select` between two.
/// That is what lets one formula serve rounding (`Double`), truth (`DoubleDouble`), slopes (`Dual`,
/// `Tape`) and proofs (`Interval`).
///
/// Every function passes NaN through: `min`, `max` and `clamp` return NaN if either argument is.
public protocol Scalar: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, Sendable {
  /// What a comparison answers: `Bool`, or three-valued for intervals.
  associatedtype Condition

  /// The value, rounded once if this type is narrower than `Double`.
  init(_ value: Double)
  static var pi: Self { get }

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static prefix func - (a: Self) -> Self
  /// x x; of an interval never negative.
  static func square(_ x: Self) -> Self

  static func .< (a: Self, b: Self) -> Condition
  /// `a` where the condition holds, else `b`; the hull of both where an interval cannot decide.
  static func select(_ condition: Condition, _ a: Self, _ b: Self) -> Self

  static func sqrt(_ x: Self) -> Self
  static func exp(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  /// x to the power y, for x ≥ 0. The derivative in x is y x^(y−1), and 0 where y is 0; a constant
  /// exponent has no derivative in y.
  static func pow(_ x: Self, _ y: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self

  /// 1 / (1 + e^−x), relatively accurate in both tails.
  static func sigmoid(_ x: Self) -> Self
  /// ln(1 + e^x), relatively accurate in both tails; its derivative is the sigmoid.
  static func softplus(_ x: Self) -> Self
  /// ln Σ e^xⱼ, as m + log1p(Σ e^(xⱼ−m)) over the others than the largest, m; its derivative is the
  /// softmax. An exact zero among the arguments makes it relatively accurate near zero. Entries of
  /// −∞ contribute nothing; of no entries it is −∞.
  static func logSumExp(_ x: [Self]) -> Self

  /// The larger; at a tie each argument gets half the slope.
  static func max(_ a: Self, _ b: Self) -> Self
  static func min(_ a: Self, _ b: Self) -> Self

  /// Σ xⱼ: one by one, except that narrow intervals hold the sums in every order.
  static func sum(_ x: [Self]) -> Self

  /// The value, held constant: gradients stop here.
  var detached: Self { get }
  /// The value that a discrete decision (class index, bin, arg max) is made on.
  var primal: Double { get }
}

extension Scalar {
  public static func max(_ a: Self, _ b: Self) -> Self { chosenLarger(a, b) }

  /// The larger by `select` alone.
  @inline(__always)
  static func chosenLarger(_ a: Self, _ b: Self) -> Self {
    // Neither is less: a tie, where each argument gets half the slope, or a NaN, which passes.
    select(a .< b, b, select(b .< a, a, a * 0.5 + b * 0.5))
  }

  public static func min(_ a: Self, _ b: Self) -> Self { -max(-a, -b) }

  /// |x|, with slope 0 at 0.
  public static func abs(_ x: Self) -> Self {
    select(x .< 0, -x, select(0 .< x, x, x * x))
  }

  public static func clamp(_ x: Self, _ low: Self, _ high: Self) -> Self { min(max(x, low), high) }
  public static func square(_ x: Self) -> Self { x * x }
  public static func logSigmoid(_ x: Self) -> Self { -softplus(-x) }

  /// weight · cost, and 0 where the weight is 0 and the cost is infinite: 0 ln 0 = 0.
  public static func weighted(_ weight: Self, _ cost: Self) -> Self {
    let finite = select(0x1p127 .< cost, 1, cost)
    return select(
      0 .< weight, weight * cost, select(weight .< 0, weight * cost, weight * finite))
  }

  /// a / b, and 0 where b is 0: the value of an empty ratio.
  public static func quotient(_ a: Self, _ b: Self) -> Self {
    select(0 .< b, a / select(0 .< b, b, 1), select(b .< 0, a / select(b .< 0, b, 1), a * b))
  }

  public static func sum(_ x: [Self]) -> Self {
    var total: Self = 0
    for value in x { total = total + value }
    return total
  }
}
