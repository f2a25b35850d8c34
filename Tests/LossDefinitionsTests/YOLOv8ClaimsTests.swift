import LossDefinitions
import Testing

/// What is believed of YOLOv8's objective, and whether it is so.
@Suite struct YOLOv8ClaimsTests {
  /// A loss of 0 at the truth: the epsilons leave (2w + 1) ε / (w h + (2w + 1) ε).
  @Test(arguments: [(1.0, 1.0), (20, 5), (0.001, 0.002)])
  func aPerfectBoxCosts(_ w: Double, _ h: Double) {
    let box = Box(x1: 0, y1: 0, x2: w, y2: h)
    let found = CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7).reference(box, box)
    let rest = (2 * w + 1) * 1e-7
    #expect(found > 0)
    expectClose([found], [rest / (w * h + rest)], within: 1e-9)
  }

  /// DFL's minimum is the entropy of the fraction, at the two bins whose expectation is the target.
  @Test(arguments: [3.25, 7.5, 0.125])
  func aPerfectDistributionCosts(_ y: Double) {
    let low = y.rounded(.down)
    let share = y - low
    let p = (0..<16).map { bin in
      Double(bin) == low ? 1 - share : Double(bin) == low + 1 ? share : 1e-300
    }
    let entropy = -(share * Double.log(share) + (1 - share) * Double.log(1 - share))
    expectClose([DistributionFocal().reference(p.map { Double.log($0) }, [y])], [entropy])
    expectClose([zip(p, 0...).reduce(0) { $0 + $1.0 * Double($1.1) }], [y])
  }

  /// The x axis is not as the y axis: the epsilon is in the heights.
  @Test func axesAreNotAlike() {
    let loss = CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7)
    let t = Box(x1: 0, y1: 0, x2: 1e-3, y2: 2e-3)
    let p = Box(x1: 2e-4, y1: 1e-4, x2: 1.3e-3, y2: 1.7e-3)
    func turned(_ box: Box<Double>) -> Box<Double> {
      Box(x1: box.y1, y1: box.x1, x2: box.y2, y2: box.x2)
    }
    #expect(abs(loss.reference(p, t) - loss.reference(turned(p), turned(t))) > 1e-6)
  }

  /// A truth may get more anchors than it picked, or none, and an anchor that it did not pick.
  @Test func ownersNeedNotPick() {
    var (more, none, unpicked) = (0, 0, 0)
    var random = SplitMix(seed: 3, "claims")
    for _ in 0..<400 {
      let matching = TaskAligned(topk: 3).reference(Self.crowd(&random))
      for g in matching.picks.indices {
        let own = matching.matches.filter { $0.truth == g }
        if own.count > 3 { more += 1 }
        if own.isEmpty { none += 1 }
        if own.contains(where: { !matching.picks[g].contains($0.anchor) }) { unpicked += 1 }
      }
    }
    #expect(more > 0, "a truth with more than topk anchors")
    #expect(none > 0, "a truth without an anchor")
    #expect(unpicked > 0, "a truth with an anchor that it did not pick")
  }

  /// An anchor of weight 0 in the foreground changes the mask term, which is over their number.
  @Test func weightlessForegroundCounts() throws {
    var random = SplitMix(seed: 1, "weightless")
    let objective = YOLOv8Segmentation.configurations[0].loss
    let scene = objective.sample("plain", using: &random)
    var decisions = objective.decide(scene.heads, scene.truths)
    let before = objective.reference(scene.heads, scene.truths, decisions)
    let taken = Set(decisions[0].map(\.anchor))
    try #require(!taken.isEmpty)
    let free = try #require((0..<scene.heads[1].shape[2]).first { !taken.contains($0) })
    decisions[0].append(TaskAligned.Match(anchor: free, truth: 0, isCandidate: false))
    decisions[0].sort { $0.anchor < $1.anchor }
    let after = objective.reference(scene.heads, scene.truths, decisions)
    let mask = try #require(objective.terms.firstIndex(of: "mask"))
    let box = try #require(objective.terms.firstIndex(of: "box"))
    #expect(after[box] == before[box])
    #expect(after[mask] != before[mask])
  }

  /// Truths that overlap, and anchors of which each is inside some.
  private static func crowd(_ random: inout SplitMix) -> TaskAligned.Problem {
    let points = (0..<16).map { Point(4 + 8 * Double($0 % 4), 4 + 8 * Double($0 / 4)) }
    func box(_ x: Double, _ y: Double, _ low: Double, _ high: Double) -> Box<Double> {
      Box(
        x1: x - random.uniform(low, high), y1: y - random.uniform(low, high),
        x2: x + random.uniform(low, high), y2: y + random.uniform(low, high))
    }
    let truths = (0..<4).map { _ in box(random.uniform(10, 22), random.uniform(10, 22), 4, 14) }
    return TaskAligned.Problem(
      points: points, boxes: points.map { box($0.x, $0.y, 3, 16) },
      scores: points.map { _ in [random.uniform(0.01, 0.9), random.uniform(0.01, 0.9)] },
      truths: ImageTruths(truths, labels: truths.map { _ in random.integer(0...1) }))
  }
}
