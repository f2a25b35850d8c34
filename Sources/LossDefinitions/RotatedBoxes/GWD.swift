/// Gaussian Wasserstein distance: what it takes to carry one box, as a normal distribution, into another.
///
///     W² = |μ₁ − μ₂|² + Tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½),   D = max(W², least)
///     L = 1 − 1 / (τ + f(D)),  or f(D) itself where τ < 1
///
/// μ is a box's centre, Σ = R(θ) diag(w²/4, h²/4) R(θ)ᵀ. f is D, √D, ln(1 + D) or ln(1 + √D). With
/// `isNormalized` D is divided by √(w h W H), the geometric mean of the areas. Nothing is held
/// constant.
///
/// Source: Yang et al., *Rethinking Rotated Object Detection with Gaussian Wasserstein Distance Loss*,
/// 2021. Chapter: `Spec/RotatedBoxes/GWD.md`.
public struct GWD: GaussianDistanceLoss {
  public static let name = "gwd"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("for τ ≥ 1", .bounded(by: 1)) { $0.tau >= 1 },
    .where("for τ = 1 or below and without least", .zeroAtTarget) {
      $0.tau <= 1 && $0.least == 0
    },
    .symmetric, .translated,
    .where("normalized and without least", .scaled) { $0.isNormalized && $0.least == 0 },
    .mirrored, .axesExchanged, .quarterTurned, .turnedAboutOneCentre, .blindToSquares,
    .where("for √D, τ ≤ 1, neither normalized nor with least", .triangle) {
      $0.function == .root && !$0.isNormalized && $0.tau <= 1 && $0.least == 0
    },
  ]
  public static let dialects: [Dialect] = [.gwd, .gwdFirstVersion]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("tau", \.tau, in: 0...100, grid: [0, 1, 2]),
    Hyperparameter("least", \.least, in: 0...1, grid: [0, 1e-6]),
  ]

  public var function = DistanceFunction.logarithm
  public var tau = 1.0
  /// The least W² that the loss is taken of.
  public var least = 0.0
  /// Whether D is divided by √(w h W H).
  public var isNormalized = false

  public init() {}

  public init(
    _ function: DistanceFunction, tau: Double = 1, least: Double = 0, isNormalized: Bool = false
  ) {
    self.function = function
    self.tau = tau
    self.least = least
    self.isNormalized = isNormalized
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> S {
    let (first, second) = (p.covariance, t.covariance)
    // Of a 2 x 2 matrix, Tr √M = √(Tr M + 2 √|M|), and √|Σ| is w h / 4.
    let product = first.a * second.a + 2 * first.c * second.c + first.b * second.b
    let roots = (p.w * p.h) * (t.w * t.h) / 16
    let coupling = S.sqrt(product + 2 * roots)
    let trace = first.a + first.b + second.a + second.b
    let squared = S.square(p.x - t.x) + S.square(p.y - t.y) + (trace - 2 * coupling)
    let distance = least > 0 ? .max(squared, S(least)) : squared
    return loss(of: isNormalized ? distance / (4 * .sqrt(roots)) : distance)
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>
  ) -> (loss: V, gradient: RotatedBox<V>) {
    typealias Two = TwoWords<V>
    let sides = MatchedSides(p, t)
    let (w, h) = (Two(sides.w), Two(sides.h))
    let (targetW, targetH) = (Two(sides.targetW), Two(sides.targetH))
    let (s2, c2) = (sides.sineSquared, sides.cosineSquared)

    // With X = w W + h H and Y = w H + h W, Tr √… = R / 4, R² = cos²δ X² + sin²δ Y², and as
    // X² − Y² = (w² − h²)(W² − H²),
    // W² = d² + ((w − W)² + (h − H)²) / 4 + (X − R) / 2,   X − R = sin²δ (X² − Y²) / (X + R).
    let x = w * targetW + h * targetH
    let y = w * targetH + h * targetW
    let (xSquared, ySquared) = (Two.square(x), Two.square(y))
    let rSquared = c2 * xSquared + s2 * ySquared
    let isEmpty = rSquared.high .== .zero
    let r = Two.sqrt(Two.select(isEmpty, Two(.one), rSquared))
    let turning = sides.excess * sides.targetExcess
    let d = (x: Two.sum(p.x, -t.x), y: Two.sum(p.y, -t.y))
    let squared =
      (Two.square(d.x) + Two.square(d.y))
      + ((Two.square(sides.differenceW) + Two.square(sides.differenceH)).times(0.25)
        + (s2 * (turning / (x + r))).times(0.5))

    // ∂(X − R)/∂w = [W (R − cos²δ X) − sin²δ Y H] / R, with
    // R − cos²δ X = sin²δ (cos²δ X² + Y²) / (R + cos²δ X); ∂(X − R)/∂θ = sin δ cos δ (X² − Y²) / R.
    let share = (c2 * xSquared + ySquared) / (r + c2 * x)
    let tilt = s2 / r
    let alongW =
      (sides.differenceW + tilt * (targetW * share - y * targetH)).times(0.5)
    let alongH =
      (sides.differenceH + tilt * (targetH * share - y * targetW)).times(0.5)
    let alongθ = ((sides.sine * sides.cosine) * (turning / r)).times(0.5)

    let isFree = V(least) .<= squared.high
    let distance = Two.select(squared.high .< V(least), Two(V(least)), squared)
    let free = V.select(isFree, .one, V.select(squared.high .== squared.high, .zero, squared.high))
    guard isNormalized else {
      let (value, slope) = loss(of: distance)
      let factor = slope * free
      return (
        value,
        RotatedBox(
          x: factor * (d.x.high + d.x.high), y: factor * (d.y.high + d.y.high),
          w: factor * alongW.high, h: factor * alongH.high, θ: factor * alongθ.high)
      )
    }
    // D / N with N = √(w h W H): the slope in w is (∂D/∂w − D / (2 w)) / N.
    let norm = Two.sqrt(w * h) * Two.sqrt(targetW * targetH)
    let ratio = distance / norm
    let (value, slope) = loss(of: ratio)
    let factor = slope / norm.high
    let half = distance.times(0.5)
    let move = factor * free
    return (
      value,
      RotatedBox(
        x: move * (d.x.high + d.x.high), y: move * (d.y.high + d.y.high),
        w: factor * (Two(free) * alongW - half / w).high,
        h: factor * (Two(free) * alongH - half / h).high, θ: move * alongθ.high)
    )
  }
}

extension GWD {
  /// MMRotate's default.
  public static let mmrotate = Self(.logarithmOfRoot, tau: 0, isNormalized: true)
  /// MMRotate's first version.
  public static let mmrotateFirstVersion = Self(.root, tau: 1, least: 1e-6)

  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("root", Self(.root)), Configuration("distance", Self(.root, tau: 0)),
      Configuration("root, tau = 2", Self(.root, tau: 2)),
      Configuration("MMRotate's", mmrotate),
      Configuration("MMRotate's first version", mmrotateFirstVersion),
      Configuration("normalized", Self(.logarithm, isNormalized: true)),
    ]
  }
}
