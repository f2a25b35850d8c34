/// Wise IoU: the IoU loss times a factor of the centres' distance, and a focusing factor of how the pair
/// compares with the running mean of the training.
///
///     L₁ = R l,   R = exp(ρ² / (cw² + ch² + ε)*),   l = 1 − IoU
///     L₂ = β^γ L₁,   L₃ = β / (δ α^(β−δ)) L₁,   β = l* / mean
///
/// ρ is the distance between the centres; cw, ch are the sides of the smallest box that encloses both.
/// What has a star is held constant: β, and the denominator in R unless attached. The mean of l over
/// the training is an input, kept by `RunningMean`. IoU = I / (U + ε); a ratio over 0 is 0.
///
/// Source: Tong et al. 2023, *Wise-IoU: Bounding Box Regression Loss with Dynamic Focusing Mechanism*,
/// arXiv 2301.10051. Chapter: `Spec/Boxes/WiseIoU.md`.
public struct WiseIoU: BoxLoss {
  public static let name = "wise_iou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("in version 1", .atLeast("L ≥ IoU loss") { $0.overlap }) { $0.version == .v1 },
    .inequality("version 1 ≤ e IoU loss") { loss, item, values in
      guard loss.version == .v1 else { return [] }
      return [(.exp(1) * values.loose(loss.overlap, item), values.loose(loss, item))]
    },
    .inequality("version 3 ≤ r(1 / ln alpha) version 1") { loss, item, values in
      guard loss.version == .v3 else { return [] }
      var plain = loss
      plain.version = .v1
      let (alpha, delta) = (Interval<DoubleDouble>(loss.alpha), Interval<DoubleDouble>(loss.delta))
      let best = 1 / Interval.log(alpha)
      let gain = best / (delta * .pow(alpha, best - delta))
      return [(gain * values.loose(plain, item), values.loose(loss, item))]
    },
    .plain(.zeroAtTarget), .symmetric, .translated, .scaled, .mirrored, .swapped,
    .where("in version 1", .farther) { $0.version == .v1 },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("mean", \.mean, in: 0...16, grid: [1]),
    Hyperparameter("gamma", \.gamma, in: 0...16, grid: [0.5]),
    Hyperparameter("alpha", \.alpha, in: 1.01...16, grid: [1.7]),
    Hyperparameter("delta", \.delta, in: 0.01...16, grid: [2.7]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  public enum Version: Sendable { case v1, v2, v3 }

  public enum Denominator: Sendable {
    /// cw² + ch² is held constant.
    case constant
    /// It is differentiated, as the ports have it.
    case attached
  }

  public var version = Version.v1
  public var denominator = Denominator.constant
  /// The running mean of 1 − IoU.
  public var mean = 1.0
  /// The power of β in version 2.
  public var gamma = 0.5
  /// α and δ of version 3: β's factor falls from β = 1 / ln α on, and is 1 at β = δ.
  public var alpha = 1.7
  public var delta = 2.7
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to cw² + ch².
  public var enclosureEpsilon = 0.0

  public init() {}

  public init(_ version: Version, mean: Double = 1, alpha: Double = 1.7, delta: Double = 2.7) {
    self.version = version
    self.mean = mean
    self.alpha = alpha
    self.delta = delta
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let l = 1 - S.quotient(overlap, union + S(unionEpsilon))
    let box = p.enclosing(t)
    let c = S.square(box.width) + S.square(box.height) + S(enclosureEpsilon)
    let R = S.exp(.quotient(p.centerDistance(t), denominator == .constant ? c.detached : c))
    return focus(l) * R * l
  }

  /// The focusing factor, which is held constant.
  private func focus<S: Scalar>(_ l: S) -> S {
    let β = S.quotient(l, S(mean)).detached
    return switch version {
    case .v1: 1
    case .v2: .pow(β, S(gamma))
    case .v3: β / (S(delta) * .pow(S(alpha), β - S(delta)))
    }
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    // The slopes of R l: R l′, and l R times that of ρ² / c².
    let l = overlap.reference(p, t)
    let box = p.enclosing(t)
    let c = S.square(box.width) + S.square(box.height) + S(enclosureEpsilon)
    let ratio = S.quotient(p.centerDistance(t), c)
    let edges = p.edgeTerms(t)
    let factor = focus(l) * .exp(ratio)
    func center(_ offset: S, _ side: S) -> S {
      let lowered = denominator == .attached ? 2 * side * ratio : 0
      return l * .quotient(0.5 * .abs(offset) + lowered, c)
    }
    return [
      factor * (edges.x + center(p.x1 + p.x2 - t.x1 - t.x2, box.width)),
      factor * (edges.y + center(p.y1 + p.y2 - t.y1 - t.y2, box.height)),
    ]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    // In two words: an exponential of the one, and powers of the other, are taken.
    let centers = PreciseCenters(p, t, enclosureEpsilon: enclosureEpsilon)
    let l = PreciseOverlap(p, t, unionEpsilon: unionEpsilon).loss
    let β = mean == 0 ? TwoWords(.zero) : l / TwoWords(V(mean))
    var (focus, root) = (V.one, V.one)
    switch version {
    case .v1: focus = V.exp(centers.ratio.high, centers.ratio.low)
    case .v2:
      let power = gamma == 0.5 ? V.sqrt(β.high) : V.pow(β.high, V(gamma))
      focus = power * V.exp(centers.ratio.high, centers.ratio.low)
    case .v3:
      // α^(δ−β) R as the square of its root: β / δ may be large where it is subnormal.
      let (log, logLow) = V.logParts(V(alpha))
      let exponent =
        (TwoWords(V(delta)) - β) * TwoWords(log, logLow) + centers.ratio
      root = V.exp(V(0.5) * exponent.high, V(0.5) * exponent.low)
      focus = (β / TwoWords(V(delta))).high * root
    }

    var slopes = pair.slopes
    if denominator == .attached {
      slopes.outerX = slopes.outerX - l.high * centers.outerX
      slopes.outerY = slopes.outerY - l.high * centers.outerY
    }
    let edges = slopes.gradient(p, t)
    let (slopeX, slopeY) = (l.high * centers.slopeX, l.high * centers.slopeY)
    return (
      (focus * l.high) * root,
      Box(
        x1: (focus * (edges.x1 + slopeX)) * root, y1: (focus * (edges.y1 + slopeY)) * root,
        x2: (focus * (edges.x2 + slopeX)) * root, y2: (focus * (edges.y2 + slopeY)) * root)
    )
  }
}

extension WiseIoU {
  public static var configurations: [Configuration<Self>] {
    var ports = Self()
    ports.denominator = .attached
    ports.unionEpsilon = 1e-7
    ports.enclosureEpsilon = 1e-7
    var attached = Self()
    attached.denominator = .attached
    var square = Self(.v2)
    square.gamma = 2
    return gridConfigurations + [
      Configuration("denominator attached", attached),
      Configuration("denominator attached, epsilon = 1e-7", ports),
      Configuration("version 2", Self(.v2)),
      Configuration("version 2, mean = 0.1", Self(.v2, mean: 0.1)),
      Configuration("version 2, gamma = 2", square),
      Configuration("version 3", Self(.v3)),
      Configuration("version 3, mean = 0.1", Self(.v3, mean: 0.1)),
      Configuration("version 3, alpha = 1.9, delta = 3", Self(.v3, alpha: 1.9, delta: 3)),
      Configuration("version 3, alpha = 1.6, delta = 2.5", Self(.v3, alpha: 1.6, delta: 2.5)),
    ]
  }

  /// l, which the running mean is taken of.
  public var overlap: IoU { IoU(unionEpsilon: unionEpsilon) }
}
