/// Absolute error: the size of the difference.
///
///     L = |x − t|
///
/// x and t are one number each. The slope is the sign of x − t, and 0 where they are equal.
///
/// Source: Laplace 1774; torch `l1_loss`, Keras `MeanAbsoluteError`. Chapter: `Spec/Elements/L1.md`.
public struct L1: ElementLoss {
  public static let name = "l1"
  public static let targetGradient = TargetGradient.negated
  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtTarget, .symmetric, .scales(by: 2), .convex,
  ]
  public static let dialects: [Dialect] = [
    .elementwise("torch", "l1_loss", "input", "target", note: "As defined.") { _ in Self() },
    .elementwise(
      "keras", "MeanAbsoluteError", "y_pred", "y_true", over: .lastAxis,
      note: "The mean over the last axis, then the reduction."
    ) { _ in Self() },
  ]

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S { .abs(x - t) }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let d = x - t
    return (.abs(d), .sign(d))
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: 1, using: &random)
  }
}
