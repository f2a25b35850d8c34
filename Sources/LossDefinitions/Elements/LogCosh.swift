/// Log-cosh: the logarithm of the hyperbolic cosine of the difference, smooth everywhere.
///
///     L = ln cosh d,  d = x − t
///
/// Near 0 it is d² / 2, far out |d| − ln 2; the slope is tanh d.
///
/// Source: Keras `LogCosh`; optax `log_cosh`.
/// Chapter: `Spec/Elements/LogCosh.md`.
public struct LogCosh: ElementLoss {
  public static let name = "log_cosh"
  public static let targetGradient = TargetGradient.negated
  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtTarget, .symmetric, .convex,
    .between("|x − t| − ln 2 ≤ L ≤ |x − t|") { _, item, values in
      let d = values.loose(L1(), item)
      return (d - .log(2), d)
    },
    .between("d² / 2 − d⁴ / 12 ≤ L ≤ d² / 2") { _, item, values in
      let square = values.loose(MeanSquaredError(), item)
      return (square * 0.5 - square * square / 12, square * 0.5)
    },
    .inequality("L ≤ Huber at delta = 1") { _, item, values in
      [(values.loose(Huber(), item), values.loose(Self(), item))]
    },
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "keras", "LogCosh", "y_pred", "y_true", over: .lastAxis, offset: ln2 - Double(Float(ln2)),
      note: "As x + softplus(−2x) − ln 2, with ln 2 a Float; the mean over the last axis."
    ) { _ in Self() },
    .elementwise(
      "optax", "log_cosh", "predictions", "targets",
      note: "As logaddexp(x, −x) − ln 2, entry by entry; never reduced."
    ) { _ in Self() },
  ]

  private static let ln2 = 0.6931471805599453

  public init() {}

  // MARK: Reference

  // cosh overflows at differences of 711, and its logarithm has lost all digits below 1e-8. With
  // s = e^−d − 1, cosh d is 1 + s² / 2(1 + s) and also e^d (1 + (e^−2d − 1) / 2).
  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let d = S.abs(x - t)
    let s = S.expm1(-d)
    let near = S.log1p(S.square(s) / (2 * (1 + s)))
    let far = d + S.log1p(0.5 * S.expm1(-2 * d))
    return .select(d .< 1, near, far)
  }

  // MARK: Optimized

  // One exponential, s = e^−d − 1, serves both forms and the slope: e^−2d − 1 = s (2 + s) = E, and
  // tanh d = −E / (2 + E). Near 0 neither has a difference; far out the logarithm is at most 0.57 of
  // d ≥ 1, and 1 + E / 2 lies between 1/2 and 0.57.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let difference = x - t
    let d = V.abs(difference)
    let s = V.expm1(-d)
    let power = s * (V(2) + s)
    let isNear = d .< V.one
    let argument = V.select(isNear, s * s / (V(2) * (V.one + s)), V(0.5) * power)
    let logarithm = V.log1p(argument)
    return (
      .select(isNear, logarithm, d + logarithm),
      .copySign(-power / (V(2) + power), from: difference)
    )
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.differences(stratum, knee: 1, using: &random)
  }
}
