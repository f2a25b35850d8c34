import Testing

@testable import LossDefinitions

@Suite struct MaxIoUTests {
  private func problem(_ image: Int) -> MaxIoU.Problem {
    MaxIoU.Problem(anchors: RPN.exampleAnchors, truths: RPN.exampleImages[image].boxes)
  }

  /// Either version's matching, which must be the same.
  private func solve(_ rule: MaxIoU, _ problem: MaxIoU.Problem) throws -> MaxIoU.Matching {
    try rule.check(problem)
    let matching = rule.reference(problem)
    #expect(rule.optimized(problem) == matching)
    return matching
  }

  @Test func example() throws {
    let matching = try solve(MaxIoU(), problem(0))
    #expect(matching.labels == [-1, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1, -1])
    #expect(matching.nearest == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    #expect(matching.owners[1] == 0 && matching.owners[13] == 1)
    // 14 · 14 of 256 + 210 − 196, and 26 · 23 of 1024.
    let maxima: [Double] = [196 / 270, 598 / 1024]
    #expect(matching.maxima == maxima)
    let mmdetection = MaxIoU.mmdetection(positive: 0.7, negative: 0.3, minimum: 0.3)
    let assigned = try solve(mmdetection, problem(0))
    #expect(assigned.labels == matching.labels && assigned.owners == matching.owners)

    let retina = try solve(MaxIoU(positive: 0.5, negative: 0.4), problem(0))
    #expect(retina.labels == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, -1])
    #expect(try solve(MaxIoU(), problem(2)).labels == [Int](repeating: 0, count: 15))
  }

  /// Believed: MMDetection's step only adds matches. The later truth takes the anchor, though it
  /// overlaps it less.
  @Test func laterTruthsTakeAnchors() throws {
    let truths = [Box(x1: 0.0, y1: 0, x2: 16, y2: 15), Box(x1: 1.0, y1: 1, x2: 16, y2: 16)]
    let mmdetection = MaxIoU.mmdetection(positive: 0.7, negative: 0.3, minimum: 0.3)
    for truths in [truths, truths.reversed()] {
      let problem = MaxIoU.Problem(anchors: RPN.exampleAnchors, truths: truths)
      let taken = try solve(mmdetection, problem)
      let own = try solve(MaxIoU(), problem)
      #expect(taken.labels == own.labels && own.labels[1] == 1)
      #expect(taken.owners[1] == 1)
      let owner = try #require(own.owners[1])
      #expect(problem.truths[owner].y2 == 15)
    }
  }

  @Test func tiesOfAMaximum() throws {
    // Two anchors that overlap the truth alike, below the threshold.
    let problem = MaxIoU.Problem(
      anchors: [Box(x1: 0, y1: 0, x2: 4, y2: 4), Box(x1: 4, y1: 0, x2: 8, y2: 4)],
      truths: [Box(x1: 2, y1: 0, x2: 6, y2: 4)])
    #expect(try solve(MaxIoU(), problem).labels == [1, 1])
    #expect(try solve(.matterport, problem).labels == [1, -1])
    #expect(
      try solve(MaxIoU(positive: 0.7, negative: 0.3, lowQuality: nil), problem).labels == [-1, -1])
  }

  @Test func crowdsHideNegatives() throws {
    var problem = problem(1)
    problem.crowds = [Box(x1: 0, y1: 16, x2: 8, y2: 32)]
    let labels = try solve(.matterport, problem).labels
    let open = try solve(.matterport, self.problem(1)).labels
    for a in labels.indices {
      let hidden = problem.anchors[a].overlap(problem.crowds[0]) >= 0.001
      #expect(labels[a] == (hidden && open[a] == 0 ? -1 : open[a]))
    }
    #expect(labels != open)
  }

  @Test func edges() throws {
    let flat = Box(x1: 3.0, y1: 0, x2: 3, y2: 4)
    // A truth without area overlaps nothing: every anchor is a best one.
    let problem = MaxIoU.Problem(anchors: RPN.exampleAnchors, truths: [flat])
    #expect(try solve(MaxIoU(), problem).labels.allSatisfy { $0 == 1 })
    let none = try solve(MaxIoU(), MaxIoU.Problem(anchors: [], truths: [flat]))
    #expect(none.labels.isEmpty && none.maxima == [0])
    #expect(flat.overlap(flat) == 0)

    let bad = MaxIoU.Problem(
      anchors: RPN.exampleAnchors, truths: [flat, Box(x1: 9, y1: 0, x2: 3, y2: 4)])
    do throws(InvalidInput) {
      try MaxIoU().check(bad)
      Issue.record("an inverted box passed")
    } catch {
      #expect(
        error.description == "boxes, index 1: x1 = 9.0, x2 = 3.0; expected finite numbers, x1 ≤ x2")
    }
  }

  @Test func matterportsRegions() {
    // A third of 200 are 66; with 66 there are ⌊200⌋ − 66 = 134 negatives, with 10 only 20.
    let rule = BalancedSampling.matterportRegions
    for (positives, kept, negatives) in [(100, 66, 134), (10, 10, 20), (0, 0, 0)] {
      let labels = (0..<1000).map { $0 < positives ? 1 : 0 }
      let sample = rule.reference(BalancedSampling.Problem(labels: labels, seed: 3))
      #expect(sample.positives.count == kept && sample.negatives.count == negatives)
      #expect(rule.optimized(BalancedSampling.Problem(labels: labels, seed: 3)) == sample)
    }
  }

  @Test func drawsAreUniform() {
    let rule = BalancedSampling(quota: 4)
    var counts = [Int](repeating: 0, count: 8)
    for seed in 0..<4000 {
      let problem = BalancedSampling.Problem(labels: [1, 1, 1, 1, 1, 1, 1, 1], seed: UInt64(seed))
      for a in rule.optimized(problem).positives { counts[a] += 1 }
    }
    // 1000 expected each, deviation 27.
    #expect(counts.allSatisfy { abs($0 - 1000) < 130 })
  }

  @Test func samplersRefuse() {
    func refusal(_ rule: BalancedSampling, _ labels: [Int]) -> String? {
      do throws(InvalidInput) {
        try rule.check(BalancedSampling.Problem(labels: labels))
        return nil
      } catch {
        return error.argument
      }
    }
    #expect(refusal(BalancedSampling(), [0, 1, -1]) == nil)
    #expect(refusal(BalancedSampling(), [0, 2]) == "labels")
    #expect(refusal(BalancedSampling(quota: -1), []) == "quota")
    #expect(refusal(BalancedSampling(quota: 4, positiveFraction: 0), []) == "positiveFraction")
  }
}
