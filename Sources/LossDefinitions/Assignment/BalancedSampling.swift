/// Keeps at most a quota of labelled anchors, part positive and part negative, drawn by a seed.
///
///     P = min(number of positives, ⌊quota · positiveFraction⌋)
///     N = min(number of negatives, quota − P)
///
/// P positives and N negatives are drawn without replacement; everything else is ignored. Of positives
/// and negatives each, the draw is the first entries of a Fisher–Yates shuffle of their indices, by
/// bits of its own: it does not depend on the other. Frameworks draw by generators of their own, so
/// that a draw can be compared with theirs only where nothing is dropped; `quota` nil drops nothing.
///
/// Source: Ren et al. 2015, Faster R-CNN, arXiv 1506.01497, section 3.1.3; torchvision
/// `BalancedPositiveNegativeSampler`, detectron2 `subsample_labels`, Matterport `build_rpn_targets`.
/// Chapter: `Spec/Assignment/BalancedSampling.md`.
public struct BalancedSampling: Assignment {
  public static let name = "balanced_sampling"

  public struct Problem: Sendable {
    /// 1 (positive), 0 (negative) or −1 (ignored).
    public var labels: [Int]
    public var seed: UInt64

    public init(labels: [Int], seed: UInt64 = 0) {
      self.labels = labels
      self.seed = seed
    }
  }

  public struct Matching: Sendable, Equatable {
    /// The labels, −1 where an anchor is not drawn.
    public var labels: [Int]
    /// The indices drawn, ascending.
    public var positives: [Int]
    public var negatives: [Int]
  }

  /// How many negatives are drawn.
  public enum Negatives: Sendable {
    /// What the positives leave of the quota.
    case remainder
    /// ⌊P / positiveFraction⌋ − P, in single precision: none without positives (Matterport's regions).
    case proportional
  }

  /// The most anchors that are kept; nil keeps all.
  public var quota: Int? = 256
  public var positiveFraction = 0.5
  public var negatives = Negatives.remainder

  public init() {}

  public init(quota: Int?, positiveFraction: Double = 0.5, _ negatives: Negatives = .remainder) {
    self.quota = quota
    self.positiveFraction = positiveFraction
    self.negatives = negatives
  }

  public func check(_ problem: Problem) throws(InvalidInput) {
    for (i, label) in problem.labels.enumerated() where !(-1...1).contains(label) {
      throw InvalidInput("labels", index: i, given: "\(label)", expected: "1, 0 or −1")
    }
    if let quota, quota < 0 {
      throw InvalidInput("quota", given: "\(quota)", expected: "at least 0")
    }
    guard 0 < positiveFraction, positiveFraction <= 1 else {
      throw InvalidInput(
        "positiveFraction", given: "\(positiveFraction)", expected: "above 0, at most 1")
    }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let positives = problem.labels.indices.filter { problem.labels[$0] == 1 }
    let negatives = problem.labels.indices.filter { problem.labels[$0] == 0 }
    let kept = keptPositives(of: positives.count)
    return matching(
      problem,
      positives: Array(shuffled(positives, bits(problem, "positive")).prefix(kept)),
      negatives: Array(
        shuffled(negatives, bits(problem, "negative"))
          .prefix(keptNegatives(of: negatives.count, besides: kept))))
  }

  /// P.
  private func keptPositives(of count: Int) -> Int {
    guard let quota else { return count }
    return min(count, Int(Double(quota) * positiveFraction))
  }

  /// N.
  private func keptNegatives(of count: Int, besides positives: Int) -> Int {
    guard let quota else { return count }
    switch negatives {
    case .remainder: return min(count, quota - positives)
    case .proportional:
      let whole = Float(1 / positiveFraction) * Float(positives)
      return min(count, Int(whole) - positives)
    }
  }

  private func bits(_ problem: Problem, _ name: String) -> SplitMix {
    SplitMix(seed: problem.seed, Self.name, name)
  }

  /// Each place in turn exchanged with itself or a later one.
  private func shuffled(_ indices: [Int], _ random: SplitMix) -> [Int] {
    var (indices, random) = (indices, random)
    for i in indices.indices { indices.swapAt(i, random.integer(i...indices.count - 1)) }
    return indices
  }

  private func matching(
    _ problem: Problem, positives: [Int], negatives: [Int]
  ) -> Matching {
    var labels = problem.labels.map { _ in -1 }
    for i in positives { labels[i] = 1 }
    for i in negatives { labels[i] = 0 }
    return Matching(
      labels: labels, positives: positives.sorted(), negatives: negatives.sorted())
  }

  // MARK: Optimized

