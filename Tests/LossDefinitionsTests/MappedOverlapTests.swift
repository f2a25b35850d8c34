import Testing

@testable import LossDefinitions

@Suite struct MappedOverlapTests {
  private func box(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Box<Double> {
    Box(x1: x1, y1: y1, x2: x2, y2: y2)
  }

  /// Either version's matching, which must be the same.
  private func solve(
    _ rule: MappedOverlap, _ problem: MappedOverlap.Problem
  ) throws -> MappedOverlap.Matching {
    try rule.check(problem)
    let matching = rule.reference(problem)
    #expect(rule.optimized(problem) == matching)
    return matching
  }

  private var example: MappedOverlap.Problem {
    MappedOverlap.Problem(
      predictions: [box(0, 0, 10, 10), box(0, 0, 10, 5), box(0, 0, 10, 2)],
      truths: [box(0, 0, 10, 10)])
  }

  @Test func workedExample() throws {
    let cases: [(MappedOverlap.Mapping, Double, [Double], [Int])] = [
      (.identity, 0.5, [1, 0.5, 0.2], [1, 1, 0]),
      (.wiseIoU(mean: 0.5), 1, [0, 1.2033, 1.3099], [0, 1, 1]),
      (.powerfulIoU(), 1, [0.7196, 1.2780, 0.7290], [0, 1, 0]),
      (.sigmoid(), 0.5, [0.9933, 0.5, 0.0474], [1, 1, 0]),
    ]
    for (mapping, threshold, scores, labels) in cases {
      let matching = try solve(MappedOverlap(mapping, threshold: threshold), example)
      #expect(matching.overlaps == [[1, 0.5, 0.2]])
      for (s, want) in zip(matching.scores[0], scores) {
        #expect(abs(s - want) < 5e-5, "\(mapping.name): \(s)")
      }
      #expect(matching.labels == labels, "\(mapping.name)")
    }
  }

  @Test func anyMappingOfTheCaller() throws {
    let peak = MappedOverlap(.init("peak") { $0 * (1 - $0) }, threshold: 0.2)
    let matching = try solve(peak, example)
    #expect(matching.labels == [0, 1, 0])
    #expect(matching.scores[0][1] == 0.25)
    // Falling: what overlaps least.
    let fall = try solve(MappedOverlap(.init("fall") { -$0 }, threshold: -0.2), example)
    #expect(fall.labels == [0, 0, 1])
    // A score that is not a number is never chosen.
    let none = try solve(MappedOverlap(.init("none") { _ in .nan }, threshold: -1), example)
    #expect(none.labels == [0, 0, 0] && none.nearest == [nil, nil, nil])
  }

  /// Believed: a prediction learns the truth that it overlaps most.
  @Test func peakedMappingsPreferOtherTruths() throws {
    let problem = MappedOverlap.Problem(
      predictions: [box(0, 0, 10, 5)], truths: [box(0, 0, 10, 10), box(0, 0, 10, 5)])
    #expect(try solve(MappedOverlap(.identity, threshold: 0.5), problem).owners == [1])
    #expect(try solve(MappedOverlap(.powerfulIoU(), threshold: 0.5), problem).owners == [0])
  }

  @Test func bestPredictionsAndTies() throws {
    // Alike to the truth: the first, and only if asked.
    let twins = MappedOverlap.Problem(
      predictions: [box(4, 0, 8, 4), box(0, 0, 4, 4)],
      truths: [box(2, 0, 6, 4), box(50, 50, 60, 60)])
    let kept = MappedOverlap(.identity, threshold: 0.9, keepsBest: true)
    #expect(try solve(MappedOverlap(.identity, threshold: 0.9), twins).owners == [nil, nil])
    #expect(try solve(kept, twins).owners == [0, nil])
    // Two truths claim one prediction: the one of larger score has it, the first among equals.
    let shared = MappedOverlap.Problem(
      predictions: [box(0, 0, 10, 10)], truths: [box(0, 0, 10, 2), box(0, 0, 10, 4)])
    #expect(try solve(kept, shared).owners == [1])
    let equal = MappedOverlap.Problem(
      predictions: [box(0, 0, 10, 10)], truths: [box(0, 0, 10, 2), box(0, 8, 10, 10)])
    #expect(try solve(kept, equal).owners == [0])
  }

  @Test func lossesOfTheChosenPairs() throws {
    let rule = MappedOverlap(.wiseIoU(mean: 0.5), threshold: 1)
    for evaluator in [ReferenceEvaluator() as any Evaluator, KernelEvaluator<Double>()] {
      let (matching, losses) = try rule.losses(IoU(), of: example, with: evaluator)
      #expect(matching.pairs.map(\.prediction) == [1, 2])
      #expect(losses.map(\.value) == [0.5, 0.8])
      #expect(losses.allSatisfy { $0.prediction.count == 4 })
    }
    let (_, distances) = try rule.losses(DIoU(), of: example, with: ReferenceEvaluator())
    #expect(abs(distances[0].value - 0.53125) < 1e-15)
  }

  @Test func edges() throws {
    let rule = MappedOverlap(.identity, threshold: 0.5, keepsBest: true)
    let none = try solve(rule, .init(predictions: [], truths: [box(0, 0, 1, 1)]))
    #expect(none.overlaps == [[]] && none.owners.isEmpty)
    let bare = try solve(rule, .init(predictions: [box(0, 0, 1, 1)], truths: []))
    #expect(bare.labels == [0] && bare.scores.isEmpty)
    do throws(InvalidInput) {
      try rule.check(.init(predictions: [box(1, 0, 0, 1)], truths: []))
      Issue.record("an inverted box passed")
    } catch {
      #expect(error.argument == "predictions" && error.index == 0)
    }
  }
}
