/// Task-aligned assignment: the anchors that predict a truth's class and box best become its own.
///
///     m = sᵅ uᵝ,   t = m max u / (max m + ε)
///
/// s: an anchor's probability of the truth's class; u = max(CIoU, 0): the overlap of its box with the
/// truth, where its point lies inside the truth; m: the metric; t: the target score of an anchor of
/// the truth, with both maxima over the truth's anchors. Everything is a constant of the gradient.
///
/// Source: Feng et al. 2021, TOOD, arXiv 2108.07755, section 3.2, as ultralytics' TaskAlignedAssigner
/// has it. Chapter: `Spec/Assignment/TaskAligned.md`.
public struct TaskAligned: Assignment {
  public static let name = "task_aligned"

  /// How many anchors a truth picks.
  public var topk = 10
  /// How many a truth keeps of those that the conflicts leave it; nil or `topk`: all.
  public var topk2: Int?
  public var alpha = 0.5
  public var beta = 6.0
  /// ε, under the target scores.
  public var epsilon = 1e-9
  /// By how many pixels more than which a point must be inside on every side.
  public var margin = 1e-9
  /// The smallest sides that truths have for the test of points inside.
  public var smallTruths: SmallTruths?

  /// A side below `floor` becomes `side`, about the truth's centre; both in pixels.
  public struct SmallTruths: Sendable, Equatable {
    public var floor, side: Double

    public init(below floor: Double, become side: Double) {
      self.floor = floor
      self.side = side
    }
  }

  public init() {}
  public init(
    topk: Int, topk2: Int? = nil, alpha: Double = 0.5, beta: Double = 6,
    smallTruths: SmallTruths? = nil
  ) {
    self.topk = topk
    self.topk2 = topk2
    self.alpha = alpha
    self.beta = beta
    self.smallTruths = smallTruths
  }

  /// An image: anchors with their points, boxes (pixels) and class probabilities, and its truths.
  public struct Problem: Sendable {
    public var points: [Point]
    public var boxes: [Box<Double>]
    /// A row of probabilities an anchor.
    public var scores: [[Double]]
    public var truths: ImageTruths
    /// Which truths take part; the others are padding.
    public var present: [Bool]
    /// The cells that the points are the centres of, if they are.
    public var grid: AnchorGrid?

    public init(
      points: [Point], boxes: [Box<Double>], scores: [[Double]], truths: ImageTruths,
      present: [Bool]? = nil, grid: AnchorGrid? = nil
    ) {
      self.points = points
      self.boxes = boxes
      self.scores = scores
      self.truths = truths
      self.present = present ?? truths.boxes.map { _ in true }
      self.grid = grid
    }
  }

  /// An anchor and the truth that it belongs to.
  public struct Match: Sendable, Equatable {
    public var anchor, truth: Int
    /// Whether the anchor's point is inside the truth: if not, their overlap counts as 0.
    public var isCandidate: Bool

    public init(anchor: Int, truth: Int, isCandidate: Bool = true) {
      self.anchor = anchor
      self.truth = truth
      self.isCandidate = isCandidate
    }
  }

  /// An anchor that several truths picked, and the truth that got it.
  public struct Conflict: Sendable, Equatable {
    public var anchor: Int
    public var pickers: [Int]
    public var owner: Int

    public init(anchor: Int, pickers: [Int], owner: Int) {
      self.anchor = anchor
      self.pickers = pickers
      self.owner = owner
    }
  }

  public struct Matching: Sendable, Equatable {
    /// What each truth picked, in the order of the anchors.
    public var picks: [[Int]] = []
    public var conflicts: [Conflict] = []
    /// The foreground, in the order of the anchors.
    public var matches: [Match] = []
    /// The target score of each match at its truth's class.
    public var weights: [Double] = []

    public init() {}
  }

  /// The naive reference with its matrices, a row a truth and a column an anchor.
  public struct Trace: Sendable {
    public var candidates: [[Bool]]
    public var overlaps: [[Double]]
    public var metrics: [[Double]]
    public var matching: Matching
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching { trace(problem).matching }

  /// Every step, over whole matrices.
  public func trace(_ problem: Problem) -> Trace {
    let truths = problem.truths
    let inside = zip(truths.boxes, problem.present).map { truth, isPresent in
      let reach = enlarged(truth)
      return problem.points.map { isPresent && contains(reach, $0) }
    }
    let overlaps = truths.boxes.indices.map { g in
      problem.boxes.indices.map { a in
        inside[g][a] ? overlap(truths.boxes[g], problem.boxes[a]) : 0
      }
    }
    let scores = truths.labels.map { label in problem.scores.map { $0[label] } }
    return trace(inside: inside, overlaps: overlaps, scores: scores)
  }

