/// YOLOv3 as tensorflow-yolov3 trains it: every prior like enough a truth is positive, on every scale;
/// per image, then the mean over images,
///
///     giou    (2 − w h) (1 − GIoU) of the positives' boxes
///     conf    (1 − p)² BCE(x, 1) of the positives, p² BCE(x, 0) of slots whose box overlaps no truth
///     prob    Σ BCE(x, one-hot (1 − s) + s / C)
///
/// x are the raw outputs, p = σ(x), s = `labelSmoothing`; w, h are in parts of the image; GIoU has
/// `epsilon` under both ratios. "Overlaps no truth": the predicted box's IoU with each truth in the
/// scale's ring is below `ignoreThreshold`; that is constant for the gradient, the focal factor is not.
///
/// Source: YunYang1994/tensorflow-yolov3. Chapter: `Spec/Detectors/YOLOv3GIoU.md`.
public struct YOLOv3GIoU: GridObjective {
  public static let name = "yolov3_giou"
  public static let dialects: [Dialect] = [.tensorflowYOLOv3]
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative, .anyOrderOfTruths, .averagedOverImages, .silentWithoutTruth, .boxMinimum,
    .classEntropy,
  ]
  public static let configurations: [Configuration<Self>] = [
    Configuration("default", Self()),
    Configuration("fallback in its own scale", Self(clipsFallbackToLastScale: false)),
    Configuration("small priors", Self(anchors: small)),
  ]

  /// Each scale's priors, in cells of the scale.
  public var anchors = [
    [PriorSize(1.25, 1.625), PriorSize(2, 3.75), PriorSize(4.125, 2.875)],
    [PriorSize(1.875, 3.8125), PriorSize(3.875, 2.8125), PriorSize(3.6875, 7.4375)],
    [PriorSize(3.625, 2.8125), PriorSize(4.875, 6.1875), PriorSize(11.65625, 10.1875)],
  ]
  /// The pixels that a cell of each scale spans.
  public var strides = [8.0, 16, 32]
  /// The IoU with a truth above which a prior in the centre's cell is positive.
  public var positiveThreshold = 0.3
  /// The IoU with a truth from which a prediction that owns none is left out.
  public var ignoreThreshold = 0.5
  public var labelSmoothing = 0.01
  /// Added to unions and to the enclosing area.
  public var epsilon = 1e-6
  /// How many truths a scale's ring holds; more overwrite the first.
  public var ringSize = 150
  /// Whether the cell of a truth without any positive is clipped to the grid of the last scale instead
  /// of its own (since pull request 592).
  public var clipsFallbackToLastScale = true

  public init() {}
  public init(anchors: [[PriorSize]] = Self().anchors, clipsFallbackToLastScale: Bool = true) {
    self.anchors = anchors
    self.clipsFallbackToLastScale = clipsFallbackToLastScale
  }

  /// Priors for images of a few cells.
  public static let small = [
    [PriorSize(1.25, 1.625), PriorSize(2, 3.75), PriorSize(3, 2.5)],
    [PriorSize(1.5, 1.25), PriorSize(1, 1.75), PriorSize(1.75, 1.6)],
    [PriorSize(0.6, 0.7), PriorSize(0.9, 0.8), PriorSize(0.75, 1)],
  ]

  public var levels: [GridLevel] {
    zip(strides, anchors).map { stride, anchors in
      GridLevel(
        stride: stride, priors: anchors.map { PriorSize($0.width * stride, $0.height * stride) })
    }
  }
  public var heads: [String] {
    let names = ["conv_sbbox", "conv_mbbox", "conv_lbbox"]
    return strides.indices.map { strides.count == 3 ? names[$0] : "conv_\($0)" }
  }
  public let terms = ["giou", "conf", "prob"]

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    try GridLevel.check(strides, anchors.map { Array($0.indices) }, anchors.flatMap { $0 })
    try checkGrids(heads, truths)
    for (l, head) in heads.enumerated() where head.data.isEmpty {
      for (image, truths) in truths.enumerated() where !truths.boxes.isEmpty {
        throw InvalidInput(
          "boxes", image: image, level: l, given: "\(truths.boxes.count) boxes",
          expected: "none in an image without cells")
      }
    }
    guard ringSize > 0 else {
      throw InvalidInput("ringSize", given: "\(ringSize)", expected: "at least 1")
    }
  }

  /// The decoded outputs pred_sbbox, pred_mbbox, pred_lbbox: images × rows × columns × slots × (x, y, w,
  /// h in pixels, confidence, class probabilities).
  public func predictions<S: Scalar>(_ tensors: [Shaped<S>]) -> [Shaped<S>] {
    gridHeads(tensors).map { head in
      let grid = head.grid
      let rows = (0..<grid.count).flatMap { slot in
        let box = head.box(slot)
        return [box.cx, box.cy, box.w, box.h]
          + (4..<grid.entries).map { .sigmoid(head[slot, $0]) }
      }
      return Shaped([grid.images, grid.rows, grid.columns, grid.slots, grid.entries], rows)
    }
  }

  /// The label of a class in a positive's row.
  func probability(_ c: Int, _ positive: GridLabels.Positive, _ classes: Int) -> Double {
    let hard = positive.classes.contains(c) ? 1.0 : 0
    return hard * (1 - labelSmoothing) + labelSmoothing / Double(classes)
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [S] {
    var (giou, conf, prob): (S, S, S) = (0, 0, 0)
    let loss = GIoU(epsilon: epsilon)
    for (head, labels) in zip(gridHeads(heads), labels) {
      let images = S(divisor(head.grid))
      for positive in labels.positives {
        let slot = positive.slot
        let target = target(positive, truths, head.grid, head.level)
        let truth: CenteredBox<S> = target.box.map { S($0) }
        let boxLoss = loss.reference(head.box(slot).corners, truth.corners)
        giou = giou + S(target.scale) * boxLoss / images

        let miss = S.sigmoid(-head[slot, 4])
        conf = conf + .square(miss) * .softplus(-head[slot, 4]) / images
        for c in 0..<head.grid.classes {
          let label = S(probability(c, positive, head.grid.classes))
          prob = prob + .entropy(head[slot, 5 + c], label) / images
        }
      }
      for slot in labels.background {
        let miss = S.sigmoid(head[slot, 4])
        conf = conf + .square(miss) * .softplus(head[slot, 4]) / images
      }
    }
    return [giou, conf, prob]
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [Double] {
    var totals = [0.0, 0, 0]
    for (l, head) in heads.enumerated() {
      head.clearGradient()
      let grid = grid(l, head.shape)
      let divisor = divisor(grid)
      let count = labels[l].positives.count
      var confidence = Gathered<Element>(capacity: grid.count)
      // A smoothed label near 1 loses most of 1 − t in Float.
      var probabilities = Gathered<Double>(capacity: count * grid.classes)
      for positive in labels[l].positives {
        confidence.add(grid.offset(positive.slot, 4), of: head, target: 1)
        for c in 0..<grid.classes {
          probabilities.add(
            grid.offset(positive.slot, 5 + c), of: head,
            target: probability(c, positive, grid.classes))
        }
      }
      for slot in labels[l].background {
        confidence.add(grid.offset(slot, 4), of: head, target: 0)
      }
      totals[0] += boxTerm(head, truths, labels[l], level: l)
      totals[1] += confidence.evaluate(Focal(alpha: -1, gamma: 2), into: head, divisor: divisor)
      totals[2] += probabilities.evaluate(BinaryCrossEntropy(), into: head, divisor: divisor)
    }
    return totals
  }

  /// The boxes' term of a head, by the kernel over its positives; their slopes through the decoding:
  ///
  ///     x = (σ(x̂) + column) s: x′ = s σ (1 − σ),     w = e^ŵ prior: w′ = w
  ///     dL/dx = L₁ + L₂,   dL/dw = (L₂ − L₁) / 2     of the corners' slopes L₁, L₂ on an axis
  private func boxTerm<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ truths: Truths, _ labels: GridLabels, level l: Int
  ) -> Double {
    let (grid, level) = (grid(l, head.shape), levels[l])
    let targets = labels.positives.map { target($0, truths, grid, level) }
    let decoded = zip(labels.positives, targets).map {
      DecodedSlot(head, grid, $0.slot, $1, stride: level.stride)
    }
    let predicted = decoded.flatMap(\.box.corners.flat)
    let wanted = decoded.flatMap(\.truth.corners.flat)
    let weights = targets.map(\.scale)
    var slopes = predicted.map { _ in 0.0 }
    let total = GIoU(epsilon: epsilon).total(
      count: weights.count, width: 4, predicted, wanted, weights: weights, over: divisor(grid),
      gradient: &slopes)
    for (i, (positive, slot)) in zip(labels.positives, decoded).enumerated() {
      let (x1, y1, x2, y2) = (
        slopes[4 * i], slopes[4 * i + 1], slopes[4 * i + 2], slopes[4 * i + 3]
      )
      let raw = [
        (x1 + x2) * level.stride * slot.slopeX, (y1 + y2) * level.stride * slot.slopeY,
        0.5 * (x2 - x1) * slot.box.w, 0.5 * (y2 - y1) * slot.box.h,
      ]
      for entry in 0..<4 {
        head.gradient[grid.offset(positive.slot, entry)] = Element(raw[entry])
      }
    }
    return total
  }
}
