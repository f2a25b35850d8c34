import Testing

@testable import LossDefinitions

@Suite struct SSDTests {
  @Test(arguments: [
    ("ssd.pytorch", [6.209330636187715, 13.06997098119399]),
    ("torchvision", [6.209330636187715, 13.06997098119399]),
    ("mmdetection", [6.209330389451094, 13.06997098119399]),
    ("ssd.pytorch, with an empty image", [6.209330636187715, 13.06997098119399]),
    ("torchvision, with an empty image", [6.209330636187715, 13.06997098119399]),
    ("mmdetection, with an empty image", [4.656997838351436, 9.802478235895492]),
    ("ssd.pytorch, empty", [0, 0]),
    ("torchvision, empty", [0, 0]),
    ("mmdetection, empty", [0, 0]),
    ("ssd.pytorch, few priors", [4.021440488006242, 5.610235674615639]),
    ("torchvision, few priors", [4.021440488006242, 7.68331245751462]),
    ("mmdetection, few priors", [4.021440392127631, 5.61023567461564]),
  ])
  func worked(_ name: String, _ terms: [Double]) throws {
    try expectTerms(SSD.self, name, terms)
  }

  @Test func positivesAndNegativesAreTheFrameworks() throws {
    for configuration in [SSD.ssdPytorch, .torchvision, .mmdetection] {
      let scene = SSD.worked[0].scene
      let decisions = configuration.decide(scene.heads, scene.truths)
      let chosen = zip(decisions.matches, decisions.uses).map { matches, uses in
        (
          matches.indices.filter { matches[$0] >= 0 },
          matches.indices.filter { matches[$0] < 0 && uses[$0] > 0 }
        )
      }
      #expect(chosen[0].0 == [2, 19])
      #expect(chosen[0].1 == [9, 13, 23, 26, 32, 35])
      #expect(chosen[1].0 == [10])
      #expect(chosen[1].1 == [1, 24, 33])
    }
  }

  /// "torchvision counts each prior once": where the negatives run out, positives enter again.
  @Test func torchvisionCountsPositivesTwice() throws {
    let worked = try #require(SSD.worked.first { $0.name == "torchvision, few priors" })
    let decisions = worked.objective.decide(worked.scene.heads, worked.scene.truths)
    #expect(decisions.uses[0] == [2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1])
    let others = SSD.ssdPytorch.decide(worked.scene.heads, worked.scene.truths)
    #expect(others.uses[0] == Array(repeating: 1, count: 15))
  }

  /// "The order of the truths never matters": the last of two truths wins the prior that is best for
  /// both.
  @Test func laterTruthWinsASharedPrior() {
    let prior = Box(x1: 0.0, y1: 0, x2: 10, y2: 10)
    let (near, far) = (Box(x1: 0.0, y1: 0, x2: 10, y2: 8), Box(x1: 0.0, y1: 0, x2: 10, y2: 4))
    for boxes in [[near, far], [far, near]] {
      let image = AnchoredImage([prior], ImageTruths(boxes, labels: [0, 1]))
      #expect(image.matches(by: SSD().assigner) == [1])
    }
  }

  @Test func badInputIsNamed() {
    let scene = SSD.worked[0].scene
    func refusal(_ change: (inout Scene<[AnchoredImage]>) -> Void) -> InvalidInput? {
      var bad = scene
      change(&bad)
      do {
        try SSD().check(bad.heads, bad.truths)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.truths[0].truths.labels[1] = 3 }?.argument == "labels")
    #expect(refusal { $0.truths[0].truths.boxes[0].y2 = 2 }?.argument == "boxes")
    #expect(refusal { $0.heads[1].data[5] = .infinity }?.argument == "logits")
    #expect(
      refusal { $0.truths[0].matches = Array(repeating: -2, count: 36) }?.argument == "matches")
  }
}

@Suite struct HardNegativeMiningTests {
  /// Five of eight are positive: 15 negatives are wanted, three are there.
  @Test func rulesDifferWhereNegativesRunOut() {
    let problem = HardNegativeMining.Problem(
      losses: [1, 2, 3, 4, 5, 6, 7, 8],
      isPositive: [true, true, true, true, true, false, false, false])
    for mining in [HardNegativeMining(.excluded), HardNegativeMining(.ranksWithZero)] {
      #expect(mining.reference(problem).uses == Array(repeating: 1, count: 8))
    }
    let last = HardNegativeMining(.last).reference(problem)
    #expect(last.uses == [2, 2, 2, 2, 2, 1, 1, 1])
    #expect(HardNegativeMining(.excluded).reference(problem).mined == [5, 6, 7])
  }

  /// Equal losses: the lower index. A positive at loss 0 is mined before a negative at 0 behind it.
  @Test func tiesGoToTheLowerIndex() {
    let problem = HardNegativeMining.Problem(
      losses: [2, 2, 2, 9, 2, 2], isPositive: [false, false, false, true, false, false])
    for configuration in HardNegativeMining.configurations.prefix(3) {
      #expect(configuration.loss.reference(problem).mined == [0, 1, 2])
      #expect(configuration.loss.optimized(problem).mined == [0, 1, 2])
    }
    let zero = HardNegativeMining.Problem(
      losses: [5, 0, 0, 0, 0], isPositive: [true, false, false, false, false])
    let mining = HardNegativeMining(.ranksWithZero)
    #expect(mining.reference(zero).mined == [0, 1, 2])
    #expect(mining.reference(zero).uses == [1, 1, 1, 0, 0])
  }

  @Test func badInputIsNamed() {
    #expect(throws: InvalidInput.self) {
      try HardNegativeMining().check(
        HardNegativeMining.Problem(losses: [1, .nan], isPositive: [true, false]))
    }
    #expect(throws: InvalidInput.self) {
      try HardNegativeMining().check(HardNegativeMining.Problem(losses: [1], isPositive: []))
    }
  }
}
