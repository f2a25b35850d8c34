/// Intersection over union: what two boxes do not share of what they cover.
///
///     L = 1 − IoU,  −ln IoU  or  1 − IoU²,   IoU = max(I / (U + ε), floor)
///
/// I is the area of the intersection, U = P + T − I that of the union, of prediction P and target T.
/// The IoU of two boxes without area is 0. Nothing is held constant.
///
/// Source: Jaccard 1901; −ln IoU: Yu et al., *UnitBox*, 2016. Spec: `Spec/Boxes/IoU.md`.
public struct IoU: BoxLoss {
  public static let name = "iou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("for the linear and the square form", .bounded(by: 1)) { $0.form != .logarithmic },
    .plain(.zeroAtTarget), .symmetric, .translated, .scaled, .scaledPerAxis, .mirrored, .swapped,
    .where("for the linear form", .plain(.triangle)) { $0.form == .linear },
    .farther,
    .atLeast("−ln IoU ≥ 1 − IoU, 1 − IoU² ≥ 1 − IoU") { loss in
      var linear = loss
      linear.form = .linear
      return linear
    },
  ]
  public static let dialects: [Dialect] = [
    .pairwise(
      "torchvision", "box_iou", "boxes1", "boxes2",
      note: "No epsilon: NaN where both boxes are empty, here 0."
    ) { _ in Self() },
    .ultralytics("bbox_iou_IoU", note: "Boxes by corners get the epsilon on both heights, too.") {
      Self(unionEpsilon: $0, heightEpsilon: $1)
    },
    .boxes(
      "keras", "keras_cv_IoULoss", "y_pred", "y_true",
      parameters: ["epsilon", "format", "mode", "axis"],
      note: "The epsilon under the intersection; boxes unbatched, nothing averaged over an axis."
    ) { call in
      try call.expectUnbatched()
      try call.expect("mode", .text("linear"))
      return Self(unionEpsilon: try call.number("epsilon", default: 1e-7), heightEpsilon: 0)
    },
    .mmdet("iou_loss_linear", parameters: ["mode"], note: mmdetNote, check: checkUnion) {
      try $0.expect("mode", .text("linear"))
      return Self(.linear, floor: try $0.number("eps", default: 1e-6))
    },
    .mmdet("iou_loss_square", parameters: ["mode"], note: mmdetNote, check: checkUnion) {
      try $0.expect("mode", .text("square"))
      return Self(.square, floor: try $0.number("eps", default: 1e-6))
    },
    .mmdet("iou_loss_log", parameters: ["mode"], note: mmdetNote, check: checkUnion) {
      try $0.expect("mode", .text("log"))
      return Self(.logarithmic, floor: try $0.number("eps", default: 1e-6))
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("heightEpsilon", \.heightEpsilon, in: 0...1, grid: [0, 1e-7]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("floor", \.floor, in: 0...1, grid: [0, 1e-6]),
  ]

  public enum Form: Sendable {
    case linear
    case logarithmic
    case square
  }

  public var form = Form.linear
  /// Added to both heights.
  public var heightEpsilon = 0.0
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// The least IoU that the loss is taken of: what makes −ln IoU finite for boxes that are apart.
  public var floor = 0.0

  public init() {}

  public init(_ form: Form, floor: Double = 0) {
    self.form = form
    self.floor = floor
  }

  init(_ form: Form = .linear, unionEpsilon: Double, heightEpsilon: Double = 0) {
    self.form = form
    self.unionEpsilon = unionEpsilon
    self.heightEpsilon = heightEpsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let ε = S(heightEpsilon)
    let overlap = p.intersection(t)
    let union = p.width * (p.height + ε) + t.width * (t.height + ε) - overlap
    let ratio = S.quotient(overlap, union + S(unionEpsilon))
    let iou = floor > 0 ? .max(ratio, S(floor)) : ratio
    return switch form {
    case .linear: 1 - iou
    case .logarithmic: -S.log(iou)
    case .square: 1 - iou * iou
    }
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: heightEpsilon, unionEpsilon: unionEpsilon)
    let linear = pair.loss
    var loss = linear
    var most = V(1 - floor)
    // The slope of the form in 1 − IoU.
    var factor = V.one
    switch form {
    case .linear: break
    case .logarithmic:
      // −ln IoU = ln(U / I) = ln(1 + (U − I) / I), whose condition is at most 1.
      loss = V.select(
        pair.area .== .zero, V(.infinity) * linear, V.log1p(pair.excess / pair.area))
      most = -V.log(V(floor))
      factor = V.select(pair.area .== .zero, .zero, pair.union / pair.area)
    case .square:
      // 1 − IoU² = (1 − IoU) (1 + IoU).
      loss = linear * (.one + pair.iou)
      most = V(1 - floor * floor)
      // 1 / U enters the slopes three times.
      let twice = pair.iou + pair.iou
      factor = twice + twice * (V(3) * pair.inverseRest)
    }
    // On the IoU itself: 1 − IoU does not tell small ones apart.
    let clipped = pair.iou .< V(floor)
    factor = V.select(clipped, .zero, factor)
    var slopes = pair.slopes
    slopes.outerX = slopes.outerX * factor
    slopes.innerX = slopes.innerX * factor
    slopes.outerY = slopes.outerY * factor
    slopes.innerY = slopes.innerY * factor
    return (V.select(clipped, most, loss), slopes.gradient(p, t))
  }
}

extension IoU {
  private static var mmdetNote: String {
    "The IoU is at least eps, and the union's least size 1e-6."
  }

  private static let checkUnion: @Sendable (Call, Item) throws -> Void = {
    try Dialect.union(atLeast: 1e-6, $1)
  }

  public static var configurations: [Configuration<Self>] {
    var framework = Self()
    framework.heightEpsilon = 1e-7
    framework.unionEpsilon = 1e-7
    return gridConfigurations + [
      Configuration("log, floor = 1e-6", Self(.logarithmic, floor: 1e-6)),
      Configuration("square", Self(.square)),
      Configuration("epsilon = 1e-7", framework),
    ]
  }
}
