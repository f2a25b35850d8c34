/// Kullback-Leibler divergence of two boxes as normal distributions, in either direction.
///
///     KL(1‖2) = ½ [Tr(Σ₂⁻¹ Σ₁) + dᵀ Σ₂⁻¹ d + ln(|Σ₂| / |Σ₁|) − 2],   D = max(factor · KL, least)
///     L = 1 − 1 / (τ + f(D)),  or f(D) itself where τ < 1
///
/// d is the difference of the centres, Σ = R(θ) diag(w²/4, h²/4) R(θ)ᵀ. f is D, √D, ln(1 + D) or
/// ln(1 + √D). The target is held constant.
///
/// Source: Yang et al., *Learning High-Precision Bounding Box for Rotated Object Detection via
/// Kullback-Leibler Divergence*, 2021. Chapter: `Spec/RotatedBoxes/KLD.md`.
public struct KLD: GaussianDistanceLoss {
  public static let name = "kld"
  public static let targetGradient = TargetGradient.none
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("for τ ≥ 1", .bounded(by: 1)) { $0.tau >= 1 },
    .where("for τ = 1 or below and without least", .zeroAtTarget) {
      $0.tau <= 1 && $0.least == 0
    },
    .translated,
    .where("without least", .scaled) { $0.least == 0 },
    .mirrored, .axesExchanged, .quarterTurned, .turnedAboutOneCentre, .blindToSquares,
    .exchangedDirection, .aboveBhattacharyya,
  ]
  public static let dialects: [Dialect] = [.kld, .kldFirstVersion]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("factor", \.factor, in: 0...2, grid: [1, 2]),
    Hyperparameter("tau", \.tau, in: 0...100, grid: [0, 1, 2]),
    Hyperparameter("least", \.least, in: 0...1, grid: [0, 1e-6]),
  ]

  public enum Direction: Sendable {
    /// KL(prediction ‖ target).
    case fromPrediction
    /// KL(target ‖ prediction).
    case fromTarget
  }

  public var direction = Direction.fromPrediction
  public var function = DistanceFunction.logarithm
  /// What KL is multiplied by: 2 leaves out the ½.
  public var factor = 1.0
  public var tau = 1.0
  /// The least D that the loss is taken of.
  public var least = 0.0

  public init() {}

  public init(
    _ direction: Direction, _ function: DistanceFunction, factor: Double = 1, tau: Double = 1,
    least: Double = 0
  ) {
    self.direction = direction
    self.function = function
    self.factor = factor
    self.tau = tau
    self.least = least
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> S {
    let (from, to) = direction == .fromPrediction ? (p, t) : (t, p)
    let (first, second) = (from.covariance, to.covariance)
    let (dx, dy) = (p.x - t.x, p.y - t.y)
    let determinant = S.square(to.w * to.h / 4)
    let trace =
      (second.b * first.a + second.a * first.b - 2 * second.c * first.c) / determinant
    let centers =
      (second.b * dx * dx + second.a * dy * dy - 2 * second.c * dx * dy) / determinant
    // √|Σ| is w h / 4.
    let logarithm = S.log((to.w * to.h) / (from.w * from.h))
    let divergence = S(factor) * (0.5 * (trace + centers - 2) + logarithm)
    return loss(of: least > 0 ? .max(divergence, S(least)) : divergence)
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>
  ) -> (loss: V, gradient: RotatedBox<V>) {
    let pair = Divergence(p, t, isFromPrediction: direction == .fromPrediction)
    let divergence = TwoWords(V(factor)) * pair.value
    let isFree = V(least) .<= divergence.high
    let (value, slope) = loss(
      of: TwoWords.select(divergence.high .< V(least), TwoWords(V(least)), divergence))
    let stop = V.select(divergence.high .== divergence.high, .zero, divergence.high)
    return (value, pair.slopes.scaled(by: V.select(isFree, V(factor) * slope, stop)))
  }
}

extension KLD {
  /// MMRotate's default.
  public static let mmrotate = Self(.fromTarget, .logarithmOfRoot, tau: 0)
  /// MMRotate's first version.
  public static let mmrotateFirstVersion = Self(
    .fromPrediction, .root, factor: 2, tau: 1, least: 1e-6)

  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("divergence", Self(.fromPrediction, .identity, tau: 0)),
      Configuration("divergence from the target", Self(.fromTarget, .identity, tau: 0)),
      Configuration("root", Self(.fromPrediction, .root)),
      Configuration("from the target", Self(.fromTarget, .logarithm)),
      Configuration("MMRotate's", mmrotate),
      Configuration("MMRotate's first version", mmrotateFirstVersion),
      Configuration(
        "MMRotate's first version, logarithm",
        Self(.fromPrediction, .logarithm, factor: 2, tau: 1, least: 1e-6)),
    ]
  }
}

extension Law where L == KLD {
  /// The divergence one way is the divergence of the exchanged boxes the other way.
  static var exchangedDirection: Self {
    .agrees("L(x, t) of one direction = L(t, x) of the other", with: KLD.self) { loss, item in
      var other = loss
      other.direction = loss.direction == .fromPrediction ? .fromTarget : .fromPrediction
      return (other, item, Item(item.target, item.prediction))
    }
  }

  /// Rényi's divergence of order ½ is 2 B, and they grow with their order: 2 B ≤ KL. For boxes about
  /// one centre B does not depend on what a variance is of a side's square.
  static var aboveBhattacharyya: Self {
    .inequality("KL ≥ 2 B of ProbIoU about one centre") { loss, item, values in
      var plain = loss
      (plain.function, plain.tau, plain.factor, plain.least) = (.identity, 0, 1, 0)
      var distance = ProbIoU()
      distance.form = .bhattacharyya
      let there = Item(Array(item.target[..<2] + item.prediction[2...]), item.target)
      let bound = values.loose(distance, there)
      guard bound.upper.hi < 100 else { return [] }
      return [(values.loose(plain, there), bound + bound)]
    }
  }
}
