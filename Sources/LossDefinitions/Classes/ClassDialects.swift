/// A tensor as rows along one of its axes, in the order of its other positions.
struct ClassAxis {
  let shape: [Int]
  /// The shape without the axis.
  let remaining: [Int]
  let classes: Int
  let rows: Int
  /// Positions that follow the axis.
  private let inner: Int

  init(_ name: String, _ tensor: Tensor, axis: Int) throws {
    shape = tensor.shape
    guard shape.indices.contains(axis), shape[axis] > 0 else {
      throw Refusal.rejected("\"\(name)\" has shape \(shape); expected classes on axis \(axis)")
    }
    classes = shape[axis]
    inner = shape[(axis + 1)...].reduce(1, *)
    var others = shape
    others.remove(at: axis)
    remaining = others
    rows = others.reduce(1, *)
  }

  func split(_ tensor: Tensor) -> [[Double]] {
    (0..<rows).map { row in (0..<classes).map { tensor.data[place(row, $0)] } }
  }

  func join(_ rows: [[Double]]) -> Tensor {
    var data = Array(repeating: 0.0, count: shape.reduce(1, *))
    for (row, values) in rows.enumerated() {
      for (j, value) in values.enumerated() { data[place(row, j)] = value }
    }
    return Tensor(shape, data)
  }

  private func place(_ row: Int, _ j: Int) -> Int {
    (row / inner * classes + j) * inner + row % inner
  }
}

/// What a mean divides by, from the rows that were kept.
enum RowDivisor {
  /// The number of rows, ignored ones too.
  case rows
  /// The number given; `empty` is the mean of no rows.
  case sum(Double, empty: Double)
}

extension Call {
  /// The answer of a function of rows: ignored rows, nil, have value and gradient 0.
  func answer<L: ClassLoss>(
    _ loss: L, _ prediction: String, _ axis: ClassAxis, _ items: [Item?], divisor: RowDivisor,
    with evaluator: any Evaluator
  ) throws -> Answer {
    let kept = items.indices.filter { items[$0] != nil }
    let results = try evaluator.evaluate(loss, items.compactMap { $0 })
    var entries = Array(repeating: 0.0, count: items.count)
    for (i, result) in zip(kept, results) { entries[i] = result.value }
    let tensor = Tensor(axis.remaining, entries)
    var (value, slopes): (Tensor, [Double])
    switch divisor {
    case .rows: (value, slopes) = try reduce(tensor)
    case .sum(let sum, let empty):
      (value, slopes) = try reduce(tensor, divisor: sum)
      if reduction == "mean", sum == 0 { value.data = [empty] }
    }
    var gradient = Array(repeating: [Double](), count: items.count)
    for (i, result) in zip(kept, results) { gradient[i] = result.prediction.map { $0 * slopes[i] } }
    return Answer(value, gradients: [prediction: axis.join(gradient)])
  }

  /// Class indices, with nil where they are `ignored`.
  func classIndices(_ name: String, like shape: [Int], below classes: Int, ignored: Double?) throws
    -> [Double?]
  {
    try tensor(name, like: shape).data.enumerated().map { i, index in
      if index == ignored { return nil }
      guard index >= 0, index < Double(classes), index == index.rounded() else {
        throw Refusal.rejected(
          "\"\(name)\"[\(i)] is \(index); expected a class index in 0..<\(classes)")
      }
      return index
    }
  }

  /// A label smoothing in 0...1.
  func labelSmoothing() throws -> Double {
    let smoothing = try number("label_smoothing", default: 0)
    guard (0...1).contains(smoothing) else {
      throw Refusal.rejected("\"label_smoothing\" is \(smoothing); expected a number in 0...1")
    }
    return smoothing
  }
}

// MARK: - Class indices

