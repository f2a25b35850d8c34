/// Mean squared error: the square of the difference.
///
///     L = (x − t)²
///
/// Source: least squares; torch `mse_loss`, Keras `MeanSquaredError`, optax `squared_error`.
public struct MeanSquaredError: ElementLoss {
  public static let name = "mse"
  public static let laws: [Law<Self>] = [.nonNegative, .zeroAtTarget, .symmetric]
  public static let targetGradient = TargetGradient.negated
  public static let dialects: [Dialect] = [
    .elementwise("torch", "mse_loss", "input", "target") { _ in Self() },
    .elementwise("keras", "MeanSquaredError", "y_pred", "y_true", over: .lastAxis) { _ in Self() },
    .elementwise("optax", "squared_error", "predictions", "targets") { _ in Self() },
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
