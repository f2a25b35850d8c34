/// What a loss adds to 1 − IoU, for the kernels: its value and its slopes.
public struct Penalty<V: Lanes> {
  public var value: V
  /// The slopes that only an outer or only an inner edge has.
  public var edges: EdgeSlopes<V>
  /// The slopes that both edges of an axis have, through the centre.
  public var centerX, centerY: V
  /// The slopes in the prediction's sides: those of an upper edge, and the negatives of a lower one's.
  public var sideX, sideY: V

  @inline(always)
  public init(
    value: V, edges: EdgeSlopes<V>, centerX: V = .zero, centerY: V = .zero, sideX: V = .zero,
    sideY: V = .zero
  ) {
    self.value = value
    self.edges = edges
    self.centerX = centerX
    self.centerY = centerY
    self.sideX = sideX
    self.sideY = sideY
  }

  @inline(always) public static var none: Self { Self(value: .zero, edges: .none) }

  @inline(always) public static func + (a: Self, b: Self) -> Self {
    Self(
      value: a.value + b.value, edges: a.edges + b.edges, centerX: a.centerX + b.centerX,
      centerY: a.centerY + b.centerY, sideX: a.sideX + b.sideX, sideY: a.sideY + b.sideY)
  }

  /// A function of the penalty: its value, and its slope in the penalty.
  @inline(always) public func mapped(_ value: V, slope: V) -> Self {
    Self(
      value: value, edges: edges.times(slope), centerX: centerX * slope, centerY: centerY * slope,
      sideX: sideX * slope, sideY: sideY * slope)
  }

  /// The gradient of the penalty, and of an overlap's loss with the slopes given.
  @inline(always)
  public func gradient(_ p: Box<V>, _ t: Box<V>, with slopes: EdgeSlopes<V>) -> Box<V> {
    var gradient = (slopes + edges).gradient(p, t)
    gradient.x1 = gradient.x1 + (centerX - sideX)
    gradient.y1 = gradient.y1 + (centerY - sideY)
    gradient.x2 = gradient.x2 + (centerX + sideX)
    gradient.y2 = gradient.y2 + (centerY + sideY)
    return gradient
  }

  /// The centre's offset along one axis, from the target's: of boxes near each other a difference of
  /// differences.
  @inline(always)
  public static func offset(_ low: V, _ high: V, _ targetLow: V, _ targetHigh: V) -> TwoWords<V> {
    let (first, firstLow) = V.twoSum(low, -targetLow)
    let (second, secondLow) = V.twoSum(high, -targetHigh)
    let (sum, sumLow) = V.twoSum(first, second)
    return TwoWords.sum(sum, sumLow + (firstLow + secondLow)).times(0.5)
  }
}

// MARK: - The losses' penalties

//
// In two words, since another loss takes powers of them.

extension Penalty {
  /// (C − U) / (C + ε), of GIoU.
  @inline(always)
  public static func enclosure(_ p: Box<V>, _ t: Box<V>, _ epsilon: Double) -> Self {
    let x = EnclosedAxis(p.x1, p.x2, t.x1, t.x2)
    let y = EnclosedAxis(p.y1, p.y2, t.y1, t.y2)
    let overlaps = (V.zero .<= x.span.high) & (V.zero .<= y.span.high)
    let area = x.outer * y.outer
    let c = area + TwoWords(V(epsilon))
    let isEmpty = c.high .== .zero
    let divisor = TwoWords.select(isEmpty, TwoWords(.one), c)

    // With the overlap, C − U = ax by + bx ay, of what the enclosing box has beyond the prediction and
    // beyond the target. Boxes apart in x have cw = w + W + gap: C − w h − W H = w ay + W by + gap ch.
    let apartX = (x.side * y.beyond + x.target * y.targetBeyond) - x.span * y.outer
    let apartY = (y.side * x.beyond + y.target * x.targetBeyond) - y.span * x.outer
    let apart = TwoWords.select(x.span.high .< .zero, apartX, apartY)
    let crossed = x.beyond * y.targetBeyond + x.targetBeyond * y.beyond
    let gap = TwoWords.select(overlaps, crossed, apart)

    // An outer edge moves C by ch and C − U by ay = ch − h: (ay C − ch (C − U) + ε ay) / (C + ε)².
    // With the overlap ch (ay W − ax by) + ε ay is left, without it ch (T − h ax) + ε ay. An inner edge
    // has −(P′ − I′) / (C + ε), P′ − I′ being by or h.
    let whole = x.target * y.target
    func outer(_ a: EnclosedAxis<V>, _ b: EnclosedAxis<V>) -> V {
      let fill = TwoWords.select(
        overlaps, b.beyond * a.target - a.beyond * b.targetBeyond, whole - b.side * a.beyond)
      let own = (b.outer / divisor) * (fill / divisor)
      return V.select(
        isEmpty, .zero, (own + (TwoWords(V(epsilon)) / divisor) * (b.beyond / divisor)).high)
    }
    func inner(_ b: EnclosedAxis<V>) -> V {
      let rest = TwoWords.select(overlaps, b.targetBeyond, b.side)
      return V.select(isEmpty, .zero, -(rest / divisor).high)
    }
    return Self(
      value: V.select(isEmpty, .zero, (gap / divisor).high),
      edges: EdgeSlopes(
        outerX: outer(x, y), innerX: inner(y), outerY: outer(y, x), innerY: inner(x)))
  }

