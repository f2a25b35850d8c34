import Foundation
import Testing

@testable import LossDefinitions

@Suite struct GHMRTests {
  static let differences = [0.001, 0.001, 0.001, 0.05, 0.3]

  private func step(
    _ differences: [Double], _ histogram: GradientHistogram, labels: [Double]? = nil
  ) throws -> GradientHistogram.Step {
    try histogram.step(
      norms: differences.map { GHMR().slopeSize($0, 0) },
      labelWeights: labels ?? differences.map { _ in 1 })
  }

  private func near(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
  }

  @Test func example() throws {
    let first = try step(Self.differences, GradientHistogram())
    #expect(near(first.weights, [0.8333, 0.8333, 0.8333, 1.25, 1.25], 5e-5))
    #expect(first.total == 5 && first.weights.reduce(0, +) == 5)
    let losses = Self.differences.map { GHMR().reference($0, 0) }
    let products = zip(losses, first.weights).map { $0 * $1 }
    let weighted = products.reduce(0, +) / first.total
    let plain = losses.reduce(0, +) / 5
    #expect(near([weighted, plain], [0.078642, 0.062919], 5e-7))
  }

  @Test func momentum() throws {
    let plain = try step(Self.differences, GradientHistogram())
    let first = try step(Self.differences, GradientHistogram(momentum: 0.7))
    let larger = plain.weights.map { $0 / 0.3 }
    #expect(near(first.weights, larger, 1e-12))
    let second = try step(Self.differences, first.next)
    #expect(near([first.next.sums[0], second.next.sums[0]], [0.9, 1.53], 1e-12))
    #expect(first.weights != second.weights)
    // A bin without entries keeps its sum.
    let third = try step([0.001], second.next)
    #expect(third.next.sums[9] == second.next.sums[9] && third.next.sums[0] != second.next.sums[0])
    // Without momentum nothing of it counts.
    #expect(try step(Self.differences, plain.next).weights == plain.weights)
  }

  @Test func weightsDoNotDependOnTheOrderAndDependOnTheSplit() throws {
    let together = try step(Self.differences, GradientHistogram())
    let reversed = try step(Self.differences.reversed(), GradientHistogram())
    #expect(reversed.weights == together.weights.reversed())
    let left = try step(Array(Self.differences[..<3]), GradientHistogram())
    let right = try step(Array(Self.differences[3...]), GradientHistogram())
    #expect(left.weights + right.weights == [1, 1, 1, 1, 1])
  }

  @Test func entriesThatAreNotFiniteCountNowhere() throws {
    let odd = try step(
      Self.differences + [.nan, .infinity, 0.2, 0.2, 0.2], GradientHistogram(momentum: 0.7),
      labels: [1, 1, 1, 1, 1, 1, 1, .nan, .infinity, 0])
    let plain = try step(Self.differences, GradientHistogram(momentum: 0.7))
    #expect(odd.weights == plain.weights + [0, 0, 0, 0, 0])
    #expect(odd.next == plain.next && odd.total == plain.total)
  }

  @Test func edges() throws {
    #expect(GHMR().slopeSize(1e300, 0) == 1 && GHMR().slopeSize(.infinity, 0).isNaN)
    let histogram = try GradientHistogram(bins: 4)
    #expect(histogram.edges == [0, 0.25, 0.5, 0.75, 1000])
    let step = try histogram.step(norms: [0, 0.25, 1, 1], labelWeights: [2, 1, 1, 1])
    #expect(step.next.sums == [1, 1, 0, 2])
    let third: Double = 5 / 3
    #expect(near(step.weights, [third, third, third / 2, third / 2], 1e-15))
    #expect(try histogram.step(norms: [], labelWeights: []).next == histogram)
    let copy = try JSONDecoder().decode(
      GradientHistogram.self, from: JSONEncoder().encode(step.next))
    #expect(copy == step.next)
  }

  @Test func refuses() {
    func refusal(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return (error as? InvalidInput)?.argument }
      return nil
    }
    #expect(refusal { _ = try GradientHistogram(bins: 0) } == "bins")
    #expect(refusal { _ = try GradientHistogram(momentum: 1) } == "momentum")
    #expect(refusal { _ = try GradientHistogram(momentum: .nan) } == "momentum")
    #expect(
      refusal { _ = try GradientHistogram().step(norms: [1], labelWeights: []) } == "labelWeights")
  }
}
