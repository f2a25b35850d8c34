/// Powerful IoU: the IoU loss plus a bounded penalty of the distances of the edges, which does not grow
/// with the enclosing box; and an attention that favours boxes of medium quality.
///
///     L₁ = 1 − IoU + 1 − exp(−P²),   P = (|x1 − X1| + |x2 − X2|) / 4W + (|y1 − Y1| + |y2 − Y2|) / 4H
///     L₂ = u(λ q) L₁,   u(x) = 3x exp(−x²),   q = exp(−P)
///
/// x1 ... y2 are the prediction's edges, capitals the target's; W and H are the target's sides, and a
/// ratio over 0 is 0. IoU = I / (U + ε). The target is held constant; u is not, unless detached.
///
/// Source: Liu et al. 2024, *Powerful-IoU: More Straightforward and Faster Bounding Box Regression Loss
/// with a Nonmonotonic Focusing Mechanism*, Neural Networks 170. Chapter: `Spec/Boxes/PowerfulIoU.md`.
public struct PowerfulIoU: BoxLoss {
  public static let name = "powerful_iou"
  public static let targetGradient = TargetGradient.none
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("in version 1", .bounded(by: 2)) { $0.version == .v1 },
    .where("in version 2 with lambda 1.3", .bounded(by: 1.87)) {
      $0.version == .v2 && Float($0.lambda) == 1.3
    },
    .inequality("version 2 ≤ 1.286647 version 1") { loss, item, values in
      guard loss.version == .v2 else { return [] }
      var plain = loss
      plain.version = .v1
      return [(Interval(1.286647) * values.loose(plain, item), values.loose(loss, item))]
    },
    .plain(.zeroAtTarget), .translated, .scaled, .scaledPerAxis, .mirrored, .swapped,
    .where("in version 1", .farther) { $0.version == .v1 },
    .where("in version 1", .atLeast("L ≥ IoU loss") { IoU(unionEpsilon: $0.unionEpsilon) }) {
      $0.version == .v1
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("lambda", \.lambda, in: 0...16, grid: [1.3]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  public enum Version: Sendable { case v1, v2 }

  public enum Attention: Sendable {
    /// u is differentiated.
    case attached
    /// u is held constant.
    case constant
  }

  public var version = Version.v1
  public var attention = Attention.attached
  public var lambda = 1.3
  /// Added to the union.
  public var unionEpsilon = 0.0

  public init() {}

  public init(
    _ version: Version, _ attention: Attention = .attached, lambda: Double = 1.3,
    unionEpsilon: Double = 0
  ) {
    self.version = version
    self.attention = attention
    self.lambda = lambda
    self.unionEpsilon = unionEpsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let P = penalty(p, t)
    let plain = plain(p, t)
    guard version == .v2 else { return plain }
    let u = attention(P)
    return (attention == .constant ? u.detached : u) * plain
  }

  private func penalty<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let x = S.abs(p.x1 - t.x1) + S.abs(p.x2 - t.x2)
    let y = S.abs(p.y1 - t.y1) + S.abs(p.y2 - t.y2)
    return 0.25 * (.quotient(x, t.width) + .quotient(y, t.height))
  }

  private func plain<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))
    return 1 - iou - .expm1(-.square(penalty(p, t)))
  }

  private func attention<S: Scalar>(_ P: S) -> S {
    let x = S(lambda) * .exp(-P)
    return 3 * x * .exp(-.square(x))
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    guard version == .v2 else { return [] }
    // The slopes of u L₁: the IoU loss's, the penalty's, and u's, in which 1 and 2x² are subtracted.
    let P = penalty(p, t)
    let x = S(lambda) * .exp(-P)
    let own = 2 * P * S.exp(-.square(P))
    let rate =
      attention == .constant ? own : own + plain(p, t) * (1 + 2 * .square(x))
    let edges = p.edgeTerms(t)
    return [
      attention(P) * (edges.x + .quotient(0.25 * rate, t.width)),
      attention(P) * (edges.y + .quotient(0.25 * rate, t.height)),
    ]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    let x = EdgeDistance(p.x1, p.x2, t.x1, t.x2)
    let y = EdgeDistance(p.y1, p.y2, t.y1, t.y2)
    // P in two words, as an exponential's relative error is its exponent's absolute one. From 64 on
    // exp(−P²) is 0, and from 1024 on exp(−P).
    let penalty = TwoWords<V>.limited(x.ratio + y.ratio, 1024)
    let near = TwoWords<V>.limited(penalty, 64)
    let squared = TwoWords.square(near)
    // Exponentials as squares of their roots: what is subnormal may be multiplied by 1 / 4W.
    let half = V.exp(V(-0.5) * squared.high, V(-0.5) * squared.low)
    let added = squared.low * (half * half) - V.expm1(-squared.high)
    let own = (near.high + near.high) * half

    var plain = pair.loss + added
    var (attention, root, turn) = (V.one, V.one, V.zero)
    if version == .v2 {
      let l = PreciseOverlap(p, t, unionEpsilon: unionEpsilon).loss
      plain = l.high + (l.low + added)
      root = V.exp(V(-0.5) * penalty.high, V(-0.5) * penalty.low)
      // x = λ q, and u = 3x exp(−x²) has the slope −u (1 − 2x²) in P.
      let (n, high, low) = V.decayParts(-penalty.high)
      let q = TwoWords.quickSum(V.scaled(high, n), V.scaled(low - high * penalty.low, n))
      let squared = TwoWords.square(TwoWords(V(lambda)) * q)
      attention = (V(3 * lambda) * root) * V.exp(-squared.high, -squared.low)
      if self.attention == .attached {
        turn = plain * (.one - (squared.high + squared.high))
      }
    }
    let slopes = pair.slopes.gradient(p, t)
    func slope(_ edge: V, _ rate: V) -> V {
      (attention * (edge + ((own * rate) * half - turn * rate))) * root
    }
    return (
      (attention * plain) * root,
      Box(
        x1: slope(slopes.x1, x.low), y1: slope(slopes.y1, y.low), x2: slope(slopes.x2, x.high),
        y2: slope(slopes.y2, y.high))
    )
  }
}

