/// Efficient IoU: overlap, distance of the centres, and the differences of the sides themselves.
///
///     L = 1 − IoU + ρ² / (c² + ε) + (w − W)² / (cw² + ε) + (h − H)² / (ch² + ε)
///
/// ρ is the distance between the centres; cw, ch are the sides of the smallest box that encloses both
/// and c its diagonal; w, h are the prediction's sides and W, H the target's. A ratio over 0 is 0.
/// Nothing is held constant.
///
/// Source: Zhang et al. 2021, *Focal and Efficient IOU Loss*, arXiv 2101.08158.
/// Chapter: `Spec/Boxes/EIoU.md`.
public struct EIoU: BoxLoss {
  public static let name = "eiou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 3.25), .plain(.zeroAtTarget), .symmetric, .translated, .scaled,
    .mirrored, .swapped,
    .atLeast("EIoU loss ≥ DIoU loss") { $0.distance },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to c², cw² and ch².
  public var enclosureEpsilon = 0.0

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))

    let ε = S(enclosureEpsilon)
    let box = p.enclosing(t)
    let (cw, ch) = (S.square(box.width), S.square(box.height))
    return 1 - iou + .quotient(p.centerDistance(t), cw + ch + ε)
      + .quotient(S.square(p.width - t.width), cw + ε)
      + .quotient(S.square(p.height - t.height), ch + ε)
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let terms = p.centerTerms(t, S(enclosureEpsilon))
    let sides = p.sideTerms(t, S(enclosureEpsilon))
    return [terms.x + sides.x, terms.y + sides.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    let centers = Centers(p, t, enclosureEpsilon: enclosureEpsilon)
    let x = SideDifference(p.x1, p.x2, t.x1, t.x2, enclosureEpsilon)
    let y = SideDifference(p.y1, p.y2, t.y1, t.y2, enclosureEpsilon)
    var slopes = pair.slopes
    slopes.outerX = slopes.outerX - (centers.outerX + x.outer)
    slopes.outerY = slopes.outerY - (centers.outerY + y.outer)
    var gradient = slopes.gradient(p, t)
    gradient.x1 = (gradient.x1 + centers.slopeX) - x.slope
    gradient.y1 = (gradient.y1 + centers.slopeY) - y.slope
    gradient.x2 = (gradient.x2 + centers.slopeX) + x.slope
    gradient.y2 = (gradient.y2 + centers.slopeY) + y.slope
    return (pair.loss + (centers.ratio + (x.ratio + y.ratio)), gradient)
  }
}

/// One axis of the last two terms of EIoU, for the kernels: r = (w − W)² / (cw² + ε).
public struct SideDifference<V: Lanes> {
  /// r, its slope in w, and what an outer edge lowers it by: 2 cw r / (cw² + ε).
  public let ratio, slope, outer: V

  @inline(always)
  public init(
    _ low: V, _ high: V, _ targetLow: V, _ targetHigh: V, _ epsilon: Double
  ) {
    // The sides with their rounding errors: boxes of nearly one shape have no other digits.
    let (w, wLow) = V.twoSum(high, -low)
    let (targetW, targetWLow) = V.twoSum(targetHigh, -targetLow)
    let difference = (w - targetW) + (wLow - targetWLow)
    let c = V.max(high, targetHigh) - V.min(low, targetLow)
    let square = c * c + V(epsilon)
    let empty = square .== .zero
    let inverse = V.select(empty, .zero, .one / square)
    ratio = V.select(empty, .zero, difference * difference / square)
    slope = (difference + difference) * inverse
    outer = ((c + c) * inverse) * ratio
  }
}

extension EIoU {
  public static var configurations: [Configuration<Self>] {
    var framework = Self()
    framework.unionEpsilon = 1e-7
    framework.enclosureEpsilon = 1e-7
    return gridConfigurations + [Configuration("epsilon = 1e-7", framework)]
  }

  /// The loss's first two parts.
  private var distance: DIoU {
    var loss = DIoU(epsilon: unionEpsilon)
    loss.enclosureEpsilon = enclosureEpsilon
    return loss
  }
}
