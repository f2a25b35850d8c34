/// The losses 1 − IoU + penalty whose IoU another loss replaces, and whose penalty it keeps.
///
/// A penalty is never L − (1 − IoU), which has no digits left for boxes that are nearly alike.
public enum Base: Sendable, CaseIterable {
  case iou, giou, diou, ciou, eiou, siou

  // MARK: Reference

  /// - Parameter ε: added to C, c², cw² and ch², and to U and to the denominator in CIoU's α; SIoU
  ///   takes none.
  func penalty<S: Scalar>(_ p: Box<S>, _ t: Box<S>, _ ε: S) -> S {
    let box = p.enclosing(t)
    let (cw, ch) = (S.square(box.width), S.square(box.height))
    let distance = S.quotient(p.centerDistance(t), cw + ch + ε)
    return switch self {
    case .iou: 0
    case .giou: .quotient(p.outside(t), box.width * box.height + ε)
    case .diou: distance
    case .ciou: distance + p.aspectPenalty(t, ε, ε)
    case .eiou:
      distance + .quotient(S.square(p.width - t.width), cw + ε)
        + .quotient(S.square(p.height - t.height), ch + ε)
    case .siou: SIoU().penalty(p, t)
    }
  }

  /// The sizes of what the penalty's slopes in x and in y are sums of.
  func terms<S: Scalar>(_ p: Box<S>, _ t: Box<S>, _ ε: S) -> (x: S, y: S) {
    let center = p.distanceTerms(t, ε)
    func with(_ other: (x: S, y: S)) -> (x: S, y: S) { (center.x + other.x, center.y + other.y) }
    return switch self {
    case .iou: (0, 0)
    case .giou: p.outsideTerms(t, ε)
    case .diou: center
    case .ciou: with(p.aspectTerms(t, ε))
    case .eiou: with(p.sideTerms(t, ε))
    case .siou: SIoU().penaltyTerms(p, t)
    }
  }

  // MARK: Optimized

  @inline(always)
  public func penalty<V: Lanes>(_ p: Box<V>, _ t: Box<V>, epsilon: Double) -> Penalty<V> {
    switch self {
    case .iou: .none
    case .giou: .enclosure(p, t, epsilon)
    case .diou: .distance(p, t, epsilon)
    case .ciou: .distance(p, t, epsilon) + .aspect(p, t, epsilon, union: epsilon)
    case .eiou: .distance(p, t, epsilon) + .sides(p, t, epsilon)
    case .siou: SIoU().penalty(p, t)
    }
  }
}

extension Base: CustomStringConvertible {
  public var description: String {
    switch self {
    case .iou: "iou"
    case .giou: "giou"
    case .diou: "diou"
    case .ciou: "ciou"
    case .eiou: "eiou"
    case .siou: "siou"
    }
  }

  /// The value of the loss itself, without epsilons.
  func value(_ item: Item, _ values: any LawValues) -> Interval<DoubleDouble> {
    switch self {
    case .iou: values.loose(IoU(), item)
    case .giou: values.loose(GIoU(), item)
    case .diou: values.loose(DIoU(), item)
    case .ciou: values.loose(CIoU(), item)
    case .eiou: values.loose(EIoU(), item)
    case .siou: values.loose(SIoU(), item)
    }
  }

  /// What the loss itself is below.
  var bound: Double {
    switch self {
    case .iou: 1
    case .giou, .diou: 2
    case .ciou: 2.5
    case .eiou: 3.25
    case .siou: 2.02434
    }
  }
}

extension Box where Number: Scalar {
  /// C − U: of boxes that overlap, what the enclosing box has beyond the one in x times what it has
  /// beyond the other in y, which is 0 where one encloses the other.
  func outside(_ other: Self) -> Number {
    let box = enclosing(other)
    let (cw, ch) = (box.width, box.height)
    let crossed = (cw - width) * (ch - other.height) + (cw - other.width) * (ch - height)
    let apart = cw * ch - width * height - other.width * other.height
    let spanX = width + other.width - cw
    let spanY = height + other.height - ch
    return .select(spanX .< 0, apart, .select(spanY .< 0, apart, crossed))
  }

  /// The sizes of the terms of the slopes of (C − U) / (C + ε), for boxes that overlap.
  func outsideTerms(_ other: Self, _ epsilon: Number) -> (x: Number, y: Number) {
    let box = enclosing(other)
    let (cw, ch) = (box.width, box.height)
    let (ax, ay) = (cw - width, ch - height)
    let (bx, by) = (cw - other.width, ch - other.height)
    let c = cw * ch + epsilon
    let x = Number.quotient(ch * (ay * other.width + ax * by) + epsilon * ay, c * c)
    let y = Number.quotient(cw * (ax * other.height + ay * bx) + epsilon * ax, c * c)
    let isShared = Number(0) .< intersection(other)
    return (.select(isShared, x, 0), .select(isShared, y, 0))
  }

  /// α v of CIoU, α = v / (1 − I / (U + union) + v + ε) held constant.
  func aspectPenalty(_ other: Self, _ epsilon: Number, _ union: Number) -> Number {
    let cross = other.width * height - width * other.height
    let ratio = cross / (other.height * height + other.width * width)
    let turn = Number.atan(.select(cross .< 0, ratio, .select(0 .< cross, ratio, cross)))
    let v = 4 / (Number.pi * Number.pi) * Number.square(turn)
    let overlap = intersection(other)
    let areas = width * height + other.width * other.height
    let iou = Number.quotient(overlap, areas - overlap + union)
    let α = Number.clamp(.quotient(v, 1 - iou + v + epsilon), 0, 1).detached
    return α * v
  }
}
