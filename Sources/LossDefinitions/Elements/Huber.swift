/// Huber's loss: half the square of a small difference, the absolute value of a large one.
///
///     L = d² / 2            where d ≤ δ
///     L = δ (d − δ / 2)     elsewhere,  d = |x − t|
///
/// δ is in units of x. Value and slope are continuous; the slope is x − t clamped to [−δ, δ].
///
/// Source: Huber 1964, Robust Estimation of a Location Parameter, Ann. Math. Statist. 35(1).
/// Chapter: `Spec/Elements/Huber.md`.
public struct Huber: ElementLoss {
  public static let name = "huber"
  public static let targetGradient = TargetGradient.negated
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("delta", \.delta, in: 0x1p-60...0x1p60, grid: [0.1, 0.5, 1, 2])
  ]
  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtTarget, .symmetric, .convex,
    .between("δ (|x − t| − δ / 2) ≤ L ≤ δ |x − t|") { loss, item, values in
      let d = values.loose(L1(), item)
      let delta = Interval<DoubleDouble>(loss.delta)
      return (delta * (d - delta * 0.5), delta * d)
    },
    .inequality("2 L ≤ (x − t)²") { loss, item, values in
      [(values.loose(MeanSquaredError(), item), 2 * values.loose(loss, item))]
    },
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "torch", "huber_loss", "input", "target", parameters: ["delta"], note: "As defined."
    ) { try Self(delta: $0.number("delta", default: 1)) },
    .elementwise(
      "keras", "Huber", "y_pred", "y_true", parameters: ["delta"], over: .lastAxis,
      note: "The mean over the last axis, then the reduction."
    ) { try Self(delta: $0.number("delta", default: 1)) },
    .elementwise(
      "optax", "huber_loss", "predictions", "targets", parameters: ["delta"],
      note: "Entry by entry; never reduced."
    ) { try Self(delta: $0.number("delta", default: 1)) },
  ]

  public var delta = 1.0

  public init() {}
  public init(delta: Double) { self.delta = delta }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let d = S.abs(x - t)
    return .select(S(delta) .< d, S(delta) * (d - 0.5 * S(delta)), 0.5 * d * d)
  }

  // MARK: Optimized

  // With c = min(d, δ) both branches are c (d − c / 2), a product of non-negative factors.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let d = x - t
    let size = V.abs(d)
    let c = V.min(size, V(delta))
    return (c * (size - V(0.5) * c), .clamp(d, V(-delta), V(delta)))
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: delta, using: &random)
  }
}
