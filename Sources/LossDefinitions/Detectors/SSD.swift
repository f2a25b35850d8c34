/// SSD's MultiBox loss: Smooth L1 of the positive priors' deltas, and the softmax cross-entropy of the
/// positives and of the hardest negatives of each image.
///
///     localization = Σ over positive priors and their four deltas of SmoothL1(x − t) / N
///     classification = Σ over priors of u · (−ln softmax(logits)[class + 1, or 0]) / N
///
/// Column 0 is the background. u, how often a prior counts, is `HardNegativeMining`'s; N is made of the
/// numbers of positives. A prior goes to its best truth where their IoU is .5 or more, and each truth's
/// best prior goes to that truth in any case, the last of several.
///
/// Heads: "deltas" (B, A, 4) and "logits" (B, A, C + 1). Matches, mining and N are held constant.
///
/// Source: Liu et al. 2016, SSD, arXiv 1512.02325; ssd.pytorch 5b0b77f, torchvision 0.28.0, mmdetection
/// 3.3.0. Chapter: `Spec/Detectors/SSD.md`.
public struct SSD: Objective {
  public static let name = "ssd"

  /// N, with P the number of positives.
  public enum Normalizer: Sendable, Equatable {
    /// max(1, P of the batch).
    case batch
    /// Σ over the images of max(1, P), for the boxes plus ε (mmdetection).
    case eachImage(epsilon: Double)
  }

  public var mining = HardNegativeMining(.ranksWithZero)
  public var normalizer = Normalizer.batch
  /// Positive from an IoU of .5 on; then each truth takes its first best prior from whoever has it.
  public var assigner = MaxIoU(
    positive: 0.5, negative: 0.5, lowQuality: MaxIoU.LowQuality(.firstMaximum, takesAnchors: true))
  /// β of Smooth L1.
  public var beta = 1.0
  /// The weights of the deltas: 1 / (.1, .1, .2, .2).
  public var deltas = BoxDeltas(weights: [10, 10, 5, 5])

  public init() {}

  public var heads: [String] { ["deltas", "logits"] }
  public var terms: [String] { ["localization", "classification"] }

  public func check(_ heads: [Tensor], _ truths: [AnchoredImage]) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    try heads[1].check("logits", shape: [truths.count, nil, nil])
    try heads[0].check("deltas", shape: [truths.count, heads[1].shape[1], 4])
    guard heads[1].columns >= 2 else {
      throw InvalidInput(
        "logits", given: "\(heads[1].columns) columns", expected: "the background and a class")
    }
    try heads[0].checkFinite("deltas")
    try heads[1].checkFinite("logits")
    for (i, image) in truths.enumerated() {
      try image.check(image: i, anchors: heads[1].shape[1], classes: heads[1].columns - 1)
      if let prior = image.matches?.firstIndex(of: AnchoredImage.ignored) {
        throw InvalidInput(
          "matches", image: i, index: prior, given: "ignored", expected: "a truth or background")
      }
    }
  }

  // MARK: Decide

  public struct Decisions: Sendable, Equatable {
    /// For each image and prior its truth, or `AnchoredImage.background`.
    public let matches: [[Int]]
    /// How often each prior's cross-entropy counts.
    public let uses: [[Int]]
  }

  public func decide(_ heads: [Tensor], _ truths: [AnchoredImage]) -> Decisions {
    let logits = heads[1]
    let (priors, columns) = (logits.shape[1], logits.columns)
    let matches = truths.map { $0.matches(by: assigner) }
    let targets = zip(truths, matches).flatMap { labels($0, $1) }
    var losses = [Double](repeating: 0, count: targets.count)
    _ = SparseSoftmaxCrossEntropy().total(
      count: targets.count, width: columns, logits.data, nil, classes: targets, values: &losses)
    let uses = matches.indices.map { i in
      let problem = HardNegativeMining.Problem(
        losses: Array(losses[i * priors..<(i + 1) * priors]), isPositive: matches[i].map { $0 >= 0 }
      )
      return mining.optimized(problem).uses
    }
    return Decisions(matches: matches, uses: uses)
  }

  /// Each prior's column: its truth's class after the background, or the background.
  func labels(_ image: AnchoredImage, _ matches: [Int]) -> [Int] {
    matches.map { $0 < 0 ? 0 : image.truths.labels[$0] + 1 }
  }

  /// N of the boxes, and of the classes.
  private func normalizers(_ matches: [[Int]]) -> (boxes: Double, classes: Double) {
    let positives = matches.map { Double($0.count { $0 >= 0 }) }
    switch normalizer {
    case .batch:
      let n = max(1, positives.reduce(0, +))
      return (n, n)
    case .eachImage(let epsilon):
      let n = positives.reduce(0) { $0 + max(1, $1) }
      return (n + epsilon, n)
    }
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: [AnchoredImage], _ decisions: Decisions
  ) -> [S] {
    let (deltas, logits) = (heads[0], heads[1])
    let smooth = SmoothL1(beta: beta)
    var localization: S = 0
    var classification: S = 0
    for (i, image) in truths.enumerated() {
      let matches = decisions.matches[i]
      let targets = labels(image, matches)
      for (a, match) in matches.enumerated() {
        // Positives and mined negatives carry classification.
        let uses = decisions.uses[i][a]
        if uses > 0 {
          let row = (0..<logits.columns).map { logits[i, a, $0] }
          let surprise = Softmax.negativeLogProbabilities(row)[targets[a]]
          classification = classification + S(Double(uses)) * surprise
        }

        // Positives alone carry localization.
        guard match >= 0 else { continue }
        let target = self.deltas.encode(
          Box<S>(image.truths.boxes[match]), from: Box<S>(image.anchors[a]))
        for k in 0..<4 {
          localization = localization + smooth.reference(deltas[i, a, k], target[k])
        }
      }
    }
    let n = normalizers(decisions.matches)
    return [localization / S(n.boxes), classification / S(n.classes)]
  }

  // MARK: Optimized

  /// The rows that count, gathered: at most four for each positive.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: [AnchoredImage], _ decisions: Decisions
  ) -> [Double] {
    let (deltas, logits) = (heads[0], heads[1])
    let (priors, columns) = (logits.shape[1], logits.shape[2])
    let n = normalizers(decisions.matches)
    var positives = PositiveBoxes(self.deltas)
    var rows: [Int] = []
    var labels: [Int] = []
    var weights: [Element] = []
    for (i, image) in truths.enumerated() {
      for (a, match) in decisions.matches[i].enumerated() {
        let row = i * priors + a
        let uses = decisions.uses[i][a]
        if uses > 0 {
          rows.append(row)
          labels.append(match < 0 ? 0 : image.truths.labels[match] + 1)
          weights.append(Element(uses))
        }
        guard match >= 0 else { continue }
        positives.append(
          deltas, row: row, image.anchors[a], image.truths.boxes[match], weight: 1 / n.boxes)
      }
    }
    deltas.clearGradient()
    let localization = positives.errors(SmoothL1(beta: beta), to: deltas)

    var gathered = [Element](repeating: 0, count: rows.count * columns)
    for (i, row) in rows.enumerated() {
      for c in 0..<columns { gathered[i * columns + c] = logits.values[row * columns + c] }
    }
    var slopes = gathered
    let classification = SparseSoftmaxCrossEntropy().total(
      count: rows.count, width: columns, gathered, nil, classes: labels, weights: weights,
      over: n.classes, gradient: &slopes)
    logits.clearGradient()
    for (i, row) in rows.enumerated() {
      for c in 0..<columns { logits.gradient[row * columns + c] = slopes[i * columns + c] }
    }
    return [localization, classification]
  }
}
