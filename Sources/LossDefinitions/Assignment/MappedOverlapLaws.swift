extension MappedOverlap {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("a positive without a claim learns its best truth, at a score of the threshold") {
      rule, problem, solve in
      let matching = solve(rule.withoutBest, problem)
      for (p, owner) in matching.owners.enumerated() {
        let most = matching.scores.map { $0[p] }.max() ?? -.infinity
        guard (owner != nil) == (most >= rule.threshold && most > -.infinity) else {
          return .refuted("prediction \(p) has score \(most) and truth \(owner as Any)")
        }
        if let owner, owner != matching.scores.firstIndex(where: { $0[p] == most }) {
          return .refuted("prediction \(p) learns \(owner)")
        }
      }
      return .holds
    },
    AssignmentLaw("the overlap itself is MaxIoU at one threshold for both, without best anchors") {
      rule, problem, solve in
      let plain = solve(Self(.identity, threshold: rule.threshold), problem)
      guard rule.threshold > 0 else { return .holds }
      let other = MaxIoU(positive: rule.threshold, negative: rule.threshold, lowQuality: nil)
        .reference(MaxIoU.Problem(anchors: problem.predictions, truths: problem.truths))
      return plain.owners == other.owners ? .holds : .refuted("\(plain.owners) ≠ \(other.owners)")
    },
    AssignmentLaw("a rising mapping is the plain rule: positive where φ(largest overlap) suffices")
    {
      rule, problem, solve in
      guard rule.mapping.rises, !problem.truths.isEmpty else { return .holds }
      let matching = solve(rule.withoutBest, problem)
      for p in problem.predictions.indices {
        let u = matching.overlaps.map { $0[p] }.max() ?? 0
        guard (matching.owners[p] != nil) == (rule.mapping.score(u) >= rule.threshold) else {
          return .refuted("prediction \(p) overlaps by \(u)")
        }
      }
      return .holds
    },
    AssignmentLaw("twice the mapping at twice the threshold chooses the same") {
      rule, problem, solve in
      let score = rule.mapping.score
      let twice = Self(
        Mapping("twice", rises: rule.mapping.rises) { 2 * score($0) },
        threshold: 2 * rule.threshold, keepsBest: rule.keepsBest)
      return same(solve(twice, problem).owners, solve(rule, problem).owners)
    },
    AssignmentLaw("best predictions kept add positives and take none away") {
      rule, problem, solve in
      var kept = rule
      kept.keepsBest = true
      let (with, without) = (solve(kept, problem), solve(rule.withoutBest, problem))
      for p in problem.predictions.indices where without.owners[p] != nil && with.owners[p] == nil {
        return .refuted("prediction \(p) is lost")
      }
      return .holds
    },
    AssignmentLaw("with best predictions kept, a truth whose best overlaps it has a positive there")
    {
      rule, problem, solve in
      guard rule.keepsBest else { return .holds }
      let matching = solve(rule, problem)
      for (g, row) in matching.scores.enumerated() {
        guard let most = row.max(), most > -.infinity,
          let best = row.firstIndex(of: most), matching.overlaps[g][best] > 0
        else { continue }
        if matching.owners[best] == nil { return .refuted("best of truth \(g) is negative") }
      }
      return .holds
    },
    AssignmentLaw("in another order the predictions learn the same, without best ones kept") {
      rule, problem, solve in
      var other = problem
      other.predictions.reverse()
      let rule = rule.withoutBest
      return same(solve(rule, problem).owners, solve(rule, other).owners.reversed())
    },
    AssignmentLaw("labels do not depend on the order of the truths, without best predictions kept")
    {
      rule, problem, solve in
      var other = problem
      other.truths.reverse()
      let rule = rule.withoutBest
      return same(solve(rule, problem).labels, solve(rule, other).labels)
    },
    AssignmentLaw("unchanged under scaling by a power of two") { rule, problem, solve in
      func scaled(_ boxes: [Box<Double>]) -> [Box<Double>] {
        boxes.map { Box($0.corners.map { 4 * $0 }) }
      }
      let other = Problem(
        predictions: scaled(problem.predictions), truths: scaled(problem.truths))
      return same(solve(rule, problem), solve(rule, other))
    },
    AssignmentLaw("without truths there is no positive") { rule, problem, solve in
      let empty = Problem(predictions: problem.predictions, truths: [])
      return same(solve(rule, empty).labels, problem.predictions.map { _ in 0 })
    },
  ]

  private static func same<T: Equatable>(_ a: T, _ b: T) -> Verdict {
    a == b ? .holds : .refuted("\(a) ≠ \(b)")
  }

  private var withoutBest: Self { Self(mapping, threshold: threshold) }

  public static var configurations: [Configuration<Self>] {
    [
      Configuration("default", Self()),
      Configuration("best predictions kept", Self(.identity, threshold: 0.5, keepsBest: true)),
      Configuration("Wise-IoU v3", Self(.wiseIoU(mean: 0.5), threshold: 1)),
      Configuration("Wise-IoU v3, best kept", Self(.wiseIoU(), threshold: 1.2, keepsBest: true)),
      Configuration("Powerful-IoU v2", Self(.powerfulIoU(), threshold: 1)),
      Configuration(
        "Powerful-IoU v2, best kept", Self(.powerfulIoU(), threshold: 1.2, keepsBest: true)),
      Configuration("sigmoid", Self(.sigmoid(), threshold: 0.5)),
      Configuration(
        "NaN below a half", Self(Mapping("root") { ($0 - 0.5).squareRoot() }, threshold: 0)),
    ]
  }

  // MARK: - Problems

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "apart", "degenerate", "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let predictions = AnchorSamples.anchors(using: &random)
    var truths = AnchorSamples.truths(stratum, near: predictions, using: &random)
    if stratum == "degenerate", let first = truths.first {
      truths[0] = Box(x1: first.x1, y1: first.y1, x2: first.x1, y2: first.y2)
    }
    return Problem(predictions: predictions, truths: truths)
  }
}
