import Losses
import Testing

/// Wise IoU's training call: the running mean goes in and comes out.
@Suite struct WiseIoUStateTests {
  private let targets: [Float] = [0, 0, 10, 10, 0, 0, 10, 10]
  private let near: [Float] = [1, 0, 11, 10, 0, 2, 10, 12]
  private let far: [Float] = [8, 0, 18, 10, 20, 0, 30, 10]

  @Test func theMeanIsUpdatedBeforeUse() throws {
    let loss = WiseIoU(.v3)
    var state = RunningMean(value: 0.5, momentum: 0.25)
    let expected = state.updated(by: try IoU().values(far, targets))
    var alone = loss
    alone.mean = expected.value
    let (value, gradient) = try loss.valueAndGradient(
      far, targets, normalizer: .mean, state: &state)
    let (want, slopes) = try alone.valueAndGradient(far, targets, normalizer: .mean)
    #expect(state == expected)
    #expect(value == want && gradient == slopes)
  }

  @Test func theOrderOfTheBatchesMatters() throws {
    let loss = WiseIoU(.v2)
    func total(_ batches: [[Float]]) throws -> Double {
      var state = RunningMean(momentum: 0.5)
      return try batches.reduce(0) {
        try $0 + loss.valueAndGradient($1, targets, state: &state).value
      }
    }
    #expect(try total([near, far]) != total([far, near]))
  }

  @Test func oneNaNStaysOutOfTheMean() throws {
    var (state, clean) = (RunningMean(), RunningMean())
    var gradient = [Float](repeating: 0, count: 8)
    let broken: [Float] = [.nan, 0, 11, 10] + near[4...]
    let value = try WiseIoU(.v3).value(broken, targets, state: &state, gradient: &gradient)
    #expect(value.isNaN)
    #expect(gradient[4...].allSatisfy { $0.isFinite })
    _ = try WiseIoU(.v3).valueAndGradient(
      Array(near[4...]), Array(targets[4...]), state: &clean)
    #expect(state == clean && state.value < 1)
  }

  @Test func anEmptyBatchAndAnErrorChangeNothing() throws {
    var state = RunningMean(value: 0.5)
    let none: [Float] = []
    #expect(try WiseIoU(.v3).valueAndGradient(none, none, state: &state).value == 0)
    var gradient = [Float](repeating: 7, count: 3)
    #expect(throws: LossError.self) {
      try WiseIoU(.v3).value(near, targets, state: &state, gradient: &gradient)
    }
    #expect(gradient == [7, 7, 7])
    #expect(state == RunningMean(value: 0.5))
  }
}
