/// Minimum point distance IoU: the IoU loss plus the squared distances of the corners over the image's
/// diagonal.
///
///     L = 1 − I / (U + ε) + (d₁² + d₂²) / (Wᵢ² + Hᵢ²)
///
/// d₁ and d₂ are the distances of the upper left and of the lower right corners, Wᵢ and Hᵢ the image's
/// width and height in the unit of the boxes. Nothing is held constant.
///
/// Source: Ma and Xu 2023, *MPDIoU: A Loss for Efficient and Accurate Bounding Box Regression*, arXiv
/// 2307.07662. Chapter: `Spec/Boxes/MPDIoU.md`.
public struct MPDIoU: BoxLoss {
  public static let name = "mpdiou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .inequality("L ≤ 3 where both boxes lie in the image") { loss, item, values in
      func isInside(_ box: [Double]) -> Bool {
        box[0] >= 0 && box[1] >= 0 && box[2] <= loss.imageWidth && box[3] <= loss.imageHeight
      }
      guard isInside(item.prediction), isInside(item.target) else { return [] }
      return [(3, values.value(loss, item))]
    },
    .plain(.zeroAtTarget), .symmetric, .translated, .mirrored, .swapped, .farther,
    .atLeast("L ≥ IoU loss") { IoU(unionEpsilon: $0.unionEpsilon) },
    .agrees("unchanged where boxes and image are scaled by 4, without epsilon", with: Self.self) {
      loss, item in
      var large = loss
      large.imageWidth = 4 * loss.imageWidth
      large.imageHeight = 4 * loss.imageHeight
      guard loss.unionEpsilon == 0 else { return nil }
      return (
        large, item, Item(item.prediction.map { 4 * $0 }, item.target.map { 4 * $0 })
      )
    },
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("imageWidth", \.imageWidth, in: 1...0x1p20, grid: [1, 80, 640]),
    Hyperparameter("imageHeight", \.imageHeight, in: 1...0x1p20, grid: [1, 480, 640]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// Wᵢ and Hᵢ, in the unit of the boxes.
  public var imageWidth = 640.0
  public var imageHeight = 640.0
  /// Added to the union.
  public var unionEpsilon = 0.0

  public init() {}

  public init(imageWidth: Double, imageHeight: Double) {
    self.imageWidth = imageWidth
    self.imageHeight = imageHeight
  }

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let union = p.width * p.height + t.width * t.height - overlap
    let iou = S.quotient(overlap, union + S(unionEpsilon))
    let first = S.square(p.x1 - t.x1) + S.square(p.y1 - t.y1)
    let second = S.square(p.x2 - t.x2) + S.square(p.y2 - t.y2)
    let diagonal = S.square(S(imageWidth)) + S.square(S(imageHeight))
    return 1 - iou + (first + second) / diagonal
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    let (x1, y1) = (p.x1 - t.x1, p.y1 - t.y1)
    let (x2, y2) = (p.x2 - t.x2, p.y2 - t.y2)
    let diagonal = V(imageWidth * imageWidth + imageHeight * imageHeight)
    let distance = ((x1 * x1 + y1 * y1) + (x2 * x2 + y2 * y2)) / diagonal

    // ∂d₁²/∂x1 = 2 (x1 − X1). Both parts of a slope have one sign: an edge beyond the target's, or
    // short of it, is drawn back by either.
    let rate = V(2) / diagonal
    let slopes = pair.slopes.gradient(p, t)
    return (
      pair.loss + distance,
      Box(
        x1: slopes.x1 + rate * x1, y1: slopes.y1 + rate * y1, x2: slopes.x2 + rate * x2,
        y2: slopes.y2 + rate * y2)
    )
  }
}