/// One axis of P, for the kernel: (|x1 − X1| + |x2 − X2|) / 4W, 0 where W is.
public struct EdgeDistance<V: Lanes> {
  public let ratio: TwoWords<V>
  /// Its slopes in x1 and x2.
  public let low, high: V

  @inline(always)
  public init(_ low: V, _ high: V, _ targetLow: V, _ targetHigh: V) {
    let first = TwoWords.sum(low, -targetLow)
    let second = TwoWords.sum(high, -targetHigh)
    let (lowSign, highSign) = (V.sign(first.high), V.sign(second.high))
    let distance =
      TwoWords(lowSign * first.high, lowSign * first.low)
      + TwoWords(highSign * second.high, highSign * second.low)
    let side = TwoWords.sum(targetHigh, -targetLow)
    let empty = side.high .== .zero
    let whole = TwoWords.select(empty, TwoWords(.one), side)
    let scaled = (distance / whole).times(0.25)
    ratio = TwoWords.select(empty, TwoWords(.zero), scaled)
    let rate = V.select(empty, .zero, V(0.25) / whole.high)
    self.low = lowSign * rate
    self.high = highSign * rate
  }
}

extension TwoWords {
  /// The smaller of a and a bound; NaN passes.
  @inline(always) public static func limited(_ a: Self, _ bound: Double) -> Self {
    select(V(bound) .< a.high, Self(V(bound)), a)
  }
}

extension PowerfulIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("version 2", Self(.v2)),
      Configuration("version 2, attention constant", Self(.v2, .constant)),
      Configuration("version 2, lambda = 0.7", Self(.v2, lambda: 0.7)),
      Configuration("version 2, epsilon = 1e-7", Self(.v2, unionEpsilon: 1e-7)),
    ]
  }
}
