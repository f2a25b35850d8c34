/// Probabilistic IoU: the Hellinger distance between two boxes taken as normal distributions.
///
///     L = √(1 − exp(−t) + ε)  or  t,   t = B limited to [ε, most],
///     B = ¼ dᵀ adj(Σ) d / (|Σ| + ε′) + ½ ln(|Σ| / (4 √(|Σ₁| |Σ₂|) + ε) + ε′),   Σ = Σ₁ + Σ₂
///
/// d is the difference of the centres, Σᵢ = R(θ) diag(w²/12 + floor, h²/12 + floor) R(θ)ᵀ the
/// covariance of a uniform distribution over the box. ε′ is ε, or 0 without `guardsQuotients`. With
/// `addsAspect` CIoU's α v of the sides is added, with α held constant.
///
/// Source: Llerena et al., *Gaussian Bounding Boxes and Probabilistic IoU for Object Detection*, 2021,
/// eq. 7 to 11. Spec: `Spec/RotatedBoxes/ProbIoU.md`.
public struct ProbIoU: RotatedBoxLoss {
  public static let name = "probiou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .atMostOne, .plain(.zeroAtTarget), .symmetric, .translated, .plain(.scaled),
    .mirrored, .axesExchanged, .quarterTurned, .turnedAboutOneCentre, .blindToSquares,
    .plain(.where("in Hellinger's form", .triangle) { $0.form == .hellinger }),
    .distanceAboveItsSquare,
    .atLeast("with the aspect term ≥ without") { loss in
      loss.addsAspect ? Self(epsilon: loss.epsilon, floor: loss.floor, most: loss.most) : nil
    },
  ]
  public static let dialects: [Dialect] = [.probIoU, .batchProbIoU, .paddleProbIoU]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("floor", \.floor, in: 0...1e6, grid: [0, 0.01]),
    Hyperparameter("most", \.most, in: 0...1000, grid: [100, 1]),
  ]

  public enum Form: Sendable {
    /// The Hellinger distance, the paper's L₁.
    case hellinger
    /// The Bhattacharyya distance itself, the paper's L₂ = −ln(1 − L₁²).
    case bhattacharyya
  }

  public var form = Form.hellinger
  /// Added to 4 √(|Σ₁| |Σ₂|) and under the root, and with `guardsQuotients` also to |Σ| and to the
  /// logarithm's argument; B is at least that.
  public var epsilon = 0.0
  /// Whether ε is also added to |Σ| under the centres and to the logarithm's argument.
  public var guardsQuotients = true
  /// Added to both variances of a box.
  public var floor = 0.0
  /// B is at most that.
  public var most = 100.0
  /// Whether CIoU's aspect term is added.
  public var addsAspect = false
  /// Whether the value is the similarity 1 − L, with all its digits where L is near 1; of Hellinger's
  /// form.
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
    let guarding = guardsQuotients ? ε : 0
    let (a1, b1, c1) = covariance(p)
    let (a2, b2, c2) = covariance(t)
    let (a, b, c) = (a1 + a2, b1 + b2, c1 + c2)
    let determinant = a * b - c * c
    let (dx, dy) = (p.x - t.x, p.y - t.y)

    let square = (a * dy * dy + b * dx * dx) / (4 * (determinant + guarding))
    let mixed = c * dx * dy / (2 * (determinant + guarding))
    let own = S.max(a1 * b1 - c1 * c1, 0)
    let other = S.max(a2 * b2 - c2 * c2, 0)
    let ratio = determinant / (4 * S.sqrt(own * other) + ε)
    let distance = square - mixed + 0.5 * S.log(ratio + guarding)
    let bounded = S.clamp(distance, ε, S(most))
    if form == .bhattacharyya { return addsAspect ? bounded + aspect(p, t, bounded) : bounded }

    // 1 − e^−t + ε is 0 for equal boxes without ε, where the root has no slope.
    let squared = ε - .expm1(-bounded)
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
    let pair = GaussianPair(
      p, t, epsilon: epsilon, guardsQuotients: guardsQuotients, floor: floor)

    let (low, high) = (V(epsilon), V(most))
    let isInside = (low .<= pair.distance.high) & (pair.distance.high .<= high)
    let bounded = V.clamp(pair.distance.high, low, high)
    guard form == .hellinger else {
      // Equal boxes: the minimum, and with an epsilon the limit that has no slope.
      let slope = V.select(isInside, V.one, V.select(bounded .== bounded, .zero, bounded))
      var gradient = pair.slopes.scaled(by: slope)
      guard addsAspect else { return (bounded, gradient) }
      let added = aspect(p, t, bounded, &gradient)
      return (bounded + added, gradient)
    }

    // L² = 1 − e^−B + ε; B, and so e^−B, in two words. e^−B as a square: its last digits are needed
    // where it is subnormal and a slope of B is not small.
    let rest = V.select(isInside, pair.distance.low, .zero)
    let root = V.exp(V(-0.5) * bounded, V(-0.5) * rest)
    let squared = (rest * (root * root) - V.expm1(-bounded)) + low
    let loss = V.sqrt(squared)
    // ∂L/∂B = e^−B / (2 L); 0 for equal boxes, where the cone has its tip.
    let slope = V.select(
      isInside & (V.zero .< loss), V(0.5) * root / loss, V.select(loss .== loss, .zero, loss))
    var gradient = pair.slopes.scaled(by: slope).scaled(by: root)
    let added = addsAspect ? aspect(p, t, loss, &gradient) : .zero
    guard isSimilarity else { return (loss + added, gradient) }
    // 1 − L = (1 − L²) / (1 + L).
    let similarity = (root * root - low) / (.one + loss) - added
    return (similarity, gradient.negated)
  }

  /// α v, and its slopes added to a gradient.
  @inline(always)
  public func aspect<V: Lanes>(
    _ p: RotatedBox<V>, _ t: RotatedBox<V>, _ loss: V, _ gradient: inout RotatedBox<V>
  ) -> V {
    let aspect = Aspect(
      Box(x1: .zero, y1: .zero, x2: p.w, y2: p.h), Box(x1: .zero, y1: .zero, x2: t.w, y2: t.h),
      heightEpsilon: 0)
    let spread = (aspect.v + loss) + V(epsilon)
    let α = V.select(spread .== .zero, .zero, aspect.v / spread)
    gradient.w = gradient.w + α * aspect.slopeW
    gradient.h = gradient.h + α * aspect.slopeH
    return α * aspect.v
  }
}

extension ProbIoU {
  public static var configurations: [Configuration<Self>] {
    var paddle = Self(epsilon: 1e-3)
    paddle.guardsQuotients = false
    var distance = Self()
    distance.form = .bhattacharyya
    var paddleDistance = paddle
    paddleDistance.form = .bhattacharyya
    var guarded = Self(epsilon: 1e-7, floor: 0.01)
    guarded.form = .bhattacharyya
    return gridConfigurations + [
      Configuration("epsilon = 1e-7, floor = 0.01", Self(epsilon: 1e-7, floor: 0.01)),
      Configuration("epsilon = 1e-7, aspect", Self(epsilon: 1e-7, addsAspect: true)),
      Configuration("Paddle's", paddle), Configuration("Bhattacharyya", distance),
      Configuration("Bhattacharyya, Paddle's", paddleDistance),
      Configuration("Bhattacharyya, epsilon = 1e-7, floor = 0.01", guarded),
    ]
  }
}
