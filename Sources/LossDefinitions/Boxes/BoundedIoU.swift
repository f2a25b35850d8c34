/// Bounded IoU: for each of x, y, w and h, what the IoU would lose by that coordinate alone.
///
///     Lx = 1 − max(0, (W − 2a) / (W + 2a + ε)),  a = |cx − CX|        (paper)
///     Lx = 2a / (W + a + ε)                                           (author's code)
///     Lw = 1 − min(W / (w + ε), w / (W + ε))
///     L = Σ weight · SmoothL1(Lx, Ly, Lw, Lh; β)
///
/// w, h, cx, cy are the prediction's sides and centre, capitals the target's; y and h are likewise.
/// A ratio over 0 is 0. The target is held constant. β = 0 leaves the costs as they are.
///
/// Source: Tychsen-Smith and Petersson 2017, *Improving Object Localization with Fitness NMS and
/// Bounded IoU Loss*, arXiv 1711.00164. Chapter: `Spec/Boxes/BoundedIoU.md`.
public struct BoundedIoU: BoxLoss {
  public static let name = "bounded_iou"
  public static let targetGradient = TargetGradient.none
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .where("in the paper's form", .bounded(by: 4)) { $0.form == .paper },
    .plain(.zeroAtTarget), .translated, .scaled, .scaledPerAxis, .mirrored, .swapped,
  ]
  public static let dialects: [Dialect] = [
    Dialect(
      "mmdet", "bounded_iou_loss", "The four costs by themselves, (N, 4), in the paper's form.",
      inputs: ["pred", "target"], parameters: ["beta", "eps"]
    ) { call, evaluator in
      let (x, items) = try call.pairs("pred", "target")
      var loss = Self()
      loss.beta = try call.number("beta", default: 0.2)
      loss.epsilon = try call.number("eps", default: 1e-3)
      let each = try [\Self.weightX, \.weightY, \.weightW, \.weightH].map { coordinate in
        var alone = loss
        for weight in [\Self.weightX, \.weightY, \.weightW, \.weightH] {
          alone[keyPath: weight] = 0
        }
        alone[keyPath: coordinate] = 1
        return try evaluator.evaluate(alone, items)
      }
      let entries = items.indices.flatMap { i in each.map { $0[i].value } }
      let (value, slopes) = try call.reduce(Tensor(x.shape, entries))
      let gradient = items.indices.flatMap { i in
        (0..<4).map { k in
          (0..<4).reduce(0.0) { $0 + slopes[4 * i + $1] * each[$1][i].prediction[k] }
        }
      }
      return Answer(value, gradients: ["pred": Tensor(x.shape, gradient)])
    }
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("beta", \.beta, in: 0...1, grid: [0, 0.2, 1]),
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("weightX", \.weightX, in: 0...1, grid: [0]),
    Hyperparameter("weightY", \.weightY, in: 0...1, grid: [0]),
    Hyperparameter("weightW", \.weightW, in: 0...1, grid: [0]),
    Hyperparameter("weightH", \.weightH, in: 0...1, grid: [0]),
  ]

  public enum Form: Sendable { case paper, author }

  public var form = Form.paper
  /// Where the costs change from squares to lines.
  public var beta = 0.2
  /// Added to every denominator.
  public var epsilon = 0.0
  public var weightX = 1.0
  public var weightY = 1.0
  public var weightW = 1.0
  public var weightH = 1.0

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let ε = S(epsilon)
    func center(_ offset: S, _ side: S) -> S {
      let a = S.abs(offset)
      return switch form {
      case .paper: 1 - .max(0, .quotient(side - 2 * a, side + 2 * a + ε))
      case .author: .quotient(2 * a, side + a + ε)
      }
    }
    func size(_ side: S, _ target: S) -> S {
      1 - .min(.quotient(target, side + ε), .quotient(side, target + ε))
    }
    func smooth(_ cost: S) -> S { SmoothL1(beta: beta).reference(cost, 0) }
    let dx = (p.x1 + p.x2 - t.x1 - t.x2) * 0.5
    let dy = (p.y1 + p.y2 - t.y1 - t.y2) * 0.5
    return S(weightX) * smooth(center(dx, t.width)) + S(weightY) * smooth(center(dy, t.height))
      + S(weightW) * smooth(size(p.width, t.width))
      + S(weightH) * smooth(size(p.height, t.height))
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let x = axis(p.x1, p.x2, t.x1, t.x2, weightX, weightW)
    let y = axis(p.y1, p.y2, t.y1, t.y2, weightY, weightH)
    return (
      x.loss + y.loss,
      Box(
        x1: x.center - x.side, y1: y.center - y.side, x2: x.center + x.side, y2: y.center + y.side)
    )
  }

  /// The costs of one axis, and their slopes in a corner: the centre's, and the side's in the upper.
  @inline(always)
  public func axis<V: Lanes>(
    _ low: V, _ high: V, _ targetLow: V, _ targetHigh: V, _ weight: Double, _ sideWeight: Double
  ) -> (loss: V, center: V, side: V) {
    // Offset and difference of the sides from the edges' differences, with what rounding lost: each
    // may be all that is left of them.
    let (first, firstLow) = V.twoSum(low, -targetLow)
    let (second, secondLow) = V.twoSum(high, -targetHigh)
    let (sum, sumLow) = V.twoSum(first, second)
    let (rest, restLow) = V.twoSum(second, -first)
    let offset = V(0.5) * (sum + (sumLow + (firstLow + secondLow)))
    let difference = rest + (restLow + (secondLow - firstLow))
    let (w, target) = (high - low, targetHigh - targetLow)
    let ε = V(epsilon)

    // 1 − (W − 2a) / (W + 2a + ε) = (4a + ε) / (W + 2a + ε), and its slope in a is
    // (4W + 2ε) / (W + 2a + ε)²; the author's 2a / (W + a + ε) has 2 (W + ε) / (W + a + ε)².
    let a = V.abs(offset)
    let cost: V
    var slope: V
    switch form {
    case .paper:
      let twice = a + a
      let bottom = (target + twice) + ε
      let isFree = twice .< target
      cost = V.select(isFree, ((twice + twice) + ε) / bottom, .one)
      slope = (V(4) * target + (ε + ε)) / bottom / bottom
      slope = V.select(
        isFree, slope, V.select((twice .== target) & (.zero .< target), V(0.5) * slope, .zero))
    case .author:
      let bottom = (target + a) + ε
      let empty = bottom .== .zero
      cost = V.select(empty, .zero, (a + a) / bottom)
      slope = V.select(empty, .zero, ((target + target) + (ε + ε)) / bottom / bottom)
    }
    let centered = smooth(cost, weight)

    // The side that is larger is under the difference: (|w − W| + ε) / (max(w, W) + ε). For w > W its
    // slope in w is W / (w + ε)², for w < W it is −1 / (W + ε).
    let bottom = V.max(w, target) + ε
    let empty = bottom .== .zero
    let sideCost = V.select(empty, .one, (V.abs(difference) + ε) / bottom)
    let larger = V.select(empty, .zero, target / bottom / bottom)
    let smaller = V.select(empty, .zero, -(.one / bottom))
    let sideSlope = V.select(
      .zero .< difference, larger,
      V.select(difference .< .zero, smaller, V(0.5) * (larger + smaller)))
    let sided = smooth(sideCost, sideWeight)
    return (
      centered.value + sided.value, V(0.5) * (centered.slope * (V.sign(offset) * slope)),
      sided.slope * sideSlope
    )
  }

  /// A weighted cost's smooth L1, and its slope.
  @inline(always)
  public func smooth<V: Lanes>(_ cost: V, _ weight: Double) -> (value: V, slope: V) {
    let isInner = cost .< V(beta)
    let ratio = cost / V(beta)
    return (
      V(weight) * V.select(isInner, ratio * (V(0.5) * cost), cost - V(0.5 * beta)),
      V(weight) * V.select(isInner, ratio, .one)
    )
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    // The slopes of a centre and of a side, whose sum and difference the corners have: at most those
    // of the costs before they are smoothed, times the smoothing's.
    func terms(_ offset: S, _ w: S, _ target: S, _ weight: Double, _ sideWeight: Double) -> S {
      let a = S.abs(offset)
      let bottom = target + (form == .paper ? 2 * a : a) + S(epsilon)
      let cost = S.quotient((form == .paper ? 4 : 2) * a + S(epsilon), bottom)
      let slope = S.quotient(2 * target + S(epsilon), bottom * bottom)
      let larger = S.max(w, target) + S(epsilon)
      let sideCost = S.quotient(S.abs(w - target) + S(epsilon), larger)
      func factor(_ cost: S) -> S { beta > 0 ? .min(1, cost / S(beta)) : 1 }
      return S(weight) * factor(cost) * slope
        + S(sideWeight) * factor(sideCost) * S.quotient(1, larger)
    }
    return [
      terms((p.x1 + p.x2 - t.x1 - t.x2) * 0.5, p.width, t.width, weightX, weightW),
      terms((p.y1 + p.y2 - t.y1 - t.y2) * 0.5, p.height, t.height, weightY, weightH),
    ]
  }
}

extension BoundedIoU {
  public static var configurations: [Configuration<Self>] {
    var author = Self()
    author.form = .author
    var sharp = author
    sharp.beta = 0
    var mmdet = Self()
    mmdet.epsilon = 1e-3
    return gridConfigurations + [
      Configuration("author's", author), Configuration("author's, beta = 0", sharp),
      Configuration("beta = 0.2, epsilon = 0.001", mmdet),
    ]
  }
}
