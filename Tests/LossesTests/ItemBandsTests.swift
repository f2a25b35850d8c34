import LossDefinitions
import Testing

@testable import LossVerification

@Suite struct ItemBandsTests {
  /// A number is inside the whole band exactly where the judge does not find it wrong: the ends of the
  /// band are right, the numbers beyond them are not.
  @Test(arguments: Listed.all)
  func wholeBandsAgreeWithTheJudge(_ listed: Listed) {
    let isWide = [Family.classes, .regions].contains(listed.entry.loss.family)
    for format in [Format.f32, .f64] {
      let subject = Subject.native(listed.entry, format)
      let rounding = Rounding(format)
      var random = SplitMix(seed: 3, subject.selection.loss, format.rawValue)
      for (i, stratum) in subject.strata.enumerated() where format == .f32 || i % 3 == 0 {
        for item in subject.items(stratum, 1, 17) where item.prediction.count < 40 {
          let bands = subject.bands(item, rounding)
          let right = bands.gradient.map { $0?.truth ?? 0 }
          for k in bands.all.indices.shuffled(using: &random).prefix(isWide ? 2 : 5) {
            guard let band = bands.all[k] else { continue }
            let range = band.accurate
            #expect(range.contains(band.truth) && range.contains(band.tight.lowerBound))
            let width = range.upperBound - range.lowerBound
            let near = random.uniform(-0.1, 1.1) * width + range.lowerBound
            for got in [
              range.lowerBound, range.lowerBound.nextDown, range.upperBound,
              range.upperBound.nextUp, near,
            ] where got.isFinite && range.upperBound.isFinite {
              var gradient = right
              if k > 0 { gradient[k - 1] = got }
              let value = k == 0 ? got : bands.value?.truth ?? 0
              let answer = CaseAnswer.numbers(value: value, gradient: gradient)
              guard let judgement = subject.judge([item], [answer], rounding)[0] else { continue }
              let reading = k == 0 ? judgement.value : judgement.gradient[k - 1]
              #expect(
                range.contains(got) == (reading.placement != .outside),
                "\(format) \(stratum) \(item) number \(k): \(got) in \(range), \(reading)")
            }
          }
        }
      }
    }
  }
}
