import LossDefinitions
import Testing

/// What the judge does not ask of the losses of regions.
@Suite struct RegionLossTests {
  private let floats = KernelEvaluator<Float>()

  private func regions(_ count: Int, of width: Int, seed: UInt64) -> [Item] {
    var random = SplitMix(seed: seed, "RegionLossTests")
    return (0..<count).map { _ in
      Item(
        (0..<width).map { _ in Double(Float(random.uniform(0, 1))) },
        (0..<width).map { _ in random.chance(0.5) ? 1 : 0 })
    }
  }

  // MARK: Sums

  /// Errors of plain sums of so many pixels would reach the value's fourth digit.
  @Test func sumsDoNotDrift() throws {
    let count = 1 << 22
    let prediction = [Float](repeating: 0.1, count: count)
    let target = [Float](repeating: 1, count: count)
    var value: Float = 0
    prediction.withUnsafeBufferPointer { p in
      target.withUnsafeBufferPointer { t in
        withUnsafeMutablePointer(to: &value) { value in
          _ = SoftIoU().kernel(
            Batch(
              count: 1, width: count, targetWidth: count, prediction: p.baseAddress!,
              target: t.baseAddress!, values: value))
        }
      }
    }
    // U is the number of pixels and I a tenth of it.
    let truth = 1 - Float(0.1)
    #expect((value - truth).magnitude <= 4 * truth.ulp)
  }

  @Test(arguments: [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 257])
  func tailsCountOnce(width: Int) throws {
    let items = regions(5, of: width, seed: UInt64(width))
    let results = try floats.evaluate(WeightedIoU(background: 0.25, foreground: 2), items)
    for (item, result) in zip(items, results) {
      let truth = WeightedIoU(background: 0.25, foreground: 2).gradient(at: item)
      #expect((result.value - truth.value).magnitude <= 0x1p-20 * truth.value.magnitude)
      let scale = truth.prediction.map(\.magnitude).max()!
      for (got, want) in zip(result.prediction, truth.prediction) {
        #expect((got - want).magnitude <= 0x1p-20 * scale)
      }
    }
  }

  // MARK: NaN and infinity

  @Test func aNaNStaysInItsRegion() throws {
    let clean = regions(3, of: 21, seed: 1)
    var items = clean
    items[1].prediction[20] = .nan
    for loss in [Dice(.linear), Dice(.squared)] {
      let before = try floats.evaluate(loss, clean)
      let after = try floats.evaluate(loss, items)
      #expect(after[1].value.isNaN)
      #expect(after[1].prediction.allSatisfy { $0.isNaN })
      for i in [0, 2] {
        #expect(after[i].value == before[i].value)
        #expect(after[i].prediction == before[i].prediction)
      }
    }
    let soft = try floats.evaluate(SoftIoU(), items)
    let weighted = try floats.evaluate(WeightedIoU(), items)
    #expect(soft[1].value.isNaN)
    #expect(weighted[1].value.isNaN)
  }

  @Test func infinitePredictionsAreClipped() throws {
    let item = Item([.infinity, -.infinity, 0.5, 1.5], [1, 0, 1, 1])
    let clipped = Item([1, 0, 0.5, 1], [1, 0, 1, 1])
    let got = try floats.evaluate(WeightedIoU(), [item, clipped])
    #expect(got[0].value == got[1].value)
    #expect(got[0].value.isFinite)
    #expect(got[0].prediction[0] == 0)
    #expect(got[0].prediction[1] == 0)
    #expect(got[0].prediction[2] == got[1].prediction[2])
    #expect(got[0].prediction[3] == 0)
    // The clip passes the gradient at its limits.
    #expect(got[1].prediction[0] < 0)
    #expect(got[1].prediction[1] > 0)
  }

  // MARK: Class weights

  private let targets: [Float] = [1, 0, 0, 0, 0, 0, 0, 1, 0, 0]

  @Test func plainWeightsAreInverseShares() {
    let loss = WeightedIoU(balancing: targets, .plain)
    #expect(loss.backgroundWeight == 1.25)
    #expect(loss.foregroundWeight == 5)
  }

  @Test func normalizedWeightsAddUpToOne() {
    let loss = WeightedIoU(balancing: targets, .normalized)
    #expect(loss.backgroundWeight == 0.2)
    #expect(loss.foregroundWeight == 0.8)
    #expect(WeightedIoU(balancing: [0.5, 0.25] as [Double]).foregroundWeight == 0.625)
  }

  @Test(arguments: WeightedIoU.Balance.allCases)
  func anAbsentClassWeighsNothing(balance: WeightedIoU.Balance) {
    let empty = WeightedIoU(balancing: [0, 0, 0] as [Float], balance)
    #expect((empty.backgroundWeight, empty.foregroundWeight) == (1, 0))
    let full = WeightedIoU(balancing: [1, 1, 1] as [Float], balance)
    #expect((full.backgroundWeight, full.foregroundWeight) == (0, 1))
    let none = WeightedIoU(balancing: [] as [Float], balance)
    #expect((none.backgroundWeight, none.foregroundWeight) == (0, 0))
  }

  /// Plain weights of a batch's own shares weigh nothing: the mean weight is 2.
  @Test func plainWeightsDoubleTheMean() {
    let item = Item([0.9, 0.2, 0.1, 0.3, 0.5], [1, 0, 0, 1, 0])
    let balanced = WeightedIoU(balancing: item.target, .plain).value(at: item)
    #expect((balanced - 2 * WeightedIoU().value(at: item)).magnitude < 1e-14)
  }

  // MARK: Dialects

  private func answer(
    _ dialects: [Dialect], _ parameters: [String: Parameter], _ p: Tensor, _ t: Tensor,
    _ reduction: String = "none"
  ) throws -> Answer {
    try dialects[0].answer(
      Call(parameters: parameters, inputs: ["y_pred": p, "y_true": t], reduction: reduction),
      with: floats)
  }

  @Test func emptyBatches() throws {
    let images = Tensor([0, 4, 4, 1], [])
    let soft = try answer(SoftIoU.dialects, [:], images, images)
    #expect(soft.value == Tensor([0], []))
    #expect(soft.gradients["y_pred"] == images)
    let weights: [String: Parameter] = ["w_bg": .number(1), "w_fg": .number(2)]
    let weighted = try answer(WeightedIoU.dialects, weights, images, images)
    #expect(weighted.value == images)
    #expect(weighted.gradients["y_pred"] == images)
  }

  @Test func refusals() throws {
    let image = Tensor([1, 2, 1, 1], [0.5, 0.5])
    #expect(throws: Refusal.self) {
      try answer(SoftIoU.dialects, [:], image, Tensor([1, 1, 2, 1], [0, 1]))
    }
    #expect(throws: Refusal.self) {
      try answer(SoftIoU.dialects, ["axes": .list([.number(3)])], image, image)
    }
    #expect(throws: Refusal.self) {
      try answer(WeightedIoU.dialects, ["w_bg": .number(1)], image, image)
    }
  }
}
