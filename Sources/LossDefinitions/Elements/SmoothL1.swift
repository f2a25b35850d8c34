/// Smooth L1: the absolute error with its kink rounded off by a parabola.
///
///     L = d² / 2β       where d < β
///     L = d − β / 2     elsewhere,  d = |x − t|
///
/// β is the `beta` of the frameworks, in units of x; β = 0 is the absolute error. Slope and value are
/// continuous for β > 0, and the slope is at most 1.
///
/// Source: Girshick 2015, Fast R-CNN, arXiv 1504.08083, eq. 3 (β = 1); torch `smooth_l1_loss`.
/// Chapter: `Spec/Elements/SmoothL1.md`.
public struct SmoothL1: ElementLoss {
  public static let name = "smooth_l1"
  public static let targetGradient = TargetGradient.negated
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("beta", \.beta, in: 0...0x1p60, grid: [0, 0.1111111111111111, 1, 2])
  ]
  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtTarget, .symmetric, .convex,
    Law("L = |x − t| at beta = 0") { loss, item, values in
      loss.beta == 0
        ? .equal(values.loose(loss, item), values.loose(L1(), item)) : .holds
    },
    .between("|x − t| − β / 2 ≤ L ≤ |x − t|") { loss, item, values in
      let d = values.loose(L1(), item)
      return (d - Interval(0.5 * loss.beta), d)
    },
    Law("β L = Huber at delta = β") { loss, item, values in
      guard loss.beta > 0 else { return .holds }
      var huber = Huber()
      huber.delta = loss.beta
      return .equal(
        Interval(loss.beta) * values.loose(loss, item), values.loose(huber, item))
    },
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "torch", "smooth_l1_loss", "input", "target", parameters: ["beta"],
      note: "As defined; `beta` 0 is `l1_loss`."
    ) { try Self(beta: $0.number("beta", default: 1)) },
    .elementwise(
      "fvcore", "smooth_l1_loss", "input", "target", parameters: ["beta"],
      note: "`beta` below 1e-5 is the absolute error."
    ) { call in
      let beta = try call.number("beta")
      return Self(beta: beta < 1e-5 ? 0 : beta)
    },
  ]

  public var beta = 1.0

  public init() {}
  public init(beta: Double) { self.beta = beta }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let d = S.abs(x - t)
    guard beta > 0 else { return d }
    return .select(d .< S(beta), d * d / (2 * S(beta)), d - 0.5 * S(beta))
  }

  // MARK: Optimized

  // The quotient d/β stays below 1 where it is used, so that neither a small β nor a small d
  // overflows or underflows on the way; β = 0 never uses it.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let d = x - t
    let size = V.abs(d)
    let isInner = size .< V(beta)
    let ratio = d / V(beta)
    return (
      .select(isInner, V.abs(ratio) * (V(0.5) * size), size - V(0.5 * beta)),
      .select(isInner, ratio, .sign(d))
    )
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: beta > 0 ? beta : 1, using: &random)
  }
}