extension SparseSoftmaxCrossEntropy {
  public static let dialects: [Dialect] = [
    torch, keras,
    Dialect(
      "optax", "softmax_cross_entropy_with_integer_labels",
      "Classes on the last axis, never reduced; negative indices are refused.",
      inputs: ["logits", "labels"]
    ) { call, evaluator in
      let x = try call.tensor("logits")
      let axis = try ClassAxis("logits", x, axis: x.shape.count - 1)
      let labels = try call.classIndices(
        "labels", like: axis.remaining, below: axis.classes, ignored: nil)
      let items = zip(axis.split(x), labels).map { x, y in y.map { Item(x, [$0]) } }
      return try call.answer(Self(), "logits", axis, items, divisor: .rows, with: evaluator)
    },
  ]

  private static let torch = Dialect(
    "torch", "cross_entropy",
    """
    Classes on axis 1. The mean of indexed targets divides by the weights of the targets kept, also \
    under smoothing; that of class probabilities by the number of positions.
    """,
    inputs: ["input", "target", "weight"], parameters: ["ignore_index", "label_smoothing"]
  ) { call, evaluator in
    let x = try call.tensor("input")
    let axis = try ClassAxis("input", x, axis: x.shape.count == 1 ? 0 : 1)
    let smoothing = try call.labelSmoothing()
    let weights =
      call.inputs["weight"] == nil
      ? nil : try call.tensor("weight", like: [axis.classes]).data
    let rows = axis.split(x)
    if try call.tensor("target").shape == x.shape {
      let items = zip(rows, axis.split(try call.tensor("target"))).map { Item($0, $1) }
      return try call.answer(
        SoftmaxCrossEntropy(labelSmoothing: smoothing, classWeights: weights), "input", axis, items,
        divisor: .rows, with: evaluator)
    }
    let targets = try call.classIndices(
      "target", like: axis.remaining, below: axis.classes,
      ignored: try call.number("ignore_index", default: -100))
    let kept = targets.compactMap { $0 }.map { weights?[Int($0)] ?? 1 }.reduce(0, +)
    return try call.answer(
      Self(labelSmoothing: smoothing, classWeights: weights), "input", axis,
      zip(rows, targets).map { x, y in y.map { Item(x, [$0]) } },
      divisor: .sum(kept, empty: .nan), with: evaluator)
  }

  private static let keras = Dialect(
    "keras", "SparseCategoricalCrossentropy",
    """
    Classes on the last axis. Probabilities are clipped and not normalised before the softmax of \
    their logarithms, as on TensorFlow. The mean is over the rows kept, and 0 if there are none.
    """,
    inputs: ["y_true", "y_pred"], parameters: ["from_logits", "ignore_class"]
  ) { call, evaluator in
    let x = try call.tensor("y_pred")
    let axis = try ClassAxis("y_pred", x, axis: x.shape.count - 1)
    let targets = try call.classIndices(
      "y_true", like: axis.remaining, below: axis.classes,
      ignored: try call.optionalNumber("ignore_class"))
    let fromLogits = try call.flag("from_logits", default: false)
    let clip = 1e-7...(1 - 1e-7)
    let rows = axis.split(x)
    let logits = fromLogits ? rows : rows.map { $0.map { .log(clip.nearest($0)) } }
    let count = Double(targets.count(where: { $0 != nil }))
    var answer = try call.answer(
      Self(), "y_pred", axis, zip(logits, targets).map { x, y in y.map { Item(x, [$0]) } },
      divisor: .sum(count, empty: 0), with: evaluator)
    if !fromLogits {
      answer.gradients["y_pred"] = answer.gradients["y_pred"].map {
        Tensor($0.shape, zip($0.data, x.data).map { clip.contains($1) ? $0 / $1 : 0 })
      }
    }
    return answer
  }
}

extension ClosedRange<Double> {
  /// The nearest number within; NaN passes.
  fileprivate func nearest(_ x: Double) -> Double {
    x < lowerBound ? lowerBound : x > upperBound ? upperBound : x
  }
}

// MARK: - Class distributions

