/// Sigmoid focal loss: cross-entropy of a logit, turned down where the prediction is already right.
///
///     L = α' (1 − p')^γ [t softplus(−x) + (1 − t) softplus(x)]
///     1 − p' = p (1 − t) + (1 − p) t,   p = σ(x),   α' = α t + (1 − α)(1 − t)
///
/// x is a logit, t in [0, 1] a label or a probability, γ = `gamma` ≥ 0 the focusing exponent, α = `alpha`
/// in [0, 1] the weight of the positive class; a negative `alpha` means α' = 1. t is constant; the
/// modulating factor (1 − p')^γ is differentiated.
///
/// Source: Lin et al. 2017, Focal Loss for Dense Object Detection, arXiv 1708.02002, eq. 5.
/// Chapter: `Spec/Elements/Focal.md`.
public struct Focal: ElementLoss {
  public static let name = "focal"
  public static let targetGradient = TargetGradient.none
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("alpha", \.alpha, in: -1...1, grid: [-1, 0.25, 0.5]),
    Hyperparameter("gamma", \.gamma, in: 0...16, grid: [0, 0.3, 0.5, 1, 1.5, 2, 2.7, 3, 5]),
  ]
  public static let laws: [Law<Self>] = [
    .nonNegative, .mirrored(at: "alpha = 1/2 or off") { $0.alpha < 0 || $0.alpha == 0.5 },
    .agrees("L = binary cross-entropy at gamma = 0, alpha off") { _, item in
      (Self(alpha: -1, gamma: 0), BinaryCrossEntropy(), item)
    },
    .between("0 ≤ L ≤ α' times binary cross-entropy") { loss, item, values in
      let weight = loss.classWeight(Interval<DoubleDouble>(item.target[0]))
      return (0, weight * values.loose(BinaryCrossEntropy(), item))
    },
    Law("L falls as gamma rises") { loss, item, values in
      let sharper = Self(alpha: loss.alpha, gamma: loss.gamma + 1)
      return .atLeast(values.loose(loss, item), values.loose(sharper, item))
    },
    Law("L falls as x moves toward a label") { loss, item, values in
      let t = item.target[0]
      guard t == 0 || t == 1 else { return .holds }
      let toward = Item([Double(Float(item.prediction[0] + (t == 1 ? 1 : -1)))], item.target)
      return .atLeast(values.loose(loss, item), values.loose(loss, toward))
    },
    Law("2 L at alpha = 1/2 is L with alpha off") { loss, item, values in
      let half = values.loose(Self(alpha: 0.5, gamma: loss.gamma), item)
      return .equal(2 * half, values.loose(Self(alpha: -1, gamma: loss.gamma), item))
    },
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "torchvision", "sigmoid_focal_loss", "inputs", "targets", parameters: ["alpha", "gamma"],
      note: "As defined; `alpha` −1 is off."
    ) { try Self(alpha: $0.number("alpha", default: 0.25), gamma: $0.number("gamma", default: 2)) },
    .elementwise(
      "fvcore", "sigmoid_focal_loss", "inputs", "targets", parameters: ["alpha", "gamma"],
      note: "As torchvision's, but `alpha` is off by default, and computed in single precision."
    ) { try Self(alpha: $0.number("alpha", default: -1), gamma: $0.number("gamma", default: 2)) },
    .elementwise(
      "mmdet", "sigmoid_focal_loss", "pred", "target", parameters: ["alpha", "gamma"],
      note: "As defined; entries before its weights and average factor."
    ) { try Self(alpha: $0.number("alpha", default: 0.25), gamma: $0.number("gamma", default: 2)) },
    .elementwise(
      "optax", "sigmoid_focal_loss", "logits", "labels", parameters: ["alpha", "gamma"],
      note: "`alpha` None is off. Entry by entry; never reduced."
    ) { try Self(alpha: $0.optionalNumber("alpha") ?? -1, gamma: $0.number("gamma", default: 2)) },
    .elementwise(
      "ultralytics", "FocalLoss", "pred", "label", parameters: ["alpha", "gamma"],
      over: .axisOneThenSum, note: "`alpha` 0 is off. The mean over axis 1, summed over the others."
    ) { call in
      let alpha = try call.number("alpha", default: 0.25)
      return try Self(alpha: alpha > 0 ? alpha : -1, gamma: call.number("gamma", default: 1.5))
    },
  ]

  public var alpha = 0.25
  public var gamma = 2.0

  public init() {}
  public init(alpha: Double, gamma: Double) {
    self.alpha = alpha
    self.gamma = gamma
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    let entropy = S.weighted(t, .softplus(-x)) + .weighted(1 - t, .softplus(x))
    return classWeight(t) * modulation(x, t) * entropy
  }

  /// (1 − p')^γ through its logarithm, which stays finite where 1 − p' underflows.
  func modulation<S: Scalar>(_ x: S, _ t: S) -> S {
    gamma == 0 ? 1 : .exp(S(gamma) * logMiss(x, t))
  }

  /// ln(1 − p') = ln(σ(x) (1 − t) + σ(−x) t).
  func logMiss<S: Scalar>(_ x: S, _ t: S) -> S {
    .logSumExp([.log(1 - t) + .logSigmoid(x), .log(t) + .logSigmoid(-x)])
  }

  func classWeight<S: Scalar>(_ t: S) -> S {
    alpha < 0 ? 1 : S(alpha) * t + (1 - S(alpha)) * (1 - t)
  }

  public func gradientTerms<S: Scalar>(_ x: S, _ t: S) -> S? {
    let entropy = t * .softplus(-x) + (1 - t) * .softplus(x)
    let spread = S.exp(.logSigmoid(x) + .logSigmoid(-x) - logMiss(x, t))
    return classWeight(t) * modulation(x, t)
      * (.exp(logMiss(x, t)) + S(gamma) * .abs(1 - 2 * t) * entropy * spread)
  }

  // MARK: Optimized

  // With e = e^−|x|, and a the weight of the side that x leans to (1 − t for x ≥ 0, t below), b = 1 − a:
  //
  //     1 − p' = (a + b e) / (1 + e),   cross-entropy H = a |x| + ln(1 + e),
  //     dL/d|x| = α' (1 − p')^γ [(a − b e) + γ (a − b) H e / (a + b e)] / (1 + e).
  //
  // The power multiplies the relative error of 1 − p' by γ: so that is a quotient of double words, with
  // 1 − t exact. The derivative of the power is the power times γ (a − b) e / ((a + b e)(1 + e)), which
  // is finite where 1 − p' underflows, for γ < 1 too.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let isNegative = x .< V.zero
    let (u, uLow) = V.quickTwoSum(V.one, -t)
    let (a, aLow) = (V.select(isNegative, t, u), V.select(isNegative, V.zero, uLow))
    let (b, bLow) = (V.select(isNegative, u, t), V.select(isNegative, uLow, V.zero))
    let decay = Decay(x)
    let (far, farLow) = V.twoProduct(b, decay.e)
    let (miss, rest) = V.twoSum(a, far)
    let missLow = rest + (aLow + (farLow + (b * decay.eLow + bLow * decay.e)))
    let (m, mLow) = V.quotient(miss, missLow, decay.sum, decay.sumLow)
    var scale = V.power(m, mLow, gamma)
    if alpha >= 0 { scale = scale * (V(alpha) * t + V(1 - alpha) * u) }

    let entropy = V.weighted(a, .abs(x)) + decay.logarithm
    let ratio = V.select(miss .== V.zero, V.one, decay.e / miss)
    let finite = V.min(entropy, V(repeating: .greatestFiniteMagnitude))
    let bracket = (a - b * decay.e) + V(gamma) * (a - b) * (finite * ratio)
    let slope = scale * bracket / decay.sum
    return (scale * entropy, .select(isNegative, -slope, slope))
  }

  public static var strata: [String] { logitStrata }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.logits(stratum, using: &random)
  }
}
