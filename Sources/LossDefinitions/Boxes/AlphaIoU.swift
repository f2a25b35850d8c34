/// α-IoU: the IoU and the penalty of IoU, GIoU, DIoU or CIoU, each raised to a power.
///
///     L = 1 − IoUᵃ,  + ((C − U) / C)ᵃ,  + (ρ²)ᵃ / (c²)ᵃ,  or  + (ρ²)ᵃ / (c²)ᵃ + (α v)ᵃ
///
/// a > 0 is `alpha`. C, U are the areas of the enclosing box and of the union, ρ is the distance of the
/// centres, c the enclosing box's diagonal; α v is CIoU's, with α of the plain IoU and held constant.
/// Each power is of its ratio plus `powerEpsilon`. The slope of a power at 0 counts as 0.
///
/// Source: He et al. 2021, *Alpha-IoU: A Family of Power Intersection over Union Losses for Bounding
/// Box Regression*, NeurIPS, arXiv 2110.13675. Chapter: `Spec/Boxes/AlphaIoU.md`.
public struct AlphaIoU: BoxLoss {
  public static let name = "alpha_iou"
  public static let laws: [Law<Self>] = [
    .where("without epsilon in the powers", .nonNegative) { $0.powerEpsilon == 0 },
    .where("without epsilon in the powers", .bounded(by: 3)) { $0.powerEpsilon == 0 },
    .plain(.zeroAtTarget), .symmetric, .translated, .scaled, .mirrored, .swapped,
    .where("of IoU", .farther) { $0.form == .iou },
    Law("= the base's loss at alpha = 1, without epsilon") { loss, item, values in
      loss.alpha == 1 && loss.isExact
        ? .equal(values.loose(loss, item), loss.base.value(item, values)) : .holds
    },
    .inequality("L ≥ 1 − IoU at alpha ≥ 1, without epsilon") { loss, item, values in
      loss.alpha >= 1 && loss.isExact
        ? [(values.loose(loss, item), values.loose(IoU(), item))] : []
    },
    .inequality("1 − IoUᵃ ≤ 1 − IoU at alpha ≤ 1, without epsilon") { loss, item, values in
      loss.alpha <= 1 && loss.isExact && loss.form == .iou
        ? [(values.loose(IoU(), item), values.loose(loss, item))] : []
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("alpha", \.alpha, in: 0.25...8, grid: [0.5, 1, 2, 3]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("powerEpsilon", \.powerEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("aspectEpsilon", \.aspectEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  public enum Form: Sendable, CaseIterable { case iou, giou, diou, ciou }

  public var form = Form.ciou
  /// The power.
  public var alpha = 3.0
  /// Added to the union under the intersection.
  public var unionEpsilon = 0.0
  /// Added to what is raised to the power: IoU, (C − U) / C, α v.
  public var powerEpsilon = 0.0
  /// Added to C, and to the power of c².
  public var enclosureEpsilon = 0.0
  /// Added to the denominator of CIoU's α.
  public var aspectEpsilon = 0.0

  public init() {}
  public init(_ form: Form, alpha: Double = 3) {
    self.form = form
    self.alpha = alpha
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))
    let loss = 1 - power(iou + S(powerEpsilon))

    let box = p.enclosing(t)
    let diagonal = S.square(box.width) + S.square(box.height)
    let distance = S.quotient(
      power(p.centerDistance(t)), power(diagonal) + S(enclosureEpsilon))
    switch form {
    case .iou: return loss
    case .giou:
      let area = box.width * box.height + S(enclosureEpsilon)
      return loss + power(.quotient(p.outside(t), area) + S(powerEpsilon))
    case .diou: return loss + distance
    case .ciou:
      let aspect = p.aspectPenalty(t, S(aspectEpsilon), S(unionEpsilon))
      return loss + distance + power(aspect + S(powerEpsilon))
    }
  }

  /// xᵃ, with slope 0 at 0.
  private func power<S: Scalar>(_ x: S) -> S {
    .select(0 .< x, .pow(.select(0 .< x, x, 1), S(alpha)), x * 0)
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    func rate(_ x: S) -> S {
      S(alpha) * .select(0 .< x, .pow(.select(0 .< x, x, 1), S(alpha) - 1), 0)
    }
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let edges = p.edgeTerms(t)
    let outer = rate(.quotient(overlap, union + S(unionEpsilon)) + S(powerEpsilon))
    var (x, y) = (outer * edges.x, outer * edges.y)
    func add(_ rate: S, _ terms: (x: S, y: S)) {
      x = x + rate * terms.x
      y = y + rate * terms.y
    }
    let box = p.enclosing(t)
    if form == .giou {
      let ε = S(enclosureEpsilon)
      let outside = S.quotient(p.outside(t), box.width * box.height + ε)
      add(rate(outside + S(powerEpsilon)), p.outsideTerms(t, ε))
    }
    if form == .diou || form == .ciou {
      let diagonal = S.square(box.width) + S.square(box.height)
      let whole = power(diagonal)
      add(
        rate(.quotient(p.centerDistance(t), diagonal))
          * .quotient(whole, whole + S(enclosureEpsilon)), p.distanceTerms(t, 0))
    }
    if form == .ciou {
      let aspect = p.aspectPenalty(t, S(aspectEpsilon), S(unionEpsilon))
      add(rate(aspect + S(powerEpsilon)), p.aspectTerms(t, S(aspectEpsilon)))
    }
    return [x, y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = InnerOverlap(p, t, ratio: 1, epsilon: unionEpsilon)
    // 1 − zᵃ = −expm1(a ln z) with z = IoU + ε, and ln z = ln(1 + (ε − (1 − IoU))) near z = 1.
    let ε = TwoWords(V(powerEpsilon))
    let z = (pair.iou + ε).high
    let logarithm = V.select(z .< V(0.5), V.log(z), V.log1p((ε - pair.loss).high))
    let value = -V.expm1(V(alpha) * logarithm)
    let slopes = pair.slopes.times(rate(z))

    var penalty = Penalty<V>.none
    switch form {
    case .iou: break
    case .giou: penalty = raised(.enclosure(p, t, enclosureEpsilon))
    case .diou: penalty = distance(p, t)
    case .ciou:
      penalty =
        distance(p, t) + raised(.aspect(p, t, aspectEpsilon, union: unionEpsilon))
    }
    return (value + penalty.value, penalty.gradient(p, t, with: slopes))
  }

  /// The slope of xᵃ, 0 at 0.
  @inline(always)
  public func rate<V: Lanes>(_ x: V) -> V {
    V.select(x .== .zero, .zero, V(alpha) * V.pow(x, V(alpha - 1)))
  }

  @inline(always)
  public func raised<V: Lanes>(_ penalty: Penalty<V>) -> Penalty<V> {
    let x = penalty.value + V(powerEpsilon)
    return penalty.mapped(V.pow(x, V(alpha)), slope: rate(x))
  }

  /// q = (ρ²)ᵃ / ((c²)ᵃ + ε) is x k with x = (ρ² / c²)ᵃ and 1 / k = 1 + ε / (c²)ᵃ. The slopes of x are
  /// a (ρ² / c²)ᵃ⁻¹ times DIoU's; an outer edge changes k, too: its part of q falls by one more k.
  @inline(always)
  public func distance<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> Penalty<V> {
    let ratio = Penalty.distance(p, t, 0)
    var penalty = ratio.mapped(V.pow(ratio.value, V(alpha)), slope: rate(ratio.value))
    guard enclosureEpsilon > 0 else { return penalty }
    let cw = V.max(p.x2, t.x2) - V.min(p.x1, t.x1)
    let ch = V.max(p.y2, t.y2) - V.min(p.y1, t.y1)
    let k = V.one / (V.one + V(enclosureEpsilon) / V.pow(cw * cw + ch * ch, V(alpha)))
    penalty = penalty.mapped(penalty.value * k, slope: k)
    penalty.edges = penalty.edges.times(k)
    return penalty
  }
}

extension AlphaIoU {
  public static var configurations: [Configuration<Self>] {
    var author = Self()
    author.unionEpsilon = 1e-7
    author.powerEpsilon = 1e-7
    author.enclosureEpsilon = 1e-7
    author.aspectEpsilon = 1e-7
    return gridConfigurations
      + Form.allCases.filter { $0 != .ciou }.flatMap { form in
        [0.5, 1, 2, 3].map { Configuration("\(form), alpha = \($0)", Self(form, alpha: $0)) }
      } + [Configuration("epsilon = 1e-7", author)]
  }

  /// Whether every epsilon is 0.
  private var isExact: Bool {
    unionEpsilon == 0 && powerEpsilon == 0 && enclosureEpsilon == 0 && aspectEpsilon == 0
  }

  private var base: Base {
    switch form {
    case .iou: .iou
    case .giou: .giou
    case .diou: .diou
    case .ciou: .ciou
    }
  }
}
