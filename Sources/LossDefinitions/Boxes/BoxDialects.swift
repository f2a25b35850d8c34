extension Call {
  /// An input's rows of four, which must be boxes: corners in order, or sizes of at least 0.
  fileprivate func boxes(_ name: String, centered: Bool = false) throws -> (Tensor, [[Double]]) {
    let tensor = try tensor(name)
    guard tensor.shape.last == 4 else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [..., 4]")
    }
    let rows = (0..<tensor.data.count / 4).map { Array(tensor.data[4 * $0..<4 * $0 + 4]) }
    for (i, row) in rows.enumerated() {
      if centered ? row[2] < 0 || row[3] < 0 : row[2] < row[0] || row[3] < row[1] {
        let expected = centered ? "width, height ≥ 0" : "x1 ≤ x2, y1 ≤ y2"
        throw Refusal.rejected("\"\(name)\" at index \(i) is \(row); expected \(expected)")
      }
    }
    return (tensor, rows)
  }
}

extension Call {
  /// KerasCV's corners of boxes that are not batched, each pair's loss by itself.
  func expectUnbatched() throws {
    try expect("format", .text("xyxy"))
    try expect("axis", .text("no_reduction"))
  }
}

extension Dialect {
  /// A function of aligned pairs of boxes, given by corners along the last axis.
  ///
  /// - Parameters:
  ///   - emptyMean: the mean of no entries.
  ///   - similarity: whether the function returns 1 − L.
  public static func boxes<L: BoxLoss>(
    _ peer: String, _ function: String, _ first: String, _ second: String,
    parameters: [String], emptyMean: Double = .nan, similarity: Bool = false, note: String = "",
    _ make: @escaping @Sendable (Call) throws -> L
  ) -> Dialect {
    Dialect(peer, function, note, inputs: [first, second], parameters: parameters) {
      call, evaluator in
      let (x, p) = try call.boxes(first)
      _ = try call.tensor(second, like: x.shape)
      let (_, t) = try call.boxes(second)
      let results = try evaluator.evaluate(make(call), zip(p, t).map { Item($0, $1) })
      let entries = Tensor(
        Array(x.shape.dropLast()), results.map { similarity ? 1 - $0.value : $0.value })
      let (value, slopes) = try call.reduce(entries, emptyMean: emptyMean)
      let factors = similarity ? slopes.map { -$0 } : slopes
      func gradient(_ part: (Gradient<Double>) -> [Double]) -> Tensor {
        Tensor(x.shape, zip(results, factors).flatMap { result, f in part(result).map { f * $0 } })
      }
      return Answer(
        value, gradients: [first: gradient(\.prediction), second: gradient(\.target)])
    }
  }

  /// A matrix of similarities 1 − L: each box of the first input with each of the second.
  public static func pairwise<L: BoxLoss>(
    _ peer: String, _ function: String, _ first: String, _ second: String,
    parameters: [String] = [], note: String = "", _ make: @escaping @Sendable (Call) throws -> L
  ) -> Dialect {
    Dialect(peer, function, note, inputs: [first, second], parameters: parameters) {
      call, evaluator in
      guard call.reduction == "none" else {
        throw Refusal.unsupported("reduction \"\(call.reduction)\"")
      }
      let (x, p) = try call.boxes(first)
      let (y, t) = try call.boxes(second)
      for (name, tensor) in [(first, x), (second, y)] where tensor.shape.count != 2 {
        throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [N, 4]")
      }
      let items = p.flatMap { box in t.map { Item(box, $0) } }
      let results = try evaluator.evaluate(make(call), items)
      var (slopes, others) = (x.data.map { _ in 0.0 }, y.data.map { _ in 0.0 })
      for (index, result) in results.enumerated() {
        let (i, j) = (index / t.count, index % t.count)
        for k in 0..<4 {
          slopes[4 * i + k] -= result.prediction[k]
          others[4 * j + k] -= result.target[k]
        }
      }
      return Answer(
        Tensor([p.count, t.count], results.map { 1 - $0.value }),
        gradients: [first: Tensor(x.shape, slopes), second: Tensor(y.shape, others)])
    }
  }

  /// Ultralytics' `bbox_iou`: similarities 1 − L of boxes that broadcast, by corners or by centre and
  /// size.
  ///
  /// - Parameter make: the definition for an epsilon and for the epsilon of the heights, which boxes
  ///   given by their size do not get.
  static func ultralytics<L: BoxLoss>(
    _ function: String, note: String = "",
    _ make: @escaping @Sendable (_ epsilon: Double, _ height: Double) -> L
  ) -> Dialect {
    Dialect(
      "ultralytics", function, note, inputs: ["box1", "box2"], parameters: ["format", "eps"]
    ) { call, evaluator in
      guard call.reduction == "none" else {
        throw Refusal.unsupported("reduction \"\(call.reduction)\"")
      }
      let format = try call.text("format", default: "cxcywh")
      guard ["xyxy", "cxcywh"].contains(format) else {
        throw Refusal.unsupported("format \"\(format)\"; known: xyxy, cxcywh")
      }
      let centered = format == "cxcywh"
      let epsilon = try call.number("eps", default: 1e-7)
      let (x, p) = try call.boxes("box1", centered: centered)
      let (y, t) = try call.boxes("box2", centered: centered)
      let pairs = try broadcast(Array(x.shape.dropLast()), Array(y.shape.dropLast()))
      let items = zip(pairs.first, pairs.second).map { i, j in
        centered ? cornersAboutFirst(p[i], t[j]) : Item(p[i], t[j])
      }
      let results = try evaluator.evaluate(make(epsilon, centered ? 0 : epsilon), items)
      var (slopes, others) = (x.data.map { _ in 0.0 }, y.data.map { _ in 0.0 })
      for (k, result) in results.enumerated() {
        add(result.prediction, centered, to: &slopes, at: pairs.first[k])
        add(result.target, centered, to: &others, at: pairs.second[k])
      }
      return Answer(
        Tensor(pairs.shape + [1], results.map { 1 - $0.value }),
        gradients: ["box1": Tensor(x.shape, slopes), "box2": Tensor(y.shape, others)])
    }
  }

