import LossDefinitions
import Testing

@Suite struct SIoUTests {
  static let items: [Item] = {
    var random = SplitMix(seed: 7, "SIoUTests")
    return SIoU.strata.flatMap { stratum in
      (0..<100).map { _ in SIoU().sample(stratum, using: &random).roundedToFloat }
    }
  }()

  /// The reversed sign's value is a difference: it is held against the larger of its parts, and the
  /// gradient against the sizes of the terms that it is a sum of.
  @Test func reversedSign() throws {
    var loss = SIoU()
    loss.sign = .reversed
    for (answer, item) in zip(try KernelEvaluator<Float>().evaluate(loss, Self.items), Self.items) {
      let truth = loss.gradient(at: item)
      let gain = SIoU().value(at: item)
      let size = Swift.max(gain, gain - truth.value)
      #expect(abs(answer.value - truth.value) <= 8 * Double(Float(size).ulp), "\(item)")
      let terms = loss.gradientTerms(item.prediction, item.target)
      let scale = (terms + truth.prediction.map(\.magnitude)).max() ?? 0
      for (got, slope) in zip(answer.prediction, truth.prediction) {
        #expect(abs(got - slope) <= 8 * Double(Float(scale).ulp), "\(item)")
      }
    }
  }

  /// The paper's angle, by an arcsine.
  @Test func angleIsThePapers() {
    for item in Self.items {
      let (p, t) = (Box(item.prediction), Box(item.target))
      let sx = (t.x1 + t.x2 - p.x1 - p.x2) / 2
      let sy = (t.y1 + t.y2 - p.y1 - p.y2) / 2
      guard sx != 0 || sy != 0 else { continue }
      let sine = abs(sy) / (sx * sx + sy * sy).squareRoot()
      let angle = 2 * Double.atan(sine / (1 - sine * sine).squareRoot())
      let γ = 2 - Double.sin(angle)
      let box = p.enclosing(t)
      func distance(_ s: Double, _ c: Double) -> Double { 1 - .exp(-γ * s * s / (c * c)) }
      func shape(_ w: Double, _ target: Double) -> Double {
        let part = 1 - Double.exp(-abs(w - target) / max(w, target))
        return part * part * part * part
      }
      let expected =
        IoU().value(at: item)
        + (distance(sx, box.width) + distance(sy, box.height) + shape(p.width, t.width)
          + shape(p.height, t.height)) / 2
      #expect(abs(SIoU().value(at: item) - expected) <= 0x1p-20, "\(item)")
    }
  }

  /// An offset's epsilon has a direction; the target's gradient is the exchanged loss's.
  @Test func targetGradientWithAnOffset() throws {
    var loss = SIoU()
    loss.offsetEpsilon = 0.125
    for (answer, item) in zip(
      try KernelEvaluator<Double>().evaluate(loss, Self.items), Self.items)
    where item.prediction != item.target {
      let truth = loss.gradient(at: item)
      let scale =
        (loss.gradientTerms(item.prediction, item.target) + truth.target.map(\.magnitude))
        .max() ?? 0
      for (got, slope) in zip(answer.target, truth.target) {
        #expect(abs(got - slope) <= 0x1p-40 * scale, "\(item)")
      }
    }
  }
}
