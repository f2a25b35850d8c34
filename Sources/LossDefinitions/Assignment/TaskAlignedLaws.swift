extension TaskAligned {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("0 ≤ t < 1, and t ≤ the truth's largest overlap") { assigner, problem, solve in
      let matching = solve(assigner, problem)
      let top = assigner.topOverlaps(problem, matching)
      for (match, t) in zip(matching.matches, matching.weights) {
        guard 0 <= t, t < 1, t <= top[match.truth] else {
          return .refuted("t = \(t) at anchor \(match.anchor), largest overlap \(top[match.truth])")
        }
      }
      return .holds
    },
    AssignmentLaw("a truth's best anchor scores max u max m / (max m + ε)") {
      assigner, problem, solve in
      let matching = solve(assigner, problem)
      let top = assigner.topOverlaps(problem, matching)
      for g in problem.truths.boxes.indices {
        let own = zip(matching.matches, matching.weights).filter { $0.0.truth == g }
        guard let best = own.map(\.1).max() else { continue }
        let m = own.map { assigner.metric($0.0, problem) }.max() ?? 0
        let want = top[g] * m / (m + assigner.epsilon)
        guard (best - want).magnitude <= 0x1p-40 * want else {
          return .refuted("truth \(g): \(best), not \(want)")
        }
      }
      return .holds
    },
    AssignmentLaw("rows that take no part change nothing") { assigner, problem, solve in
      var padded = problem
      padded.truths.boxes.append(Box(x1: 0, y1: 0, x2: 32, y2: 32))
      padded.truths.labels.append(0)
      padded.present.append(false)
      var matching = solve(assigner, padded)
      matching.picks.removeLast()
      return matching == solve(assigner, problem) ? .holds : .refuted("another matching")
    },
    AssignmentLaw("the order of the truths does not matter, no two overlaps alike") {
      assigner, problem, solve in
      guard !assigner.hasTies(problem) else { return .holds }
      var reversed = problem
      reversed.truths.boxes.reverse()
      reversed.truths.labels.reverse()
      reversed.present.reverse()
      let last = problem.truths.boxes.count - 1
      var there = solve(assigner, reversed)
      for i in there.matches.indices { there.matches[i].truth = last - there.matches[i].truth }
      let here = solve(assigner, problem)
      return here.matches == there.matches && here.weights == there.weights
        ? .holds : .refuted("another matching")
    },
    AssignmentLaw("a pick is inside its truth; a truth picks at most topk") {
      assigner, problem, solve in
      for (g, picks) in solve(assigner, problem).picks.enumerated() {
        let reach = assigner.enlarged(problem.truths.boxes[g])
        guard picks.count <= assigner.topk,
          picks.allSatisfy({ assigner.contains(reach, problem.points[$0]) })
        else { return .refuted("truth \(g) picks \(picks)") }
      }
      return .holds
    },
  ]

  private func metric(_ match: Match, _ problem: Problem) -> Double {
    guard match.isCandidate else { return 0 }
    return metric(
      problem.scores[match.anchor][problem.truths.labels[match.truth]],
      overlap(problem.truths.boxes[match.truth], problem.boxes[match.anchor]))
  }

  private func topOverlaps(_ problem: Problem, _ matching: Matching) -> [Double] {
    var top = problem.truths.boxes.map { _ in 0.0 }
    for match in matching.matches where match.isCandidate {
      let u = overlap(problem.truths.boxes[match.truth], problem.boxes[match.anchor])
      top[match.truth] = max(top[match.truth], u)
    }
    return top
  }

  public static var configurations: [Configuration<Self>] {
    let floor = SmallTruths(below: 16, become: 16)
    return [
      Configuration("default", Self()),
      Configuration("topk = 3, alpha = 1", Self(topk: 3, alpha: 1)),
      Configuration("topk2 = 4", Self(topk: 10, topk2: 4)),
      Configuration("small truths become 16 pixels", Self(topk: 7, smallTruths: floor)),
      Configuration("beta = 2", Self(topk: 13, alpha: 1, beta: 2)),
    ]
  }

  public static var strata: [String] {
    ["plain", "crowded", "tiny", "border", "duplicate", "degenerate", "far", "loose", "empty"]
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let grid = AnchorGrid([(4, 6), (2, 3), (1, 2)], strides: [8, 16, 32])
    let classes = 3
    var truths = ImageTruths()
    for _ in 0..<(stratum == "empty" ? 0 : random.integer(1...5)) {
      var (w, h) = (random.uniform(6, 40), random.uniform(6, 30))
      if stratum == "tiny" { (w, h) = (random.uniform(0.25, 9), random.uniform(0.25, 9)) }
      if stratum == "degenerate", random.chance(0.5) { w = 0 }
      var (x, y) = (random.uniform(6, 42), random.uniform(6, 26))
      if stratum == "crowded" { (x, y) = (random.uniform(20, 28), random.uniform(12, 20)) }
      if stratum == "border" { (x, y) = (random.uniform(-6, 54), random.uniform(-6, 38)) }
      truths.boxes.append(Box(x1: x - w / 2, y1: y - h / 2, x2: x + w / 2, y2: y + h / 2))
      truths.labels.append(random.integer(0...classes - 1))
      if stratum == "duplicate" {
        truths.boxes.append(truths.boxes[truths.boxes.count - 1])
        truths.labels.append(random.integer(0...classes - 1))
      }
    }
    let points = grid.points
    let boxes = points.map { point -> Box<Double> in
      let reach = stratum == "far" ? 2.0 : 24
      func side() -> Double { Double(random.integer(1...Int(8 * reach))) / 8 }
      let near = truths.boxes.isEmpty || random.chance(0.5) ? nil : random.pick(truths.boxes)
      guard let near else {
        return Box(
          x1: point.x - side(), y1: point.y - side(), x2: point.x + side(), y2: point.y + side())
      }
      return Box(
        x1: near.x1 + random.uniform(-2, 2), y1: near.y1 + random.uniform(-2, 2),
        x2: near.x2 + random.uniform(2, 4), y2: near.y2 + random.uniform(2, 4))
    }
    let scores = points.map { _ in (0..<classes).map { _ in random.uniform(0.01, 0.99) } }
    return Problem(
      points: points, boxes: boxes, scores: scores, truths: truths,
      present: truths.boxes.map { _ in random.chance(0.9) }, grid: stratum == "loose" ? nil : grid)
  }
}
