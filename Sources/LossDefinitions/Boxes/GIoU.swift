/// Generalized IoU: the IoU loss plus the part of the smallest enclosing box that neither covers.
///
///     L = 1 − IoU + (C − U) / (C + ε)
///
/// C is the area of the smallest box that encloses both, U that of their union; the ratio is 0 where
/// C is 0. Nothing is held constant.
///
/// Source: Rezatofighi et al., *Generalized Intersection over Union*, CVPR 2019.
/// Spec: `Spec/Boxes/GIoU.md`.
public struct GIoU: BoxLoss {
  public static let name = "giou"
  public static let laws: [Law<Self>] = [
    .where("with plain heights", .nonNegative) { $0.heightEpsilon == 0 }, .bounded(by: 2),
    .plain(.zeroAtTarget), .symmetric, .translated, .scaled, .scaledPerAxis, .mirrored, .swapped,
    .farther, .plain(.triangle),
    .where("with plain heights", .atLeast("GIoU loss ≥ IoU loss") { $0.overlap }) {
      $0.heightEpsilon == 0
    },
    .where(
      "with plain heights", .nested("= IoU loss where one box encloses the other") { $0.overlap }
    ) { $0.heightEpsilon == 0 },
  ]
  public static let dialects: [Dialect] = [
    .boxes(
      "torchvision", "generalized_box_iou_loss", "boxes1", "boxes2", parameters: ["eps"],
      emptyMean: 0, note: "The epsilon under the intersection and under C − U."
    ) { Self(epsilon: try $0.number("eps", default: 1e-7)) },
    .pairwise(
      "torchvision", "generalized_box_iou", "boxes1", "boxes2",
      note: "No epsilon: NaN where C is 0, here 0."
    ) { _ in Self() },
    .boxes(
      "fvcore", "giou_loss", "boxes1", "boxes2", parameters: ["eps"], emptyMean: 0,
      note: "As torchvision's."
    ) { Self(epsilon: try $0.number("eps", default: 1e-7)) },
    .boxes(
      "keras", "keras_cv_GIoULoss", "y_pred", "y_true", parameters: ["epsilon", "format", "axis"],
      note: "As torchvision's."
    ) { call in
      try call.expectUnbatched()
      return Self(epsilon: try call.number("epsilon", default: 1e-7))
    },
    .ultralytics(
      "bbox_iou_GIoU", note: "Boxes by corners get the epsilon on both heights, but not on C's."
    ) { Self(epsilon: $0, heightEpsilon: $1) },
    .mmdet(
      "giou_loss", note: "The larger of U and eps, and of C and eps, divide.",
      check: { try Dialect.union(atLeast: try $0.number("eps", default: 1e-6), $1) }
    ) { _ in Self() },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("heightEpsilon", \.heightEpsilon, in: 0...1, grid: [0]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// Added to both heights, in the areas of the boxes.
  public var heightEpsilon = 0.0
  /// Added to the union under the intersection.
  public var unionEpsilon = 0.0
  /// Added to C where it divides.
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
    let c = box.width * box.height
    return 1 - iou + .quotient(c - union, c + S(enclosureEpsilon))
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: heightEpsilon, unionEpsilon: unionEpsilon)
    let (x1, x2) = (V.min(p.x1, t.x1), V.max(p.x2, t.x2))
    let (y1, y2) = (V.min(p.y1, t.y1), V.max(p.y2, t.y2))
    let (cw, ch) = (x2 - x1, y2 - y1)
    // What the enclosing box has beyond the prediction, and beyond the target.
    let (ax, bx) = ((p.x1 - x1) + (x2 - p.x2), (t.x1 - x1) + (x2 - t.x2))
    let (ay, by) = ((p.y1 - y1) + (y2 - p.y2), (t.y1 - y1) + (y2 - t.y2))

    // C − U without epsilon. With the overlap, w = iw + bx and W = iw + ax: ax by + bx ay is left.
    // Boxes apart in x have cw = w + W + gap: C − w h − W H = w ay + W by + gap ch.
    let apartX = pair.w * ay + pair.targetW * by - pair.spanX * ch
    let apartY = pair.h * ax + pair.targetH * bx - pair.spanY * cw
    let apart = V.select(pair.spanX .< .zero, apartX, apartY)
    let gap = V.select(pair.overlaps, ax * by + bx * ay, apart)
    let c = cw * ch + V(enclosureEpsilon)
    let inverse = V.select(c .== .zero, .zero, .one / c)

    // The height's epsilon adds δ to the union, δ / U to the first term and −δ / C to the second:
    // δ (C − U) / (U C), so that what is left does not come from a difference of the two.
    let shift = ((gap - pair.lift) + V(enclosureEpsilon - unionEpsilon)) * pair.inverse
    let outside = gap + pair.lift * shift
    let base = V.select(pair.union .== .zero, .one, pair.bareExcess / (pair.excess + pair.area))
    let loss = base + V.select(c .== .zero, .zero, outside / c)

    // An outer edge with slope C′ has (C′ (U + ε) − P′ (C + ε)) / (C + ε)². In x, C′ = ch and P′ = h:
    // ch (T − I + h w − h cw) + ε (ch − h). An inner edge has −(P′ − I′) / (C + ε).
    let ε = V(heightEpsilon)
    let e = V(enclosureEpsilon) * inverse
    let fillX = (pair.targetRest - pair.tall * ax) * inverse
    let fillY = (pair.targetRest - pair.w * (ay - ε)) * inverse
    var slopes = pair.slopes
    slopes.outerX = slopes.outerX + ((ch * inverse) * fillX + e * ((ay - ε) * inverse))
    slopes.innerX = slopes.innerX - pair.restH * inverse
    slopes.outerY = slopes.outerY + ((cw * inverse) * fillY + e * (ax * inverse))
    slopes.innerY = slopes.innerY - pair.restW * inverse
    return (loss, slopes.gradient(p, t))
  }
}

extension GIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("epsilon = 1e-7", Self(epsilon: 1e-7)),
      Configuration("epsilon = 1e-7, heights too", Self(epsilon: 1e-7, heightEpsilon: 1e-7)),
    ]
  }

  /// The loss's first part.
  private var overlap: IoU { IoU(unionEpsilon: unionEpsilon, heightEpsilon: heightEpsilon) }
}
