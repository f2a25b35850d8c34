/// YOLOv3 as keras-yolo3 trains it: each truth owns the slot of its best prior and pays, divided by the
/// number of images,
///
///     xy      (2 − w h) Σ BCE(x, t)              t: the centre's place in its cell
///     wh      (2 − w h) ½ Σ (x − ln(size / prior))²
///     class   Σ BCE(x, one-hot)
///     conf    BCE(x, 1) of the owned slots, BCE(x, 0) of those whose box overlaps no truth
///
/// x are the raw outputs, BCE the binary cross-entropy of a logit. A head is images × rows × columns ×
/// (slots · (5 + classes)); w, h are in parts of the image. "Overlaps no truth": the predicted box's IoU
/// with every truth that owns a slot of the same head is below `ignoreThreshold`. That and the IoU of
/// `rescoreConfidence` are constant for the gradient.
///
/// Source: Redmon and Farhadi 2018, arXiv 1804.02767, by way of qqwweee/keras-yolo3.
/// Chapter: `Spec/Detectors/YOLOv3.md`.
public struct YOLOv3: GridObjective {
  public static let name = "yolov3"
  public static let dialects: [Dialect] = [.kerasYOLO3]
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative, .anyOrderOfTruths, .averagedOverImages, .silentWithoutTruth, .offsetEntropy,
  ]
  public static let configurations: [Configuration<Self>] = [
    Configuration("default", Self()),
    Configuration("rescoreConfidence", Self(rescoreConfidence: true)),
    Configuration("tiny", tiny),
    Configuration("small priors", small),
  ]

  /// All priors, ascending in size.
  public var priors = [
    PriorSize(10, 13), PriorSize(16, 30), PriorSize(33, 23), PriorSize(30, 61), PriorSize(62, 45),
    PriorSize(59, 119), PriorSize(116, 90), PriorSize(156, 198), PriorSize(373, 326),
  ]
  /// The priors of each head's slots.
  public var masks = [[6, 7, 8], [3, 4, 5], [0, 1, 2]]
  /// The pixels that a cell of each head spans.
  public var strides = [32.0, 16, 8]
  /// The IoU with a truth from which a prediction that owns none is left out.
  public var ignoreThreshold = 0.5
  /// Whether a positive's objectness is asked to be its box's IoU instead of 1.
  public var rescoreConfidence = false

  public init() {}
  public init(
    priors: [PriorSize] = Self().priors, masks: [[Int]] = Self().masks,
    strides: [Double] = Self().strides, ignoreThreshold: Double = 0.5,
    rescoreConfidence: Bool = false
  ) {
    self.priors = priors
    self.masks = masks
    self.strides = strides
    self.ignoreThreshold = ignoreThreshold
    self.rescoreConfidence = rescoreConfidence
  }

  /// The two heads of the small network. Its masks name prior 3 twice and prior 0 never.
  public static let tiny = Self(
    priors: [
      PriorSize(10, 14), PriorSize(23, 27), PriorSize(37, 58), PriorSize(81, 82),
      PriorSize(135, 169), PriorSize(344, 319),
    ], masks: [[3, 4, 5], [1, 2, 3]], strides: [32, 16])

  /// Two heads with priors for images of a few cells.
  public static let small = Self(
    priors: [
      PriorSize(6, 8), PriorSize(10, 12), PriorSize(14, 10), PriorSize(16, 20), PriorSize(22, 18),
      PriorSize(26, 28),
    ], masks: [[3, 4, 5], [1, 2, 3]], strides: [32, 16])

  public var levels: [GridLevel] { GridLevel.levels(strides, masks, priors) }
  public var heads: [String] { strides.indices.map { "yolo_outputs_\($0)" } }
  public let terms = ["xy", "wh", "confidence", "class"]

  /// The centre rounded down to whole pixels, as the framework's integer division leaves it.
  public func centered(_ truth: Box<Double>) -> CenteredBox<Double> {
    var box = CenteredBox(truth)
    (box.cx, box.cy) = (box.cx.rounded(.down), box.cy.rounded(.down))
    return box
  }

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    try GridLevel.check(strides, masks, priors)
    try checkGrids(heads, truths)
    try checkCells(heads, truths)
  }

  /// Each truth claims the slots of its best prior, in every head that has the prior.
  public func decide(_ heads: [Tensor], _ truths: Truths) -> [GridLabels] {
    let heads = gridHeads(heads)
    var labels = unlabelled(heads)
    for (image, truths) in truths.enumerated() {
      for (i, truth) in truths.boxes.enumerated() {
        let box = centered(truth)
        let best = priors.best(for: box.size)
        for (l, head) in heads.enumerated() {
          for (k, prior) in masks[l].enumerated() where prior == best {
            labels[l].claim(
              cell(box, k, image: image, head), image: image, truth: i, label: truths.labels[i],
              addingClasses: true)
          }
        }
      }
    }
    for (l, head) in heads.enumerated() {
      // A truth whose slot another took in this head is not compared with.
      for owner in labels[l].positives { labels[l].compared[owner.image].append(owner.truth) }
      labels[l].markOverlaps(
        head, truth: { centered(truths[$0].boxes[$1]) }, where: { $0 >= ignoreThreshold })
    }
    return labels
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [S] {
    let layers = layerTerms(heads, truths, labels)
    return terms.indices.map { term in .sum(layers.map { $0[term] }) }
  }

  /// The terms of each head apart.
  public func layerTerms<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [[S]] {
    zip(gridHeads(heads), labels).map { head, labels in
      var (xy, wh, confidence, classes): (S, S, S, S) = (0, 0, 0, 0)
      for positive in labels.positives {
        let slot = positive.slot
        let target = target(positive, truths, head.grid, head.level)
        let scale = S(target.scale)
        xy = xy + scale * head.offsetEntropy(slot, target)
        wh = wh + scale * 0.5 * head.sizeSquares(slot, target)
        let wanted = rescoreConfidence ? head.overlap(slot, target).detached : 1
        confidence = confidence + .entropy(head[slot, 4], wanted)
        classes = classes + head.classEntropy(slot, positive.classes)
      }
      for slot in labels.background { confidence = confidence + .entropy(head[slot, 4], 0) }
      let images = S(divisor(head.grid))
      return [xy, wh, confidence, classes].map { $0 / images }
    }
  }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [Double] {
    var totals = [0.0, 0, 0, 0]
    for (l, head) in heads.enumerated() {
      let layer = crossEntropyTerms(
        head, truths, labels[l], level: l, rescoring: rescoreConfidence)
      for term in totals.indices { totals[term] += layer[term] }
    }
    return totals
  }
}
