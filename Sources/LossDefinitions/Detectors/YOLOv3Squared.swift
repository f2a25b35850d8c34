/// YOLOv3's heads under squared errors throughout, the lineage of YOLO v1 and v2; divided by the number
/// of images,
///
///     xy        c (2 − w h) Σ (p − t)²                  t: the centre's place in its cell
///     wh        c (2 − w h) Σ (√side − √side*)²         sides in parts of the image's
///     object    o (p − 1)²                              or (p − IoU)² with `rescoreConfidence`
///     noObject  n p²                                    of slots whose box overlaps no truth
///     class     k Σ (p − one-hot)²
///
/// p = σ(x) of the raw outputs, a side is eˣ prior; each truth owns the slot of its best prior. "Overlaps
/// no truth": the predicted box's IoU with every truth of the image is below `ignoreThreshold`. That
/// and the IoU as a target are constant for the gradient.
///
/// Source: Redmon et al. 2016, arXiv 1506.02640, eq. 3; Redmon and Farhadi 2017, arXiv 1612.08242.
/// Chapter: `Spec/Detectors/YOLOv3Squared.md`.
public struct YOLOv3Squared: GridObjective {
  public static let name = "yolov3_squared"
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative, .anyOrderOfTruths, .averagedOverImages, .silentWithoutTruth, .boundedTerms,
  ]
  public static let configurations: [Configuration<Self>] = [
    Configuration("default", Self()),
    Configuration("rescoreConfidence", Self(rescoreConfidence: true)),
    Configuration("scales of YOLO v1", Self(coordinate: 5, object: 1, noObject: 0.5)),
    Configuration("small priors, rescoreConfidence", Self(small: true)),
  ]

  /// All priors, ascending in size.
  public var priors = YOLOv3().priors
  /// The priors of each head's slots.
  public var masks = YOLOv3().masks
  /// The pixels that a cell of each head spans.
  public var strides = YOLOv3().strides
  /// The IoU with a truth from which a prediction that owns none is left out.
  public var ignoreThreshold = 0.5
  /// Whether a positive's confidence is asked to be its box's IoU instead of 1.
  public var rescoreConfidence = false
  public var coordinateScale = 1.0
  public var objectScale = 5.0
  public var noObjectScale = 1.0
  public var classScale = 1.0

  public init() {}
  public init(rescoreConfidence: Bool) { self.rescoreConfidence = rescoreConfidence }
  private init(coordinate: Double, object: Double, noObject: Double) {
    (coordinateScale, objectScale, noObjectScale) = (coordinate, object, noObject)
  }
  init(small rescoreConfidence: Bool) {
    let small = YOLOv3.small
    (priors, masks, strides) = (small.priors, small.masks, small.strides)
    self.rescoreConfidence = rescoreConfidence
  }

  public var levels: [GridLevel] { GridLevel.levels(strides, masks, priors) }
  public var heads: [String] { strides.indices.map { "head_\($0)" } }
  public let terms = ["xy", "wh", "object", "noObject", "class"]

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    try GridLevel.check(strides, masks, priors)
    try checkGrids(heads, truths)
    try checkCells(heads, truths)
  }

  /// Each truth claims the slots of its best prior, in every head that has the prior.
  public func decide(_ heads: [Tensor], _ truths: Truths) -> [GridLabels] {
    let heads = gridHeads(heads)
    var labels = unlabelled(heads)
    for (l, head) in heads.enumerated() {
      for (image, truths) in truths.enumerated() {
        labels[l].compared[image] = Array(truths.boxes.indices)
        for (i, truth) in truths.boxes.enumerated() {
          let box = centered(truth)
          guard let k = masks[l].firstIndex(of: priors.best(for: box.size)) else { continue }
          labels[l].claim(
            cell(box, k, image: image, head), image: image, truth: i, label: truths.labels[i],
            addingClasses: false)
        }
      }
      labels[l].markOverlaps(
        head, truth: { centered(truths[$0].boxes[$1]) }, where: { $0 >= ignoreThreshold })
    }
    return labels
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [S] {
    var (xy, wh, object, noObject, classes): (S, S, S, S, S) = (0, 0, 0, 0, 0)
    for (head, labels) in zip(gridHeads(heads), labels) {
      let images = S(divisor(head.grid))
      for positive in labels.positives {
        let slot = positive.slot
        let target = target(positive, truths, head.grid, head.level)
        let scale = S(coordinateScale) * S(target.scale) / images
        let (x, y) = (S.sigmoid(head[slot, 0]), S.sigmoid(head[slot, 1]))
        xy = xy + scale * (.square(x - S(target.x)) + .square(y - S(target.y)))
        wh = wh + scale * rootSquares(head, slot, target)

        let wanted = rescoreConfidence ? head.overlap(slot, target).detached : 1
        let confidence = S.sigmoid(head[slot, 4])
        object = object + S(objectScale) * .square(confidence - wanted) / images
        for c in 0..<head.grid.classes {
          let label: S = positive.classes.contains(c) ? 1 : 0
          let probability = S.sigmoid(head[slot, 5 + c])
          classes = classes + S(classScale) * .square(probability - label) / images
        }
      }
      for slot in labels.background {
        noObject = noObject + S(noObjectScale) * .square(.sigmoid(head[slot, 4])) / images
      }
    }
    return [xy, wh, object, noObject, classes]
  }

  /// Σ (√side − √side*)² of the two sides, in parts of the image's.
  private func rootSquares<S: Scalar>(
    _ head: GridHead<S>, _ slot: Int, _ target: GridTarget
  ) -> S {
    let image = imageSize(head.grid, head.level)
    let box = head.box(slot)
    let (imageWidth, imageHeight) = (S(image.width), S(image.height))
    let width = S.sqrt(box.w / imageWidth) - .sqrt(S(target.box.w) / imageWidth)
    let height = S.sqrt(box.h / imageHeight) - .sqrt(S(target.box.h) / imageHeight)
    return .square(width) + .square(height)
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [Double] {
    var totals = [0.0, 0, 0, 0, 0]
    for (l, head) in heads.enumerated() {
      head.clearGradient()
      let (grid, level) = (grid(l, head.shape), levels[l])
      let image = imageSize(grid, level)
      let divisor = divisor(grid)
      var offsets = Gathered<Double>()
      var noObject = Gathered<Element>(capacity: grid.count)
      var classes = Gathered<Element>()
      for positive in labels[l].positives {
        let slot = positive.slot
        let target = target(positive, truths, grid, level)
        let scale = coordinateScale * target.scale
        offsets.add(grid.offset(slot, 0), of: head, target: target.x, weight: scale)
        offsets.add(grid.offset(slot, 1), of: head, target: target.y, weight: scale)
        let sides = [
          (target.box.w, target.prior.width, image.width),
          (target.box.h, target.prior.height, image.height),
        ]
        for (k, (side, prior, extent)) in sides.enumerated() {
          let (root, excess) = Double.rootExcess(
            Double(head.values[grid.offset(slot, 2 + k)]), side, prior)
          let share = scale * (side / extent) / divisor
          totals[1] += share * excess * excess
          head.gradient[grid.offset(slot, 2 + k)] = Element(share * excess * root)
        }
        let wanted =
          rescoreConfidence ? preciseOverlap(head, grid, level, slot, target) : DoubleDouble(1)
        totals[2] += objectTerm(head, grid.offset(slot, 4), wanted, divisor: divisor)
        for c in 0..<grid.classes {
          classes.add(
            grid.offset(slot, 5 + c), of: head, target: positive.classes.contains(c) ? 1 : 0,
            weight: classScale)
        }
      }
      for slot in labels[l].background {
        noObject.add(grid.offset(slot, 4), of: head, target: 0, weight: noObjectScale)
      }
      let squares = ProbabilitySquares()
      totals[0] += offsets.evaluate(squares, into: head, divisor: divisor)
      totals[3] += noObject.evaluate(squares, into: head, divisor: divisor)
      totals[4] += classes.evaluate(squares, into: head, divisor: divisor)
    }
    return totals
  }

  /// The IoU of a slot's box with its truth in double-doubles: its distance from the confidence may be
  /// small, and must keep its digits.
  private func preciseOverlap<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ grid: Grid, _ level: GridLevel, _ slot: Int,
    _ target: GridTarget
  ) -> DoubleDouble {
    func raw(_ entry: Int) -> DoubleDouble {
      DoubleDouble(Double(head.values[grid.offset(slot, entry)]))
    }
    let stride = DoubleDouble(level.stride)
    // Both boxes about the corner of the cell.
    let box = CenteredBox(
      cx: .sigmoid(raw(0)) * stride, cy: .sigmoid(raw(1)) * stride,
      w: .exp(raw(2)) * DoubleDouble(target.prior.width),
      h: .exp(raw(3)) * DoubleDouble(target.prior.height))
    let at = grid.place(slot)
    let truth = CenteredBox(
      cx: DoubleDouble(target.box.cx) - DoubleDouble(Double(at.column)) * stride,
      cy: DoubleDouble(target.box.cy) - DoubleDouble(Double(at.row)) * stride,
      w: DoubleDouble(target.box.w), h: DoubleDouble(target.box.h))
    return box.iou(truth)
  }

  /// λₒ (σ(x) − u)² / N of a slot's confidence, its slope written to its place.
  private func objectTerm<Element: LaneElement>(
    _ head: HeadBuffer<Element>, _ place: Int, _ wanted: DoubleDouble, divisor: Double
  ) -> Double {
    let (rough, slope) = probabilityDifference(
      DoubleLanes(repeating: Double(head.values[place])), DoubleLanes(repeating: wanted.hi))
    let difference = rough[0] - wanted.lo
    head.gradient[place] = Element(2 * objectScale * difference * slope[0] / divisor)
    return objectScale * difference * difference / divisor
  }
}
