extension BoxLoss {
  /// The similarities 1 − L of each of n boxes with each of m, written to `matrix` row by row: n x m
  /// numbers.
  ///
  /// - Parameters:
  ///   - first: n x 4 corners x1, y1, x2, y2.
  ///   - second: m x 4 corners.
  ///   - validation: whether boxes are looked at.
  ///   - matrix: entry (i, j) goes to place i m + j.
  /// - Throws: `LossError` for a size that does not fit and for an inverted box.
  public func similarities<
    Input: Numbers & ~Escapable, Output: MutableNumbers & ~Copyable & ~Escapable
  >(
    _ first: Input, _ second: Input, validation: Validation = .checked, into matrix: inout Output
  ) throws(LossError) where Input.Element: LaneElement, Output.Element == Input.Element {
    try matrix.withMutableNumbers { matrix throws(LossError) in
      try first.withNumbers { first throws(LossError) in
        try second.withNumbers { second throws(LossError) in
          try checkCorners("first", first, validation)
          try checkCorners("second", second, validation)
          let expected = (first.count / 4).multipliedReportingOverflow(by: second.count / 4)
          guard !expected.overflow, matrix.count == expected.partialValue else {
            throw LossError(
              kind: .shape, argument: "matrix", index: nil, given: "\(matrix.count) numbers",
              expected: "\(first.count / 4) x \(second.count / 4)")
          }
          fill(matrix, first, second)
        }
      }
    }
  }

  /// The similarities, in a new array.
  public func similarities<Input: Numbers & ~Escapable>(
    _ first: Input, _ second: Input, validation: Validation = .checked
  ) throws(LossError) -> [Input.Element] where Input.Element: LaneElement {
    let rows = first.withNumbers { $0.count / 4 }
    let columns = second.withNumbers { $0.count / 4 }
    var matrix = zeros(rows * columns, of: Input.self)
    try similarities(first, second, validation: validation, into: &matrix)
    return matrix
  }

  /// The similarities with the derivatives of their sum in both sets of boxes.
  ///
  /// - Parameters:
  ///   - first: n x 4 corners x1, y1, x2, y2.
  ///   - second: m x 4 corners.
  /// - Throws: `LossError` for a size that is no multiple of 4 and for an inverted box.
  public func similaritiesAndGradients<Element: LaneElement>(
    _ first: [Element], _ second: [Element], validation: Validation = .checked
  ) throws(LossError) -> Pairwise<Self>.Matrix<Element> {
    try first.withNumbers { first throws(LossError) in
      try checkCorners("first", first, validation)
    }
    try second.withNumbers { second throws(LossError) in
      try checkCorners("second", second, validation)
    }
    return Pairwise(self)(first, second)
  }

  /// Runs the kernel over blocks: copies of one box against the others.
  private func fill<Element: LaneElement>(
    _ matrix: UnsafeMutableBufferPointer<Element>, _ first: UnsafeBufferPointer<Element>,
    _ second: UnsafeBufferPointer<Element>
  ) {
    guard !matrix.isEmpty, let entries = matrix.baseAddress, let boxes = first.baseAddress,
      let others = second.baseAddress
    else { return }
    let (rows, columns) = (first.count / 4, second.count / 4)
    let block = Swift.min(columns, Batch<Element>.blockCount)
    withUnsafeTemporaryAllocation(of: Element.self, capacity: 4 * block) { copies in
      guard let copy = copies.baseAddress else { return }
      for i in 0..<rows {
        repeatBox(boxes + 4 * i, in: copies)
        for j in stride(from: 0, to: columns, by: block) {
          let batch = Batch(
            count: Swift.min(block, columns - j), width: 4, targetWidth: 4, prediction: copy,
            target: others + 4 * j, values: entries + (i * columns + j))
          _ = Element.kernel(self, batch)
        }
      }
    }
    complement(matrix)
  }
}

private func checkCorners<Element: LaneElement>(
  _ argument: String, _ boxes: UnsafeBufferPointer<Element>, _ validation: Validation
) throws(LossError) {
  guard boxes.count.isMultiple(of: 4) else {
    throw LossError(
      kind: .shape, argument: argument, index: nil, given: "\(boxes.count) numbers",
      expected: "a multiple of 4")
  }
  if validation == .checked { try checkBoxes(argument, boxes) }
}

@specialized(where Element == Float)
@specialized(where Element == Double)
private func repeatBox<Element: LaneElement>(
  _ box: UnsafePointer<Element>, in copies: UnsafeMutableBufferPointer<Element>
) {
  for k in copies.indices { copies[k] = box[k & 3] }
}

/// Losses to similarities.
@specialized(where Element == Float)
@specialized(where Element == Double)
private func complement<Element: LaneElement>(_ values: UnsafeMutableBufferPointer<Element>) {
  for i in values.indices { values[i] = 1 - values[i] }
}
