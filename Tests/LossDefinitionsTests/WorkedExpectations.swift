import LossDefinitions
import Testing

/// Whether two lists of numbers agree to a relative tolerance of the largest.
func expectClose(
  _ got: [Double], _ want: [Double], within tolerance: Double = 1e-11, _ what: String = "",
  at location: SourceLocation = #_sourceLocation
) {
  let scale = max(1, want.map(\.magnitude).max() ?? 0)
  let agree =
    got.count == want.count
    && zip(got, want).allSatisfy { ($0 - $1).magnitude <= tolerance * scale }
  #expect(agree, "\(what): \(got), expected \(want)", sourceLocation: location)
}

/// Checks a worked scene's terms, Σ|g| and, where given, Σ g of each head: by the reference, and by the
/// optimized version in Double and in Float.
func expectWorked<O: Objective>(
  _: O.Type, _ name: String, terms: [Double], absolute: [Double], sums: [Double]? = nil,
  at location: SourceLocation = #_sourceLocation
) throws {
  let worked = try #require(O.worked.first { $0.name == name }, sourceLocation: location)
  let evaluators: [(any Evaluator, Double)] = [
    (ReferenceEvaluator(), 1e-11), (KernelEvaluator<Double>(), 1e-11),
    (KernelEvaluator<Float>(), 1e-5),
  ]
  for (evaluator, tolerance) in evaluators {
    let result = try evaluator.evaluate(worked.objective, worked.scene)
    expectClose(result.terms, terms, within: tolerance, "terms", at: location)
    let sizes = result.gradients.map { $0.data.reduce(0) { $0 + $1.magnitude } }
    expectClose(sizes, absolute, within: tolerance, "Σ|g|", at: location)
    guard let sums else { continue }
    expectClose(
      result.gradients.map { $0.data.reduce(0, +) }, sums, within: tolerance, "Σ g", at: location)
  }
}

/// Checks that an objective refuses heads and truths, naming the argument and the place.
func expectRefusal<O: Objective>(
  _ objective: O, _ heads: [Tensor], _ truths: O.Truths, _ argument: String, image: Int? = nil,
  index: Int? = nil, at location: SourceLocation = #_sourceLocation
) {
  do {
    try objective.check(heads, truths)
    Issue.record("\(argument) is not refused", sourceLocation: location)
  } catch {
    let place = error.argument == argument && error.image == image && error.index == index
    #expect(place, "\(error)", sourceLocation: location)
  }
}
