/// Chooses positives and negatives by any mapping of the overlap, also one that does not rise with it.
///
///     u(p, g) = IoU(p, g)        s(p, g) = φ(u)
///     best(p) = arg max over truths of s        best(g) = arg max over predictions of s
///     p is positive where s(p, best(p)) ≥ `threshold`, and learns best(p); else it is negative
///
/// φ is a function of the caller's, or one of those below. With `keepsBest`, best(g) is positive, too,
/// and learns g, if it overlaps g; of several such truths the one of largest score. Boxes are corners
/// in any one unit.
///
/// Source: the gains of Wise-IoU v3 (Tong et al. 2023, arXiv 2301.10051) and of Powerful-IoU v2 (Liu
/// et al. 2024, Neural Networks 170), here as rules of choice. Chapter: `Spec/Assignment/MappedOverlap.md`.
public struct MappedOverlap: Assignment {
  public static let name = "mapped_overlap"

  public struct Problem: Sendable {
    public var predictions: [Box<Double>]
    public var truths: [Box<Double>]

    public init(predictions: [Box<Double>], truths: [Box<Double>]) {
      self.predictions = predictions
      self.truths = truths
    }
  }

  public struct Matching: Sendable, Equatable {
    /// u: one row a truth, one entry a prediction.
    public var overlaps: [[Double]]
    /// s, likewise; −∞ where φ gives NaN.
    public var scores: [[Double]]
    /// For each prediction the truth of its largest score, the first among equals; nil without truths
    /// and where no score is above −∞.
    public var nearest: [Int?]
    /// For each prediction the truth that it learns; nil for negatives.
    public var owners: [Int?]
    /// For each prediction 1 (positive) or 0 (negative).
    public var labels: [Int] { owners.map { $0 == nil ? 0 : 1 } }
    /// The chosen pairs, in the order of the predictions.
    public var pairs: [(prediction: Int, truth: Int)] {
      owners.enumerated().compactMap { p, owner in owner.map { (p, $0) } }
    }
  }

  /// A mapping of the overlap, with the words that name it.
  public struct Mapping: Sendable {
    public let name: String
    /// Whether a larger overlap never has a lower score.
    public let rises: Bool
    public let score: @Sendable (Double) -> Double

    public init(
      _ name: String, rises: Bool = false, _ score: @escaping @Sendable (Double) -> Double
    ) {
      self.name = name
      self.rises = rises
      self.score = score
    }

    /// φ(u) = u.
    public static let identity = Mapping("the overlap itself", rises: true) { $0 }

    /// Wise-IoU v3's gain r = β / (δ α^(β − δ)), β = (1 − u) / mean: largest at β = 1 / ln α.
    public static func wiseIoU(alpha: Double = 1.9, delta: Double = 3, mean: Double = 1) -> Self {
      Mapping("Wise-IoU v3's gain") { u in
        let β = (1 - u) / mean
        return β / (delta * .pow(alpha, β - delta))
      }
    }

    /// Powerful-IoU v2's attention 3 x exp(−x²), x = λ q, of q = u: largest at u = 1 / (λ √2).
    public static func powerfulIoU(lambda: Double = 1.3) -> Self {
      Mapping("Powerful-IoU v2's attention") { u in
        let x = lambda * u
        return 3 * x * .exp(-x * x)
      }
    }

    /// 1 / (1 + exp(−k (u − c))): a soft threshold at c.
    public static func sigmoid(center: Double = 0.5, slope: Double = 10) -> Self {
      Mapping("a sigmoid", rises: slope >= 0) { .sigmoid(slope * ($0 - center)) }
    }
  }

  public var mapping = Mapping.identity
  public var threshold = 0.5
  public var keepsBest = false

  public init() {}

  public init(_ mapping: Mapping, threshold: Double, keepsBest: Bool = false) {
    self.mapping = mapping
    self.threshold = threshold
    self.keepsBest = keepsBest
  }

  public func check(_ problem: Problem) throws(InvalidInput) {
    for (i, box) in problem.predictions.enumerated() { try box.check("predictions", index: i) }
    for (i, box) in problem.truths.enumerated() { try box.check("truths", index: i) }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let overlaps = problem.truths.map { g in problem.predictions.map { $0.overlap(g) } }
    let scores = overlaps.map { $0.map(score) }
    let columns = problem.predictions.indices.map { p in scores.map { $0[p] } }
    let nearest = columns.map(firstLargest)
    var owners = zip(columns, nearest).map { column, g in
      g.flatMap { column[$0] >= threshold ? $0 : nil }
    }
    if keepsBest {
      let best = zip(overlaps, scores).map { us, row in
        firstLargest(row).flatMap { us[$0] > 0 ? $0 : nil }
      }
      for p in problem.predictions.indices {
        let claims = best.indices.map { best[$0] == p ? columns[p][$0] : -.infinity }
        owners[p] = firstLargest(claims) ?? owners[p]
      }
    }
    return Matching(overlaps: overlaps, scores: scores, nearest: nearest, owners: owners)
  }

  private func score(_ u: Double) -> Double {
    let s = mapping.score(u)
    return s.isNaN ? -.infinity : s
  }

  private func firstLargest(_ row: [Double]) -> Int? {
    var best: Int?
    for (i, s) in row.enumerated() where s > (best.map { row[$0] } ?? -.infinity) { best = i }
    return best
  }

  // MARK: Optimized

  /// Truth by truth over vectors of predictions; each score is compared once with the running best of
  /// its prediction and of its truth.
  public func optimized(_ problem: Problem) -> Matching {
    let predictions = BoxColumns(problem.predictions)
    let count = predictions.count
    var nearest = [Int?](repeating: nil, count: count)
    var largest = [Double](repeating: -.infinity, count: count)
    var (claims, claimed) = (nearest, largest)
    var (overlaps, scores): ([[Double]], [[Double]]) = ([], [])
    for (g, truth) in problem.truths.enumerated() {
      let row = predictions.overlaps(with: truth)
      var best: Int?
      var most = -Double.infinity
      let mapped = row.enumerated().map { p, u in
        let s = score(u)
        if s > largest[p] { (largest[p], nearest[p]) = (s, g) }
        if s > most { (most, best) = (s, p) }
        return s
      }
      if let best, row[best] > 0, most > claimed[best] { (claimed[best], claims[best]) = (most, g) }
      overlaps.append(row)
      scores.append(mapped)
    }
    let owners = (0..<count).map { p in
      keepsBest && claims[p] != nil ? claims[p] : largest[p] >= threshold ? nearest[p] : nil
    }
    return Matching(overlaps: overlaps, scores: scores, nearest: nearest, owners: owners)
  }

  /// The matching of a problem, and the loss of each chosen pair.
  public func losses<L: BoxLoss>(
    _ loss: L, of problem: Problem, with evaluator: any Evaluator
  ) throws -> (matching: Matching, losses: [Gradient<Double>]) {
    let matching = try evaluator.solve(self, problem)
    let items = matching.pairs.map { p, g in
      Item(problem.predictions[p].corners, problem.truths[g].corners)
    }
    return (matching, try evaluator.evaluate(loss, items))
  }
}
