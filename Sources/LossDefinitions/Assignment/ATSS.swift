/// Adaptive training sample selection: of the anchors nearest to a truth's centre, those are positive
/// whose IoU stands out from the others'.
///
///     candidates = on each level, the k anchors whose centre is nearest to the truth's
///     threshold = mean + standard deviation (n − 1) of the candidates' IoU
///     positive = a candidate with IoU ≥ threshold, its centre more than .01 inside the truth
///
/// An anchor that is positive for several truths goes to the one of the largest IoU. Equal distances
/// and equal IoUs go to the lower index; k is cut to the number of anchors of a level.
///
/// Source: Zhang et al. 2020, ATSS, arXiv 1912.02424, algorithm 1; ATSS 79dfb28, mmdetection 3.3.0.
/// Chapter: `Spec/Assignment/ATSS.md`.
public struct ATSS: Assignment {
  public static let name = "atss"

  /// k: the candidates of a level.
  public var candidates = 9
  /// What the centre must be inside by, in pixels.
  public var margin = 0.01

  public init() {}

  /// One image: its anchors, level by level, and its truths.
  public struct Problem: Sendable, Equatable {
    public var levels: [[Box<Double>]]
    public var boxes: [Box<Double>]

    public init(_ levels: [[Box<Double>]], _ boxes: [Box<Double>]) {
      self.levels = levels
      self.boxes = boxes
    }
  }

  public struct Matching: Sendable, Equatable {
    /// Each anchor's truth, level by level; −1 is background.
    public let owners: [Int]
    /// Of each truth: level by level, the nearest first.
    public let candidates: [[Int]]
    public let means: [Double]
    /// 0 where there are less than two candidates: such a truth gets no anchor.
    public let deviations: [Double]
  }

  public func check(_ problem: Problem) throws(InvalidInput) {
    guard candidates > 0 else {
      throw InvalidInput("candidates", given: "\(candidates)", expected: "at least 1")
    }
    try ImageTruths(problem.boxes, labels: problem.boxes.map { _ in 0 }).check(image: 0, classes: 1)
    for (l, level) in problem.levels.enumerated() {
      for (i, anchor) in level.enumerated()
      where
        !(anchor.width > 0 && anchor.height > 0 && anchor.width.isFinite
        && anchor.height.isFinite)
      {
        throw InvalidInput(
          "anchors", level: l, index: i, given: "\(anchor.width) x \(anchor.height)",
          expected: "positive sides")
      }
    }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let anchors = problem.levels.flatMap { $0 }
    let overlaps = problem.boxes.map { box in anchors.map { box.overlap($0) } }
    let nearest = problem.boxes.map { candidates(of: $0, problem.levels) }
    let spreads = zip(nearest, overlaps).map { candidates, row in
      statistics(candidates.map { row[$0] })
    }
    let positives = problem.boxes.indices.map { g in
      nearest[g].filter {
        overlaps[g][$0] >= spreads[g].mean + spreads[g].deviation
          && nearest[g].count >= 2 && isInside(anchors[$0], problem.boxes[g])
      }
    }
    let owners = anchors.indices.map { a in
      let suitors = positives.indices.filter { positives[$0].contains(a) }
      return suitors.max { (overlaps[$0][a], $1) < (overlaps[$1][a], $0) } ?? -1
    }
    return Matching(
      owners: owners, candidates: nearest, means: spreads.map(\.mean),
      deviations: spreads.map(\.deviation))
  }

