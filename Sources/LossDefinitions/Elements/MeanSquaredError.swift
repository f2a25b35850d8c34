/// Mean squared error: the square of the difference.
///
///     L = (x − t)²
///
/// x and t are one number each.
///
/// Source: Legendre 1805, least squares; torch `mse_loss`, Keras `MeanSquaredError`, optax
/// `squared_error`. Chapter: `Spec/Elements/MeanSquaredError.md`.
public struct MeanSquaredError: ElementLoss {
  public static let name = "mse"
  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtTarget, .symmetric, .convex,
    Law("L = |x − t|²") { loss, item, values in
      let d = values.loose(L1(), item)
      return .equal(values.loose(loss, item), d * d)
    },
  ]
  public static let targetGradient = TargetGradient.negated
  public static let dialects: [Dialect] = [
    .elementwise("torch", "mse_loss", "input", "target", note: "As defined.") { _ in Self() },
    .elementwise(
      "keras", "MeanSquaredError", "y_pred", "y_true", over: .lastAxis,
      note: "The mean over the last axis, then the reduction."
    ) { _ in Self() },
    .elementwise(
      "optax", "squared_error", "predictions", "targets", note: "Entry by entry; never reduced."
    ) { _ in Self() },
    .elementwise(
      "optax", "l2_loss", "predictions", "targets", factor: 0.5, note: "Half the square."
    ) { _ in Self() },
  ]

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let d = x - t
    return d * d
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let d = x - t
    return (d * d, d + d)
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: 1, using: &random)
  }
}
