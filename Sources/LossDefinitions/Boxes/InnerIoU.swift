/// Inner-IoU: the IoU of a loss taken between both boxes scaled about their own centres.
///
///     L = 1 − IoU_inner + penalty
///
/// IoU_inner is the IoU, I / (U + ε), of the boxes scaled by the ratio r. The penalty is the base's:
/// what GIoU, DIoU, CIoU, EIoU or SIoU adds to 1 − IoU, of the boxes as they are. CIoU's α is of the
/// outer IoU, and held constant.
///
/// Source: Zhang et al. 2023, *Inner-IoU: More Effective Intersection over Union Loss with Auxiliary
/// Bounding Box*, arXiv 2311.02877. Chapter: `Spec/Boxes/InnerIoU.md`.
public struct InnerIoU: BoxLoss {
  public static let name = "inner_iou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .inequality("L ≤ the base's least upper bound") { loss, item, values in
      [(Interval(loss.base.bound), values.value(loss, item))]
    },
    .plain(.zeroAtTarget), .symmetric, .translated, .scaled, .mirrored, .swapped,
    .where("of IoU", .farther) { $0.base == .iou },
    Law("= the base's loss at ratio = 1, without epsilon") { loss, item, values in
      loss.ratio == 1 && loss.epsilon == 0
        ? .equal(values.loose(loss, item), loss.base.value(item, values)) : .holds
    },
    .inequality("L ≥ the base's loss at ratio ≤ 1, without epsilon") { loss, item, values in
      loss.ratio <= 1 && loss.epsilon == 0
        ? [(values.loose(loss, item), loss.base.value(item, values))] : []
    },
    .inequality("L ≤ the base's loss at ratio ≥ 1, without epsilon") { loss, item, values in
      loss.ratio >= 1 && loss.epsilon == 0
        ? [(loss.base.value(item, values), values.loose(loss, item))] : []
    },
    Law("1 − IoU_inner = 1 − IoU at the offset over the ratio") { loss, item, values in
      guard loss.base == .iou, loss.epsilon == 0, let pair = loss.spread(item) else {
        return .holds
      }
      return .equal(values.loose(loss, pair.item), values.loose(IoU(), pair.there))
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("ratio", \.ratio, in: 0.5...1.5, grid: [0.5, 0.7, 1, 1.25, 1.5]),
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// The loss whose IoU is that of the inner boxes.
  public var base = Base.ciou
  /// What the boxes are scaled by.
  public var ratio = 0.7
  /// Added to both unions, C, c², cw² and ch², and to the denominator of α.
  public var epsilon = 0.0

  public init() {}
  public init(_ base: Base, ratio: Double = 0.7) {
    self.base = base
    self.ratio = ratio
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    // In units of the ratio: the boxes' own sizes, and the offset over the ratio.
    let r = S(ratio)
    func shared(_ w: S, _ target: S, _ offset: S) -> S {
      let span = S.min(.min(w, target), (w + target) * 0.5 - S.abs(offset) / r)
      return .select(span .< 0, 0, span)
    }
    let dx = (p.x1 + p.x2 - t.x1 - t.x2) * 0.5
    let dy = (p.y1 + p.y2 - t.y1 - t.y2) * 0.5
    let overlap = shared(p.width, t.width, dx) * shared(p.height, t.height, dy)
    let union = p.width * p.height + t.width * t.height - overlap
    let inner = S.quotient(overlap, union + S(epsilon) / S.square(r))
    return 1 - inner + base.penalty(p, t, S(epsilon))
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    let edges = inner(p).edgeTerms(inner(t))
    let others = base.terms(p, t, S(epsilon))
    let most = S(Swift.max(1, ratio))
    return [most * edges.x + others.x, most * edges.y + others.y]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = InnerOverlap(p, t, ratio: ratio, epsilon: epsilon)
    let penalty = base.penalty(p, t, epsilon: epsilon)
    let inner = pair.gradient(pair.slopes, ratio: ratio)
    var gradient = penalty.gradient(p, t, with: .none)
    gradient.x1 = gradient.x1 + inner.x1
    gradient.y1 = gradient.y1 + inner.y1
    gradient.x2 = gradient.x2 + inner.x2
    gradient.y2 = gradient.y2 + inner.y2
    return (pair.loss.high + penalty.value, gradient)
  }
}

extension InnerIoU {
  public static var configurations: [Configuration<Self>] {
    gridConfigurations
      + Base.allCases.filter { $0 != .ciou }.map { Configuration("\($0)", Self($0)) }
      + [
        Configuration("iou, ratio = 1.25", Self(.iou, ratio: 1.25)),
        Configuration("iou, ratio = 0.5", Self(.iou, ratio: 0.5)),
      ]
  }

  /// The box scaled about its centre.
  private func inner<S: Scalar>(_ box: Box<S>) -> Box<S> {
    let (x, y) = ((box.x1 + box.x2) * 0.5, (box.y1 + box.y2) * 0.5)
    let (w, h) = (box.width * S(ratio) * 0.5, box.height * S(ratio) * 0.5)
    return Box(x1: x - w, y1: y - h, x2: x + w, y2: y + h)
  }

  /// A pair on a grid, of which the ratio is a multiple of 1/4, and the pair whose offset is that over
  /// the ratio: both exact.
  private func spread(_ item: Item) -> (item: Item, there: Item)? {
    let largest = (item.prediction + item.target).map(\.magnitude).max() ?? 0
    guard largest.isNormal, ratio == 0.5 || ratio == 1.25 || ratio == 1.5 else { return nil }
    let grid = Double(sign: .plus, exponent: largest.exponent - 10, significand: 1)
    func rounded(_ x: Double) -> Double { (x / grid).rounded() * grid }
    let t = item.target.map(rounded)
    let (w, h) = (
      rounded(item.prediction[2] - item.prediction[0]),
      rounded(item.prediction[3] - item.prediction[1])
    )
    // Lower corners that differ by multiples of 4 r grid, and sides that differ by even ones: the
    // centres' offset over the ratio is a multiple of the grid.
    let step = 4 * ratio * grid
    let (dx, dy) = (
      ((item.prediction[0] - item.target[0]) / step).rounded(),
      ((item.prediction[1] - item.target[1]) / step).rounded()
    )
    let (x, y) = (t[0] + (t[2] - t[0] - w) / 2, t[1] + (t[3] - t[1] - h) / 2)
    func moved(_ unit: Double) -> Item {
      Item([x + dx * unit, y + dy * unit, x + dx * unit + w, y + dy * unit + h], t)
    }
    return (moved(step), moved(4 * grid))
  }
}
