/// Shape-IoU: distance of the centres and differences of the sides, weighted by the target's shape.
///
///     L = 1 − IoU + (b dx² + a dy²) / (c² + ε) + Ω / 2
///     a = 2 Wˢ / (Wˢ + Hˢ),   b = 2 Hˢ / (Wˢ + Hˢ)
///     Ω = (1 − e^(−b |w − W| / max(w, W)))⁴ + (1 − e^(−a |h − H| / max(h, H)))⁴
///
/// (dx, dy) is the offset of the centres, c the diagonal of the smallest box that encloses both; w, h
/// are the prediction's sides and W, H the target's; s ≥ 0 is the `scale`. A ratio over 0 is 0, and
/// a = b = 1 for a point. The target is held constant: only at s = 0 is the loss symmetric.
///
/// Source: Zhang and Zhang 2023, *Shape-IoU: More Accurate Metric considering Bounding Box Shape and
/// Scale*, arXiv 2312.17663. Chapter: `Spec/Boxes/ShapeIoU.md`.
public struct ShapeIoU: BoxLoss {
  public static let name = "shape_iou"
  public static let targetGradient = TargetGradient.none
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 3.2795), .plain(.zeroAtTarget),
    .where("at scale = 0", .symmetric) { $0.scale == 0 }, .translated, .scaled, .mirrored,
    .swapped,
    .where("at scale = 0", .atLeast("Shape-IoU loss ≥ DIoU loss") { $0.distance }) {
      $0.scale == 0
    },
    .where(
      "at scale = 0", .concentric("= SIoU loss where the centres coincide") { $0.overlap }
    ) { $0.scale == 0 },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("scale", \.scale, in: 0...8, grid: [0, 0.5, 1, 2]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// The power that the target's sides are weighted by.
  public var scale = 0.0
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to c².
  public var enclosureEpsilon = 0.0

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))

    let (a, b) = weights(t)
    let box = p.enclosing(t)
    let diagonal = S.square(box.width) + S.square(box.height)
    let dx = (p.x1 + p.x2 - t.x1 - t.x2) * 0.5
    let dy = (p.y1 + p.y2 - t.y1 - t.y2) * 0.5
    let distance = S.quotient(
      b * S.square(dx) + a * S.square(dy), diagonal + S(enclosureEpsilon))
    let Ω =
      SIoU.shape(p.width, t.width, 0, weight: b) + SIoU.shape(p.height, t.height, 0, weight: a)
    return 1 - iou + distance + 0.5 * Ω
  }

  /// 2 Wˢ / (Wˢ + Hˢ) and 2 Hˢ / (Wˢ + Hˢ), over the larger side's power.
  func weights<S: Scalar>(_ t: Box<S>) -> (S, S) {
    let (w, h) = (t.width, t.height)
    let power = S.pow(.quotient(.min(w, h), .max(w, h)), S(scale))
    let (less, more) = (2 * power / (1 + power), 2 / (1 + power))
    return (
      .select(w .< h, less, .select(h .< w, more, 1)),
      .select(w .< h, more, .select(h .< w, less, 1))
    )
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let edges = p.edgeTerms(t)
    let (a, b) = weights(t)
    let box = p.enclosing(t)
    let c = S.square(box.width) + S.square(box.height) + S(enclosureEpsilon)
    let dx = S.abs(p.x1 + p.x2 - t.x1 - t.x2) * 0.5
    let dy = S.abs(p.y1 + p.y2 - t.y1 - t.y2) * 0.5
    let ratio = S.quotient(b * S.square(dx) + a * S.square(dy), c)
    return [
      edges.x + .quotient(b * dx + 2 * box.width * ratio, c)
        + 0.5 * SIoU.shapeTerm(p.width, t.width, 0, weight: b),
      edges.y + .quotient(a * dy + 2 * box.height * ratio, c)
        + 0.5 * SIoU.shapeTerm(p.height, t.height, 0, weight: a),
    ]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    // With k = (smaller / larger)ˢ the weights are 2 / (1 + k), of the larger side, and 2 k / (1 + k).
    let (w, h) = (pair.targetW, pair.targetH)
    let larger = V.max(w, h)
    let side = V.select(larger .== .zero, .zero, V.min(w, h) / larger)
    let k = V.pow(side, V(scale))
    let more = V(2) / (V.one + k)
    let less = k * more
    let a = V.select(w .< h, less, V.select(h .< w, more, .one))
    let b = V.select(w .< h, more, V.select(h .< w, less, .one))

    let dx = Penalty.offset(p.x1, p.x2, t.x1, t.x2).high
    let dy = Penalty.offset(p.y1, p.y2, t.y1, t.y2).high
    let cw = V.max(p.x2, t.x2) - V.min(p.x1, t.x1)
    let ch = V.max(p.y2, t.y2) - V.min(p.y1, t.y1)
    let c = (cw * cw + ch * ch) + V(enclosureEpsilon)
    let isEmpty = c .== .zero
    let inverse = V.select(isEmpty, .zero, V.one / c)
    let (bx, ay) = (b * dx, a * dy)
    let ratio = V.select(isEmpty, .zero, (bx * dx + ay * dy) / c)
    let wide = ShapeCost(p.x1, p.x2, t.x1, t.x2, weight: b, epsilon: 0)
    let tall = ShapeCost(p.y1, p.y2, t.y1, t.y2, weight: a, epsilon: 0)
    // ∂(b dx²)/∂x1 = ∂(b dx²)/∂x2 = b dx; an outer edge lowers the ratio by 2 cw / c² of itself.
    let penalty = Penalty(
      value: ratio + V(0.5) * (wide.cost + tall.cost),
      edges: EdgeSlopes(
        outerX: -(((cw + cw) * inverse) * ratio), innerX: .zero,
        outerY: -(((ch + ch) * inverse) * ratio), innerY: .zero),
      centerX: bx * inverse, centerY: ay * inverse,
      sideX: V(0.5) * wide.slope, sideY: V(0.5) * tall.slope)
    return (pair.loss + penalty.value, penalty.gradient(p, t, with: pair.slopes))
  }
}

extension ShapeIoU {
  public static var configurations: [Configuration<Self>] {
    var framework = Self()
    framework.scale = 1
    framework.unionEpsilon = 1e-7
    framework.enclosureEpsilon = 1e-7
    return gridConfigurations + [Configuration("scale = 1, epsilon = 1e-7", framework)]
  }

  /// The loss's first two parts at s = 0.
  private var distance: DIoU {
    var loss = DIoU(epsilon: unionEpsilon)
    loss.enclosureEpsilon = enclosureEpsilon
    return loss
  }

  /// What is left of the loss at s = 0 where the centres coincide.
  private var overlap: SIoU {
    var loss = SIoU()
    loss.unionEpsilon = unionEpsilon
    return loss
  }
}
