import LossDefinitions
import Testing

/// GWD, KLD and KFIoU, and the two forms of ProbIoU.
@Suite struct GaussianDistanceTests {
  private static let pair = Item([0, 0, 10, 4, 0.3], [1, 0.5, 8, 5, 0.5])
  private static let same = Item([3, 4, 10, 4, 0.5], [3, 4, 10, 4, 0.5])

  private func value<L: Loss>(_ loss: L, _ item: Item) throws -> Double {
    try KernelEvaluator<Double>().evaluate(loss, [item])[0].value
  }

  @Test func publishedNumbers() throws {
    let cases: [(Double, Double)] = [
      (try value(GWD(.logarithm), Self.pair), 0.572901),
      (try value(GWD(.root), Self.pair), 0.626945),
      (try value(GWD(.identity, tau: 0), Self.pair), 2.824307),
      (try value(GWD.mmrotate, Self.pair), 0.235642),
      (try value(GWD.mmrotateFirstVersion, Self.same), 9.99001e-4),
      (try value(KLD(.fromPrediction, .identity, tau: 0), Self.pair), 0.180800),
      (try value(KLD(.fromTarget, .identity, tau: 0), Self.pair), 0.170141),
      (try value(KLD.mmrotate, Self.pair), 0.345348),
      (try value(KLD.mmrotateFirstVersion, Self.pair), 0.375520),
      (
        try value(
          KLD(.fromPrediction, .logarithm, factor: 2, tau: 1, least: 1e-6), Self.pair), 0.235860
      ),
      (try value(KLD(), Self.pair), 0.142508),
      (1 - (try value(KFIoU(), Self.pair)), 0.318549),
      (try value(KFIoU(), Self.same), 0.666667),
      (try value(KFIoU(.logarithmic), Self.same), 1.098612),
      (try value(KFIoU(.exponential), Self.same), 0.947734),
    ]
    for (k, (got, expected)) in cases.enumerated() {
      #expect(abs(got - expected) <= 6e-7, "\(k): \(got)")
    }
  }

  /// Boxes alike to 1e-6: the Float kernels keep their digits.
  @Test func digitsNearZero() throws {
    var random = SplitMix(seed: 4, "alike")
    func check<L: Loss>(_ loss: L, _ item: Item) throws {
      let truth = loss.enclosure(ofGradientAt: item, widened: 0)
      let got = try KernelEvaluator<Float>().evaluate(loss, [item])[0]
      let value = truth.value.midpoint.hi
      #expect(abs(got.value - value) <= 8 * abs(value) * 0x1p-23, "\(L.name) \(item)")
      let scale = truth.prediction.map { abs($0.midpoint.hi) }.max() ?? 0
      for (a, b) in zip(got.prediction, truth.prediction) {
        #expect(abs(a - b.midpoint.hi) <= 8 * scale * 0x1p-23, "\(L.name) \(item)")
      }
    }
    for _ in 0..<100 {
      let t = [
        random.uniform(0, 8), random.uniform(0, 8), random.uniform(1, 8), random.uniform(1, 8),
        random.uniform(-0.75, 2.25),
      ]
      let p = t.map { $0 + random.sign() * random.logarithmic(1e-5, 1e-4) }
      let item = Item(p, t).roundedToFloat
      try check(GWD(.identity, tau: 0), item)
      try check(GWD.mmrotate, item)
      try check(KLD(.fromPrediction, .identity, tau: 0), item)
      try check(KLD.mmrotate, item)
      try check(KFIoU(), item)
    }
  }

  @Test func equalBoxesHaveNoSlope() throws {
    func check<L: Loss>(_: L.Type) throws {
      for configuration in L.configurations {
        let answer = try KernelEvaluator<Float>().evaluate(configuration.loss, [Self.same])[0]
        #expect(answer.value.isFinite && answer.value >= 0, "\(L.name), \(configuration.label)")
        for slope in answer.prediction { #expect(abs(slope) <= 1e-6, "\(configuration.label)") }
      }
    }
    try check(ProbIoU.self)
    try check(GWD.self)
    try check(KLD.self)
    try check(KFIoU.self)
  }

  @Test func notANumberStaysInItsItem() throws {
    func check<L: Loss>(_: L.Type, places: [Int]) throws {
      for configuration in L.configurations {
        for k in places {
          var bad = Self.pair
          bad.prediction[k] = .nan
          let answers = try KernelEvaluator<Float>().evaluate(
            configuration.loss, [Self.pair, bad, Self.pair])
          #expect(answers[1].value.isNaN, "\(L.name), \(configuration.label), \(k)")
          #expect(answers[0].value == answers[2].value && answers[0].value.isFinite)
        }
      }
    }
    try check(GWD.self, places: [0, 1, 2, 3, 4])
    try check(KLD.self, places: [0, 1, 2, 3, 4])
    try check(KFIoU.self, places: [2, 3, 4])
  }

  @Test func dialects() throws {
    func answer(
      _ dialect: Dialect?, _ parameters: [String: Parameter] = [:]
    ) throws -> [Double] {
      let call = Call(
        parameters: parameters,
        inputs: [
          "pred": Tensor([1, 5], Self.pair.prediction), "target": Tensor([1, 5], Self.pair.target),
        ], reduction: "none")
      let reference = try dialect?.answer(call, with: ReferenceEvaluator())
      let kernel = try dialect?.answer(call, with: KernelEvaluator<Double>())
      let (a, b) = (reference?.value?.data ?? [], kernel?.value?.data ?? [])
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-13 } && a.count == b.count)
      return b
    }
    func expect(_ got: [Double], _ value: Double) {
      #expect(got.count == 1 && abs(got[0] - value) <= 6e-7, "\(got) \(value)")
    }
    expect(try answer(GWD.dialects.first), 0.235642)
    expect(try answer(GWD.dialects.last), 0.626945)
    expect(try answer(KLD.dialects.first), 0.345348)
    expect(try answer(KLD.dialects.last), 0.375520)
    expect(try answer(KLD.dialects.last, ["fun": .text("log1p")]), 0.235860)
    expect(try answer(KFIoU.dialects.first, ["eps": .number(0)]), 0.681451)
    expect(try answer(ProbIoU.dialects.last), 0.239257)
    expect(try answer(ProbIoU.dialects.last, ["mode": .text("l2")]), 0.057888)
    #expect(throws: Refusal.self) {
      _ = try answer(GWD.dialects.first, ["fun": .text("cube")])
    }
    #expect(throws: Refusal.self) { _ = try answer(GWD.dialects.last, ["tau": .number(0)]) }
  }
}