  /// The matching from its matrices: which points are inside which truth, the overlaps there (0
  /// elsewhere), and the probability of each truth's class at each anchor.
  public func trace(inside: [[Bool]], overlaps: [[Double]], scores: [[Double]]) -> Trace {
    let (truths, anchors) = (inside.indices, inside.first?.indices ?? 0..<0)
    let metrics = truths.map { g in
      anchors.map { a in inside[g][a] ? metric(scores[g][a], overlaps[g][a]) : 0 }
    }
    var result = Matching()

    // Each truth takes the best of all anchors, and keeps those inside it.
    result.picks = truths.map { g in
      Self.largest(topk, of: metrics[g]).filter { inside[g][$0] }.sorted()
    }

    // An anchor picked more than once goes to the truth that it overlaps most, picker or not.
    var owner = anchors.map { _ in Int?.none }
    for a in anchors {
      let pickers = truths.filter { result.picks[$0].contains(a) }
      owner[a] = pickers.first
      if pickers.count > 1 {
        var best = 0
        for g in truths where overlaps[g][a] > overlaps[best][a] { best = g }
        owner[a] = best
        result.conflicts.append(Conflict(anchor: a, pickers: pickers, owner: best))
      }
    }

    if let topk2, topk2 != topk {
      for g in truths {
        let own = anchors.map { owner[$0] == g ? metrics[g][$0] : 0 }
        let kept = Self.largest(topk2, of: own)
        for a in anchors where owner[a] == g && !kept.contains(a) { owner[a] = nil }
      }
    }

    for a in anchors {
      if let g = owner[a] {
        result.matches.append(Match(anchor: a, truth: g, isCandidate: inside[g][a]))
      }
    }
    result.weights = targetScores(
      result.matches, overlaps: result.matches.map { overlaps[$0.truth][$0.anchor] },
      metrics: result.matches.map { metrics[$0.truth][$0.anchor] })
    return Trace(candidates: inside, overlaps: overlaps, metrics: metrics, matching: result)
  }

  /// The indices of the k largest values, the lower index first among equals.
  static func largest(_ k: Int, of values: [Double]) -> [Int] {
    Array(
      values.indices.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(k))
  }

  /// The truth as the points see it.
  public func enlarged(_ truth: Box<Double>) -> Box<Double> {
    guard let smallTruths else { return truth }
    var box = truth
    if truth.width < smallTruths.floor {
      let center = (truth.x1 + truth.x2) / 2
      box.x1 = center - smallTruths.side / 2
      box.x2 = center + smallTruths.side / 2
    }
    if truth.height < smallTruths.floor {
      let center = (truth.y1 + truth.y2) / 2
      box.y1 = center - smallTruths.side / 2
      box.y2 = center + smallTruths.side / 2
    }
    return box
  }

  /// Whether a point is inside on all four sides.
  public func contains(_ box: Box<Double>, _ point: Point) -> Bool {
    point.x - box.x1 > margin && box.x2 - point.x > margin
      && point.y - box.y1 > margin && box.y2 - point.y > margin
  }

  /// The CIoU of a truth and a box, or 0 where it is negative.
  public func overlap<S: Scalar>(_ truth: Box<S>, _ box: Box<S>) -> S {
    S.max(0, 1 - CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7).reference(truth, box))
  }

  /// sᵅ uᵝ.
  public func metric<S: Scalar>(_ score: S, _ overlap: S) -> S {
    S.pow(score, S(alpha)) * S.pow(overlap, S(beta))
  }

  /// t of each match: its metric over the largest of its truth, times the truth's largest overlap.
  public func targetScores<S: Scalar>(
    _ matches: [Match], overlaps: [S], metrics: [S]
  ) -> [S] {
    let truths = (matches.map(\.truth).max() ?? -1) + 1
    var (topMetric, topOverlap) = (
      [S](repeating: 0, count: truths), [S](repeating: 0, count: truths)
    )
    for (i, match) in matches.enumerated() {
      topMetric[match.truth] = .max(topMetric[match.truth], metrics[i])
      topOverlap[match.truth] = .max(topOverlap[match.truth], overlaps[i])
    }
    return matches.indices.map { i in
      let g = matches[i].truth
      return metrics[i] * topOverlap[g] / (topMetric[g] + S(epsilon))
    }
  }

  // MARK: Optimized
  // TaskAlignedSearch.swift: by the cells that a truth covers, in lanes.
}
