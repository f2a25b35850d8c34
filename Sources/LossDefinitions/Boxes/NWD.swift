/// Normalized Wasserstein distance: how far apart two boxes are as normal distributions, in units of a
/// typical size.
///
///     L = 1 − exp(−√(W₂² + ε) / C),   W₂² = dx² + dy² + ((w − W)² + (h − H)²) / 4
///
/// dx, dy are the differences of the centres; w, h are the prediction's sides and W, H the target's. A
/// box stands for a normal distribution about its centre with variances w²/4 and h²/4, and W₂ is the
/// distance of the two. C is the mean absolute size of a data set's objects, in the unit of the boxes.
/// Nothing is held constant.
///
/// Source: Wang et al. 2021, *A Normalized Gaussian Wasserstein Distance for Tiny Object Detection*,
/// arXiv 2110.13389. Chapter: `Spec/Boxes/NWD.md`.
public struct NWD: BoxLoss {
  public static let name = "nwd"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 1), .plain(.zeroAtTarget), .symmetric, .translated, .mirrored,
    .swapped, .farther,
    .where("without epsilon", .triangle) { $0.epsilon == 0 },
    .agrees("unchanged where boxes and constant are scaled by 4", with: Self.self) { loss, item in
      var large = loss
      large.constant = 4 * loss.constant
      large.epsilon = 16 * loss.epsilon
      return (
        large, item, Item(item.prediction.map { 4 * $0 }, item.target.map { 4 * $0 })
      )
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("constant", \.constant, in: 0x1p-10...0x1p20, grid: [0.25, 12.8, 100]),
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// C, in the unit of the boxes: 12.8 pixels for AI-TOD.
  public var constant = 12.8
  /// Added to W₂², which gives the root a slope at equal boxes.
  public var epsilon = 0.0

  public init() {}

  public init(constant: Double, epsilon: Double = 0) {
    self.constant = constant
    self.epsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let sides = S.square(p.width - t.width) + S.square(p.height - t.height)
    let squared = p.centerDistance(t) + 0.25 * sides + S(epsilon)
    // The root of 0 has no slope.
    let isPositive = 0 .< squared
    let distance = S.select(isPositive, .sqrt(.select(isPositive, squared, 1)), squared)
    return -.expm1(-distance / S(constant))
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let x1 = TwoWords.sum(p.x1, -t.x1)
    let y1 = TwoWords.sum(p.y1, -t.y1)
    let x2 = TwoWords.sum(p.x2, -t.x2)
    let y2 = TwoWords.sum(p.y2, -t.y2)
    // dx = (x1 + x2) / 2 and (w − W) / 2 = (x2 − x1) / 2, of the differences of the edges, so that
    // dx² + (w − W)² / 4 = (x1² + x2²) / 2: nothing cancels.
    let corners =
      (TwoWords.square(x1) + TwoWords.square(y1)) + (TwoWords.square(x2) + TwoWords.square(y2))
    let squared = corners.times(0.5) + TwoWords(V(epsilon))
    let isZero = squared.high .== .zero
    let root = TwoWords.sqrt(TwoWords.select(isZero, TwoWords(.one), squared))
    let distance = TwoWords.select(isZero, TwoWords(.zero), root)

    // In two words, as the exponential's relative error is the exponent's absolute one. Its root twice:
    // where it is subnormal, the slope need not be.
    let exponent = distance / TwoWords(V(constant))
    let half = V.exp(V(-0.5) * exponent.high, V(-0.5) * exponent.low)
    let rate = V.select(isZero, .zero, (half / V(2 * constant)) / root.high)
    return (
      exponent.low * (half * half) - V.expm1(-exponent.high),
      Box(
        x1: (rate * x1.high) * half, y1: (rate * y1.high) * half, x2: (rate * x2.high) * half,
        y2: (rate * y2.high) * half)
    )
  }
}

extension NWD {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("constant = 1, epsilon = 1e-7", Self(constant: 1, epsilon: 1e-7))
    ]
  }
}