  /// One pass over the labels, and a shuffle only as far as indices are drawn.
  public func optimized(_ problem: Problem) -> Matching {
    var positives: [Int] = []
    var negatives: [Int] = []
    for (i, label) in problem.labels.enumerated() {
      if label == 1 {
        positives.append(i)
      } else if label == 0 {
        negatives.append(i)
      }
    }
    let kept = keptPositives(of: positives.count)
    let others = keptNegatives(of: negatives.count, besides: kept)
    draw(kept, of: &positives, bits(problem, "positive"))
    draw(others, of: &negatives, bits(problem, "negative"))

    var labels = [Int](repeating: -1, count: problem.labels.count)
    for i in positives { labels[i] = 1 }
    for i in negatives { labels[i] = 0 }
    return Matching(labels: labels, positives: positives, negatives: negatives)
  }

  private func draw(_ count: Int, of indices: inout [Int], _ random: SplitMix) {
    guard count < indices.count else { return }
    var random = random
    for i in 0..<count { indices.swapAt(i, random.integer(i...indices.count - 1)) }
    indices.removeLast(indices.count - count)
    indices.sort()
  }
}

extension BalancedSampling {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("at most ⌊quota · positiveFraction⌋ positives, at most quota anchors") {
      rule, problem, solve in
      guard let quota = rule.quota, rule.negatives == .remainder else { return .holds }
      let matching = solve(rule, problem)
      let (p, n) = (matching.positives.count, matching.negatives.count)
      let most = Int(Double(quota) * rule.positiveFraction)
      return p <= most && p + n <= quota ? .holds : .refuted("\(p) positives, \(n) negatives")
    },
    AssignmentLaw("a label is kept, or becomes −1") { rule, problem, solve in
      let after = solve(rule, problem).labels
      return zip(after, problem.labels).allSatisfy { $0 == $1 || $0 == -1 }
        ? .holds : .refuted("\(problem.labels) become \(after)")
    },
    AssignmentLaw("where the quota is not reached nothing changes") { rule, problem, solve in
      let positives = problem.labels.count { $0 == 1 }
      let all = problem.labels.count { $0 >= 0 }
      let most = rule.quota.map { Int(Double($0) * rule.positiveFraction) } ?? .max
      let isPlain = rule.quota == nil || rule.negatives == .remainder
      guard isPlain, positives <= most, all <= rule.quota ?? .max else { return .holds }
      let after = solve(rule, problem).labels
      return after == problem.labels ? .holds : .refuted("\(problem.labels) become \(after)")
    },
    AssignmentLaw("which positives are kept does not depend on the negatives") {
      rule, problem, solve in
      var other = problem
      other.labels = problem.labels.map { $0 == 0 ? -1 : $0 }
      let (a, b) = (solve(rule, problem).positives, solve(rule, other).positives)
      return a == b ? .holds : .refuted("\(a) ≠ \(b)")
    },
    AssignmentLaw("ignored anchors at the end change nothing") { rule, problem, solve in
      var other = problem
      other.labels += [-1, -1]
      let (a, b) = (solve(rule, problem), solve(rule, other))
      return a.positives == b.positives && a.negatives == b.negatives
        ? .holds : .refuted("\(a.positives), \(a.negatives) ≠ \(b.positives), \(b.negatives)")
    },
  ]

  public static var configurations: [Configuration<Self>] {
    [
      Configuration("default", Self()),
      Configuration("quota = 8", Self(quota: 8)),
      Configuration("quota = 16, a quarter positive", Self(quota: 16, positiveFraction: 0.25)),
      Configuration("exhaustive", Self(quota: nil)),
      Configuration("Matterport's regions", .matterportRegions),
      Configuration(
        "proportional, quota = 12", Self(quota: 12, positiveFraction: 0.33, .proportional)),
    ]
  }

  /// 200 regions, a third of them positive, as Matterport's Mask R-CNN has it.
  public static var matterportRegions: Self {
    Self(quota: 200, positiveFraction: 0.33, .proportional)
  }

  public static let strata = ["plain", "positive", "negative", "ignored", "many", "empty"]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let count =
      switch stratum {
      case "empty": 0
      case "many": random.integer(200...600)
      default: random.integer(1...40)
      }
    let labels = (0..<count).map { _ in
      switch stratum {
      case "positive": random.chance(0.8) ? 1 : 0
      case "negative": random.chance(0.9) ? 0 : -1
      case "ignored": random.chance(0.9) ? -1 : random.integer(0...1)
      default: random.integer(-1...1)
      }
    }
    return Problem(labels: labels, seed: random.next())
  }
}
