/// Binary cross-entropy of a logit: the surprise, in nats, at a label drawn with probability t.
///
///     L = w t' softplus(−x) + (1 − t') softplus(x),   t' = t (1 − s) + s / 2
///
/// x is a logit, t in [0, 1] a label or a probability, w = `positiveWeight` ≥ 0 the weight of the
/// positive side, s = `labelSmoothing` in [0, 1]; softplus(x) = ln(1 + eˣ) = −ln σ(−x). t is constant.
///
/// Source: Good 1952, Rational Decisions, J. R. Stat. Soc. B 14(1); smoothing: Szegedy et al. 2015,
/// arXiv 1512.00567, section 7. Chapter: `Spec/Elements/BinaryCrossEntropy.md`.
public struct BinaryCrossEntropy: ElementLoss {
  public static let name = "bce"
  public static let targetGradient = TargetGradient.none
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("positiveWeight", \.positiveWeight, in: 0...0x1p20, grid: [0.25, 1, 3]),
    Hyperparameter("labelSmoothing", \.labelSmoothing, in: 0...1, grid: [0, 0.1]),
  ]
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration(
        "positiveWeight = 3, labelSmoothing = 0.1", Self(positiveWeight: 3, labelSmoothing: 0.1))
    ]
  }
  public static let laws: [Law<Self>] = [
    .nonNegative, .convex, .mirrored(at: "positiveWeight = 1") { $0.positiveWeight == 1 },
    Law("L ≥ H(t') at positiveWeight = 1, the entropy of the target") { loss, item, values in
      guard loss.positiveWeight == 1 else { return .holds }
      return .atLeast(values.loose(loss, item), loss.entropy(item.target[0]))
    },
    Law("|L(x + 1, t) − L(x, t)| ≤ max(1, w)") { loss, item, values in
      let moved = Item([Double(Float(item.prediction[0] + 1))], item.target)
      let step = Interval<DoubleDouble>.abs(
        Interval(moved.prediction[0]) - Interval(item.prediction[0]))
      let change = Interval<DoubleDouble>.abs(values.loose(loss, moved) - values.loose(loss, item))
      return .atLeast(Interval(Swift.max(1, loss.positiveWeight)) * step, change)
    },
    Law("L(0, t) = ln 2 at positiveWeight = 1") { loss, item, values in
      guard loss.positiveWeight == 1 else { return .holds }
      return .equal(values.loose(loss, Item([0], item.target)), .log(2))
    },
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "torch", "binary_cross_entropy_with_logits", "input", "target", weight: "weight",
      columns: ("pos_weight", \Self.positiveWeight),
      note:
        """
        `weight` multiplies entries and never enters the mean's divisor; `pos_weight` is \
        `positiveWeight`, one for each column of the last axis.
        """
    ) { _ in Self() },
    .elementwise(
      "optax", "sigmoid_binary_cross_entropy", "logits", "labels",
      note: "Entry by entry; never reduced."
    ) { _ in Self() },
    keras,
  ]

  public var positiveWeight = 1.0
  public var labelSmoothing = 0.0

  public init() {}
  public init(positiveWeight: Double = 1, labelSmoothing: Double = 0) {
    self.positiveWeight = positiveWeight
    self.labelSmoothing = labelSmoothing
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let smoothed = t * (1 - S(labelSmoothing)) + 0.5 * S(labelSmoothing)
    return .weighted(S(positiveWeight) * smoothed, .softplus(-x))
      + .weighted(1 - smoothed, .softplus(x))
  }

  public func gradientTerms<S: Scalar>(_ x: S, _ t: S) -> S? {
    let smoothed = t * (1 - S(labelSmoothing)) + 0.5 * S(labelSmoothing)
    return S(positiveWeight) * smoothed * .sigmoid(-x) + (1 - smoothed) * .sigmoid(x)
  }

  // MARK: Optimized

  // Let a be the weight of the side that x leans to and b the other's: 1 − t' and w t' for x ≥ 0, and
  // the reverse below. With softplus(|x|) = |x| + softplus(−|x|) and e = e^−|x|,
  //
  //     L = a |x| + (a + b) ln(1 + e),    dL/d|x| = (a − b e) / (1 + e):
  //
  // sums of non-negative terms, but for the one difference in the slope. 1 − t' is formed from 1 − t,
  // without cancellation.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let (kept, mixed) = (V(1 - labelSmoothing), V(0.5 * labelSmoothing))
    let positive = V(positiveWeight) * (t * kept + mixed)
    let negative = (V.one - t) * kept + mixed
    let isNegative = x .< V.zero
    let a = V.select(isNegative, positive, negative)
    let b = V.select(isNegative, negative, positive)
    let decay = Decay(x)
    let slope = (a - b * decay.e) / decay.sum
    return (
      .weighted(a, .abs(x)) + (a + b) * decay.logarithm, .select(isNegative, -slope, slope)
    )
  }

  public static var strata: [String] { logitStrata }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.logits(stratum, using: &random)
  }

  /// H(t') = −t' ln t' − (1 − t') ln(1 − t').
  private func entropy(_ t: Double) -> Interval<DoubleDouble> {
    let smoothing = Interval<DoubleDouble>(labelSmoothing)
    let p = Interval(t) * (1 - smoothing) + 0.5 * smoothing
    return .weighted(p, -.log(p)) + .weighted(1 - p, -.log(1 - p))
  }

  /// Logits here; probabilities by `BinaryCrossEntropyFromProbabilities`, clipped at 1e-7.
  private static var keras: Dialect {
    let parameters = ["from_logits", "label_smoothing", "epsilon"]
    let note = """
      Logits, or probabilities clipped to [1e-7, 1 − 1e-7]; the mean over the last axis, then the \
      reduction.
      """
    let logits = Dialect.elementwise(
      "keras", "BinaryCrossentropy", "y_pred", "y_true", parameters: parameters, over: .lastAxis
    ) { try Self(labelSmoothing: $0.number("label_smoothing", default: 0)) }
    let probabilities = Dialect.elementwise(
      "keras", "BinaryCrossentropy", "y_pred", "y_true", parameters: parameters, over: .lastAxis
    ) { call in
      // The peer's 1 − ε is rounded, so that the clip of 1 − p is not at ε.
      let epsilon = try call.number("epsilon", default: 1e-7)
      return try BinaryCrossEntropyFromProbabilities(
        epsilon: epsilon, upperEpsilon: 1 - (1 - epsilon),
        labelSmoothing: call.number("label_smoothing", default: 0))
    }
    return Dialect(
      "keras", "BinaryCrossentropy", note, inputs: ["y_pred", "y_true"], parameters: parameters
    ) { call, evaluator in
      let isLogit = try call.flag("from_logits", default: false)
      return try (isLogit ? logits : probabilities).answer(call, with: evaluator)
    }
  }
}
