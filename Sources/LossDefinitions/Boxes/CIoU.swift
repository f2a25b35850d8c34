/// Complete IoU: overlap, distance of the centres, and aspect ratio.
///
///     L = 1 − IoU + ρ² / (c² + ε) + α v,   v = 4/π² (atan(W / H) − atan(w / h))²,
///     α = v / (1 − IoU + v + ε)
///
/// ρ is the distance between the centres, c the diagonal of the smallest box that encloses both;
/// w, h are the prediction's sides and W, H the target's. α is held constant, unless attached.
///
/// Source: Zheng et al., *Distance-IoU Loss*, AAAI 2020, eq. 8 to 11. Spec: `Spec/Boxes/CIoU.md`.
public struct CIoU: BoxLoss {
  public static let name = "ciou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 2.5), .plain(.zeroAtTarget), .symmetric, .translated, .scaled,
    .mirrored, .swapped,
    .where("ungated", .farther) { $0.weight != .gated },
    .atLeast("CIoU loss ≥ DIoU loss") { $0.distance },
    .plain(.similar("= DIoU loss where the boxes have one shape") { $0.distance }),
  ]
  public static let dialects: [Dialect] = [
    .boxes(
      "torchvision", "complete_box_iou_loss", "boxes1", "boxes2", parameters: ["eps"],
      emptyMean: 0, note: "1e-7 under the intersection and under ρ²; eps in α alone."
    ) { call in
      var loss = Self(.constant, epsilon: 1e-7)
      loss.aspectEpsilon = try call.number("eps", default: 1e-7)
      return loss
    },
    .pairwise(
      "torchvision", "complete_box_iou", "boxes1", "boxes2", parameters: ["eps"],
      note: "The epsilon under ρ² and in α."
    ) { call in
      var loss = Self(.constant, epsilon: try call.number("eps", default: 1e-7))
      loss.unionEpsilon = 0
      return loss
    },
    .ultralytics(
      "bbox_iou_CIoU", note: "Boxes by corners get the epsilon on both heights, too, and in v."
    ) { Self(.constant, epsilon: $0, heightEpsilon: $1) },
    .boxes(
      "keras", "compute_ciou", "boxes1", "boxes2", parameters: ["epsilon", "alpha"],
      similarity: true, note: "The epsilon twice on the union, on both heights; α is attached."
    ) { call in
      try call.expect("alpha", .text("differentiated"))
      return Self(keras: try call.number("epsilon", default: 1e-7))
    },
    .boxes(
      "keras", "keras_cv_CIoULoss", "y_pred", "y_true", parameters: ["epsilon", "format"],
      note: "As compute_ciou, but with (4/π²)² in v for 4/π²."
    ) { call in
      try call.expect("format", .text("xyxy"))
      var loss = Self(keras: try call.number("epsilon", default: 1e-7))
      loss.aspectScale = 4 / (Double.pi * Double.pi)
      return loss
    },
    .mmdet(
      "ciou_loss", most: 2,
      note: "α is gated, without epsilon; heights get theirs in v alone; at most 2."
    ) { call in
      var loss = Self(.gated, epsilon: try call.number("eps", default: 1e-7))
      loss.shapeEpsilon = loss.unionEpsilon
      loss.aspectEpsilon = 0
      return loss
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("heightEpsilon", \.heightEpsilon, in: 0...1, grid: [0, 1e-7]),
    Hyperparameter("shapeEpsilon", \.shapeEpsilon, in: 0...1, grid: [0]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("aspectEpsilon", \.aspectEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("aspectScale", \.aspectScale, in: 0...1, grid: [0.40528473456935109, 1]),
  ]

  public enum Weight: Sendable {
    /// α is held constant.
    case constant
    /// α is differentiated.
    case attached
    /// α is held constant, and 0 where the IoU is at most 1/2.
    case gated
  }

  public var weight = Weight.constant
  /// Added to both heights, in the areas of the boxes and in their aspect ratios.
  public var heightEpsilon = 0.0
  /// Added to both heights in their aspect ratios alone.
  public var shapeEpsilon = 0.0
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to c².
  public var enclosureEpsilon = 0.0
  /// Added to α's denominator.
  public var aspectEpsilon = 0.0
  /// What v is multiplied by: 1, except for a slip that was released.
  public var aspectScale = 1.0

  public init() {}

  public init(_ weight: Weight, epsilon: Double, heightEpsilon: Double = 0) {
    self.weight = weight
    self.heightEpsilon = heightEpsilon
    unionEpsilon = epsilon
    enclosureEpsilon = epsilon
    aspectEpsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let ε = S(heightEpsilon)
    let overlap = p.intersection(t)
    let union = p.width * (p.height + ε) + t.width * (t.height + ε) - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))

    let box = p.enclosing(t)
    let diagonal = box.width * box.width + box.height * box.height
    let distance = S.quotient(p.centerDistance(t), diagonal + S(enclosureEpsilon))

    // atan(W / H) − atan(w / h), as one arctangent.
    let σ = S(heightEpsilon + shapeEpsilon)
    let (w, h, W, H) = (p.width, p.height + σ, t.width, t.height + σ)
    let cross = W * h - w * H
    let ratio = cross / (H * h + W * w)
    let turn = S.atan(.select(cross .< 0, ratio, .select(0 .< cross, ratio, cross)))
    let v = S(aspectScale) * 4 / (S.pi * S.pi) * turn * turn
    // α is at most 1; that is said again for the bounds of intervals.
    let share = S.quotient(v, 1 - iou + v + S(aspectEpsilon))
    let α =
      switch weight {
      case .constant: S.clamp(share, 0, 1).detached
      case .attached: S.clamp(share, 0, 1)
      case .gated: S.select(0.5 .< iou, .clamp(share, 0, 1), 0).detached
      }
    return 1 - iou + distance + α * v
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let terms = p.centerTerms(t, S(enclosureEpsilon))
    let aspect = p.aspectTerms(t, S(aspectEpsilon), scale: S(aspectScale))
    return [terms.x + aspect.x, terms.y + aspect.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: heightEpsilon, unionEpsilon: unionEpsilon)
    let centers = Centers(p, t, enclosureEpsilon: enclosureEpsilon)
    let aspect = Aspect(
      p, t, heightEpsilon: heightEpsilon + shapeEpsilon, scale: aspectScale)

    let v = aspect.v
    let spread = (pair.loss + v) + V(aspectEpsilon)
    var α = V.select(spread .== .zero, .zero, v / spread)
    // α v = v² / (u + v + ε), with u = 1 − IoU: the slope in v is α if α is constant, else
    // α (2 − α), and the slope in u is 0, else −α².
    var slope = α
    var slopes = pair.slopes
    switch weight {
    case .constant: break
    case .gated:
      α = V.select(pair.union .< pair.area + pair.area, α, .zero)
      slope = α
    case .attached:
      slope = α * (V(2) - α)
      let rest = (.one - α) * (.one + α)
      slopes.outerX = slopes.outerX * rest
      slopes.innerX = slopes.innerX * rest
      slopes.outerY = slopes.outerY * rest
      slopes.innerY = slopes.innerY * rest
    }
    slopes.outerX = slopes.outerX - centers.outerX
    slopes.outerY = slopes.outerY - centers.outerY
    let (slopeW, slopeH) = (slope * aspect.slopeW, slope * aspect.slopeH)
    var gradient = slopes.gradient(p, t)
    gradient.x1 = (gradient.x1 + centers.slopeX) - slopeW
    gradient.y1 = (gradient.y1 + centers.slopeY) - slopeH
    gradient.x2 = (gradient.x2 + centers.slopeX) + slopeW
    gradient.y2 = (gradient.y2 + centers.slopeY) + slopeH
    return ((pair.loss + centers.ratio) + α * v, gradient)
  }
}

