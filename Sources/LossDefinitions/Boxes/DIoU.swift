/// Distance IoU: the IoU loss plus the squared distance of the centres over the enclosing diagonal's.
///
///     L = 1 − IoU + ρ² / (c² + ε)
///
/// ρ is the distance between the centres, c the diagonal of the smallest box that encloses both; the
/// ratio is 0 where c is 0. Nothing is held constant.
///
/// Source: Zheng et al., *Distance-IoU Loss*, AAAI 2020, eq. 5 to 7. Spec: `Spec/Boxes/DIoU.md`.
public struct DIoU: BoxLoss {
  public static let name = "diou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 2), .plain(.zeroAtTarget), .symmetric, .translated, .scaled,
    .mirrored, .swapped, .farther,
    .atLeast("DIoU loss ≥ IoU loss") { $0.overlap },
    .concentric("= IoU loss where the centres coincide") { $0.overlap },
  ]
  public static let dialects: [Dialect] = [
    .boxes(
      "torchvision", "distance_box_iou_loss", "boxes1", "boxes2", parameters: ["eps"],
      emptyMean: 0, note: "The epsilon under the intersection and under ρ²."
    ) { Self(epsilon: try $0.number("eps", default: 1e-7)) },
    .pairwise(
      "torchvision", "distance_box_iou", "boxes1", "boxes2", parameters: ["eps"],
      note: "The epsilon under ρ² alone."
    ) { call in
      var loss = Self()
      loss.enclosureEpsilon = try call.number("eps", default: 1e-7)
      return loss
    },
    .ultralytics("bbox_iou_DIoU", note: "Boxes by corners get the epsilon on both heights, too.") {
      Self(epsilon: $0, heightEpsilon: $1)
    },
    .mmdet("diou_loss", note: "The epsilon under the intersection and under ρ².") {
      Self(epsilon: try $0.number("eps", default: 1e-7))
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("heightEpsilon", \.heightEpsilon, in: 0...1, grid: [0, 1e-7]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// Added to both heights, in the areas of the boxes.
  public var heightEpsilon = 0.0
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to c².
  public var enclosureEpsilon = 0.0

  public init() {}

  public init(epsilon: Double, heightEpsilon: Double = 0) {
    self.heightEpsilon = heightEpsilon
    unionEpsilon = epsilon
    enclosureEpsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let ε = S(heightEpsilon)
    let overlap = p.intersection(t)
    let union = p.width * (p.height + ε) + t.width * (t.height + ε) - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))

    let box = p.enclosing(t)
    let diagonal = box.width * box.width + box.height * box.height
    return 1 - iou + .quotient(p.centerDistance(t), diagonal + S(enclosureEpsilon))
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let terms = p.centerTerms(t, S(enclosureEpsilon))
    return [terms.x, terms.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: heightEpsilon, unionEpsilon: unionEpsilon)
    let centers = Centers(p, t, enclosureEpsilon: enclosureEpsilon)
    var slopes = pair.slopes
    slopes.outerX = slopes.outerX - centers.outerX
    slopes.outerY = slopes.outerY - centers.outerY
    var gradient = slopes.gradient(p, t)
    gradient.x1 = gradient.x1 + centers.slopeX
    gradient.y1 = gradient.y1 + centers.slopeY
    gradient.x2 = gradient.x2 + centers.slopeX
    gradient.y2 = gradient.y2 + centers.slopeY
    return (pair.loss + centers.ratio, gradient)
  }
}

/// The distance of the centres, for the kernels of DIoU and CIoU.
public struct Centers<V: Lanes> {
  /// ρ² / c², 0 where c is 0.
  public let ratio: V
  /// The numerator's slopes: ρ² = dx² + dy² has ∂ρ²/∂x1 = ∂ρ²/∂x2 = dx.
  public let slopeX, slopeY: V
  /// The part of an outer edge: c² = cw² + ch² has ∂c²/∂x2 = 2 cw, which lowers the ratio by
  /// 2 cw ρ² / c⁴.
  public let outerX, outerY: V

  @inline(always)
  public init(_ p: Box<V>, _ t: Box<V>, enclosureEpsilon: Double) {
    let dx = ((p.x1 - t.x1) + (p.x2 - t.x2)) * V(0.5)
    let dy = ((p.y1 - t.y1) + (p.y2 - t.y2)) * V(0.5)
    let cw = V.max(p.x2, t.x2) - V.min(p.x1, t.x1)
    let ch = V.max(p.y2, t.y2) - V.min(p.y1, t.y1)
    let c = (cw * cw + ch * ch) + V(enclosureEpsilon)
    let empty = c .== .zero
    let inverse = V.select(empty, .zero, .one / c)
    ratio = V.select(empty, .zero, (dx * dx + dy * dy) / c)
    slopeX = dx * inverse
    slopeY = dy * inverse
    outerX = ((cw + cw) * inverse) * ratio
    outerY = ((ch + ch) * inverse) * ratio
  }
}

/// The same in two words, for a kernel that takes the exponential of the ratio.
public struct PreciseCenters<V: Lanes> {
  public let ratio: TwoWords<V>
  public let slopeX, slopeY, outerX, outerY: V

  @inline(always)
  public init(_ p: Box<V>, _ t: Box<V>, enclosureEpsilon: Double) {
    let dx = (TwoWords.sum(p.x1, -t.x1) + TwoWords.sum(p.x2, -t.x2)).times(0.5)
    let dy = (TwoWords.sum(p.y1, -t.y1) + TwoWords.sum(p.y2, -t.y2)).times(0.5)
    let cw = TwoWords.sum(V.max(p.x2, t.x2), -V.min(p.x1, t.x1))
    let ch = TwoWords.sum(V.max(p.y2, t.y2), -V.min(p.y1, t.y1))
    let c = (TwoWords.square(cw) + TwoWords.square(ch)) + TwoWords(V(enclosureEpsilon))
    // Where c is 0, so is every numerator.
    let whole = TwoWords.select(c.high .== .zero, TwoWords(.one), c)
    ratio = (TwoWords.square(dx) + TwoWords.square(dy)) / whole
    slopeX = dx.high / whole.high
    slopeY = dy.high / whole.high
    outerX = ((cw.high + cw.high) / whole.high) * ratio.high
    outerY = ((ch.high + ch.high) / whole.high) * ratio.high
  }
}

extension DIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("epsilon = 1e-7", Self(epsilon: 1e-7)),
      Configuration("epsilon = 1e-7, heights too", Self(epsilon: 1e-7, heightEpsilon: 1e-7)),
    ]
  }

  /// The loss's first part.
  private var overlap: IoU { IoU(unionEpsilon: unionEpsilon, heightEpsilon: heightEpsilon) }
}
