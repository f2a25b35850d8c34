import Testing

@testable import LossDefinitions

/// The aggregations of OKS that have no recorded cases: the numbers are worked by hand.
@Suite struct OKSTests {
  /// Two keypoints of an object of 40 x 20, off by (1, 0) and (0, 2).
  private func call(
    _ weights: String, _ given: [Double], _ extra: (String, Tensor), reduction: String = "none",
    output: [Double] = [1, 0, 10, 12], _ parameters: [String: Parameter] = [:]
  ) -> Call {
    Call(
      parameters: parameters.merging(["sigmas": .list([.number(0.05), .number(0.1)])]) { $1 },
      inputs: [
        "output": Tensor([1, 2, 2], output), "target": Tensor([1, 2, 2], [0, 0, 10, 10]),
        weights: Tensor([1, 2], given), extra.0: extra.1,
      ], reduction: reduction)
  }

  private func value(_ dialect: Dialect, _ call: Call) throws -> Double {
    let answers = try [ReferenceEvaluator() as any Evaluator, KernelEvaluator<Double>()].map {
      try #require(dialect.answer(call, with: $0).value).data[0]
    }
    #expect(abs(answers[0] - answers[1]) < 1e-15)
    return answers[0]
  }

  private static let area = ("areas", Tensor([1], [800]))
  private static let box = ("bboxes", Tensor([1, 4], [0, 0, 40, 20]))

  @Test func sameNameOtherFunction() throws {
    let pose = try value(.mmposeOKS, call("target_weight", [1, 1], Self.area))
    #expect(abs(pose - 0.060587) < 5e-7)
    let yolo = try value(.mmyoloOKS, call("target_weights", [1, 1], Self.box))
    #expect(abs(yolo - 0.095163) < 5e-7)
    #expect(OKS.Scale.diagonal.squared(width: 40, height: 20) == 2000)
    #expect(OKS.Scale.area.squared(width: 40, height: 20) == 800)
  }

  /// Believed: a keypoint that is not visible is free.
  @Test func hiddenPointsCost() throws {
    let exact = [0.0, 0, 10, 10]
    let hidden = call("target_weight", [1, 0], Self.area, output: exact)
    #expect(try value(.mmposeOKS, hidden) == 0.5)
    let normalized = call(
      "target_weight", [1, 0], Self.area, output: exact, ["norm_target_weight": .flag(true)])
    #expect(try value(.mmposeOKS, normalized) == 0)
    #expect(try value(.mmyoloOKS, call("target_weights", [1, 0], Self.box, output: exact)) == 0)
    for weights in [["norm_target_weight": Parameter.flag(true)], [:]] {
      let none = call("target_weight", [0, 0], Self.area, output: exact, weights)
      #expect(try value(.mmposeOKS, none) == 1)
    }
    #expect(try value(.mmyoloOKS, call("target_weights", [0, 0], Self.box, output: exact)) == 1)
  }

  @Test func gradientsAreOfTheWeightedSimilarity() throws {
    let call = call("target_weight", [1, 0.5], Self.area, reduction: "mean")
    let answer = try Dialect.mmposeOKS.answer(call, with: ReferenceEvaluator())
    let gradient = try #require(answer.gradients["output"]).data
    // e^(−1/16) · 1 / (4 · 0.0025 · 800) over K, and e^(−1/16) · 2 / (4 · 0.01 · 800) · 0.5 over K.
    let decay = 0.9394130628134758
    for (g, want) in zip(gradient, [decay / 8 / 2, 0, 0, decay / 16 * 0.5 / 2]) {
      #expect(abs(g - want) < 1e-15)
    }
  }
}