  /// The corners of two boxes of centre and size, about the first one's centre: a loss does not
  /// change under translation, and there they keep their digits in any precision.
  private static func cornersAboutFirst(_ p: [Double], _ t: [Double]) -> Item {
    let (w, h) = (p[2] / 2, p[3] / 2)
    let (x, y) = (t[0] - p[0], t[1] - p[1])
    return Item(
      [-w, -h, w, h], [x - t[2] / 2, y - t[3] / 2, x + t[2] / 2, y + t[3] / 2])
  }

  /// Subtracts a box's slopes, those of 1 − L being negative, in the coordinates of the input.
  private static func add(
    _ slopes: [Double], _ centered: Bool, to total: inout [Double], at row: Int
  ) {
    let (x1, y1, x2, y2) = (slopes[0], slopes[1], slopes[2], slopes[3])
    let own = centered ? [x1 + x2, y1 + y2, (x2 - x1) / 2, (y2 - y1) / 2] : slopes
    for k in 0..<4 { total[4 * row + k] -= own[k] }
  }

  /// The shape that two shapes broadcast to, and the row of each that an entry is of.
  private static func broadcast(
    _ a: [Int], _ b: [Int]
  ) throws -> (shape: [Int], first: [Int], second: [Int]) {
    let rank = Swift.max(a.count, b.count)
    let left = Array(repeating: 1, count: rank - a.count) + a
    let right = Array(repeating: 1, count: rank - b.count) + b
    var shape: [Int] = []
    for (m, n) in zip(left, right) {
      guard m == n || m == 1 || n == 1 else {
        throw Refusal.rejected("shapes \(a + [4]) and \(b + [4]) do not broadcast")
      }
      shape.append(m == 1 ? n : m)
    }
    func rows(_ extents: [Int]) -> [Int] {
      var rows = [0]
      for (extent, count) in zip(extents, shape) {
        rows = rows.flatMap { row in
          (0..<count).map { row * extent + (extent == 1 ? 0 : $0) }
        }
      }
      return rows
    }
    return (shape, rows(left), rows(right))
  }
}

/// MMDetection's losses of boxes: weights, and its own average.
extension Dialect {
  /// - Parameters:
  ///   - parameters: names besides `eps` and `avg_factor`.
  ///   - least, most: what a value beyond is clipped to; there it has no gradient.
  static func mmdet<L: BoxLoss>(
    _ function: String, parameters: [String] = [], least: Double = -.infinity,
    most: Double = .infinity, note: String = "",
    check: @escaping @Sendable (Call, Item) throws -> Void = { _, _ in },
    _ make: @escaping @Sendable (Call) throws -> L
  ) -> Dialect {
    Dialect(
      "mmdet", function, note, inputs: ["pred", "target", "weight"],
      parameters: ["eps", "avg_factor"] + parameters
    ) { call, evaluator in
      let (x, p) = try call.boxes("pred")
      _ = try call.tensor("target", like: x.shape)
      let (_, t) = try call.boxes("target")
      let items = zip(p, t).map { Item($0, $1) }
      for item in items { try check(call, item) }
      let results = try evaluator.evaluate(make(call), items)
      let shape = Array(x.shape.dropLast())
      let weights =
        call.inputs["weight"] == nil
        ? items.map { _ in 1 } : try call.tensor("weight", like: shape).data
      let entries = zip(results, weights).map {
        Swift.max(least, Swift.min($0.value, most)) * $1
      }
      var reduced = call
      var divisor: Double?
      if call.reduction == "sum / avg_factor" {
        reduced.reduction = "mean"
        divisor = try call.number("avg_factor") + 0x1p-23
      }
      let (value, slopes) = try reduced.reduce(Tensor(shape, entries), divisor: divisor)
      var gradients: ([Double], [Double]) = ([], [])
      for (i, result) in results.enumerated() {
        let isClipped = result.value > most || result.value < least
        let factor = isClipped ? 0 : slopes[i] * weights[i]
        gradients.0 += result.prediction.map { factor * $0 }
        gradients.1 += result.target.map { factor * $0 }
      }
      return Answer(
        value,
        gradients: ["pred": Tensor(x.shape, gradients.0), "target": Tensor(x.shape, gradients.1)])
    }
  }

  /// Refuses pairs whose union is below `epsilon`: MMDetection divides by the larger of the two.
  static func union(atLeast epsilon: Double, _ item: Item) throws {
    let (p, t) = (Box(item.prediction), Box(item.target))
    let union = p.width * p.height + t.width * t.height - p.intersection(t)
    if union < epsilon {
      throw Refusal.rejected("a pair's union is \(union); expected at least \(epsilon)")
    }
  }
}

extension Call {
  /// The shape of two inputs of boxes, and their rows as items.
  func pairs(_ first: String, _ second: String) throws -> (Tensor, [Item]) {
    let (x, p) = try boxes(first)
    _ = try tensor(second, like: x.shape)
    let (_, t) = try boxes(second)
    return (x, zip(p, t).map { Item($0, $1) })
  }
}
