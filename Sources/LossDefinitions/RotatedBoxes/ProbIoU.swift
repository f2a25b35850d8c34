/// Probabilistic IoU: the Hellinger distance between two boxes taken as normal distributions.
///
///     L = √(1 − exp(−t) + ε),   t = B limited to [ε, most],
///     B = ¼ dᵀ adj(Σ) d / (|Σ| + ε) + ½ ln(|Σ| / (4 √(|Σ₁| |Σ₂|) + ε) + ε),   Σ = Σ₁ + Σ₂
///
/// d is the difference of the centres, Σᵢ = R(θ) diag(w²/12 + floor, h²/12 + floor) R(θ)ᵀ the
/// covariance of a uniform distribution over the box. With `addsAspect` CIoU's α v of the sides is
/// added, with α held constant.
///
/// Source: Llerena et al., *Gaussian Bounding Boxes and Probabilistic IoU for Object Detection*, 2021,
/// eq. 7 to 11. Spec: `Spec/RotatedBoxes/ProbIoU.md`.
public struct ProbIoU: RotatedBoxLoss {
  public static let name = "probiou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .atMostOne, .plain(.zeroAtTarget), .symmetric, .translated, .plain(.scaled),
    .mirrored, .axesExchanged, .turnedAboutOneCentre, .blindToSquares, .plain(.triangle),
    .atLeast("with the aspect term ≥ without") { loss in
      loss.addsAspect ? Self(epsilon: loss.epsilon, floor: loss.floor, most: loss.most) : nil
    },
  ]
  public static let dialects: [Dialect] = [.probIoU, .batchProbIoU]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("floor", \.floor, in: 0...1e6, grid: [0, 0.01]),
    Hyperparameter("most", \.most, in: 0...1000, grid: [100, 1]),
  ]

  /// Added to |Σ|, to 4 √(|Σ₁| |Σ₂|), to the logarithm's argument and under the root; B is at least
  /// that.
  public var epsilon = 0.0
  /// Added to both variances of a box.
  public var floor = 0.0
  /// B is at most that.
  public var most = 100.0
  /// Whether CIoU's aspect term is added.
  public var addsAspect = false
  /// Whether the value is the similarity 1 − L, with all its digits where L is near 1.
  public var isSimilarity = false

  public init() {}

  public init(
    epsilon: Double, floor: Double = 0, most: Double = 100, addsAspect: Bool = false
  ) {
    self.epsilon = epsilon
    self.floor = floor
    self.most = most
    self.addsAspect = addsAspect
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> S {
    let ε = S(epsilon)
    let (a1, b1, c1) = covariance(p)
    let (a2, b2, c2) = covariance(t)
    let (a, b, c) = (a1 + a2, b1 + b2, c1 + c2)
    let determinant = a * b - c * c
    let (dx, dy) = (p.x - t.x, p.y - t.y)

    let square = (a * dy * dy + b * dx * dx) / (4 * (determinant + ε))
    let mixed = c * dx * dy / (2 * (determinant + ε))
    let own = S.max(a1 * b1 - c1 * c1, 0)
    let other = S.max(a2 * b2 - c2 * c2, 0)
    let ratio = determinant / (4 * S.sqrt(own * other) + ε)
    let distance = square - mixed + 0.5 * S.log(ratio + ε)

    // 1 − e^−t + ε is 0 for equal boxes without ε, where the root has no slope.
    let squared = ε - .expm1(-S.clamp(distance, ε, S(most)))
    let isPositive = 0 .< squared
    let loss = S.select(isPositive, .sqrt(.select(isPositive, squared, 1)), squared)
    let value = addsAspect ? loss + aspect(p, t, loss) : loss
    return isSimilarity ? 1 - value : value
  }

  /// Σ = [[A, C], [C, B]] of one box.
  private func covariance<S: Scalar>(_ box: RotatedBox<S>) -> (A: S, B: S, C: S) {
    let alongW = box.w * box.w / 12 + S(floor)
    let alongH = box.h * box.h / 12 + S(floor)
    let (cos, sin) = (S.cos(box.θ), S.sin(box.θ))
    return (
      alongW * cos * cos + alongH * sin * sin, alongW * sin * sin + alongH * cos * cos,
      (alongW - alongH) * cos * sin
    )
  }

  /// α v, as CIoU has it.
  private func aspect<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>, _ loss: S) -> S {
    let turn = S.atan((t.w * p.h - p.w * t.h) / (t.h * p.h + t.w * p.w))
    let v = 4 / (S.pi * S.pi) * turn * turn
    return S.quotient(v, v + loss + S(epsilon)).detached * v
  }

  public func gradientTerms<S: Scalar>(_ p: RotatedBox<S>, _ t: RotatedBox<S>) -> [S] {
    slopeSizes(p, t)
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>
  ) -> (loss: V, gradient: RotatedBox<V>) {
    let pair = GaussianPair(p, t, epsilon: epsilon, floor: floor)

    // L² = 1 − e^−B + ε; B, and so e^−B, in two words. e^−B as a square: its last digits are needed
    // where it is subnormal and a slope of B is not small.
    let (low, high) = (V(epsilon), V(most))
    let isInside = (low .<= pair.distance.high) & (pair.distance.high .<= high)
    let bounded = V.clamp(pair.distance.high, low, high)
    let rest = V.select(isInside, pair.distance.low, .zero)
    let root = V.exp(V(-0.5) * bounded, V(-0.5) * rest)
    let squared = (rest * (root * root) - V.expm1(-bounded)) + low
    let loss = V.sqrt(squared)
    // ∂L/∂B = e^−B / (2 L); 0 for equal boxes, where the cone has its tip.
    let slope = V.select(
      isInside & (V.zero .< loss), V(0.5) * root / loss, V.select(loss .== loss, .zero, loss))
    var gradient = RotatedBox(
      x: (slope * pair.slopes.x) * root, y: (slope * pair.slopes.y) * root,
      w: (slope * pair.slopes.w) * root, h: (slope * pair.slopes.h) * root,
      θ: (slope * pair.slopes.θ) * root)
    var added = V.zero
    if addsAspect {
      let aspect = Aspect(
        Box(x1: .zero, y1: .zero, x2: p.w, y2: p.h), Box(x1: .zero, y1: .zero, x2: t.w, y2: t.h),
        heightEpsilon: 0)
      let spread = (aspect.v + loss) + low
      let α = V.select(spread .== .zero, .zero, aspect.v / spread)
      gradient.w = gradient.w + α * aspect.slopeW
      gradient.h = gradient.h + α * aspect.slopeH
      added = α * aspect.v
    }
    guard isSimilarity else { return (loss + added, gradient) }
    // 1 − L = (1 − L²) / (1 + L).
    let similarity = (root * root - low) / (.one + loss) - added
    return (similarity, gradient.negated)
  }
}

extension ProbIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("epsilon = 1e-7, floor = 0.01", Self(epsilon: 1e-7, floor: 0.01)),
      Configuration("epsilon = 1e-7, aspect", Self(epsilon: 1e-7, addsAspect: true)),
    ]
  }
}
