/// The smallest training objective: predictions that a truth picks are positive and learn its class
/// and its box, all others are negative and learn that they are background.
///
///     m = s^α u^β                         how well prediction and truth go together
///     classification = Σ −ln softmax(logits)[class of the truth, or background] / N
///     localization = Σ over positives and their four corners of ℓ(x − t) / N
///
/// s is the prediction's softmax probability of the truth's class, u the IoU of their boxes. Each truth
/// picks the k predictions of the largest metric m > 0; a prediction that several truths picked goes to
/// the one that it overlaps most. ℓ is Smooth L1 or the squared error; N is 1, or the number of
/// positives of the batch.
///
/// Heads: "logits" (B, A, C + 1), the last class being the background, and "boxes" (B, A, 4), corners
/// in any unit. Picks and N are held constant.
///
/// Source: written for this package, after Feng et al. 2021, TOOD, arXiv 2108.07755 (the metric) and
/// Girshick 2015, Fast R-CNN, arXiv 1504.08083 (the two terms).
/// Chapter: `Spec/Detectors/PositiveNegative.md`.
public struct PositiveNegative: Objective {
  public static let name = "positive_negative"

  public enum Localization: Sendable, Equatable {
    case smoothL1(beta: Double)
    case squaredError
  }

  public enum Normalizer: Sendable {
    /// N = 1: the sum over the batch.
    case one
    /// N = the number of positives of the batch, at least 1.
    case positives
  }

  /// α and β: the exponents of the score and of the overlap in the metric.
  public var alpha = 1.0
  public var beta = 6.0
  /// k: the most predictions that a truth picks; all of them where there are fewer.
  public var picks = 1
  public var localization = Localization.smoothL1(beta: 1)
  public var normalizer = Normalizer.one

  public init() {}

  public var heads: [String] { ["logits", "boxes"] }
  public var terms: [String] { ["classification", "localization"] }

