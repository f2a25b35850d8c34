/// A batch call's arguments over pointers: what all calls come down to.
struct Arguments<Element: LaneElement> {
  var predictions: UnsafeBufferPointer<Element>
  var width: Int
  var targets: UnsafeBufferPointer<Element>?
  var labels: UnsafeBufferPointer<Int>?
  var ignoredIndex: Int?
  var weights: UnsafeBufferPointer<Element>?
  var normalizer: Normalizer
  var validation: Validation
  var gradient: UnsafeMutableBufferPointer<Element>?
  var values: UnsafeMutableBufferPointer<Element>?

  /// Checks the arguments, then runs the loss's kernel over them.
  func evaluate<L: Loss>(_ loss: L) throws(LossError) -> Double {
    guard L.targetIsIndex == (labels != nil) else {
      throw LossError(
        kind: .targetKind, argument: "targets", index: nil,
        given: labels == nil ? "numbers" : "class indices",
        expected: L.targetIsIndex ? "class indices" : "numbers")
    }
    try checkWidth(loss.requiredWidth)
    let targetWidth = L.targetWidth(for: width)
    let count = try checkedCount(targetWidth)
    let kept = try checkedLabels(count)
    if validation == .checked {
      try checkWeights()
      switch L.family {
      case .boxes:
        try checkBoxes("predictions", predictions)
        if let targets { try checkBoxes("targets", targets) }
      case .rotatedBoxes:
        try checkColumns("predictions", predictions, width, 2...3, least: 0)
        if let targets { try checkColumns("targets", targets, width, 2...3, least: 0) }
      case .keypoints:
        // σ is divided by, an area is added to.
        if let targets {
          try checkColumns("targets", targets, targetWidth, 2...2, least: .leastNonzeroMagnitude)
          try checkColumns("targets", targets, targetWidth, 3...3, least: 0)
        }
      default: break
      }
    }
    let divisor = try divisor(kept)
    guard count > 0, let prediction = predictions.baseAddress else { return 0 }
    return Element.kernel(
      loss,
      Batch(
        count: count, width: width, targetWidth: targetWidth, prediction: prediction,
        target: targets?.baseAddress, indices: labels?.baseAddress, ignoredIndex: ignoredIndex,
        weights: weights?.baseAddress, normalizer: divisor, values: values?.baseAddress,
        gradient: gradient?.baseAddress))
  }

  // MARK: Shapes

  private func checkWidth(_ required: Int?) throws(LossError) {
    guard width > 0, required == nil || required == width else {
      throw LossError(
        kind: .shape, argument: labels == nil ? "width" : "classes", index: nil,
        given: "\(width)", expected: required.map { "\($0)" } ?? "at least 1")
    }
  }

  /// The number of items; every buffer holds that many.
  private func checkedCount(_ targetWidth: Int) throws(LossError) -> Int {
    guard predictions.count.isMultiple(of: width) else {
      throw LossError(
        kind: .shape, argument: "predictions", index: nil, given: "\(predictions.count) numbers",
        expected: "a multiple of \(width)")
    }
    let count = predictions.count / width
    try check("targets", targets?.count, count * targetWidth)
    try check("targets", labels?.count, count)
    try check("weights", weights?.count, count)
    try check("gradient", gradient?.count, predictions.count)
    try check("values", values?.count, count)
    return count
  }

  private func check(_ argument: String, _ given: Int?, _ expected: Int) throws(LossError) {
    guard let given, given != expected else { return }
    throw LossError(
      kind: .shape, argument: argument, index: nil, given: "\(given) numbers",
      expected: "\(expected)")
  }

  // MARK: Values

  /// The number of items that are not ignored; every other's class is one of the row's.
  private func checkedLabels(_ count: Int) throws(LossError) -> Int {
    guard let labels else { return count }
    var kept = 0
    for (i, label) in labels.enumerated() where label != ignoredIndex {
      guard label >= 0, label < width else {
        throw LossError(
          kind: .classIndex, argument: "targets", index: i, given: "class \(label)",
          expected: "0 ..< \(width)")
      }
      kept += 1
    }
    return kept
  }

  private func checkWeights() throws(LossError) {
    guard let weights, let i = firstNotAWeight(weights) else { return }
    throw LossError(
      kind: .weight, argument: "weights", index: i, given: "\(weights[i])",
      expected: "a finite number of at least 0")
  }

  /// N, with a reciprocal that the element type can hold.
  private func divisor(_ kept: Int) throws(LossError) -> Double {
    let divisor =
      switch normalizer {
      case .sum: 1.0
      case .mean: Double(kept)
      case .weightSum: weights.map { weightSum($0, labels, ignoredIndex) } ?? Double(kept)
      case .value(let value): value
      }
    guard divisor > 0, divisor.isFinite, Element(1 / divisor).isFinite else {
      let given =
        switch normalizer {
        case .mean: "the mean of no items"
        case .weightSum: "weights that sum to \(divisor)"
        case .sum, .value: "\(divisor)"
        }
      throw LossError(
        kind: .normalizer, argument: "normalizer", index: nil, given: given,
        expected: "N finite and above 0")
    }
    return divisor
  }
}

