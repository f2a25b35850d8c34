/// Soft intersection over union: one minus the Jaccard index of two masks of fractions.
///
///     I = Σ t p,  U = Σ (t + p) − I,  L = 1 − (I + e) / (U + e)
///
/// The sums run over all pixels and channels of a region; p and t are in [0, 1]; e is `smooth`, which
/// gives a pair of empty masks the loss 0.
///
/// Source: Rahman and Wang, "Optimizing intersection-over-union in deep neural networks for image
/// segmentation", ISVC 2016. Chapter: Spec/Regions/SoftIoU.md.
public struct SoftIoU: RegionLoss {
  public static let name = "soft_iou"
  public static let targetGradient = TargetGradient.exchanged

  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("smooth", \.smooth, in: 1e-18...1024, grid: [1e-15, 1e-7, 1e-3, 1])
  ]

  public static let laws: [Law<Self>] = [
    .nonNegative, .bounded(by: 1), .symmetric, .zeroAtMask, .unorderedPixels,
    Law("L = 2D / (1 + D), D = Dice at twice the smoothing") { loss, item, values in
      let dice = values.loose(Dice(smooth: 2 * loss.smooth), item)
      return .equal(values.loose(loss, item), 2 * dice / (1 + dice))
    },
    .atLeast("L ≥ Dice at twice the smoothing") { Dice(smooth: 2 * $0.smooth) },
    Law("unchanged when every pixel comes twice and the smoothing is doubled") {
      loss, item, values in
      let twice = Item(item.prediction + item.prediction, item.target + item.target)
      return .equal(values.loose(loss, item), values.loose(Self(smooth: 2 * loss.smooth), twice))
    },
  ]

  public static let dialects: [Dialect] = [
    .regions(
      "tensorflow", "soft_iou", "y_pred", "y_true", axis: ("axes", [1, 2, 3]),
      parameters: ["smooth"],
      note: "One value an image: height, width and classes are summed together."
    ) { SoftIoU(smooth: try $0.number("smooth", default: 1e-15)) }
  ]

  public var smooth = 1e-15

  public init() {}

  public init(smooth: Double) { self.smooth = smooth }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: [S], _ t: [S]) -> S {
    let e = S(smooth)
    let intersection = S.sum(zip(t, p).map { $0 * $1 })
    let union = S.sum(zip(t, p).map { $0 + $1 }) - intersection
    return 1 - (intersection + e) / (union + e)
  }

  public func gradientTerms<S: Scalar>(_ p: [S], _ t: [S]) -> [S] {
    let e = S(smooth)
    let intersection = S.sum(zip(t, p).map { $0 * $1 })
    let union = S.sum(zip(t, p).map { $0 + $1 }) - intersection
    let square = S.square(union + e)
    return t.map { ($0 * (union + e) + (1 - $0) * (intersection + e)) / square }
  }

  // MARK: Optimized

  // U − I is the sum of t (1 − p) + p (1 − t), whose terms are not negative and keep all their digits;
  // U is that plus I, so two sums are enough.

  @inline(always)
  public func terms<V: Lanes>(_ p: V, _ t: V) -> (V, V, V) {
    (t * p, t * (.one - p) + p * (.one - t), .zero)
  }

  @inline(always)
  public func combine<V: Lanes>(_ sums: (V, V, V)) -> (loss: V, slopes: (V, V)) {
    let (intersection, difference, _) = sums
    let top = intersection + V(smooth)
    let bottom = top + difference
    let inverse = V.one / bottom
    return (difference / bottom, (top / bottom * inverse, inverse))
  }

  /// [(1 − t)(I + e) − t (U + e)] / (U + e)².
  @inline(always)
  public func slope<V: Lanes>(_ p: V, _ t: V, _ slopes: (V, V)) -> V {
    (.one - t) * slopes.0 - t * slopes.1
  }
}
