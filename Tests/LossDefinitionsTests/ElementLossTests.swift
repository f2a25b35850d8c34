import LossDefinitions
import Testing

/// What the chapters of the element losses say of their edges, in references and kernels alike.
@Suite struct ElementLossTests {
  static let evaluators: [any Evaluator] = [
    ReferenceEvaluator(), KernelEvaluator<Float>(), KernelEvaluator<Double>(),
  ]
  static let kernels: [any Evaluator] = [KernelEvaluator<Float>(), KernelEvaluator<Double>()]

  private func noNumberSpoilsItsItemAlone<L: ElementLoss>(_ loss: L) throws {
    for evaluator in Self.evaluators {
      for place in [0, 5, 8, 10] {
        var items = (0..<11).map { Item([0.05 * Double($0) + 0.1], [0.25]) }
        for inTarget in [false, true] {
          if inTarget {
            items[place] = Item([0.5], [.nan])
          } else {
            items[place] = Item([.nan], [1])
          }
          for (i, result) in try evaluator.evaluate(loss, items).enumerated() {
            #expect(result.value.isNaN == (i == place), "\(L.name) item \(i)")
            #expect(result.prediction[0].isNaN == (i == place), "\(L.name) item \(i)")
          }
        }
      }
    }
  }

  @Test func noNumberSpoilsItsItemAlone() throws {
    try noNumberSpoilsItsItemAlone(L1())
    try noNumberSpoilsItsItemAlone(MeanSquaredError())
    try noNumberSpoilsItsItemAlone(SmoothL1())
    try noNumberSpoilsItsItemAlone(SmoothL1(beta: 0))
    try noNumberSpoilsItsItemAlone(Huber())
    try noNumberSpoilsItsItemAlone(BinaryCrossEntropy())
    try noNumberSpoilsItsItemAlone(BinaryCrossEntropyFromProbabilities(epsilon: 1e-7))
    try noNumberSpoilsItsItemAlone(Focal())
    try noNumberSpoilsItsItemAlone(Focal(alpha: -1, gamma: 2.7))
    try noNumberSpoilsItsItemAlone(FocalStar())
  }

  @Test func anInfiniteDifferenceCostsInfinity() throws {
    let items = [Item([.infinity], [1]), Item([-.infinity], [1])]
    for kernel in Self.kernels {
      for (result, sign) in zip(try kernel.evaluate(L1(), items), [1.0, -1]) {
        #expect(result.value == .infinity && result.prediction == [sign])
      }
      for (result, sign) in zip(try kernel.evaluate(SmoothL1(), items), [1.0, -1]) {
        #expect(result.value == .infinity && result.prediction == [sign])
      }
      for (result, sign) in zip(try kernel.evaluate(Huber(delta: 2), items), [2.0, -2]) {
        #expect(result.value == .infinity && result.prediction == [sign])
      }
    }
  }

  @Test func anInfiniteLogitHasItsLimit() throws {
    let items = [
      Item([.infinity], [1]), Item([.infinity], [0]), Item([-.infinity], [1]),
      Item([-.infinity], [0]), Item([.infinity], [0.5]),
    ]
    let values = [0, Double.infinity, .infinity, 0, .infinity]
    for evaluator in Self.evaluators {
      let entropy = try evaluator.evaluate(BinaryCrossEntropy(), items)
      #expect(entropy.map(\.value) == values)
      #expect(entropy.map { $0.prediction[0] } == [0, 1, -1, 0, 0.5])
      for gamma in [0, 0.5, 2, 2.7] {
        let focal = try evaluator.evaluate(Focal(alpha: -1, gamma: gamma), items)
        #expect(focal.map(\.value) == values, "gamma \(gamma)")
      }
    }
    for kernel in Self.kernels {
      let focal = try kernel.evaluate(Focal(alpha: -1, gamma: 2), items)
      #expect(focal.map { $0.prediction[0] } == [0, 1, -1, 0, 0.125])
    }
  }

  @Test(arguments: [0, 0.25, 0.5, 1, 2, 5])
  func focalStaysFiniteAtSaturation(_ gamma: Double) throws {
    let logits: [Double] = [18, 20, 90, 200, 1000, -18, -20, -90, -200, -1000, 0, -0.0]
    let targets: [Double] = [0, 1, 0.3]
    let items = logits.flatMap { x in targets.map { Item([x], [$0]) } }
    for evaluator in Self.evaluators {
      for (item, result) in zip(
        items, try evaluator.evaluate(Focal(alpha: -1, gamma: gamma), items))
      {
        #expect(result.value.isFinite && result.value >= 0, "\(item)")
        #expect(result.prediction[0].isFinite, "\(item)")
      }
    }
  }

  @Test func aHardLabelKeepsARelativelyAccurateSlope() throws {
    // σ(x) − 1 is 0 in Float from x = 17 on.
    let result = try KernelEvaluator<Float>().evaluate(BinaryCrossEntropy(), [Item([40], [1])])[0]
    let truth = -4.248354255291589e-18
    #expect(abs(result.prediction[0] - truth) < 1e-6 * -truth)
    #expect(abs(result.value + truth) < 1e-6 * -truth)
  }

  @Test func aBoundedLogarithmHasNoSlope() throws {
    let items = [Item([0], [1]), Item([1], [0]), Item([0], [0]), Item([1], [1])]
    for evaluator in Self.evaluators {
      let loss = BinaryCrossEntropyFromProbabilities()
      let results = try evaluator.evaluate(loss, items)
      #expect(results.map(\.value) == [100, 100, 0, 0])
      #expect(results[0].prediction == [0] && results[1].prediction == [0])
      let clipped = BinaryCrossEntropyFromProbabilities(epsilon: 1e-7, upperEpsilon: 1e-7)
      for result in try evaluator.evaluate(clipped, [Item([1e-9], [1]), Item([-1], [1])]) {
        #expect(abs(result.value - 16.11809565) < 1e-5)
        #expect(result.prediction == [0])
      }
    }
  }

  @Test func torchsSlopeIsItsOwn() throws {
    let call = Call(
      parameters: ["log_floor": .number(-100)],
      inputs: ["input": Tensor([2], [0, 0.5]), "target": Tensor([2], [1, 1])], reduction: "sum")
    let dialect = try #require(
      BinaryCrossEntropyFromProbabilities.dialects.first { $0.peer == "torch" })
    let answer = try dialect.answer(call, with: ReferenceEvaluator())
    let slopes = try #require(answer.gradients["input"]?.data)
    #expect(slopes[0] < -0.99e12 && slopes[1] == -2)
  }

  @Test func torchRejectsWhatIsNoProbability() throws {
    let call = Call(
      parameters: [:],
      inputs: ["input": Tensor([3], [0.5, 1.5, 0.5]), "target": Tensor([3], [0, 1, 1])],
      reduction: "mean")
    let dialect = try #require(
      BinaryCrossEntropyFromProbabilities.dialects.first { $0.peer == "torch" })
    #expect(throws: Refusal.rejected("\"input\"[1] is 1.5; expected a number in [0, 1]")) {
      try dialect.answer(call, with: ReferenceEvaluator())
    }
  }

  @Test func aTinyBetaAndATinyDifferenceDoNotUnderflow() throws {
    // d² is no Float here; d² / 2β is.
    let item = Item([1e-30], [0])
    let result = try KernelEvaluator<Float>().evaluate(SmoothL1(beta: 0x1p-90), [item])[0]
    let truth = 0.5 * 1e-60 / 0x1p-90
    #expect(abs(result.value - truth) < 1e-6 * truth)
  }
}