/// The aspect term v and its slopes in the prediction's sides.
///
/// atan(W / H) − atan(w / h) = atan((W h − w H) / (H h + W w)), whose numerator cancels for boxes of
/// nearly one shape, and a small box's gradient is then the term's alone: the numerator is taken from
/// the exact sides and exact products.
public struct Aspect<V: Lanes> {
  public let v, slopeW, slopeH: V
  /// The difference of the angles.
  public let turn: TwoWords<V>

  @inline(always)
  public init(_ p: Box<V>, _ t: Box<V>, heightEpsilon: Double, scale: Double = 1) {
    let (w, wLow) = V.twoSum(p.x2, -p.x1)
    let (targetW, targetWLow) = V.twoSum(t.x2, -t.x1)
    let (h, hLow) = Self.height(p.y1, p.y2, heightEpsilon)
    let (targetH, targetHLow) = Self.height(t.y1, t.y2, heightEpsilon)
    let (first, firstLow) = V.twoProduct(targetW, h)
    let (second, secondLow) = V.twoProduct(w, targetH)
    let low = (targetWLow * h + targetW * hLow) - (wLow * targetH + w * targetHLow)
    let (cross, crossLow) = V.twoSum(first, -second)
    let (third, thirdLow) = V.twoProduct(targetH, h)
    let (fourth, fourthLow) = V.twoProduct(targetW, w)
    let otherLow = (targetHLow * h + targetH * hLow) + (targetWLow * w + targetW * wLow)
    let (sum, sumLow) = V.twoSum(third, fourth)
    // The quotient in two words: α turn goes as its cube where the shapes are alike.
    let (numerator, numeratorLow) = V.twoSum(cross, crossLow + ((firstLow - secondLow) + low))
    let (denominator, denominatorLow) = V.twoSum(
      sum, sumLow + ((thirdLow + fourthLow) + otherLow))
    let (ratio, rest) = V.quotient(numerator, numeratorLow, denominator, denominatorLow)
    // Not a number where the ratio is infinite.
    let ratioLow = V.select(rest .== rest, rest, .zero)
    let (arc, arcLow) = V.atanParts(ratio)
    let (angle, angleLow) = V.quickTwoSum(arc, ratioLow / (.one + ratio * ratio))
    let isAlike = numerator .== .zero
    let turn = V.select(isAlike, .zero, angle)
    self.turn = TwoWords(turn, V.select(isAlike, .zero, angleLow + arcLow))

    // v = k turn², ∂turn/∂w = −h / (w² + h²) and ∂turn/∂h = w / (w² + h²).
    let k = scale * 4 / (Double.pi * Double.pi)
    v = V(k) * (turn * turn)
    let size = w * w + h * h
    let rate = V.select(turn .== .zero, .zero, V(2 * k) * turn / size)
    slopeW = -(rate * h)
    slopeH = rate * w
  }