  /// The k anchors of each level with the least distance of centres.
  private func candidates(of box: Box<Double>, _ levels: [[Box<Double>]]) -> [Int] {
    var first = 0
    return levels.flatMap { level in
      defer { first += level.count }
      let distances = level.map { box.centerDistance($0) }
      let order = level.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }
      return order.prefix(candidates).map { first + $0 }
    }
  }

  /// The mean and the deviation with n − 1; 0 of nothing.
  private func statistics(_ overlaps: [Double]) -> (mean: Double, deviation: Double) {
    guard !overlaps.isEmpty else { return (0, 0) }
    let mean = overlaps.reduce(0, +) / Double(overlaps.count)
    guard overlaps.count >= 2 else { return (mean, 0) }
    let squares = overlaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(overlaps.count - 1)).squareRoot())
  }

  private func isInside(_ anchor: Box<Double>, _ box: Box<Double>) -> Bool {
    let (x, y) = ((anchor.x1 + anchor.x2) / 2, (anchor.y1 + anchor.y2) / 2)
    return min(min(x - box.x1, y - box.y1), min(box.x2 - x, box.y2 - y)) > margin
  }

  // MARK: Optimized

  /// One pass over the anchors for a truth, which keeps the k nearest of a level sorted; overlaps of
  /// the candidates alone.
  public func optimized(_ problem: Problem) -> Matching {
    let count = problem.levels.reduce(0) { $0 + $1.count }
    var owners = [Int](repeating: -1, count: count)
    var best = [Double](repeating: 0, count: count)
    var (all, means, deviations): ([[Int]], [Double], [Double]) = ([], [], [])
    var near: [(distance: Double, index: Int)] = []
    for (g, box) in problem.boxes.enumerated() {
      var chosen: [Int] = []
      var overlaps: [Double] = []
      var first = 0
      for level in problem.levels {
        near.removeAll(keepingCapacity: true)
        for (i, anchor) in level.enumerated() {
          let distance = box.centerDistance(anchor)
          if near.count == candidates, near[candidates - 1].distance <= distance { continue }
          var place = near.count
          while place > 0, distance < near[place - 1].distance { place -= 1 }
          if near.count == candidates { near.removeLast() }
          near.insert((distance, i), at: place)
        }
        for (_, i) in near {
          chosen.append(first + i)
          overlaps.append(box.overlap(level[i]))
        }
        first += level.count
      }
      let (mean, deviation) = statistics(overlaps)
      all.append(chosen)
      means.append(mean)
      deviations.append(deviation)
      guard chosen.count >= 2 else { continue }
      claim(chosen, overlaps, mean + deviation, for: g, problem, &owners, &best)
    }
    return Matching(owners: owners, candidates: all, means: means, deviations: deviations)
  }

  /// Gives a truth the candidates from the threshold on that no earlier truth overlaps as much.
  private func claim(
    _ chosen: [Int], _ overlaps: [Double], _ threshold: Double, for truth: Int,
    _ problem: Problem, _ owners: inout [Int], _ best: inout [Double]
  ) {
    // Candidates are in the order of their levels.
    var (level, first) = (0, 0)
    for (a, overlap) in zip(chosen, overlaps) {
      while a - first >= problem.levels[level].count {
        first += problem.levels[level].count
        level += 1
      }
      guard overlap >= threshold,
        isInside(problem.levels[level][a - first], problem.boxes[truth]),
        owners[a] < 0 || best[a] < overlap
      else { continue }
      owners[a] = truth
      best[a] = overlap
    }
  }
}

extension ATSS {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("a positive is a candidate of its truth, its centre inside") {
      atss, problem, solve in
      let matching = solve(atss, problem)
      let anchors = problem.levels.flatMap { $0 }
      for (a, owner) in matching.owners.enumerated() where owner >= 0 {
        guard matching.candidates[owner].contains(a),
          atss.isInside(anchors[a], problem.boxes[owner])
        else { return .refuted("anchor \(a) is no candidate of truth \(owner), or outside") }
      }
      return .holds
    },
    AssignmentLaw("a positive's IoU is at least its truth's threshold") { atss, problem, solve in
      let matching = solve(atss, problem)
      let anchors = problem.levels.flatMap { $0 }
      for (a, owner) in matching.owners.enumerated() where owner >= 0 {
        let threshold = matching.means[owner] + matching.deviations[owner]
        guard anchors[a].overlap(problem.boxes[owner]) >= threshold - 1e-12 else {
          return .refuted("anchor \(a) is below the threshold \(threshold)")
        }
      }
      return .holds
    },
    AssignmentLaw("a truth's candidates and threshold do not depend on other truths") {
      atss, problem, solve in
      let whole = solve(atss, problem)
      for (g, box) in problem.boxes.enumerated() {
        let alone = solve(atss, Problem(problem.levels, [box]))
        guard alone.candidates[0] == whole.candidates[g], alone.means[0] == whole.means[g] else {
          return .refuted("truth \(g) alone has other candidates")
        }
      }
      return .holds
    },
    AssignmentLaw("the order of the truths is irrelevant, no IoU of an anchor with two alike") {
      atss, problem, solve in
      let anchors = problem.levels.flatMap { $0 }
      for anchor in anchors {
        let overlaps = problem.boxes.map { $0.overlap(anchor) }
        if Set(overlaps).count != overlaps.count { return .holds }
      }
      let count = problem.boxes.count
      let other = solve(atss, Problem(problem.levels, problem.boxes.reversed())).owners
      let back = other.map { $0 < 0 ? $0 : count - 1 - $0 }
      return back == solve(atss, problem).owners ? .holds : .refuted("other owners")
    },
    AssignmentLaw("fewer than two candidates: no positive") { atss, problem, solve in
      let single = Problem(problem.levels.first.map { [Array($0.prefix(1))] } ?? [], problem.boxes)
      return solve(atss, single).owners.allSatisfy { $0 == -1 }
        ? .holds : .refuted("a positive of a single candidate")
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var few = Self()
    few.candidates = 3
    return [Configuration("default", Self()), Configuration("candidates = 3", few)]
  }

  public static let strata = AnchoredImage.strata.filter { $0 != "given" && $0 != "confident" }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let image = AnchoredImage.sample(stratum, image: 0, using: &random)
    // Strides 16 and 32: 32 and 8 anchors.
    return Problem(
      [Array(image.anchors.prefix(32)), Array(image.anchors.dropFirst(32))], image.truths.boxes)
  }
}