/// Throws for the first box whose second corner lies before its first.
func checkBoxes<Element: LaneElement>(
  _ argument: String, _ boxes: UnsafeBufferPointer<Element>
) throws(LossError) {
  guard let i = firstInvertedBox(boxes) else { return }
  let axis = boxes[4 * i + 2] < boxes[4 * i] ? "x" : "y"
  let at = 4 * i + (axis == "x" ? 0 : 1)
  throw LossError(
    kind: .invertedBox, argument: argument, index: i,
    given: "\(axis)1 = \(boxes[at]), \(axis)2 = \(boxes[at + 2])",
    expected: "\(axis)1 ≤ \(axis)2")
}

@specialized(where Element == Float)
@specialized(where Element == Double)
private func firstInvertedBox<Element: LaneElement>(_ boxes: UnsafeBufferPointer<Element>) -> Int? {
  for i in 0..<boxes.count / 4
  where boxes[4 * i + 2] < boxes[4 * i] || boxes[4 * i + 3] < boxes[4 * i + 1] {
    return i
  }
  return nil
}

/// Throws for the first item with a number below `least` in the columns: a side, a σ, an area.
@specialized(where Element == Float)
@specialized(where Element == Double)
private func checkColumns<Element: LaneElement>(
  _ argument: String, _ rows: UnsafeBufferPointer<Element>, _ width: Int,
  _ columns: ClosedRange<Int>, least: Element
) throws(LossError) {
  for i in 0..<rows.count / width {
    for column in columns where rows[width * i + column] < least {
      throw LossError(
        kind: .outOfDomain, argument: argument, index: i,
        given: "\(rows[width * i + column]) in column \(column)",
        expected: least == 0 ? "at least 0" : "above 0")
    }
  }
}

@specialized(where Element == Float)
@specialized(where Element == Double)
private func firstNotAWeight<Element: LaneElement>(_ weights: UnsafeBufferPointer<Element>) -> Int?
{
  weights.firstIndex { !($0 >= 0 && $0.isFinite) }
}

@specialized(where Element == Float)
@specialized(where Element == Double)
private func weightSum<Element: LaneElement>(
  _ weights: UnsafeBufferPointer<Element>, _ labels: UnsafeBufferPointer<Int>?, _ ignored: Int?
) -> Double {
  var sum = 0.0
  for i in weights.indices where labels == nil || labels?[i] != ignored {
    sum += Double(weights[i])
  }
  return sum
}

// MARK: - From the caller's storage

extension Loss {
  /// A call with numbers for targets.
  func evaluate<Input: Numbers & ~Escapable>(
    _ predictions: Input, _ targets: Input, _ width: Int, _ weights: Input?,
    _ normalizer: Normalizer, _ validation: Validation,
    gradient: UnsafeMutableBufferPointer<Input.Element>? = nil,
    values: UnsafeMutableBufferPointer<Input.Element>? = nil
  ) throws(LossError) -> Double where Input.Element: LaneElement {
    try predictions.withNumbers { predictions throws(LossError) in
      try targets.withNumbers { targets throws(LossError) in
        try weights.withOptionalNumbers { weights throws(LossError) in
          try Arguments(
            predictions: predictions, width: width, targets: targets, weights: weights,
            normalizer: normalizer, validation: validation, gradient: gradient, values: values
          ).evaluate(self)
        }
      }
    }
  }

  /// A call with class indices for targets.
  func evaluate<Input: Numbers & ~Escapable, Targets: Numbers<Int> & ~Escapable>(
    _ predictions: Input, _ targets: Targets, _ width: Int, _ ignoredIndex: Int?,
    _ weights: Input?, _ normalizer: Normalizer, _ validation: Validation,
    gradient: UnsafeMutableBufferPointer<Input.Element>? = nil,
    values: UnsafeMutableBufferPointer<Input.Element>? = nil
  ) throws(LossError) -> Double where Input.Element: LaneElement {
    try predictions.withNumbers { predictions throws(LossError) in
      try targets.withNumbers { labels throws(LossError) in
        try weights.withOptionalNumbers { weights throws(LossError) in
          try Arguments(
            predictions: predictions, width: width, labels: labels, ignoredIndex: ignoredIndex,
            weights: weights, normalizer: normalizer, validation: validation, gradient: gradient,
            values: values
          ).evaluate(self)
        }
      }
    }
  }
}

func zeros<Input: Numbers & ~Copyable & ~Escapable>(
  _ count: Int, of _: Input.Type
) -> [Input.Element] where Input.Element: LaneElement {
  Array(repeating: 0, count: count)
}