  /// A height and its rounding error.
  @inline(always)
  public static func height(_ y1: V, _ y2: V, _ epsilon: Double) -> (V, V) {
    let (side, sideLow) = V.twoSum(y2, -y1)
    let (tall, tallLow) = V.twoSum(side, V(epsilon))
    return (tall, sideLow + tallLow)
  }
}

extension CIoU {
  public static var configurations: [Configuration<Self>] {
    var mmdet = Self(.gated, epsilon: 1e-7)
    mmdet.shapeEpsilon = 1e-7
    mmdet.aspectEpsilon = 0
    return gridConfigurations + [
      Configuration("epsilon = 1e-7", Self(.constant, epsilon: 1e-7)),
      Configuration(
        "epsilon = 1e-7, heights too", Self(.constant, epsilon: 1e-7, heightEpsilon: 1e-7)),
      Configuration("attached, epsilon = 1e-7", Self(keras: 1e-7)),
      Configuration("gated", Self(.gated, epsilon: 0)),
      Configuration("gated, epsilon = 1e-7", mmdet),
    ]
  }

  /// Keras' places of one epsilon.
  private init(keras epsilon: Double) {
    self.init(.attached, epsilon: epsilon, heightEpsilon: epsilon)
    unionEpsilon = 2 * epsilon
  }

  /// The loss's first two parts.
  private var distance: DIoU {
    var loss = DIoU(epsilon: unionEpsilon, heightEpsilon: heightEpsilon)
    loss.enclosureEpsilon = enclosureEpsilon
    return loss
  }
}
