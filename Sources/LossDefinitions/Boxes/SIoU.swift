/// Scylla IoU: overlap, distance of the centres under a weight for their direction, and shape.
///
///     L = 1 − IoU + (Δ + Ω) / 2
///     Δ = Σ 1 − e^(−γ (sx / cw)²),   γ = 2 − Λ,   Λ = 2 |sx| |sy| / (sx² + sy²)
///     Ω = Σ (1 − e^(−ω))⁴,           ω = |w − W| / max(w, W)
///
/// Δ has a term for x and one for y, Ω one for w and one for h. (sx, sy) is from the prediction's
/// centre to the target's; cw, ch are the sides of the smallest box that encloses both, w, h the
/// prediction's and W, H the target's. A ratio over 0 is 0. Nothing is held constant.
///
/// Source: Gevorgyan 2022, *SIoU Loss: More Powerful Learning for Bounding Box Regression*, arXiv
/// 2205.12740. Chapter: `Spec/Boxes/SIoU.md`.
public struct SIoU: BoxLoss {
  public static let name = "siou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .plain(.bounded(by: 2.02434)), .plain(.zeroAtTarget),
    .where("without offset", .symmetric) { $0.offsetEpsilon == 0 }, .translated, .scaled,
    .where("without offset", .mirrored) { $0.offsetEpsilon == 0 }, .swapped,
    .atLeast("SIoU loss ≥ IoU loss") { IoU(unionEpsilon: $0.unionEpsilon) },
  ]
  public static let dialects: [Dialect] = [
    .mmdet(
      "siou_loss", parameters: ["neg_gamma"], least: 0, most: 2,
      note: "γ has the wrong sign unless `neg_gamma`; eps under the intersection, on both offsets "
        + "and on the heights of Ω; from 0 to 2.",
      check: { call, item in
        let box = Box(item.prediction).enclosing(Box(item.target))
        let least = try call.number("eps", default: 1e-7)
        if Swift.min(box.width, box.height) < least {
          throw Refusal.rejected(
            "a pair is \(box.width) x \(box.height); expected \(least) or more")
        }
      }
    ) { call in
      var loss = Self(epsilon: try call.number("eps", default: 1e-7))
      loss.sign = try call.flag("neg_gamma", default: false) ? .paper : .reversed
      return loss
    }
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("offsetEpsilon", \.offsetEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("shapeEpsilon", \.shapeEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  public enum Sign: Sendable {
    case paper
    /// MMDetection's default, e^(+γ (sx / cw)²): distance lowers the loss.
    case reversed
  }

  public var sign = Sign.paper
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to both components of the offset from prediction to target.
  public var offsetEpsilon = 0.0
  /// Added to both heights, in Ω.
  public var shapeEpsilon = 0.0

  public init() {}

  /// The frameworks' places of one epsilon.
  public init(epsilon: Double) {
    unionEpsilon = epsilon
    offsetEpsilon = epsilon
    shapeEpsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))
    return 1 - iou + penalty(p, t)
  }

  /// (Δ + Ω) / 2
  func penalty<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let box = p.enclosing(t)
    let sx = (t.x1 + t.x2 - p.x1 - p.x2) * 0.5 + S(offsetEpsilon)
    let sy = (t.y1 + t.y2 - p.y1 - p.y2) * 0.5 + S(offsetEpsilon)
    let Λ = S.quotient(2 * S.abs(sx) * S.abs(sy), S.square(sx) + S.square(sy))
    // Λ is at most 1; that is said again for the bounds of intervals.
    let γ = 2 - S.clamp(Λ, 0, 1)
    func distance(_ s: S, _ c: S) -> S {
      let ρ = γ * S.square(.quotient(s, c))
      return -S.expm1(sign == .paper ? -ρ : ρ)
    }
    let Δ = distance(sx, box.width) + distance(sy, box.height)
    let Ω = Self.shape(p.width, t.width, 0) + Self.shape(p.height, t.height, S(shapeEpsilon))
    return 0.5 * (Δ + Ω)
  }

  /// (1 − e^−ω)⁴, where ω may have a weight.
  static func shape<S: Scalar>(_ w: S, _ target: S, _ epsilon: S, weight: S = 1) -> S {
    let ω = weight * S.quotient(.abs(w - target), .max(w, target) + epsilon)
    return .square(.square(.expm1(-ω)))
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let edges = p.edgeTerms(t)
    let others = penaltyTerms(p, t)
    return [edges.x + others.x, edges.y + others.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    let penalty = penalty(p, t)
    return (pair.loss + penalty.value, penalty.gradient(p, t, with: pair.slopes))
  }

  @inline(always)
  public func penalty<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> Penalty<V> {
    let ε = V(offsetEpsilon)
    let sx = ε - Penalty.offset(p.x1, p.x2, t.x1, t.x2).high
    let sy = ε - Penalty.offset(p.y1, p.y2, t.y1, t.y2).high
    // With q the smaller of |sx|, |sy| over the larger, γ = 1 + (1 − q)² / (1 + q²): no square of
    // an offset over- or underflows. Its slopes are q f / larger in the larger and −f / larger in
    // the smaller, f = 2 (1 − q²) / (1 + q²)².
    let (ax, ay) = (V.abs(sx), V.abs(sy))
    let (larger, smaller) = (V.max(ax, ay), V.min(ax, ay))
    let isConcentric = larger .== .zero
    let q = V.select(isConcentric, .zero, smaller / larger)
    let size = V.one + q * q
    let γ = V.one + (V.one - q) * (V.one - q) / size
    let f = V(2) * ((V.one - q) * (V.one + q)) / (size * size)

    let x = distance(ax, V.max(p.x2, t.x2) - V.min(p.x1, t.x1), γ)
    let y = distance(ay, V.max(p.y2, t.y2) - V.min(p.y1, t.y1), γ)
    let turn = V.select(
      isConcentric, .zero, V(0.5) * f * (x.angle + y.angle) / larger)
    let along = q * turn
    let isWide = ay .< ax
    // s falls by half of what an edge of the prediction moves.
    let slopeX = V(-0.5) * (V.sign(sx) * (x.slope + V.select(isWide, along, -turn)))
    let slopeY = V(-0.5) * (V.sign(sy) * (y.slope + V.select(isWide, -turn, along)))

    let wide = ShapeCost(p.x1, p.x2, t.x1, t.x2, weight: .one, epsilon: 0)
    let tall = ShapeCost(p.y1, p.y2, t.y1, t.y2, weight: .one, epsilon: shapeEpsilon)
    return Penalty(
      value: V(0.5) * ((x.cost + y.cost) + (wide.cost + tall.cost)),
      edges: EdgeSlopes(outerX: -x.outer, innerX: .zero, outerY: -y.outer, innerY: .zero),
      centerX: slopeX, centerY: slopeY,
      sideX: V(0.5) * wide.slope, sideY: V(0.5) * tall.slope)
  }

  /// One term of Δ, with ρ = (s / c)²; half its slopes in |s| and in γ; and by how much half of it
  /// falls with c.
  @inline(always)
  public func distance<V: Lanes>(
    _ s: V, _ c: V, _ γ: V
  ) -> (cost: V, slope: V, angle: V, outer: V) {
    let isEmpty = c .== .zero
    let ratio = V.select(isEmpty, .zero, s / c)
    let inverse = V.select(isEmpty, .zero, V.one / c)
    let ρ = ratio * ratio
    let exponent = sign == .paper ? -(γ * ρ) : γ * ρ
    let decay = sign == .paper ? V.exp(exponent) : -V.exp(exponent)
    let rate = (γ * decay) * (ratio * inverse)
    return (-V.expm1(exponent), rate, decay * ρ, rate * ratio)
  }
}

extension SIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [Configuration("epsilon = 1e-7", Self(epsilon: 1e-7))]
  }

  public var exchanged: Self {
    var loss = self
    loss.offsetEpsilon = -offsetEpsilon
    return loss
  }
}
