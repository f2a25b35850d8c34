/// TOOD's task-aligned assignment: each truth takes the anchors whose class score and whose box agree
/// best with it.
///
///     m = s^α u^β,   n = m max u / (max m + ε)
///
/// s: an anchor's probability of the truth's class; u: the IoU of the anchor's predicted box and the
/// truth; m: the metric. Of the k anchors of the largest m over all anchors a truth keeps those with
/// m > 0 whose centre lies inside it by more than a margin. An anchor that several truths kept goes to
/// the one among them that it overlaps most. n: the soft label of an anchor, with both maxima over the
/// anchors of its truth.
///
/// Source: Feng et al. 2021, TOOD, arXiv 2108.07755, section 3.2 and fcjian/TOOD
/// `TaskAlignedAssigner`. Chapter: `Spec/Assignment/TOODAssignment.md`.
public struct TOODAssignment: Assignment {
  public static let name = "tood_assignment"

  /// k: how many anchors a truth takes, at most; all of them where there are fewer.
  public var topk = 13
  public var alpha = 1.0
  public var beta = 6.0
  /// By how many pixels more than which a centre must be inside on every side.
  public var margin = 0.01
  /// ε, under the soft labels.
  public var epsilon = 1e-7

  public init() {}

  /// An image: anchors, the boxes predicted at them (pixels), class probabilities (A, C), truths.
  public struct Problem: Sendable {
    public var anchors: [Box<Double>]
    public var boxes: [Box<Double>]
    public var scores: Tensor
    public var truths: ImageTruths

    public init(
      anchors: [Box<Double>], boxes: [Box<Double>], scores: Tensor, truths: ImageTruths
    ) {
      self.anchors = anchors
      self.boxes = boxes
      self.scores = scores
      self.truths = truths
    }
  }

  public struct Matching: Sendable, Equatable {
    /// The anchors that each truth kept, in order.
    public var picks: [[Int]]
    /// The truth of each anchor; nil is background.
    public var owners: [Int?]
    /// n of each anchor; 0 for background.
    public var labels: [Double]
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let (anchors, truths) = (problem.anchors.indices, problem.truths)
    let overlaps = truths.boxes.map { truth in problem.boxes.map { overlap(truth, $0) } }
    let metrics = truths.labels.indices.map { g in
      anchors.map { metric(problem.scores[$0, truths.labels[g]], overlaps[g][$0]) }
    }

    // Each truth takes the best of all anchors, and keeps those that overlap it and lie inside it.
    let picks = truths.boxes.indices.map { g in
      anchors.sorted { (metrics[g][$1], $0) < (metrics[g][$0], $1) }.prefix(topk).filter {
        metrics[g][$0] > 0 && holds(truths.boxes[g], problem.anchors[$0])
      }.sorted()
    }

    // An anchor kept more than once goes to the truth that it overlaps most, the first among equals.
    let owners = anchors.map { a in
      picks.indices.filter { picks[$0].contains(a) }
        .max { (overlaps[$0][a], $1) < (overlaps[$1][a], $0) }
    }
    let matched = anchors.filter { owners[$0] != nil }
    let soft = labels(
      matched.compactMap { owners[$0] }, overlaps: matched.map { overlaps[owners[$0]!][$0] },
      metrics: matched.map { metrics[owners[$0]!][$0] })
    var labels = anchors.map { _ in 0.0 }
    for (a, n) in zip(matched, soft) { labels[a] = n }
    return Matching(picks: picks, owners: owners, labels: labels)
  }

  /// u: the IoU; of boxes without a common area, and of inverted ones, 0.
  public func overlap<S: Scalar>(_ truth: Box<S>, _ box: Box<S>) -> S {
    let common = truth.intersection(box)
    let union = truth.width * truth.height + box.width * box.height - common
    return .select(0 .< common, .quotient(common, union), 0)
  }

  /// s^α u^β.
  public func metric<S: Scalar>(_ score: S, _ overlap: S) -> S {
    .pow(score, S(alpha)) * .pow(overlap, S(beta))
  }

