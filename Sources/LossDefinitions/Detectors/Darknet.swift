/// YOLOv3 as darknet trains it, the objective whose gradient its layers form:
///
///     xy      (2 − w h) Σ BCE(x, t)
///     wh      (2 − w h) ½ Σ (x − ln(size / prior))²
///     obj     BCE(x, 1) of the owned slots, BCE(x, 0) of those whose box overlaps no truth
///     class   Σ BCE(x, one-hot)
///
/// x are the raw outputs, a head images × (slots · (5 + classes)) × rows × columns; sums over the batch.
/// "Overlaps no truth": the predicted box's IoU with every truth of the image is at most
/// `ignoreThreshold`; that is constant for the gradient. The program never computes this objective: a
/// layer writes `deltas`, minus the gradient, and prints the sum of their squares, `cost`.
///
/// Source: Redmon and Farhadi 2018, arXiv 1804.02767; pjreddie/darknet, `yolo_layer.c`.
/// Chapter: `Spec/Detectors/Darknet.md`.
public struct Darknet: GridObjective {
  public static let name = "yolov3_darknet"
  public static let isChannelsFirst = true
  public static let isMeanOverImages = false
  public static let dialects: [Dialect] = [.darknetYOLOLayer]
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative, .anyOrderOfTruths, .averagedOverImages, .silentWithoutTruth, .offsetEntropy,
  ]
  public static let configurations: [Configuration<Self>] = [
    Configuration("default", Self()),
    Configuration("small priors, ignoreThreshold = 0.5", Self(small: 0.5)),
  ]

  /// All priors, ascending in size.
  public var priors = YOLOv3().priors
  /// The priors of each head's slots.
  public var masks = YOLOv3().masks
  /// The pixels that a cell of each head spans.
  public var strides = YOLOv3().strides
  /// The IoU with a truth above which a prediction that owns none is left out.
  public var ignoreThreshold = 0.7

  public init() {}
  public init(
    priors: [PriorSize], masks: [[Int]], strides: [Double], ignoreThreshold: Double = 0.7
  ) {
    self.priors = priors
    self.masks = masks
    self.strides = strides
    self.ignoreThreshold = ignoreThreshold
  }
  private init(small ignoreThreshold: Double) {
    let small = YOLOv3.small
    self.init(
      priors: small.priors, masks: small.masks, strides: small.strides,
      ignoreThreshold: ignoreThreshold)
  }

  public var levels: [GridLevel] { GridLevel.levels(strides, masks, priors) }
  public var heads: [String] {
    strides.count == 1 ? ["input"] : strides.indices.map { "input_\($0)" }
  }
  public let terms = ["xy", "wh", "objectness", "class"]

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    try GridLevel.check(strides, masks, priors)
    try checkGrids(heads, truths)
    try checkCells(heads, truths)
    for (image, truths) in truths.enumerated() {
      for (i, truth) in truths.boxes.enumerated() where centered(truth).cx == 0 {
        throw InvalidInput(
          "boxes", image: image, index: i, given: "centre x = 0",
          expected: "a centre right of 0, which ends a list of truths")
      }
    }
  }

  /// Each truth claims the slot of its best prior, in every head that has the prior.
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
            addingClasses: true)
        }
      }
      labels[l].markOverlaps(
        head, truth: { centered(truths[$0].boxes[$1]) }, where: { $0 > ignoreThreshold })
    }
    return labels
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [S] {
    var (xy, wh, objectness, classes): (S, S, S, S) = (0, 0, 0, 0)
    for (head, labels) in zip(gridHeads(heads), labels) {
      for positive in labels.positives {
        let slot = positive.slot
        let target = target(positive, truths, head.grid, head.level)
        let scale = S(target.scale)
        xy = xy + scale * head.offsetEntropy(slot, target)
        wh = wh + scale * 0.5 * head.sizeSquares(slot, target)
        objectness = objectness + .entropy(head[slot, 4], 1)
        classes = classes + head.classEntropy(slot, positive.classes)
      }
      for slot in labels.background { objectness = objectness + .entropy(head[slot, 4], 0) }
    }
    return [xy, wh, objectness, classes]
  }

  /// What the program's layers write: minus the gradient, entry by entry.
  public func deltas(_ heads: [Tensor], _ truths: Truths, _ labels: [GridLabels]) -> [Tensor] {
    zip(gridHeads(heads), zip(heads, labels)).map { head, pair in
      let (tensor, labels) = pair
      var delta = Tensor(zeros: tensor.shape)
      func write(_ slot: Int, _ entry: Int, _ value: Double) {
        delta.data[head.grid.offset(slot, entry)] = value
      }
      func σ(_ slot: Int, _ entry: Int) -> Double { .sigmoid(head[slot, entry]) }
      for slot in labels.background { write(slot, 4, 0 - σ(slot, 4)) }
      for positive in labels.positives {
        let slot = positive.slot
        let target = target(positive, truths, head.grid, head.level)
        let width = Double.log(target.box.w / target.prior.width)
        let height = Double.log(target.box.h / target.prior.height)
        write(slot, 0, target.scale * (target.x - σ(slot, 0)))
        write(slot, 1, target.scale * (target.y - σ(slot, 1)))
        write(slot, 2, target.scale * (width - head[slot, 2]))
        write(slot, 3, target.scale * (height - head[slot, 3]))
        write(slot, 4, 1 - σ(slot, 4))
        for c in 0..<head.grid.classes {
          write(slot, 5 + c, (positive.classes.contains(c) ? 1 : 0) - σ(slot, 5 + c))
        }
      }
      return delta
    }
  }

  /// What the program prints of a layer: Σ delta², which is no objective that it descends.
  public func cost(_ delta: Tensor) -> Double { delta.data.map { $0 * $0 }.reduce(0, +) }

  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ labels: [GridLabels]
  ) -> [Double] {
    var totals = [0.0, 0, 0, 0]
    for (l, head) in heads.enumerated() {
      let layer = crossEntropyTerms(head, truths, labels[l], level: l, rescoring: false)
      for term in totals.indices { totals[term] += layer[term] }
    }
    return totals
  }
}
