/// Focaler-IoU: a loss's IoU stretched from an interval to [0, 1], beyond which it counts as 0 or 1.
///
///     L = 1 − IoU_f + penalty,   IoU_f = clamp((IoU − d) / (u − d), 0, 1)
///
/// The penalty is the base's: what GIoU, DIoU, CIoU, EIoU or SIoU adds to 1 − IoU. CIoU's α is of the
/// IoU itself, and held constant.
///
/// Source: Zhang and Zhang 2024, *Focaler-IoU: More Focused Intersection over Union Loss*, arXiv
/// 2401.10525. Chapter: `Spec/Boxes/FocalerIoU.md`.
public struct FocalerIoU: BoxLoss {
  public static let name = "focaler_iou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .inequality("L ≤ the base's least upper bound") { loss, item, values in
      [(Interval(loss.base.bound), values.value(loss, item))]
    },
    .where("if d < u", .zeroAtTarget) { $0.d < $0.u }, .symmetric, .translated,
    .invariant(under: "scaling by a power of two") { item in
      Item(item.prediction.map { 4 * $0 }, item.target.map { 4 * $0 })
    }, .mirrored, .swapped,
    Law("= the base's loss at d = 0, u = 1") { loss, item, values in
      loss.d == 0 && loss.u == 1
        ? .equal(values.loose(loss, item), loss.base.value(item, values)) : .holds
    },
    .inequality("L ≤ the base's loss at d = 0, u < 1") { loss, item, values in
      loss.d == 0 && 0 < loss.u ? [(loss.base.value(item, values), values.loose(loss, item))] : []
    },
    .inequality("L_X − (1 − IoU) ≤ L ≤ 1 + L_X − (1 − IoU)") { loss, item, values in
      let own = values.loose(loss, item) + values.loose(IoU(), item)
      let base = loss.base.value(item, values)
      return [(own, base), (Interval(1) + base, own)]
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("d", \.d, in: 0...1, grid: [0, 0.25]),
    Hyperparameter("u", \.u, in: 0...1, grid: [0.5, 0.95, 1]),
  ]

  /// The loss whose IoU is stretched.
  public var base = Base.ciou
  /// The IoU up to which it counts as 0.
  public var d = 0.0
  /// The IoU from which on it counts as 1.
  public var u = 0.95

  public init() {}
  public init(_ base: Base) { self.base = base }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union)
    let focused = S.clamp(.quotient(iou - S(d), S(u) - S(d)), 0, 1)
    return 1 - focused + base.penalty(p, t, 0)
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let overlap = p.intersection(t)
    let iou = S.quotient(overlap, p.width * p.height + t.width * t.height - overlap)
    let rate = S.abs(.quotient(1, S(u) - S(d)))
    let isInside = S.quotient(iou - S(d), S(u) - S(d))
    let slope = S.select(0 .< isInside, .select(isInside .< 1, rate, 0), 0)
    let edges = p.edgeTerms(t)
    let others = base.terms(p, t, 0)
    return [slope * edges.x + others.x, slope * edges.y + others.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = InnerOverlap(p, t, ratio: 1, epsilon: 0)
    let penalty = base.penalty(p, t, epsilon: 0)
    // 1 − IoU_f = (u U − I) / (U (u − d)), where u U − I = (U − I) − (1 − u) U, in two words: nothing
    // else is left of the loss near IoU = u. On which side of a kink an item is, the signs of
    // u U − I and of I − d U say, exactly enough for a gradient that jumps there.
    let above = pair.excess - TwoWords<V>.sum(.one, -V(u)) * pair.union
    let below = pair.area - TwoWords(V(d)) * pair.union
    let isEmpty = pair.union.high .== .zero
    let rate = V(u == d ? 0 : 1 / (u - d))
    let divisor = TwoWords.select(isEmpty, TwoWords(.one), pair.union)
    let inside = rate * (above / divisor).high
    let isMiss = (below.high * rate .<= .zero) | isEmpty
    let isHit = above.high * rate .<= .zero
    let loss = V.select(isMiss, .one, V.select(isHit, .zero, inside))
    let slope = V.select(isMiss | isHit, .zero, rate)
    return (
      loss + penalty.value, penalty.gradient(p, t, with: pair.slopes.times(slope))
    )
  }
}

extension FocalerIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations
      + Base.allCases.filter { $0 != .ciou }.map { Configuration("\($0)", Self($0)) }
      + Base.allCases.filter { $0 != .ciou }.map { base in
        var whole = Self(base)
        whole.u = 1
        return Configuration("\(base), u = 1", whole)
      }
  }
}
