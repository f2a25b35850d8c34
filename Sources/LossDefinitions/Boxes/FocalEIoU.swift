/// Focal EIoU: the EIoU loss weighted by a power of the IoU, which makes little of boxes that hardly
/// overlap.
///
///     L = IoU^γ · L_EIoU,   IoU = I / (U + ε)
///
/// L_EIoU is that of `EIoU`. The factor IoU^γ is held constant, unless attached; it is 0 where the IoU
/// is 0 and γ is not.
///
/// Source: Zhang et al. 2021, *Focal and Efficient IOU Loss*, arXiv 2101.08158.
/// Chapter: `Spec/Boxes/FocalEIoU.md`.
public struct FocalEIoU: BoxLoss {
  public static let name = "focal_eiou"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 3.25), .plain(.zeroAtTarget), .symmetric, .translated, .scaled,
    .mirrored, .swapped,
    .inequality("L ≤ EIoU loss") { loss, item, values in
      [(values.loose(loss.efficient, item), values.loose(loss, item))]
    },
    .agrees("= EIoU loss, with gamma 0") { loss, item in
      loss.gamma == 0 ? (loss, loss.efficient, item) : nil
    },
    Law("L = 0 where the boxes are apart, with gamma above 0") { loss, item, values in
      let (p, t) = (Box(item.prediction), Box(item.target))
      let isApart = p.x2 < t.x1 || t.x2 < p.x1 || p.y2 < t.y1 || t.y2 < p.y1
      guard loss.gamma > 0, isApart else { return .holds }
      return .equal(values.value(loss, item), 0)
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("gamma", \.gamma, in: 0...8, grid: [0, 0.5, 1, 1.7]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
    Hyperparameter("enclosureEpsilon", \.enclosureEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  public enum Factor: Sendable {
    /// IoU^γ is held constant.
    case constant
    /// IoU^γ is differentiated.
    case attached
  }

  public var factor = Factor.constant
  public var gamma = 0.5
  /// Added to the union.
  public var unionEpsilon = 0.0
  /// Added to c², cw² and ch².
  public var enclosureEpsilon = 0.0

  public init() {}

  public init(_ factor: Factor, gamma: Double = 0.5, epsilon: Double = 0) {
    self.factor = factor
    self.gamma = gamma
    unionEpsilon = epsilon
    enclosureEpsilon = epsilon
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let power = power(of: iou(p, t))
    return (factor == .constant ? power.detached : power) * efficient.reference(p, t)
  }

  private func iou<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    return .quotient(
      overlap, p.width * p.height + t.width * t.height - overlap + S(unionEpsilon))
  }

  /// IoU^γ; at an IoU of 0, where its slope may be infinite, it is 0 and constant.
  private func power<S: Scalar>(of iou: S) -> S {
    guard gamma > 0 else { return 1 }
    let isPositive = 0 .< iou
    return .select(isPositive, .pow(.select(isPositive, iou, 1), S(gamma)), 0)
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let iou = iou(p, t)
    let power = power(of: iou)
    let edges = p.edgeTerms(t)
    let rate =
      factor == .constant
      ? 0 : S.quotient(S(gamma) * power * efficient.reference(p, t), iou)
    let terms = efficient.gradientTerms(p, t)
    return [power * terms[0] + rate * edges.x, power * terms[1] + rate * edges.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let (loss, slopes) = efficient.optimized(p, t)
    // To half an ulp, as a power multiplies its error.
    let precise = PreciseOverlap(p, t, unionEpsilon: unionEpsilon)
    let iou = precise.iou.high
    let power = gamma == 0.5 ? V.sqrt(iou) : V.pow(iou, V(gamma))
    var gradient = Box(
      x1: power * slopes.x1, y1: power * slopes.y1, x2: power * slopes.x2, y2: power * slopes.y2)
    if factor == .attached {
      // ∂IoU^γ = γ IoU^(γ−1) ∂IoU, and ∂IoU is the negative of the IoU loss's slope.
      let rate = V.select(iou .== .zero, .zero, (V(gamma) * loss) * (power / iou))
      let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
      let edges = pair.slopes.gradient(p, t)
      gradient.x1 = gradient.x1 - rate * edges.x1
      gradient.y1 = gradient.y1 - rate * edges.y1
      gradient.x2 = gradient.x2 - rate * edges.x2
      gradient.y2 = gradient.y2 - rate * edges.y2
    }
    return (power * loss, gradient)
  }
}

extension FocalEIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations + [
      Configuration("epsilon = 1e-7", Self(.constant, epsilon: 1e-7)),
      Configuration("attached", Self(.attached)),
      Configuration("attached, gamma = 2", Self(.attached, gamma: 2)),
      Configuration("attached, epsilon = 1e-7", Self(.attached, epsilon: 1e-7)),
    ]
  }

  /// The loss that is weighted.
  public var efficient: EIoU {
    var loss = EIoU()
    loss.unionEpsilon = unionEpsilon
    loss.enclosureEpsilon = enclosureEpsilon
    return loss
  }
}
