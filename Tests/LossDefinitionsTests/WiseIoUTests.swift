import Foundation
import LossDefinitions
import Testing

/// Wise IoU's gain, and the running mean that it is given.
@Suite struct WiseIoUTests {
  private static let target = [0.0, 0, 10, 10]

  /// r(β), as version 3 over version 1. Boxes that are apart have 1 − IoU = 1, and so β = 1 / mean.
  private func gain(_ beta: Double, alpha: Double, delta: Double) -> Double {
    let apart = Item([20, 0, 30, 10], Self.target)
    let focused = WiseIoU(.v3, mean: 1 / beta, alpha: alpha, delta: delta)
    return focused.value(at: apart) / WiseIoU().value(at: apart)
  }

  @Test(arguments: [
    (1.7, 2.7, 1.8846, 1.0759, 0.9128), (1.9, 3.0, 1.5580, 1.3104, 1.2033),
    (1.6, 2.5, 2.1276, 1.0138, 0.8095),
  ])
  func gainHasItsPeakAndIsOneAtDelta(
    _ alpha: Double, _ delta: Double, _ peak: Double, _ most: Double, _ atOne: Double
  ) {
    func r(_ beta: Double) -> Double { gain(beta, alpha: alpha, delta: delta) }
    let best = 1 / log(alpha)
    #expect(abs(best - peak) < 5e-5)
    #expect(abs(r(best) - most) < 5e-5)
    #expect(r(best) > r(best - 0.01) && r(best) > r(best + 0.01))
    #expect(abs(r(delta) - 1) < 1e-14)
    #expect(abs(r(1) - atOne) < 5e-5)
    #expect(r(1e-12) < 1e-11)
  }

  @Test func gainOfEqualBoxesIsZero() {
    let same = Item(Self.target, Self.target)
    for version in [WiseIoU.Version.v2, .v3] {
      #expect(WiseIoU(version).value(at: same) == 0)
      #expect(WiseIoU(version, mean: 0).value(at: Item([1, 0, 11, 10], Self.target)) == 0)
    }
  }

  /// At a fixed mean, r l has its maximum in l where β = 2 / ln α; concentric boxes leave R at 1.
  @Test func totalFallsWithTheIoUOnlyUpToTwiceThePeak() {
    let mean = 0.1
    let turn = 2 / log(1.7) * mean
    #expect(abs(turn - 0.37691) < 5e-6)
    func total(_ l: Double) -> Double {
      let half = 5 * (1 - l).squareRoot()
      return WiseIoU(.v3, mean: mean).value(
        at: Item([5 - half, 5 - half, 5 + half, 5 + half], Self.target))
    }
    #expect(total(turn - 0.02) < total(turn - 0.01))
    #expect(total(turn - 0.01) < total(turn))
    #expect(total(turn) > total(turn + 0.01))
    #expect(total(turn + 0.01) > total(turn + 0.02))
  }

  @Test func meanFollowsTheBatches() {
    let start = RunningMean()
    #expect(start.value == 1 && start.momentum == 0.01)
    let next = start.updated(by: [0.25, 0.75])
    #expect(next.value == 1 + 0.01 * (0.5 - 1))
    #expect(next.momentum == start.momentum)
    #expect(RunningMean(value: 0.3, momentum: 1).updated(by: [0.5 as Float]).value == 0.5)
  }

  @Test func momentumLeavesAShareOfTheStart() {
    var paper = RunningMean(leaving: 0.05, after: 300)
    for _ in 0..<300 { paper = paper.updated(by: [0.0]) }
    #expect(abs(paper.value - 0.05) < 1e-12)
    #expect(abs(RunningMean(leaving: 0.5, after: 7000).momentum - 9.9016e-5) < 5e-10)
  }

  @Test func whatIsNotFiniteIsLeftOut() {
    let mean = RunningMean(value: 0.5)
    #expect(mean.updated(by: [Double]()) == mean)
    #expect(mean.updated(by: [Double.nan, .infinity, -.infinity]) == mean)
    #expect(mean.updated(by: [Double.nan, 0.25, .infinity]) == mean.updated(by: [0.25]))
  }

  @Test func checkpointsKeepEveryBit() throws {
    let mean = RunningMean(leaving: 0.05, after: 1234).updated(by: [0.1, 0.7, 1.0 / 3])
    let data = try JSONEncoder().encode(mean)
    #expect(try JSONDecoder().decode(RunningMean.self, from: data) == mean)
  }

  @Test func orderOfTheBatchesMatters() {
    let (first, second) = ([0.9, 0.8], [0.1])
    let start = RunningMean()
    #expect(
      start.updated(by: first).updated(by: second) != start.updated(by: second).updated(by: first))
    #expect(start.updated(by: first).updated(by: second) != start.updated(by: first + second))
    #expect(start.updated(by: first) != start.updated(by: first).updated(by: first))
  }
}
