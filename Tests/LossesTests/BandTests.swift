import LossDefinitions
import LossVerification
import Testing

@Suite struct BandTests {
  // MARK: Rounding outward

  @Test func intervalsHoldWhatFloatComputes() {
    var random = SplitMix(seed: 7, "narrow")
    for _ in 0..<20_000 {
      func number() -> Float {
        Float(random.sign() * random.logarithmic(0x1p-149, 0x1p127))
      }
      let (a, b) = (number(), number())
      Narrow.rounding(Rounding(.f32)) {
        let (x, y) = (Interval<Narrow>(Double(a)), Interval<Narrow>(Double(b)))
        for (interval, single) in [
          (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b),
          (.sqrt(x * x), (a * a).squareRoot()),
        ] where single.isFinite {
          #expect(interval.lower.value <= Double(single), "\(a) \(b)")
          #expect(Double(single) <= interval.upper.value, "\(a) \(b)")
        }
        let product = x * y
        // No wider than one step of the format.
        if Double(a) * Double(b) != 0, (a * b).isNormal {
          let step = Format.f32.ulp(of: product.upper.value)
          #expect(product.upper.value - product.lower.value <= step)
        }
      }
    }
  }

  @Test(arguments: Format.allCases)
  func numbersOfAFormatKeepTheirBits(_ format: Format) {
    var random = SplitMix(seed: 3, format.rawValue)
    let ends = [
      0, -0.0, 1, format.leastNonzero, -format.leastNonzero, format.leastNormal, format.greatest,
      .infinity, -.infinity,
    ]
    let some = (0..<1000).map { _ in
      format.rounded(random.sign() * random.logarithmic(format.leastNonzero, format.greatest))
    }
    for x in ends + some {
      let back = format.number(bits: format.bits(of: x))
      #expect(back.bitPattern == x.bitPattern, "\(x)")
      #expect(PackedNumbers.numbers(PackedNumbers.text([x], format), format) == [x])
    }
    #expect(format.number(bits: format.bits(of: .nan)).isNaN)
    #expect(PackedNumbers.numbers("12345", format) == nil)
    #expect(PackedNumbers.numbers("zzzzzzzzzzzzzzzz", format) == nil)
  }

  @Test func roundsToTheNearestWithTiesToEven() {
    #expect(Format.f16.rounded(2049) == 2048)
    #expect(Format.f16.rounded(2051) == 2052)
    #expect(Format.f16.rounded(65519) == 65504)
    #expect(Format.f16.rounded(65520) == .infinity)
    #expect(Format.bf16.rounded(257) == 256)
    #expect(Format.f32.rounded(0.1) == Double(Float(0.1)))
    #expect(Format.f16.bits(of: 1.5) == 0x3e00)
    #expect(Format.bf16.bits(of: 1.5) == 0x3fc0)
  }

  // MARK: The naive program lies in the tight band

  @Test(arguments: Listed.all)
  func theNaiveReferenceIsInside(_ listed: Listed) {
    func check<E: CatalogEntry>(_ entry: E) {
      let loss = E.L()
      for stratum in E.L.strata {
        var random = SplitMix(seed: 11, E.L.name, stratum)
        for _ in 0..<6 {
          let item = loss.sample(stratum, using: &random)
          let single = item.rounded(to: .f32, targetIsIndex: E.L.targetIsIndex)
          let naive = loss.rounded(to: .f32).reference(
            single.prediction.map { Float($0) }, single.target.map { Float($0) })
          let bounds = loss.rounded(to: .f32).enclosure(
            ofGradientAt: single, rounding: Rounding(.f32))
          #expect(holds(bounds.value, Double(naive)), "f32 \(stratum) \(single) \(naive)")

          let double = loss.gradient(at: item)
          let wide = loss.enclosure(ofGradientAt: item, rounding: Rounding(.f64))
          #expect(holds(wide.value, double.value), "f64 \(stratum) \(item)")
          for (interval, slope) in zip(wide.prediction, double.prediction) {
            #expect(holds(interval, slope), "f64 gradient \(stratum) \(item)")
          }
        }
      }
    }
    check(listed.entry)
  }

  /// Bounds that are none hold everything.
  private func holds(_ bounds: Interval<Narrow>, _ x: Double) -> Bool {
    if bounds.isNaN || !bounds.lower.isFinite || !bounds.upper.isFinite { return true }
    return bounds.lower.value <= x && x <= bounds.upper.value
  }

  @Test func sumsHoldEveryOrder() {
    var random = SplitMix(seed: 5, "sums")
    let terms = (0..<512).map { _ in Float(random.uniform(-1, 1)) }
    let bounds = Narrow.rounding(Rounding(.f32)) {
      Interval<Narrow>.sum(terms.map { Interval<Narrow>(Double($0)) })
    }
    for seed in 0..<50 {
      var order = SplitMix(seed: UInt64(seed), "order")
      let total = terms.shuffled(using: &order).reduce(0, +)
      #expect(bounds.lower.value <= Double(total) && Double(total) <= bounds.upper.value)
    }
    #expect(bounds.upper.value - bounds.lower.value < 0.05)
  }
}
