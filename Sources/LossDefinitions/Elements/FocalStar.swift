/// Focal loss, starred: a cross-entropy of the logit scaled by γ, which also flattens easy examples.
///
///     L = α' softplus(−γ (2t − 1) x) / γ,   α' = α t + (1 − α)(1 − t)
///
/// x is a logit, t in [0, 1] a label, γ = `gamma` > 0 the steepness, α = `alpha` in [0, 1] the weight of the
/// positive class; a negative `alpha` means α' = 1. t is constant.
///
/// Source: Lin et al. 2017, Focal Loss for Dense Object Detection, arXiv 1708.02002, appendix A (FL*,
/// with β = 0); fvcore `sigmoid_focal_loss_star`. Chapter: `Spec/Elements/FocalStar.md`.
public struct FocalStar: ElementLoss {
  public static let name = "focal_star"
  public static let targetGradient = TargetGradient.none
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("alpha", \.alpha, in: -1...1, grid: [-1, 0.25]),
    Hyperparameter("gamma", \.gamma, in: 0x1p-10...64, grid: [0.5, 1, 2, 3.3]),
  ]
  public static let laws: [Law<Self>] = [
    .nonNegative, .convex, .mirrored(at: "alpha = 1/2 or off") { $0.alpha < 0 || $0.alpha == 0.5 },
    Law("L = binary cross-entropy at gamma = 1, alpha off, t in {0, 1}") { _, item, values in
      let hard = Item(item.prediction, [item.target[0].rounded()])
      return .equal(
        values.loose(Self(alpha: -1, gamma: 1), hard), values.loose(BinaryCrossEntropy(), hard))
    },
    Law("γ L(x; γ) = L(γ x; 1) for γ = 2") { loss, item, values in
      let steep = values.loose(Self(alpha: loss.alpha, gamma: 2), item)
      let scaled = Item([2 * item.prediction[0]], item.target)
      return .equal(2 * steep, values.loose(Self(alpha: loss.alpha, gamma: 1), scaled))
    },
    Law("L falls as gamma rises") { loss, item, values in
      let sharper = Self(alpha: loss.alpha, gamma: 2 * loss.gamma)
      return .atLeast(values.loose(loss, item), values.loose(sharper, item))
    },
  ]
  public static let dialects: [Dialect] = [
    .elementwise(
      "fvcore", "sigmoid_focal_loss_star", "inputs", "targets", parameters: ["alpha", "gamma"],
      note: "As defined, in single precision; `alpha` −1 is off."
    ) { try Self(alpha: $0.number("alpha", default: -1), gamma: $0.number("gamma", default: 1)) }
  ]

  public var alpha = -1.0
  public var gamma = 1.0

  public init() {}
  public init(alpha: Double, gamma: Double) {
    self.alpha = alpha
    self.gamma = gamma
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ t: S) -> S {
    classWeight(t) * .softplus(-(S(gamma) * (2 * t - 1) * x)) / S(gamma)
  }

  func classWeight<S: Scalar>(_ t: S) -> S {
    alpha < 0 ? 1 : S(alpha) * t + (1 - S(alpha)) * (1 - t)
  }

  // MARK: Optimized

  // With z = −γ (2t − 1) x, softplus(z) ≈ e^z where z is very negative: an ulp of z = −80 is 80 ulps of
  // the loss. So z is a double word z + δ, from the exact 2t − 1, and to first order in δ
  //
  //     softplus(z + δ) = softplus(z) + σ(z) δ,    σ(z + δ) = σ(z) + σ(z) σ(−z) δ,
  //
  // where σ(z) σ(−z) = e / (1 + e)² with e = e^−|z|.
  @inline(always)
  public func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let (side, sideLow) = V.twoSum(-(t + t), V.one)
    let (steep, steepLow) = V.twoProduct(V(gamma), side)
    let (z, rest) = V.twoProduct(steep, x)
    let delta = rest + (steepLow + V(gamma) * sideLow) * x
    let shift = V.select(V.abs(delta) .< V.one, delta, V.zero)
    let decay = Decay(z)
    let near = V.select(z .< V.zero, decay.e, V.one) / decay.sum
    let spread = decay.e / (decay.sum * decay.sum)
    var weight = V.one
    if alpha >= 0 { weight = V(alpha) * t + V(1 - alpha) * (V.one - t) }
    let loss = (V.max(z, V.zero) + decay.logarithm + near * shift) * weight
    let slope = (near + spread * shift) * weight
    return (loss / V(gamma), slope * side)
  }

  public static var strata: [String] { logitStrata }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.logits(stratum, using: &random)
  }
}
