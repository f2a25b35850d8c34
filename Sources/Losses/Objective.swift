extension Objective {
  /// The terms at a batch's raw head outputs, with the gradient of their sum in every head, written to
  /// `gradients`.
  ///
  /// - Parameters:
  ///   - heads: the head outputs, in the order of the objective's `heads`.
  ///   - truths: what they are held against.
  ///   - gradients: as many, of the same shapes; every entry is written.
  /// - Throws: `InvalidInput` for whatever the objective is not defined on: shapes that do not fit, a
  ///   head that is not finite, a class out of range, an inverted box. What `gradients` holds is then
  ///   unchanged.
  public func value<Element: LaneElement>(
    _ heads: [Shaped<Element>], _ truths: Truths, gradients: inout [Shaped<Element>]
  ) throws(InvalidInput) -> ObjectiveValue<Self> {
    try checkShapes(heads.map { ($0.shape, $0.data.count) })
    guard gradients.count == heads.count else {
      throw InvalidInput(
        "gradients", given: "\(gradients.count) heads", expected: "as many as heads, \(heads.count)"
      )
    }
    for (i, (head, gradient)) in zip(heads, gradients).enumerated()
    where gradient.shape != head.shape || gradient.data.count != head.data.count {
      throw InvalidInput(
        "gradients", index: i,
        given: "shape \(gradient.shape) with \(gradient.data.count) numbers",
        expected: "the head's, \(head.shape) with \(head.data.count)")
    }
    let decisions = try checkedDecisions(heads.map { $0.map { Double($0) } }, truths)
    let terms = optimized(heads, truths, decisions, gradients: &gradients)
    return ObjectiveValue(self, terms, decisions)
  }

  /// The terms, and the gradients in new arrays.
  public func valueAndGradients<Element: LaneElement>(
    _ heads: [Shaped<Element>], _ truths: Truths
  ) throws(InvalidInput) -> (value: ObjectiveValue<Self>, gradients: [Shaped<Element>]) {
    var gradients = heads
    let value = try value(heads, truths, gradients: &gradients)
    return (value, gradients)
  }

  /// The terms alone.
  public func callAsFunction<Element: LaneElement>(
    _ heads: [Shaped<Element>], _ truths: Truths
  ) throws(InvalidInput) -> ObjectiveValue<Self> {
    try valueAndGradients(heads, truths).value
  }

  /// The terms of heads in the caller's own memory, with the gradient of their sum written there.
  ///
  /// - Parameter heads: shapes, and pointers to as many numbers: values to read, and a gradient to
  ///   write, which must not overlap them.
  /// - Throws: as for arrays.
  public func value<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths
  ) throws(InvalidInput) -> ObjectiveValue<Self> {
    try checkShapes(heads.map { ($0.shape, nil) })
    let numbers = heads.map { head in
      Tensor(head.shape, (0..<head.count).map { Double(head.values[$0]) })
    }
    let decisions = try checkedDecisions(numbers, truths)
    return ObjectiveValue(self, optimized(heads, truths, decisions), decisions)
  }

  private func checkedDecisions(
    _ heads: [Tensor], _ truths: Truths
  ) throws(InvalidInput) -> Decisions {
    try check(heads, truths)
    return decide(heads, truths)
  }

  /// Refuses another number of heads, extents below 0 and numbers that do not fill the shape.
  private func checkShapes(_ given: [(shape: [Int], count: Int?)]) throws(InvalidInput) {
    guard given.count == heads.count else {
      throw InvalidInput(
        "heads", given: "\(given.count) heads",
        expected: "\(heads.count): \(heads.joined(separator: ", "))")
    }
    for (name, head) in zip(heads, given) {
      var product: Int? = 1
      for extent in head.shape {
        let (next, overflow) = (product ?? 0).multipliedReportingOverflow(by: extent)
        product = overflow || extent < 0 || product == nil ? nil : next
      }
      guard let product else {
        throw InvalidInput(
          name, given: "shape \(head.shape)", expected: "extents of at least 0 that fit in memory")
      }
      guard head.count == nil || head.count == product else {
        throw InvalidInput(
          name, given: "shape \(head.shape) with \(head.count ?? 0) numbers",
          expected: "\(product) numbers")
      }
    }
  }
}

/// What an objective's call returns: its terms by name, and what was decided on the way.
public struct ObjectiveValue<O: Objective>: Sendable, CustomStringConvertible {
  /// The names of the terms, in order.
  public let names: [String]
  /// Weighted and normalized.
  public let terms: [Double]
  /// Matches, masks, samples: what `decide` returned.
  public let decisions: O.Decisions

  init(_ objective: O, _ terms: [Double], _ decisions: O.Decisions) {
    names = objective.terms
    self.terms = terms
    self.decisions = decisions
  }

  /// The sum of the terms.
  public var total: Double { terms.reduce(0, +) }

  /// The term of that name; nil if there is none.
  public subscript(name: String) -> Double? {
    names.firstIndex(of: name).map { terms[$0] }
  }

  public var description: String {
    let parts = zip(names, terms).map { "\($0) \($1)" }
    return "\(total) (\(parts.joined(separator: ", ")))"
  }
}

extension Assignment {
  /// The matching of a problem.
  ///
  /// - Throws: `InvalidInput` for a problem that the assignment is not defined on.
  public func callAsFunction(_ problem: Problem) throws(InvalidInput) -> Matching {
    try check(problem)
    return optimized(problem)
  }
}
