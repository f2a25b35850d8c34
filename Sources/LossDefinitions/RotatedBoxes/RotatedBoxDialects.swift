extension Call {
  /// An input's rows of five, which must be rotated boxes: sides of at least 0.
  func rotatedBoxes(_ name: String) throws -> (Tensor, [[Double]]) {
    let tensor = try tensor(name)
    guard tensor.shape.last == 5 else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [..., 5]")
    }
    let rows = (0..<tensor.data.count / 5).map { Array(tensor.data[5 * $0..<5 * $0 + 5]) }
    for (i, row) in rows.enumerated() where row[2] < 0 || row[3] < 0 {
      throw Refusal.rejected("\"\(name)\" at index \(i) is \(row); expected width, height ≥ 0")
    }
    return (tensor, rows)
  }

  func expectNoReduction() throws {
    guard reduction == "none" else { throw Refusal.unsupported("reduction \"\(reduction)\"") }
  }
}

extension Dialect {
  static let probIoU = Dialect(
    "ultralytics", "probiou", "Returns 1 − L, a column; `floor` since 8.4.130.",
    inputs: ["obb1", "obb2"], parameters: ["CIoU", "eps", "floor", "format"]
  ) { call, evaluator in
    try call.expectNoReduction()
    try call.expect("format", .text("cxcywhr, radians"))
    var loss = ProbIoU(
      epsilon: try call.number("eps", default: 1e-7), floor: try call.number("floor", default: 0),
      addsAspect: try call.flag("CIoU", default: false))
    loss.isSimilarity = true
    return try call.rotatedPairs(loss, "obb1", "obb2", trailing: [1], with: evaluator)
  }

  static let batchProbIoU = Dialect(
    "ultralytics", "batch_probiou",
    "Returns 1 − L of each box of the first with each of the second.",
    inputs: ["obb1", "obb2"], parameters: ["eps"]
  ) { call, evaluator in
    try call.expectNoReduction()
    var loss = ProbIoU(epsilon: try call.number("eps", default: 1e-7))
    loss.isSimilarity = true
    let (x, p) = try call.rotatedBoxes("obb1")
    let (y, t) = try call.rotatedBoxes("obb2")
    for (name, tensor) in [("obb1", x), ("obb2", y)] where tensor.shape.count != 2 {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [N, 5]")
    }
    let results = try evaluator.evaluate(loss, p.flatMap { box in t.map { Item(box, $0) } })
    var (slopes, others) = (x.data.map { _ in 0.0 }, y.data.map { _ in 0.0 })
    for (index, result) in results.enumerated() {
      let (i, j) = (index / t.count, index % t.count)
      for k in 0..<5 {
        slopes[5 * i + k] += result.prediction[k]
        others[5 * j + k] += result.target[k]
      }
    }
    return Answer(
      Tensor([p.count, t.count], results.map(\.value)),
      gradients: ["obb1": Tensor(x.shape, slopes), "obb2": Tensor(y.shape, others)])
  }

  static let paddleProbIoU = Dialect(
    "paddledetection", "probiou_loss",
    "ε = 1e-3 under the logarithm's quotient, in the lower limit and under the root alone.",
    inputs: ["pred", "target"], parameters: ["eps", "mode"]
  ) { call, evaluator in
    try call.expectNoReduction()
    var loss = ProbIoU(epsilon: try call.number("eps", default: 1e-3))
    loss.guardsQuotients = false
    switch try call.text("mode", default: "l1") {
    case "l1": break
    case "l2": loss.form = .bhattacharyya
    case let mode: throw Refusal.unsupported("mode \"\(mode)\"; known: l1, l2")
    }
    return try call.rotatedPairs(loss, "pred", "target", trailing: [1], with: evaluator)
  }
}

extension Dialect {
  static let rotatedIoU = Dialect(
    "mmrotate", "rotated_iou_loss",
    "−ln IoU by default; the IoU is at least eps. MMCV's IoU errs where edges nearly coincide.",
    inputs: ["pred", "target"], parameters: ["mode", "eps"]
  ) { call, evaluator in
    try call.expectNoReduction()
    let floor = try call.number("eps", default: 1e-6)
    let loss: RotatedIoU
    switch try call.text("mode", default: "log") {
    case "linear": loss = RotatedIoU(.linear, floor: floor)
    case "log": loss = RotatedIoU(.logarithmic, floor: floor)
    case let mode:
      throw Refusal.unsupported("mode \"\(mode)\"; known: linear, log")
    }
    return try call.rotatedPairs(loss, "pred", "target", with: evaluator)
  }
}

extension Call {
  /// The losses of aligned pairs of two inputs, unreduced, and their gradients.
  ///
  /// - Parameter trailing: what the function's result has after the rows' axes.
  func rotatedPairs<L: RotatedBoxLoss>(
    _ loss: L, _ first: String, _ second: String, trailing: [Int] = [],
    with evaluator: any Evaluator
  ) throws -> Answer {
    let (x, p) = try rotatedBoxes(first)
    _ = try tensor(second, like: x.shape)
    let (_, t) = try rotatedBoxes(second)
    let results = try evaluator.evaluate(loss, zip(p, t).map { Item($0, $1) })
    var gradients = [first: Tensor(x.shape, results.flatMap(\.prediction))]
    if L.targetGradient != .none {
      gradients[second] = Tensor(x.shape, results.flatMap(\.target))
    }
    return Answer(
      Tensor(x.shape.dropLast() + trailing, results.map(\.value)), gradients: gradients)
  }
}
