/// Weighted logarithmic IoU: the logarithm of the soft IoU of a whole batch, weighted at every pixel.
///
///     I = Σ t p,  U = Σ (t + p − t p),  L = Σᵢ wᵢ · −ln((I + e) / (U + e))
///     wᵢ = w_bg (1 − tᵢ) + w_fg tᵢ
///
/// The sums run over all pixels of all images of the batch, so the batch is one item; p is clipped to
/// [0, 1], t is in [0, 1], e is `smooth`. The weights stand outside the logarithm: they multiply the
/// batch's one number. The mean over pixels is this with their number as the normalizer.
///
/// Source: the practice of Keras segmentation code; for the logarithm, Yu et al., "UnitBox", 2016.
/// Chapter: Spec/Regions/WeightedIoU.md.
public struct WeightedIoU: RegionLoss {
  public static let name = "weighted_iou"
  public static let targetGradient = TargetGradient.none
  @inline(always) public static var sumCount: Int { 3 }
  public static let strata = regionStrata + ["outside"]

  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("backgroundWeight", \.backgroundWeight, in: 0...1024, grid: [0, 0.25, 1]),
    Hyperparameter("foregroundWeight", \.foregroundWeight, in: 0...1024, grid: [0, 1, 10]),
    Hyperparameter("smooth", \.smooth, in: 1e-12...1024, grid: [1e-7, 1e-3, 1]),
  ]

  public static let laws: [Law<Self>] = [
    .nonNegative, .zeroAtMask, .unorderedPixels,
    .invariant(under: "clipping of the prediction to [0, 1]") {
      Item($0.prediction.map { Double.minimum(Double.maximum($0, 0), 1) }, $0.target)
    },
    Law("twice the weights, twice the loss") { loss, item, values in
      var doubled = loss
      doubled.backgroundWeight *= 2
      doubled.foregroundWeight *= 2
      return .equal(values.loose(doubled, item), 2 * values.loose(loss, item))
    },
    Law("L = w̄ times the loss at weights 1, w̄ = the mean weight") { loss, item, values in
      let count = Interval<DoubleDouble>(Double(item.target.count))
      let one = Self(smooth: loss.smooth)
      let sum = loss.totalWeight(item.target.map { Interval<DoubleDouble>($0) })
      return .equal(count * values.loose(loss, item), sum * values.loose(one, item))
    },
    Law("L ≥ n times the soft IoU loss, at weights 1") { loss, item, values in
      let clipped = item.prediction.map { Double.minimum(Double.maximum($0, 0), 1) }
      let soft = values.loose(SoftIoU(smooth: loss.smooth), Item(clipped, item.target))
      let own = values.loose(Self(smooth: loss.smooth), item)
      return .atLeast(own, Interval(Double(clipped.count)) * soft)
    },
  ]

  public static let dialects: [Dialect] = [
    Dialect(
      "tensorflow", "weighted_iou",
      "The map of the pixels' losses, or its mean; the gradient passes the clip at 0 and at 1.",
      inputs: ["y_true", "y_pred"], parameters: ["w_bg", "w_fg", "smooth", "clip", "sums"]
    ) { call, evaluator in
      try call.expect("clip", .list([.number(0), .number(1)]))
      try call.expect("sums", .text("whole batch"))
      let loss = Self(
        background: try call.number("w_bg"), foreground: try call.number("w_fg"),
        smooth: try call.number("smooth", default: 1e-7))
      let p = try call.tensor("y_pred")
      let t = try call.tensor("y_true", like: p.shape)
      let item = Item(p.data, t.data)
      let count = Double(p.data.count)
      // Every pixel shares one logarithm, the loss at weights 1 over the number of pixels.
      let shared = try evaluator.evaluate(Self(smooth: loss.smooth), [item])[0].value / count
      let map = t.data.map { shared * loss.totalWeight([$0]) }
      let (value, slopes) = try call.reduce(Tensor(p.shape, map))
      let scale = slopes.first ?? 1
      let gradient = try evaluator.evaluate(loss, [item])[0].prediction.map { $0 * scale }
      return Answer(value, gradients: ["y_pred": Tensor(p.shape, gradient)])
    }
  ]

  public var backgroundWeight = 1.0
  public var foregroundWeight = 1.0
  public var smooth = 1e-7

  public init() {}

  public init(background: Double = 1, foreground: Double = 1, smooth: Double = 1e-7) {
    backgroundWeight = background
    foregroundWeight = foreground
    self.smooth = smooth
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ prediction: [S], _ t: [S]) -> S {
    // A clip whose slope is 1 at its limits: `clamp` would give half of it.
    let p = prediction.map { S.select($0 .< 0, 0, S.select(1 .< $0, 1, $0)) }
    let e = S(smooth)
    let intersection = S.sum(zip(t, p).map { $0 * $1 })
    let union = S.sum(zip(t, p).map { $0 + $1 - $0 * $1 })
    let penalty = -S.log((intersection + e) / (union + e))
    return S.sum(t.map { penalty * (S(backgroundWeight) * (1 - $0) + S(foregroundWeight) * $0) })
  }

  public func gradientTerms<S: Scalar>(_ prediction: [S], _ t: [S]) -> [S] {
    let p = prediction.map { S.clamp($0, 0, 1) }
    let e = S(smooth)
    let intersection = S.sum(zip(t, p).map { $0 * $1 })
    let union = S.sum(zip(t, p).map { $0 + $1 - $0 * $1 })
    let weight = totalWeight(t)
    return zip(prediction, t).map { p, t in
      let terms = weight * ((1 - t) / (union + e) + t / (intersection + e))
      return S.select(p .< 0, 0, S.select(1 .< p, 0, terms))
    }
  }

  func totalWeight<S: Scalar>(_ t: [S]) -> S {
    S.sum(t.map { S(backgroundWeight) * (1 - $0) + S(foregroundWeight) * $0 })
  }

  // MARK: Optimized

  // (U + e) / (I + e) is 1 + (U − I) / (I + e): −ln of its inverse is log1p of a sum of non-negative
  // terms over another, accurate for nearly perfect masks as for disjoint ones.

  @inline(always)
  public func terms<V: Lanes>(_ prediction: V, _ t: V) -> (V, V, V) {
    let p = V.clamp(prediction, .zero, .one)
    let background = V.one - t
    return (
      t * p, t * (.one - p) + p * background,
      V(backgroundWeight) * background + V(foregroundWeight) * t
    )
  }

  @inline(always)
  public func combine<V: Lanes>(_ sums: (V, V, V)) -> (loss: V, slopes: (V, V)) {
    let (intersection, difference, weight) = sums
    let top = intersection + V(smooth)
    return (
      weight * V.log1p(difference / top), (weight / (top + difference), weight / top)
    )
  }

  /// w (1 − t) / (U + e) − w t / (I + e), and 0 where the clip is in force.
  @inline(always)
  public func slope<V: Lanes>(_ p: V, _ t: V, _ slopes: (V, V)) -> V {
    let slope = (V.one - t) * slopes.0 - t * slopes.1
    return V.select((p .< .zero) | (.one .< p), .zero, slope)
  }
}