  /// Whether an anchor's centre is inside a truth on all four sides.
  public func holds(_ truth: Box<Double>, _ anchor: Box<Double>) -> Bool {
    let (x, y) = ((anchor.x1 + anchor.x2) / 2, (anchor.y1 + anchor.y2) / 2)
    return x - truth.x1 > margin && truth.x2 - x > margin && y - truth.y1 > margin
      && truth.y2 - y > margin
  }

  /// n of each match: its metric over the largest of its truth, times its truth's largest overlap.
  public func labels<S: Scalar>(_ owners: [Int], overlaps: [S], metrics: [S]) -> [S] {
    let truths = (owners.max() ?? -1) + 1
    var most = [S](repeating: 0, count: truths)
    var widest = most
    for (i, g) in owners.enumerated() {
      most[g] = .max(most[g], metrics[i])
      widest[g] = .max(widest[g], overlaps[i])
    }
    return owners.enumerated().map { i, g in metrics[i] / (most[g] + S(epsilon)) * widest[g] }
  }

  // MARK: Optimized

  /// One pass over the boxes for each truth, a short list of the best, no matrices.
  public func optimized(_ problem: Problem) -> Matching {
    let (anchors, truths) = (problem.anchors.count, problem.truths)
    var matching = Matching(
      picks: [], owners: Array(repeating: nil, count: anchors),
      labels: Array(repeating: 0, count: anchors))
    // Of each anchor's owner.
    var overlaps = matching.labels
    var metrics = matching.labels
    for (g, truth) in truths.boxes.enumerated() {
      var best: [(anchor: Int, overlap: Double, metric: Double)] = []
      for (a, box) in problem.boxes.enumerated()
      where box.x1 < truth.x2 && truth.x1 < box.x2 && box.y1 < truth.y2 && truth.y1 < box.y2 {
        let u = overlap(truth, box)
        let m = metric(problem.scores[a, truths.labels[g]], u)
        guard m > 0 else { continue }
        var place = best.count
        while place > 0, best[place - 1].metric < m { place -= 1 }
        guard place < topk else { continue }
        if best.count == topk { best.removeLast() }
        best.insert((a, u, m), at: place)
      }
      best.removeAll { !holds(truth, problem.anchors[$0.anchor]) }
      matching.picks.append(best.map(\.anchor).sorted())
      // Truths come in order: an equal overlap leaves the anchor with the first.
      for (a, u, m) in best where matching.owners[a] == nil || overlaps[a] < u {
        (matching.owners[a], overlaps[a], metrics[a]) = (g, u, m)
      }
    }
    let matched = (0..<anchors).filter { matching.owners[$0] != nil }
    let soft = labels(
      matched.compactMap { matching.owners[$0] }, overlaps: matched.map { overlaps[$0] },
      metrics: matched.map { metrics[$0] })
    for (a, n) in zip(matched, soft) { matching.labels[a] = n }
    return matching
  }

  // MARK: - Domain

  public func check(_ problem: Problem) throws(InvalidInput) {
    let count = problem.anchors.count
    guard topk >= 1 else { throw InvalidInput("topk", given: "\(topk)", expected: "at least 1") }
    guard problem.boxes.count == count else {
      throw InvalidInput(
        "boxes", given: "\(problem.boxes.count) boxes", expected: "an anchor's each, \(count)")
    }
    try problem.scores.check("scores", shape: [count, nil])
    for (i, box) in problem.boxes.enumerated() where !box.corners.allSatisfy(\.isFinite) {
      throw InvalidInput("boxes", index: i, given: "\(box.corners)", expected: "finite numbers")
    }
    if let i = problem.scores.data.firstIndex(where: { !(0...1).contains($0) }) {
      throw InvalidInput(
        "scores", index: i, given: "\(problem.scores.data[i])", expected: "a probability, 0 to 1")
    }
    try problem.truths.check(image: 0, classes: problem.scores.columns)
  }
}