  public func check(_ heads: [Tensor], _ truths: [ImageTruths]) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    try heads[0].check("logits", shape: [truths.count, nil, nil])
    try heads[1].check("boxes", shape: [truths.count, heads[0].shape[1], 4])
    guard heads[0].columns >= 2 else {
      throw InvalidInput(
        "logits", given: "\(heads[0].columns) columns", expected: "a class and the background")
    }
    try heads[0].checkFinite("logits")
    try heads[1].checkFinite("boxes")
    for (image, truth) in truths.enumerated() {
      try truth.check(image: image, classes: heads[0].columns - 1)
    }
  }

  // MARK: Decide

  /// For each image and prediction the truth that it learns; nil for a negative.
  public typealias Decisions = [[Int?]]

  public func decide(_ heads: [Tensor], _ truths: [ImageTruths]) -> Decisions {
    truths.indices.map { image in
      let overlaps = overlaps(heads[1], truths[image], image)
      let metrics = metrics(heads[0], truths[image], image, overlaps)
      let picked = metrics.map { largest($0) }
      return (0..<heads[0].shape[1]).map { a in
        let suitors = picked.indices.filter { picked[$0].contains(a) }
        // The first of the largest overlaps.
        return suitors.max { (overlaps[$0][a], $1) < (overlaps[$1][a], $0) }
      }
    }
  }

  /// u: the IoU of each truth with each prediction; an empty or inverted box overlaps nothing.
  func overlaps(_ boxes: Tensor, _ truths: ImageTruths, _ image: Int) -> [[Double]] {
    truths.boxes.map { truth in
      (0..<boxes.shape[1]).map { a in
        let box = self.box(boxes, image, a)
        guard box.width > 0, box.height > 0 else { return 0 }
        let common = truth.intersection(box)
        let union = truth.width * truth.height + box.width * box.height - common
        return common / union
      }
    }
  }

  /// m = s^α u^β of each truth with each prediction.
  private func metrics(
    _ logits: Tensor, _ truths: ImageTruths, _ image: Int, _ overlaps: [[Double]]
  ) -> [[Double]] {
    zip(truths.labels, overlaps).map { label, overlaps in
      overlaps.enumerated().map { a, u in
        let s = Double.exp(-Softmax.negativeLogProbabilities(row(logits, image, a))[label])
        return Double.pow(s, alpha) * Double.pow(u, beta)
      }
    }
  }

  /// The indices of the k largest numbers above 0, equal ones in order.
  private func largest(_ metrics: [Double]) -> [Int] {
    let order = metrics.indices.filter { metrics[$0] > 0 }
      .sorted { (metrics[$1], $0) < (metrics[$0], $1) }
    return Array(order.prefix(picks))
  }

  private func n(_ decisions: Decisions) -> Double {
    switch normalizer {
    case .one: 1
    case .positives: Double(max(1, decisions.joined().count { $0 != nil }))
    }
  }

  private func box<S: Scalar>(_ boxes: Shaped<S>, _ image: Int, _ a: Int) -> Box<S> {
    Box(row(boxes, image, a))
  }

  private func row<S: Scalar>(_ head: Shaped<S>, _ image: Int, _ a: Int) -> [S] {
    (0..<head.columns).map { head[image, a, $0] }
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: [ImageTruths], _ decisions: Decisions
  ) -> [S] {
    let (logits, boxes) = (heads[0], heads[1])
    let background = logits.columns - 1
    var classification: S = 0
    var localization: S = 0
    for (image, owners) in decisions.enumerated() {
      for (a, owner) in owners.enumerated() {
        // Positives and negatives carry classification.
        let label = owner.map { truths[image].labels[$0] } ?? background
        let surprises = Softmax.negativeLogProbabilities(row(logits, image, a))
        classification = classification + surprises[label]

        // Positives alone carry localization.
        guard let owner else { continue }
        let truth = truths[image].boxes[owner]
        let target = [truth.x1, truth.y1, truth.x2, truth.y2]
        for (x, t) in zip(row(boxes, image, a), target) {
          localization = localization + error(x, S(t))
        }
      }
    }
    let n = S(n(decisions))
    return [classification / n, localization / n]
  }

  /// ℓ(x − t).
  private func error<S: Scalar>(_ x: S, _ t: S) -> S {
    switch localization {
    case .smoothL1(let beta): SmoothL1(beta: beta).reference(x, t)
    case .squaredError: MeanSquaredError().reference(x, t)
    }
  }

  // MARK: Optimized

  /// One kernel over all rows of logits, and one over the offsets of the positives.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: [ImageTruths], _ decisions: Decisions
  ) -> [Double] {
    let (logits, boxes) = (heads[0], heads[1])
    let (predictions, columns) = (logits.shape[1], logits.shape[2])
    var labels: [Int] = []
    var rows: [Int] = []
    var offsets: [Element] = []
    for (image, owners) in decisions.enumerated() {
      for (a, owner) in owners.enumerated() {
        labels.append(owner.map { truths[image].labels[$0] } ?? columns - 1)
        guard let owner else { continue }
        let row = image * predictions + a
        let truth = truths[image].boxes[owner]
        rows.append(row)
        // x − t in Double: a truth need not be a Float.
        for (k, t) in [truth.x1, truth.y1, truth.x2, truth.y2].enumerated() {
          offsets.append(Element(Double(boxes.values[4 * row + k]) - t))
        }
      }
    }
    let n = n(decisions)
    let classification = SparseSoftmaxCrossEntropy().total(
      count: labels.count, width: columns, logits.values, nil, classes: labels, over: n,
      gradient: logits.gradient)

    let zeros = [Element](repeating: 0, count: offsets.count)
    var slopes = zeros
    let localization =
      switch self.localization {
      case .smoothL1(let beta):
        SmoothL1(beta: beta).total(
          count: offsets.count, width: 1, offsets, zeros, over: n, gradient: &slopes)
      case .squaredError:
        MeanSquaredError().total(
          count: offsets.count, width: 1, offsets, zeros, over: n, gradient: &slopes)
      }
    boxes.clearGradient()
    for (i, row) in rows.enumerated() {
      for k in 0..<4 { boxes.gradient[4 * row + k] = slopes[4 * i + k] }
    }
    return [classification, localization]
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.alpha = Double(Float(alpha))
    rounded.beta = Double(Float(beta))
    if case .smoothL1(let beta) = localization {
      rounded.localization = .smoothL1(beta: Double(Float(beta)))
    }
    return rounded
  }
}
