/// Object keypoint similarity as a loss: 1 less a Gaussian of the distance.
///
///     L = 1 − exp(−d² / (8 σ² (area + ε)))
///
/// d is the distance of the predicted place from the true one, σ the keypoint's constant, area the
/// object's. σ is positive and area + ε, too.
///
/// Source: Maji et al., *YOLO-Pose*, CVPR Workshops 2022, eq. 7; the similarity is COCO's. Spec:
/// `Spec/Keypoints/OKS.md`.
public struct OKS: KeypointLoss {
  public static let name = "oks"
  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 1), .zeroAtTruth, .mirrored, .swapped, .plain(.scaled), .farther,
  ]
  public static let dialects: [Dialect] = [.keypointLoss]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0...1, grid: [0, 1e-9, 1e-3])
  ]

  /// Added to the area.
  public var epsilon = 0.0

  public init() {}

  public init(epsilon: Double) { self.epsilon = epsilon }

  // MARK: Reference

  public func reference<S: Scalar>(_ x: S, _ y: S, _ target: KeypointTarget<S>) -> S {
    let (dx, dy) = (x - target.x, y - target.y)
    let spread = 2 * target.σ
    let exponent = (dx * dx + dy * dy) / (spread * spread * (target.area + S(epsilon)) * 2)
    return -.expm1(-exponent)
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(
    _ x: V, _ y: V, _ target: KeypointTarget<V>
  ) -> (loss: V, slopeX: V, slopeY: V) {
    typealias Two = TwoWords<V>
    // The exponent in two words: its absolute error is a relative one of the slope.
    let (dx, dy) = (Two.sum(x, -target.x), Two.sum(y, -target.y))
    let squared = Two.square(dx) + Two.square(dy)
    let area = Two.sum(target.area, V(epsilon))
    let spread = (Two.square(Two(target.σ)) * area).times(8)
    let exponent = squared / spread
    // From there on the loss is 1 in any precision.
    let most = V(repeating: -V.exponentialRange.low)
    let isFar = most .< (squared.high / spread.high)
    let high = V.select(isFar, most, exponent.high)
    let low = V.select(isFar, .zero, exponent.low)

    let decay = V.exp(-high, -low)
    let slope = V(2) * decay / spread.high
    return (low * decay - V.expm1(-high), dx.high * slope, dy.high * slope)
  }
}

extension Law where L == OKS {
  static func plain(_ law: Self) -> Self {
    Law("\(law.statement), without epsilon") { loss, item, values in
      loss.epsilon == 0 ? law.check(loss, item, values) : .holds
    }
  }

  static var zeroAtTruth: Self {
    Law("L = 0 at the true place") { loss, item, values in
      .equal(values.value(loss, Item(Array(item.target[..<2]), item.target)), 0)
    }
  }

  static var mirrored: Self {
    .invariant(under: "reflection") { item in
      let (p, t) = (item.prediction, item.target)
      return Item([-p[0], p[1]], [-t[0], t[1], t[2], t[3]])
    }
  }

  static var swapped: Self {
    .invariant(under: "exchange of the axes") { item in
      let (p, t) = (item.prediction, item.target)
      return Item([p[1], p[0]], [t[1], t[0], t[2], t[3]])
    }
  }

  /// Places by 4, the area by 16.
  static var scaled: Self {
    .invariant(under: "scaling by a power of two") { item in
      let (p, t) = (item.prediction, item.target)
      return Item([4 * p[0], 4 * p[1]], [4 * t[0], 4 * t[1], t[2], 16 * t[3]])
    }
  }

  /// The truth moved to the origin, where doubling the prediction is exact.
  static var farther: Self {
    .inequality("L does not fall as the place moves away along a ray") { loss, item, values in
      let (p, t) = (item.prediction, item.target)
      let d = [Double(Float(p[0] - t[0])), Double(Float(p[1] - t[1]))]
      let truth = [0, 0, t[2], t[3]]
      return [
        (
          values.loose(loss, Item([2 * d[0], 2 * d[1]], truth)),
          values.loose(loss, Item(d, truth))
        )
      ]
    }
  }
}

extension Dialect {
  static let keypointLoss = Dialect(
    "ultralytics", "KeypointLoss",
    "The mean over all n x K keypoints of K / (visible + 1e-9) L, 0 where masked.",
    inputs: ["pred_kpts", "gt_kpts", "kpt_mask", "area"], parameters: ["sigmas"]
  ) { call, evaluator in
    let x = try call.tensor("pred_kpts")
    guard x.shape.count == 3, x.shape[2] == 2 else {
      throw Refusal.rejected("\"pred_kpts\" has shape \(x.shape); expected [N, K, 2]")
    }
    let (n, k) = (x.shape[0], x.shape[1])
    let truth = try call.tensor("gt_kpts", like: x.shape)
    let mask = try call.tensor("kpt_mask", like: [n, k])
    let area = try call.tensor("area", like: [n, 1])
    let sigmas = try call.optionalNumbers("sigmas") ?? []
    guard sigmas.count == k, sigmas.allSatisfy({ $0 > 0 }) else {
      throw Refusal.rejected("\"sigmas\" is \(sigmas); expected \(k) positive numbers")
    }
    if let i = area.data.firstIndex(where: { $0 < 0 }) {
      throw Refusal.rejected("\"area\" at index \(i) is \(area[i]); expected at least 0")
    }
    guard call.reduction == "mean" else {
      throw Refusal.unsupported("reduction \"\(call.reduction)\"")
    }
    let items = (0..<n * k).map { i in
      Item(
        [x[2 * i], x[2 * i + 1]],
        [truth[2 * i], truth[2 * i + 1], sigmas[i % k], area[i / k]])
    }
    let results = try evaluator.evaluate(OKS(epsilon: 1e-9), items)
    let weights = (0..<n * k).map { i in
      let row = mask.data[i / k * k..<(i / k + 1) * k]
      return Double(k) / (Double(row.count { $0 != 0 }) + 1e-9) * mask[i] / Double(n * k)
    }
    var value = 0.0
    for (result, weight) in zip(results, weights) { value += result.value * weight }
    return Answer(
      Tensor([], [n * k == 0 ? .nan : value]),
      gradients: [
        "pred_kpts": Tensor(
          x.shape, zip(results, weights).flatMap { r, w in r.prediction.map { w * $0 } })
      ])
  }
}
