/// An axis-aligned box by its centre and its size, w ≥ 0 and h ≥ 0.
public struct CenteredBox<Number> {
  public var cx, cy, w, h: Number

  public init(cx: Number, cy: Number, w: Number, h: Number) {
    self.cx = cx
    self.cy = cy
    self.w = w
    self.h = h
  }
}

extension CenteredBox: Sendable where Number: Sendable {}
extension CenteredBox: Equatable where Number: Equatable {}

extension CenteredBox {
  public func map<Other>(_ transform: (Number) -> Other) -> CenteredBox<Other> {
    CenteredBox<Other>(cx: transform(cx), cy: transform(cy), w: transform(w), h: transform(h))
  }

  public var numbers: [Number] { [cx, cy, w, h] }
}

extension CenteredBox where Number: Scalar {
  public init<Row: RandomAccessCollection>(_ row: Row)
  where Row.Element == Number, Row.Index == Int {
    let first = row.startIndex
    self.init(cx: row[first], cy: row[first + 1], w: row[first + 2], h: row[first + 3])
  }

  public var corners: Box<Number> {
    Box(x1: cx - w * 0.5, y1: cy - h * 0.5, x2: cx + w * 0.5, y2: cy + h * 0.5)
  }
}

/// The truths of one image: boxes by centre and size, each with its class.
public struct CenteredTruths: Sendable, Equatable {
  public var boxes: [CenteredBox<Double>]
  public var labels: [Int]

  public init(_ boxes: [CenteredBox<Double>] = [], labels: [Int] = []) {
    self.boxes = boxes
    self.labels = labels
  }

  /// Rows cx, cy, w, h, class.
  public init(rows: [[Double]]) {
    self.init(rows.map { CenteredBox($0) }, labels: rows.map { Int($0[4]) })
  }

  /// The same truths in another order.
  public var reversed: Self { Self(boxes.reversed(), labels: labels.reversed()) }

  /// What a number of a box may be at most, so that no area or product of areas overflows.
  static var largest: Double { 0x1p100 }

  /// Refuses sizes below 0, numbers that are not finite, and labels outside 0 ..< classes.
  public func check(image: Int, classes: Int) throws(InvalidInput) {
    guard boxes.count == labels.count else {
      throw InvalidInput(
        "labels", image: image, given: "\(labels.count) labels",
        expected: "as many as boxes, \(boxes.count)")
    }
    for (i, box) in boxes.enumerated() {
      for (name, value) in zip(["cx", "cy", "w", "h"], box.numbers)
      where !(value.magnitude <= Self.largest) {
        throw InvalidInput(
          "boxes", image: image, index: i, given: "\(name) = \(value)",
          expected: "a number of at most 2^100")
      }
      for (name, value) in [("w", box.w), ("h", box.h)] where value < 0 {
        throw InvalidInput(
          "boxes", image: image, index: i, given: "\(name) = \(value)", expected: "at least 0")
      }
    }
    for (i, label) in labels.enumerated() where !(0..<classes).contains(label) {
      throw InvalidInput(
        "labels", image: image, index: i, given: "class \(label)", expected: "0 ..< \(classes)")
    }
  }
}

/// Matched boxes by centre and size, in Double, for a kernel of the box family.
///
/// A pair is laid about the prediction's centre: the losses do not change under translation, and
/// there the corners keep their digits.
struct CenteredPairs {
  private var predictions: [Double] = []
  private var targets: [Double] = []

  /// - Parameters:
  ///   - x: how far the target's centre is from the prediction's, to the right.
  ///   - y: how far it is below.
  mutating func append(
    w: Double, h: Double, to target: CenteredBox<Double>, x: Double, y: Double
  ) {
    predictions += [-0.5 * w, -0.5 * h, 0.5 * w, 0.5 * h]
    let (halfW, halfH) = (0.5 * target.w, 0.5 * target.h)
    targets += [x - halfW, y - halfH, x + halfW, y + halfH]
  }

  var count: Int { predictions.count / 4 }

  /// The prediction and the target of a pair, about the prediction's centre.
  subscript(_ i: Int) -> (prediction: Box<Double>, target: Box<Double>) {
    (Box(Array(predictions[4 * i..<4 * i + 4])), Box(Array(targets[4 * i..<4 * i + 4])))
  }

  /// The sum of the losses over the normalizer, and its slopes in each prediction's cx, cy, w, h.
  ///
  /// With x1 = cx − w / 2 and x2 = cx + w / 2, the slope in cx is the sum of those in x1 and x2, and in
  /// w half their difference.
  func evaluate<L: BoxLoss>(
    _ loss: L, normalizer: Double
  ) -> (total: Double, slopes: [CenteredBox<Double>]) {
    var gradient = predictions
    let total = loss.total(
      count: count, width: 4, predictions, targets, over: normalizer, gradient: &gradient)
    let slopes = (0..<count).map { i in
      let (x1, y1) = (gradient[4 * i], gradient[4 * i + 1])
      let (x2, y2) = (gradient[4 * i + 2], gradient[4 * i + 3])
      return CenteredBox(cx: x1 + x2, cy: y1 + y2, w: 0.5 * (x2 - x1), h: 0.5 * (y2 - y1))
    }
    return (total, slopes)
  }
}
