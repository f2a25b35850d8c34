import LossDefinitions
import Testing

@Suite struct RotatedBoxTests {
  private func loss(_ p: [Double], _ t: [Double], _ loss: ProbIoU = ProbIoU()) throws -> Double {
    try KernelEvaluator<Double>().evaluate(loss, [Item(p, t)])[0].value
  }

  /// Boxes alike to 1e-6 of their size: the Float kernel keeps its digits, where the naive formula has
  /// none.
  @Test func digitsNearZero() throws {
    var random = SplitMix(seed: 3, "alike")
    for _ in 0..<200 {
      let t = [
        random.uniform(0, 8), random.uniform(0, 8), random.uniform(1, 8), random.uniform(1, 8),
        random.uniform(-0.75, 2.25),
      ]
      let p = t.map { $0 + random.sign() * random.logarithmic(1e-6, 1e-4) }
      let item = Item(p, t).roundedToFloat
      let truth = ProbIoU().enclosure(ofGradientAt: item, widened: 0)
      let got = try KernelEvaluator<Float>().evaluate(ProbIoU(), [item])[0]
      let value = truth.value.midpoint.hi
      guard value > 0 else { continue }
      #expect(abs(got.value - value) <= 8 * value * 0x1p-23)
      let scale = truth.prediction.map { abs($0.midpoint.hi) }.max() ?? 0
      for (a, b) in zip(got.prediction, truth.prediction) {
        #expect(abs(a - b.midpoint.hi) <= 64 * scale * 0x1p-23, "\(item)")
      }
    }
  }

  @Test func similarityKeepsDigitsFarApart() throws {
    var similarity = ProbIoU(epsilon: 1e-7)
    similarity.isSimilarity = true
    let item = Item([0, 0, 2, 3, 0.25], [1000, 0, 3, 2, 1])
    let got = try KernelEvaluator<Float>().evaluate(similarity, [item])[0].value
    #expect(abs(got + 5e-8) < 1e-13)
    #expect(try loss([1, 2, 3, 4, 0.5], [2, 2, 4, 4, 1]) > 0)
  }

  /// Other units, other losses: with an epsilon boxes a hundredth as large are as good as equal.
  @Test func theDeadZone() throws {
    let (p, t) = ([0.0, 0, 10, 4, 0.3], [1.0, 0.5, 8, 5, 0.5])
    func shrunk(_ box: [Double], _ factor: Double) -> [Double] {
      box[..<4].map { $0 * factor } + [box[4]]
    }
    let epsilon = ProbIoU(epsilon: 1e-7)
    #expect(abs(try loss(p, t, epsilon) - 0.237180921833) < 1e-11)
    #expect(abs(try loss(shrunk(p, 0.01), shrunk(t, 0.01), epsilon) - 0.000447213590) < 1e-11)
    let floor = ProbIoU(epsilon: 1e-7, floor: 0.01)
    #expect(abs(try loss(shrunk(p, 0.01), shrunk(t, 0.01), floor) - 0.037559173625) < 1e-11)
  }

  @Test func notANumberStaysInItsItem() throws {
    let good = Item([1, 2, 3, 4, 0.5], [2, 2, 4, 4, 1])
    for k in 0..<5 {
      var bad = good
      bad.prediction[k] = .nan
      let answers = try KernelEvaluator<Float>().evaluate(ProbIoU(), [good, bad, good])
      #expect(answers[1].value.isNaN)
      #expect(answers[0].value == answers[2].value && answers[0].value.isFinite)
    }
  }

  @Test func keypoints() throws {
    let kernel = KernelEvaluator<Float>()
    let far = try kernel.evaluate(OKS(), [Item([1e6, 0], [0, 0, 0.1, 1])])[0]
    #expect(far.value == 1 && far.prediction == [0, 0])
    let exact = try kernel.evaluate(OKS(), [Item([3, 4], [3, 4, 0.1, 1])])[0]
    #expect(exact.value == 0 && exact.prediction == [0, 0])
    let still = try kernel.evaluate(OKS(), [Item([3, 4], [0, 0, 0, 1])])[0]
    #expect(still.value == 1 && still.prediction.allSatisfy { $0 == 0 || $0.isNaN })
    #expect(try kernel.evaluate(OKS(), [Item([.nan, 4], [0, 0, 0.1, 1])])[0].value.isNaN)
  }

  // MARK: Sines

  @Test func sinesInTwoWords() {
    check(FloatLanes.self, digits: 31, absolute: 58) { FloatLanes.sineAndCosine($0) }
    check(DoubleLanes.self, digits: 60, absolute: 100) { DoubleLanes.sineAndCosine($0) }
  }

  @Test func fineSines() {
    check(FloatLanes.self, digits: 43, absolute: 58) { FloatLanes.fineSineAndCosine($0) }
    check(DoubleLanes.self, digits: 73, absolute: 100) { DoubleLanes.fineSineAndCosine($0) }
  }

  /// Relative errors of at most 2^-digits, except near zeros, over angles of up to 2^12.
  private func check<L: Lanes>(
    _: L.Type, digits: Int, absolute: Int,
    _ function: (TwoWords<L>) -> (sine: TwoWords<L>, cosine: TwoWords<L>)
  ) {
    var random = SplitMix(seed: 5, "angles")
    for i in 0..<20_000 {
      let reach = [1.0, 4, 100, 4096][i % 4]
      var x = L.Element(random.uniform(-reach, reach))
      // Near multiples of a quarter turn.
      if i % 3 == 0 {
        x = L.Element((Double(x) * 0.6366197723675814).rounded() * 1.5707963267948966)
      }
      let (sine, cosine) = function(TwoWords(L(repeating: x)))
      let angle = DoubleDouble(Double(x))
      for (got, truth) in [
        (sine, DoubleDouble.sin(angle)), (cosine, DoubleDouble.cos(angle)),
      ] {
        let value = DoubleDouble(Double(got.high[0])) + DoubleDouble(Double(got.low[0]))
        let allowed = truth.magnitude.hi * scale(-digits) + scale(-absolute) * reach
        #expect((value - truth).magnitude.hi <= allowed, "\(x)")
      }
    }
  }

  private func scale(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }
}