  /// ρ² / (c² + ε), of DIoU: both edges of an axis move ρ² by dx, an outer one c² by 2 cw.
  @inline(always)
  public static func distance(_ p: Box<V>, _ t: Box<V>, _ epsilon: Double) -> Self {
    let dx = offset(p.x1, p.x2, t.x1, t.x2)
    let dy = offset(p.y1, p.y2, t.y1, t.y2)
    let cw = TwoWords.sum(V.max(p.x2, t.x2), -V.min(p.x1, t.x1))
    let ch = TwoWords.sum(V.max(p.y2, t.y2), -V.min(p.y1, t.y1))
    let c = (cw * cw + ch * ch) + TwoWords(V(epsilon))
    let divisor = TwoWords.select(c.high .== .zero, TwoWords(.one), c)
    let ratio = (dx * dx + dy * dy) / divisor
    return Self(
      value: ratio.high,
      edges: EdgeSlopes(
        outerX: -((cw.times(2) / divisor) * ratio).high, innerX: .zero,
        outerY: -((ch.times(2) / divisor) * ratio).high, innerY: .zero),
      centerX: (dx / divisor).high, centerY: (dy / divisor).high)
  }

  /// α v, of CIoU, with α = v / (1 − I / (U + union) + v + ε) held constant.
  @inline(always)
  public static func aspect(
    _ p: Box<V>, _ t: Box<V>, _ epsilon: Double, union: Double
  ) -> Self {
    let pair = InnerOverlap(p, t, ratio: 1, epsilon: union)
    let aspect = Aspect(p, t, heightEpsilon: 0)
    let v =
      TwoWords(constant: 0.4052847345693511, -0x1.24a918f92ba3dp-56) * TwoWords.square(aspect.turn)
    let spread = (pair.loss + v) + TwoWords(V(epsilon))
    let isAlike = spread.high .== .zero
    let α = v / TwoWords.select(isAlike, TwoWords(.one), spread)
    return Self(
      value: (α * v).high, edges: .none, sideX: α.high * aspect.slopeW,
      sideY: α.high * aspect.slopeH)
  }

  /// (w − W)² / (cw² + ε) + (h − H)² / (ch² + ε), of EIoU.
  @inline(always)
  public static func sides(_ p: Box<V>, _ t: Box<V>, _ epsilon: Double) -> Self {
    let x = SideDifference(p.x1, p.x2, t.x1, t.x2, epsilon)
    let y = SideDifference(p.y1, p.y2, t.y1, t.y2, epsilon)
    return Self(
      value: x.ratio + y.ratio,
      edges: EdgeSlopes(outerX: -x.outer, innerX: .zero, outerY: -y.outer, innerY: .zero),
      sideX: x.slope, sideY: y.slope)
  }
}

/// One axis of `Penalty.enclosure`.
public struct EnclosedAxis<V: Lanes> {
  /// The sides, and the enclosing box's.
  public let side, target, outer: TwoWords<V>
  /// What the latter has beyond either side, and the overlap; negative of boxes apart.
  public let beyond, targetBeyond, span: TwoWords<V>

  @inline(always)
  public init(_ p1: V, _ p2: V, _ t1: V, _ t2: V) {
    let (low, high) = (V.min(p1, t1), V.max(p2, t2))
    side = .sum(p2, -p1)
    target = .sum(t2, -t1)
    outer = .sum(high, -low)
    beyond = TwoWords.sum(p1, -low) + TwoWords.sum(high, -p2)
    targetBeyond = TwoWords.sum(t1, -low) + TwoWords.sum(high, -t2)
    span = .sum(V.min(p2, t2), -V.max(p1, t1))
  }
}

/// One side's part of the cost of shape of SIoU and of Shape-IoU, for the kernels.
public struct ShapeCost<V: Lanes> {
  /// (1 − e^−ω)⁴ with ω = weight |w − W| / (max(w, W) + ε), and its slope in w.
  public let cost, slope: V

  @inline(always)
  public init(
    _ low: V, _ high: V, _ targetLow: V, _ targetHigh: V, weight: V, epsilon: Double
  ) {
    let (w, wLow) = V.twoSum(high, -low)
    let (target, targetRest) = V.twoSum(targetHigh, -targetLow)
    let difference = (w - target) + (wLow - targetRest)
    let ε = V(epsilon)
    let largest = V.max(w, target) + ε
    let isEmpty = largest .== .zero
    let inverse = V.select(isEmpty, .zero, V.one / largest)
    let ω = weight * V.select(isEmpty, .zero, V.abs(difference) / largest)
    let root = -V.expm1(-ω)
    let square = root * root
    cost = square * square
    // ω falls with w below W, by weight / (W + ε); above, it rises by weight (W + ε) / (w + ε)².
    let rate = V.select(difference .< .zero, -inverse, (target + ε) * inverse * inverse)
    slope = (V(4) * (square * root)) * (V.exp(-ω) * (weight * rate))
  }
}