extension SoftmaxCrossEntropy {
  public static let dialects: [Dialect] = [
    Dialect(
      "optax", "softmax_cross_entropy",
      "Classes on the last axis, never reduced. A −∞ logit of no mass counts nothing; optax gives NaN.",
      inputs: ["logits", "labels"]
    ) { call, evaluator in
      let x = try call.tensor("logits")
      let axis = try ClassAxis("logits", x, axis: x.shape.count - 1)
      let t = axis.split(try call.tensor("labels", like: x.shape))
      return try call.answer(
        Self(), "logits", axis, zip(axis.split(x), t).map { Item($0, $1) }, divisor: .rows,
        with: evaluator)
    }
  ]
}

extension CrossEntropyFromProbabilities {
  public static let dialects: [Dialect] = [
    Dialect(
      "keras", "CategoricalCrossentropy",
      """
      Classes on the last axis. With `from_logits` this is softmax cross-entropy; else probabilities \
      are divided by their sum and clipped.
      """,
      inputs: ["y_true", "y_pred"], parameters: ["from_logits", "label_smoothing", "epsilon"]
    ) { call, evaluator in
      let x = try call.tensor("y_pred")
      let axis = try ClassAxis("y_pred", x, axis: x.shape.count - 1)
      let t = axis.split(try call.tensor("y_true", like: x.shape))
      let items = zip(axis.split(x), t).map { Item($0, $1) }
      let smoothing = try call.labelSmoothing()
      if try call.flag("from_logits", default: false) {
        return try call.answer(
          SoftmaxCrossEntropy(labelSmoothing: smoothing), "y_pred", axis, items, divisor: .rows,
          with: evaluator)
      }
      var loss = Self()
      loss.labelSmoothing = smoothing
      loss.epsilon = try call.number("epsilon", default: loss.epsilon)
      return try call.answer(loss, "y_pred", axis, items, divisor: .rows, with: evaluator)
    }
  ]
}

// MARK: - Distributions over bins

extension DistributionFocal {
  public static let dialects: [Dialect] = [
    Dialect(
      "ultralytics", "DFLoss",
      """
      Row 4 i + s of `pred_dist` is side s of row i of `target`; the mean over the sides, (N, 1). \
      Targets are clamped to 0 ... reg_max − 1.01, so that one at the last bin keeps a loss.
      """,
      inputs: ["pred_dist", "target"], parameters: ["reg_max", "clamp"]
    ) { call, evaluator in
      let x = try call.tensor("pred_dist")
      let axis = try ClassAxis("pred_dist", x, axis: x.shape.count - 1)
      let bins = try call.integer("reg_max", default: 16)
      let last = Double(bins) - 1 - 0.01
      try call.expect("clamp", .list([.number(0), .number(last)]))
      let target = try call.tensor("target", like: [axis.rows / 4, 4])
      guard bins == axis.classes, bins > 1, axis.rows % 4 == 0 else {
        throw Refusal.rejected(
          "\"pred_dist\" has shape \(x.shape); expected 4 rows a target of \(bins) bins")
      }
      let range = 0...last
      let results = try evaluator.evaluate(
        Self(), zip(axis.split(x), target.data).map { Item($0, [range.nearest($1)]) })
      let means = stride(from: 0, to: axis.rows, by: 4).map { row in
        results[row..<row + 4].reduce(0) { $0 + $1.value } / 4
      }
      let gradient = axis.join(results.map { $0.prediction.map { $0 / 4 } })
      return Answer(Tensor([axis.rows / 4, 1], means), gradients: ["pred_dist": gradient])
    },
    Dialect(
      "mmdet", "distribution_focal_loss",
      "No clamp: a label at the last bin or beyond is refused, where mmdet fails to index.",
      inputs: ["pred", "label"]
    ) { call, evaluator in
      let x = try call.tensor("pred")
      let axis = try ClassAxis("pred", x, axis: x.shape.count - 1)
      let labels = try call.tensor("label", like: axis.remaining).data
      let last = Double(axis.classes - 1)
      for (i, label) in labels.enumerated() where !(label >= 0 && label < last) {
        throw Refusal.rejected("\"label\"[\(i)] is \(label); expected a number in 0..<\(last)")
      }
      return try call.answer(
        Self(), "pred", axis, zip(axis.split(x), labels).map { Item($0, [$1]) }, divisor: .rows,
        with: evaluator)
    },
  ]
}
