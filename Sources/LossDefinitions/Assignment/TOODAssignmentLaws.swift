extension TOODAssignment {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("0 ≤ n < 1, and n ≤ the truth's largest overlap") { assigner, problem, solve in
      let matching = solve(assigner, problem)
      for (a, n) in matching.labels.enumerated() where matching.owners[a] != nil {
        let top = assigner.top(of: matching.owners[a]!, problem, matching)
        guard 0 <= n, n < 1, n <= top.overlap else {
          return .refuted("n = \(n) at anchor \(a), largest overlap \(top.overlap)")
        }
      }
      return .holds
    },
    AssignmentLaw("a truth's best anchor scores max u max m / (max m + ε)") {
      assigner, problem, solve in
      let matching = solve(assigner, problem)
      for g in problem.truths.boxes.indices where matching.owners.contains(g) {
        let top = assigner.top(of: g, problem, matching)
        let want = top.overlap * top.metric / (top.metric + assigner.epsilon)
        let best =
          problem.anchors.indices.filter { matching.owners[$0] == g }
          .map { matching.labels[$0] }.max() ?? 0
        guard (best - want).magnitude <= 0x1p-40 * want else {
          return .refuted("truth \(g): \(best), not \(want)")
        }
      }
      return .holds
    },
    AssignmentLaw("an anchor's owner kept it; a truth owns at most topk, all inside it") {
      assigner, problem, solve in
      let matching = solve(assigner, problem)
      for (g, picks) in matching.picks.enumerated() {
        guard picks.count <= assigner.topk,
          picks.allSatisfy({ assigner.holds(problem.truths.boxes[g], problem.anchors[$0]) })
        else { return .refuted("truth \(g) keeps \(picks)") }
      }
      for (a, owner) in matching.owners.enumerated() {
        guard let owner, !matching.picks[owner].contains(a) else { continue }
        return .refuted("truth \(owner) owns anchor \(a), which it did not keep")
      }
      return .holds
    },
    AssignmentLaw("the order of the truths does not matter, no two overlaps alike") {
      assigner, problem, solve in
      guard !assigner.hasTies(problem) else { return .holds }
      var other = problem
      other.truths.boxes.reverse()
      other.truths.labels.reverse()
      let last = problem.truths.boxes.count - 1
      var there = solve(assigner, other)
      there.owners = there.owners.map { $0.map { last - $0 } }
      there.picks.reverse()
      return there == solve(assigner, problem) ? .holds : .refuted("another matching")
    },
    AssignmentLaw("a truth that no box overlaps changes nothing") { assigner, problem, solve in
      var other = problem
      let far = (problem.boxes.flatMap(\.corners).max() ?? 0) + 64
      other.truths.boxes.append(Box(x1: far, y1: far, x2: far + 32, y2: far + 32))
      other.truths.labels.append(0)
      var there = solve(assigner, other)
      there.picks.removeLast()
      return there == solve(assigner, problem) ? .holds : .refuted("another matching")
    },
  ]

  /// A truth's largest overlap and metric among the anchors that it owns.
  private func top(
    of truth: Int, _ problem: Problem, _ matching: Matching
  ) -> (overlap: Double, metric: Double) {
    var top = (overlap: 0.0, metric: 0.0)
    for (a, owner) in matching.owners.enumerated() where owner == truth {
      let u = overlap(problem.truths.boxes[truth], problem.boxes[a])
      top.overlap = max(top.overlap, u)
      top.metric = max(top.metric, metric(problem.scores[a, problem.truths.labels[truth]], u))
    }
    return top
  }

  /// Whether a predicted box overlaps two truths alike.
  func hasTies(_ problem: Problem) -> Bool {
    problem.boxes.contains { box in
      let overlaps = problem.truths.boxes.map { overlap($0, box) }.filter { $0 > 0 }
      return Set(overlaps).count < overlaps.count
    }
  }

  public static var configurations: [Configuration<Self>] {
    var few = Self()
    few.topk = 3
    few.beta = 2
    var wide = Self()
    wide.alpha = 0.5
    wide.margin = 0
    return [
      Configuration("default", Self()), Configuration("topk = 3, beta = 2", few),
      Configuration("alpha = 0.5, margin = 0", wide),
    ]
  }

  // MARK: - Problems

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "degenerate", "saturated", "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let anchors = Self.anchors([(4, 4, 8), (2, 2, 16), (1, 1, 32)])
    let truths = Self.truths(stratum, classes: 3, using: &random)
    return Problem(
      anchors: anchors,
      boxes: anchors.map { Self.box(at: $0, near: truths, using: &random) },
      scores: Tensor(
        [anchors.count, 3],
        (0..<3 * anchors.count).map { _ in Self.score(stratum, using: &random) }),
      truths: truths)
  }

  /// Square anchors of twice the stride about each cell's centre, level by level, row by row.
  static func anchors(_ levels: [(rows: Int, columns: Int, stride: Int)]) -> [Box<Double>] {
    levels.flatMap { level in
      let s = Double(level.stride)
      return (0..<level.rows * level.columns).map { cell in
        let (row, column) = cell.quotientAndRemainder(dividingBy: level.columns)
        let (x, y) = ((Double(column) + 0.5) * s, (Double(row) + 0.5) * s)
        return Box(x1: x - s, y1: y - s, x2: x + s, y2: y + s)
      }
    }
  }

  /// Truths in an image of 32 x 32, sides in eighths.
  static func truths(
    _ stratum: String, classes: Int, using random: inout SplitMix
  ) -> ImageTruths {
    var truths = ImageTruths()
    func eighths(_ range: ClosedRange<Int>) -> Double { Double(random.integer(range)) / 8 }
    for _ in 0..<(stratum == "empty" ? 0 : random.integer(1...5)) {
      var (w, h) = (eighths(48...200), eighths(48...200))
      if stratum == "tiny" { (w, h) = (eighths(4...48), eighths(4...48)) }
      if stratum == "degenerate", random.chance(0.5) { w = 0 }
      var (x, y) = (eighths(0...(256 - Int(8 * w))), eighths(0...(256 - Int(8 * h))))
      if stratum == "crowded" { (x, y) = (eighths(0...32), eighths(0...32)) }
      if stratum == "border" { (x, y) = (eighths(-64...200), eighths(-64...200)) }
      truths.boxes.append(Box(x1: x, y1: y, x2: x + w, y2: y + h))
      truths.labels.append(random.integer(0...classes - 1))
      if stratum == "duplicate", random.chance(0.5) {
        truths.boxes.append(truths.boxes[truths.boxes.count - 1])
        truths.labels.append(truths.labels[truths.labels.count - 1])
      }
    }
    return truths
  }

  /// Near a truth, or the anchor with its sides moved.
  static func box(
    at anchor: Box<Double>, near truths: ImageTruths, using random: inout SplitMix
  ) -> Box<Double> {
    let isNear = !truths.boxes.isEmpty && random.chance(0.5)
    let box = isNear ? random.pick(truths.boxes) : anchor
    func moved(_ x: Double, _ away: ClosedRange<Int>) -> Double {
      x + Double(random.integer(away)) / 8
    }
    return Box(
      x1: moved(box.x1, -31...15), y1: moved(box.y1, -31...15), x2: moved(box.x2, 16...48),
      y2: moved(box.y2, 16...48))
  }

  /// A probability; of the stratum "saturated" often close to 0 or 1.
  static func score(_ stratum: String, using random: inout SplitMix) -> Double {
    guard stratum == "saturated" else { return random.uniform(0.02, 0.98) }
    let rest = random.logarithmic(0x1p-20, 0.5)
    return random.chance(0.5) ? rest : 1 - rest
  }
}
