import Testing

@testable import LossDefinitions

@Suite struct FCOSTests {
  @Test(arguments: [
    ("FCOS", [1.584305396809924, 1.5635957737561679, 0.8187350701419195]),
    ("torchvision", [1.179086773726675, 0.8943317698704386, 0.7930353024051784]),
    ("detectron2", [0.06946019285576878, 0.052685229447448516, 0.04671783813874394]),
    ("FCOS, with an empty image", [2.315034821210245, 1.5635957737561679, 0.8187350701419195]),
    (
      "torchvision, with an empty image",
      [1.7271338420269156, 0.8943317698704386, 0.7930353024051784]
    ),
    (
      "detectron2, with an empty image",
      [0.10174573443457528, 0.052685229447448516, 0.04671783813874394]
    ),
    ("FCOS, empty", [8.76875309280385, 0, 0]),
    ("torchvision, empty", [8.76875309280385, 0, 0]),
    ("detectron2, empty", [0.03246483929212828, 0, 0]),
  ])
  func worked(_ name: String, _ terms: [Double]) throws {
    try expectTerms(FCOS.self, name, terms)
  }

  @Test func matchesAreTheFrameworks() throws {
    let second = [-1, -1, 0, 0, -1, -1, 0, 0] + Array(repeating: -1, count: 12)
    let (original, strict) = (
      FCOS.worked[0], try #require(FCOS.worked.first { $0.name == "torchvision" })
    )
    #expect(
      original.objective.decide(original.scene.heads, original.scene.truths).matches == [
        [0, 0, -1, -1, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1], second,
      ])
    #expect(
      strict.objective.decide(strict.scene.heads, strict.scene.truths).matches == [
        [0, 0, -1, -1, 0, 0, 1, 1, -1, 1, 1, 1, -1, 1, 1, 1, -1, -1, -1, -1], second,
      ])
  }

  @Test func centernessOfTheExample() {
    let truth = DenseExample.truths[0].boxes[0]
    let c = Distances<Double>(of: truth, from: FCOSPoints.Point(x: 4, y: 4)).centerness
    #expect((c - 0.20483662259967564).magnitude < 1e-15)
  }

  @Test func badInputIsNamed() {
    let scene = FCOS.worked[0].scene
    func refusal(_ change: (inout Scene<[FCOS.Image]>) -> Void) -> InvalidInput? {
      var bad = scene
      change(&bad)
      do {
        try FCOS().check(bad.heads, bad.truths)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.heads[1].data[85] = -1 }?.argument == "distances")
    #expect(refusal { $0.heads[1].data[85] = -1 }?.image == 1)
    #expect(refusal { $0.truths[0].truths.labels[0] = 3 }?.argument == "labels")
    #expect(refusal { $0.truths[0].levels.removeLast() }?.argument == "levels")
    #expect(refusal { $0.truths[0].levels[1].stride = 0 }?.level == 1)
    #expect(
      refusal { $0.truths[0].matches = Array(repeating: 0, count: 20) }?.expected
        == "a point inside")
  }
}

@Suite struct FCOSPointsTests {
  /// Truths of 100, 103 and 96 square pixels around one point.
  private func problem(_ areas: [Double]) -> FCOSPoints.Problem {
    FCOSPoints.Problem(
      [FCOSPoints.Level(stride: 8, least: 0, most: 64, points: [FCOSPoints.Point(x: 4, y: 4)])],
      areas.map { Box(x1: 0.0, y1: 0, x2: 8, y2: $0 / 8) })
  }

  /// "The smallest truth is picked": 1e8 − area in single precision does not tell areas within 8
  /// square pixels apart.
  @Test func singlePrecisionTakesTheFirstOfAlike() {
    let problem = problem([100, 103, 96])
    #expect(FCOSPoints.torchvision.reference(problem) == [0])
    #expect(FCOSPoints.torchvision.optimized(problem) == [0])
    #expect(FCOSPoints().reference(problem) == [2])
    #expect(FCOSPoints().optimized(problem) == [2])
  }

  /// A truth of 64 px from the point is of two of the authors' levels, and of none of torchvision's.
  @Test func inclusiveRangesOverlap() {
    let levels = [(0.0, 64.0), (64, 128)].map {
      FCOSPoints.Level(stride: 64, least: $0.0, most: $0.1, points: [FCOSPoints.Point(x: 0, y: 0)])
    }
    let problem = FCOSPoints.Problem(levels, [Box(x1: -8, y1: -8, x2: 64, y2: 8)])
    #expect(FCOSPoints().reference(problem) == [0, 0])
    #expect(FCOSPoints.torchvision.reference(problem) == [-1, -1])
  }
}

@Suite struct ATSSTests {
  private let example = ATSS.Problem(
    [Array(DenseExample.anchors.prefix(12)), Array(DenseExample.anchors.dropFirst(12))],
    DenseExample.truths[0].boxes)

  @Test func workedExample() {
    for matching in [ATSS().reference(example), ATSS().optimized(example)] {
      #expect(matching.owners == [0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1])
      #expect(Set(matching.candidates[0].prefix(9)) == [0, 1, 2, 6, 7, 8, 3, 4, 5])
      #expect(Set(matching.candidates[1].prefix(9)) == [9, 10, 11, 3, 4, 5, 6, 7, 8])
      #expect(Set(matching.candidates[0].suffix(3)) == [12, 13, 14])
      let means = [0.21098973770940502, 0.3061693888712354]
      let deviations = [0.25101954193328657, 0.13747358028321555]
      for g in 0..<2 {
        #expect((matching.means[g] - means[g]).magnitude < 1e-14)
        #expect((matching.deviations[g] - deviations[g]).magnitude < 1e-14)
      }
    }
  }

  /// "A truth always gets its best candidate": the deviation of one candidate is 0 / 0, in the
  /// frameworks NaN, and nothing is at least NaN.
  @Test func oneCandidateIsNeverPositive() {
    let anchor = Box(x1: 0.0, y1: 0, x2: 8, y2: 8)
    let problem = ATSS.Problem([[anchor]], [anchor])
    #expect(ATSS().reference(problem).owners == [-1])
    #expect(ATSS().optimized(problem).owners == [-1])
    #expect(ATSS().reference(problem).means == [1])
  }

  @Test func candidatesAreCutToTheLevel() {
    let matching = ATSS().reference(example)
    #expect(matching.candidates.allSatisfy { $0.count == 12 })
  }

  @Test func badInputIsNamed() {
    var problem = example
    problem.levels[1][2].x2 = problem.levels[1][2].x1
    do {
      try ATSS().check(problem)
      Issue.record("an anchor without width passes")
    } catch {
      #expect(error.argument == "anchors" && error.level == 1 && error.index == 2)
    }
  }
}
