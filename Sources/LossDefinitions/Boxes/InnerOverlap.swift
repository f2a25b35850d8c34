/// What two boxes have in common, each scaled about its own centre by a ratio r, in two words: for
/// kernels that take a power of the IoU, or its difference from a constant.
///
/// With e₁, e₂ the differences of the lower and of the upper edges, those of the inner boxes are
/// r e₁ + k (e₁ + e₂) and r e₂ + k (e₁ + e₂), k = (1 − r) / 2; from there on as in `Overlap`.
public struct InnerOverlap<V: Lanes> {
  /// U − I and U, with the epsilon, and I.
  public let excess, union, area: TwoWords<V>
  /// 1 − IoU and IoU; of two empty boxes 1 and 0.
  public let loss, iou: TwoWords<V>
  /// The slopes of 1 − IoU in the inner edges.
  public let slopes: EdgeSlopes<V>
  /// By how much the prediction's inner edges are above the target's.
  public let edges: Box<V>

  /// - Parameter ratio: from 0.5 to 2, so that 1 − r is exact.
  @inline(always)
  public init(_ p: Box<V>, _ t: Box<V>, ratio: Double, epsilon: Double) {
    let x = InnerAxis(p.x1, p.x2, t.x1, t.x2, ratio)
    let y = InnerAxis(p.y1, p.y2, t.y1, t.y2, ratio)
    edges = Box(x1: x.low.high, y1: y.low.high, x2: x.high.high, y2: y.high.high)
    let overlaps = (V.zero .<= x.span.high) & (V.zero .<= y.span.high)
    let iw = TwoWords.select(overlaps, x.span, TwoWords(.zero))
    let ih = TwoWords.select(overlaps, y.span, TwoWords(.zero))
    let restW = TwoWords.select(overlaps, x.rest, x.side)
    let restH = TwoWords.select(overlaps, y.rest, y.side)
    let targetRestW = TwoWords.select(overlaps, x.targetRest, x.target)
    let targetRestH = TwoWords.select(overlaps, y.targetRest, y.target)

    let rest = restW * y.side + iw * restH
    let targetRest = targetRestW * y.target + iw * targetRestH
    area = iw * ih
    excess = (rest + targetRest) + TwoWords(V(epsilon))
    union = excess + area
    let isEmpty = union.high .== .zero
    let divisor = TwoWords.select(isEmpty, TwoWords(.one), union)
    loss = TwoWords.select(isEmpty, TwoWords(.one), excess / divisor)
    iou = area / divisor

    // As `Overlap.slopes`: I h / U² of an outer edge, −ih (T + restW h) / U² of an inner one.
    let target = x.target * y.target + TwoWords(V(epsilon))
    func product(_ a: TwoWords<V>, _ b: TwoWords<V>) -> V {
      V.select(isEmpty, .zero, (a * (b / divisor)).high)
    }
    slopes = EdgeSlopes(
      outerX: product(iou, y.side),
      innerX: -product((target + restW * y.side) / divisor, ih),
      outerY: product(iou, x.side),
      innerY: -product((target + restH * x.side) / divisor, iw))
  }

  /// The gradient in the prediction's own edges of what has these slopes in the inner ones: an inner
  /// lower edge is (1 + r) / 2 of the lower and (1 − r) / 2 of the upper.
  @inline(always)
  public func gradient(_ slopes: EdgeSlopes<V>, ratio: Double) -> Box<V> {
    let inner = slopes.gradient(edges, Box(x1: .zero, y1: .zero, x2: .zero, y2: .zero))
    if ratio == 1 { return inner }
    let (m, k) = (V((1 + ratio) / 2), V((1 - ratio) / 2))
    return Box(
      x1: m * inner.x1 + k * inner.x2, y1: m * inner.y1 + k * inner.y2,
      x2: k * inner.x1 + m * inner.x2, y2: k * inner.y1 + m * inner.y2)
  }
}

/// One axis of `InnerOverlap`.
public struct InnerAxis<V: Lanes> {
  /// The inner sides, and by how much the prediction's inner edges are above the target's.
  public let side, target, low, high: TwoWords<V>
  /// What either inner side has beyond the overlap, and the overlap; negative of boxes apart.
  public let rest, targetRest, span: TwoWords<V>

  @inline(always)
  public init(_ p1: V, _ p2: V, _ t1: V, _ t2: V, _ ratio: Double) {
    let (e1, e2) = (TwoWords.sum(p1, -t1), TwoWords.sum(p2, -t2))
    let (w, targetW) = (TwoWords.sum(p2, -p1), TwoWords.sum(t2, -t1))
    if ratio == 1 {
      (side, target, low, high) = (w, targetW, e1, e2)
    } else {
      let r = TwoWords(V(ratio))
      let shift = (e1 + e2) * TwoWords(V((1 - ratio) / 2))
      (side, target) = (r * w, r * targetW)
      (low, high) = (r * e1 + shift, r * e2 + shift)
    }
    // NaN is not at most 0.
    func positive(_ x: TwoWords<V>) -> TwoWords<V> {
      .select(x.high .<= .zero, TwoWords(.zero), x)
    }
    rest = positive(-low) + positive(high)
    targetRest = positive(low) + positive(-high)
    span = side - rest
  }
}
