/// TOOD's objective: anchors aligned with a truth learn how well aligned they are, and its box.
///
///     classification = Σ over anchors and classes (n − p)² BCE(p; n) / N
///     localization = 2 Σ over positives n (1 − GIoU(box, truth)) / N
///
/// p: a class probability; n: the soft label of `TOODAssignment` at the class of the anchor's truth, 0
/// at the other classes and for background; N = Σ n over the batch. Positives carry both terms,
/// negatives the first with label 0. Assignment, n and N are held constant, the factor (n − p)² is not.
///
/// Heads: "scores" (B, A, C), probabilities, and "boxes" (B, A, 4), decoded corners in pixels.
///
/// Source: Feng et al. 2021, TOOD, arXiv 2108.07755, eq. 8 to 11; fcjian/TOOD 1bda27c `TOODHead.loss`
/// after the warm-up. Chapter: `Spec/Detectors/TOOD.md`.
public struct TOOD: Objective {
  public static let name = "tood"

  public enum Normalizer: Sendable {
    /// N = Σ n, and 1 where that is below 1e-12: fcjian/TOOD.
    case sum
    /// N = (1 + 2⁻²³) max(Σ n, 1): mmdetection, which divides by an average factor of 1 first, and
    /// adds a single-precision epsilon to it.
    case atLeastOne
  }

  /// What the heads are held against: each image's truths, and the anchors, in pixels.
  public struct Truths: Sendable {
    public var images: [ImageTruths]
    public var anchors: [Box<Double>]

    public init(_ images: [ImageTruths], anchors: [Box<Double>]) {
      self.images = images
      self.anchors = anchors
    }
  }

  public var assignment = TOODAssignment()
  public var normalizer = Normalizer.sum
  /// The factor of the localization.
  public var boxWeight = 2.0

  public init() {}

  public var heads: [String] { ["scores", "boxes"] }
  public var terms: [String] { ["classification", "localization"] }

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    guard assignment.topk >= 1 else {
      throw InvalidInput("topk", given: "\(assignment.topk)", expected: "at least 1")
    }
    let (images, anchors) = (truths.images.count, truths.anchors.count)
    try heads[0].check("scores", shape: [images, anchors, nil])
    try heads[1].check("boxes", shape: [images, anchors, 4])
    try heads[0].checkFinite("scores")
    try heads[1].checkFinite("boxes")
    if let i = heads[0].data.firstIndex(where: { !(0...1).contains($0) }) {
      let each = anchors * heads[0].columns
      throw InvalidInput(
        "scores", image: i / each, index: i % each, given: "\(heads[0].data[i])",
        expected: "a probability, 0 to 1")
    }
    for (image, truth) in truths.images.enumerated() {
      try truth.check(image: image, classes: heads[0].columns)
    }
  }

  // MARK: Decide

  /// For each image and anchor its truth; nil is background.
  public typealias Decisions = [[Int?]]

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    truths.images.indices.map { image in
      assignment.optimized(problem(heads, truths, image)).owners
    }
  }

  /// An image, as the assignment sees it.
  public func problem(_ heads: [Tensor], _ truths: Truths, _ image: Int) -> TOODAssignment.Problem {
    let scores = heads[0].image(image)
    return TOODAssignment.Problem(
      anchors: truths.anchors,
      boxes: truths.anchors.indices.map { Self.box(heads[1], image, $0) },
      scores: Tensor(Array(scores.shape.dropFirst()), scores.data), truths: truths.images[image])
  }

  static func box<S: Scalar>(_ boxes: Shaped<S>, _ image: Int, _ a: Int) -> Box<S> {
    Box(
      x1: boxes[image, a, 0], y1: boxes[image, a, 1], x2: boxes[image, a, 2],
      y2: boxes[image, a, 3])
  }

  /// A positive: an anchor of an image, its truth, and its place among the rows of the heads.
  struct Positive {
    let row, label: Int
    let truth: Box<Double>
  }

  func positives(_ owners: [Int?], _ truths: Truths, _ image: Int) -> [Positive] {
    owners.enumerated().compactMap { a, owner in
      owner.map {
        Positive(
          row: image * owners.count + a, label: truths.images[image].labels[$0],
          truth: truths.images[image].boxes[$0])
      }
    }
  }

  func n<S: Scalar>(_ sum: S) -> S {
    switch normalizer {
    case .sum: .select(sum .< 1e-12, 1, sum)
    case .atLeastOne: (1 + 0x1p-23) * .max(sum, 1)
    }
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let (scores, boxes) = (heads[0], heads[1])
    let anchors = truths.anchors.indices
    var (classification, localization, sum): (S, S, S) = (0, 0, 0)
    for (image, owners) in decisions.enumerated() {
      let labels = softLabels(heads, truths, image, owners)
      for a in anchors {
        // Positives and negatives carry classification.
        let owned = owners[a].map { truths.images[image].labels[$0] }
        for c in 0..<scores.columns {
          let n = owned == c ? labels[a] : 0
          classification = classification + quality(scores[image, a, c], n)
        }

        // Positives alone carry localization.
        guard let owner = owners[a] else { continue }
        let truth = truths.images[image].boxes[owner].map { S($0) }
        let loss = GIoU().reference(Self.box(boxes, image, a), truth)
        localization = localization + labels[a] * loss
        sum = sum + labels[a]
      }
    }
    let n = n(sum).detached
    return [classification / n, S(boxWeight) * localization / n]
  }

  /// (n − p)² BCE(p; n), the logarithms at least −100.
  private func quality<S: Scalar>(_ p: S, _ n: S) -> S {
    .square(n - p) * BinaryCrossEntropyFromProbabilities().reference(p, n)
  }

  /// n of each anchor of an image, held constant; 0 for background.
  private func softLabels<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ image: Int, _ owners: [Int?]
  ) -> [S] {
    let matched = owners.indices.filter { owners[$0] != nil }
    let (boxes, classes) = (truths.images[image].boxes, truths.images[image].labels)
    let overlaps = matched.map { a in
      assignment.overlap(boxes[owners[a]!].map { S($0) }, Self.box(heads[1], image, a))
    }
    let metrics = zip(matched, overlaps).map { a, u in
      assignment.metric(heads[0][image, a, classes[owners[a]!]], u)
    }
    var labels: [S] = owners.map { _ in 0 }
    let soft = assignment.labels(
      matched.compactMap { owners[$0] }, overlaps: overlaps, metrics: metrics)
    for (a, n) in zip(matched, soft) { labels[a] = n.detached }
    return labels
  }

  // MARK: Optimized

  /// The cross-entropies by their kernel in blocks, all labels 0 but those of the positives; the boxes
  /// of the positives gathered for GIoU's.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    var positives: [Positive] = []
    var labels: [Double] = []
    for (image, owners) in decisions.enumerated() {
      let own = self.positives(owners, truths, image)
      positives += own
      labels += softLabels(heads, own, owners.compactMap(\.self))
    }
    let n = n(labels.reduce(0, +))
    return [
      classification(heads[0], positives, labels, n), localization(heads[1], positives, labels, n),
    ]
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.boxWeight = Double(Float(boxWeight))
    return rounded
  }
}

extension Box {
  func map<Other>(_ transform: (Number) -> Other) -> Box<Other> {
    Box<Other>(x1: transform(x1), y1: transform(y1), x2: transform(x2), y2: transform(y2))
  }
}
