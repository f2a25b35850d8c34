/// The deltas of a batch's positive anchors, gathered in Double, with their anchors and truths: few
/// rows of many, whose targets no Float holds.
struct PositiveBoxes {
  private let deltas: BoxDeltas
  private var rows: [Int] = []
  private var predictions: [Double] = []
  private var anchors: [Box<Double>] = []
  private var truths: [Box<Double>] = []
  private var weights: [Double] = []

  init(_ deltas: BoxDeltas) { self.deltas = deltas }

  mutating func append<Element: LaneElement>(
    _ head: HeadBuffer<Element>, row: Int, _ anchor: Box<Double>, _ truth: Box<Double>,
    weight: Double
  ) {
    rows.append(row)
    for k in 0..<4 { predictions.append(Double(head.values[4 * row + k])) }
    anchors.append(anchor)
    truths.append(truth)
    weights.append(weight)
  }

  /// Σ wᵢ ℓ over the four deltas of each row, its gradient written to the rows.
  func errors<L: ElementLoss, Element: LaneElement>(
    _ loss: L, to head: HeadBuffer<Element>
  ) -> Double {
    var targets = [Double](repeating: 0, count: predictions.count)
    targets.withUnsafeMutableBufferPointer { targets in
      guard let base = targets.baseAddress else { return }
      for i in rows.indices { deltas.write(truths[i], from: anchors[i], to: base + 4 * i) }
    }
    let each = weights.flatMap { [$0, $0, $0, $0] }
    var slopes = targets
    let total = loss.total(
      count: predictions.count, width: 1, predictions, targets, weights: each, gradient: &slopes)
    write(slopes, to: head)
    return total
  }

  /// Σ wᵢ ℓ of each row's decoded box and its truth, its gradient written to the rows.
  ///
  /// With x, y the centre and w, h the sides of the anchor, x1 + x2 = 2 (x + dx w / wx) and
  /// x2 − x1 = w e^(dw / ww): d/d dx = w (g1 + g2) / wx, and d/d dw = w e^(dw / ww) (g2 − g1) / 2 ww,
  /// which is 0 above the size limit. Boxes are taken about their anchor's centre, where they keep
  /// their digits.
  func boxes<L: BoxLoss, Element: LaneElement>(
    _ loss: L, to head: HeadBuffer<Element>
  ) -> Double {
    var (boxes, targets) = (predictions, predictions)
    var sides: [(w: Double, h: Double)] = []
    for (i, anchor) in anchors.enumerated() {
      let (x, y) = ((anchor.x1 + anchor.x2) / 2, (anchor.y1 + anchor.y2) / 2)
      let (dx, dy, w, h) = decoded(i)
      sides.append((w, h))
      let truth = truths[i]
      let rows = [dx - w / 2, dy - h / 2, dx + w / 2, dy + h / 2]
      let goals = [truth.x1 - x, truth.y1 - y, truth.x2 - x, truth.y2 - y]
      for k in 0..<4 {
        boxes[4 * i + k] = rows[k]
        targets[4 * i + k] = goals[k]
      }
    }
    var slopes = boxes
    let total = loss.total(
      count: rows.count, width: 4, boxes, targets, weights: weights, gradient: &slopes)
    for (i, anchor) in anchors.enumerated() {
      let g = Array(slopes[4 * i..<4 * i + 4])
      slopes[4 * i] = anchor.width * (g[0] + g[2]) / deltas.weights[0]
      slopes[4 * i + 1] = anchor.height * (g[1] + g[3]) / deltas.weights[1]
      slopes[4 * i + 2] = slope(i, 2) * sides[i].w * (g[2] - g[0]) / 2
      slopes[4 * i + 3] = slope(i, 3) * sides[i].h * (g[3] - g[1]) / 2
    }
    write(slopes, to: head)
    return total
  }

  /// The centre's offset from the anchor's, and the sides, of a row's box.
  private func decoded(_ i: Int) -> (x: Double, y: Double, w: Double, h: Double) {
    let plain = (0..<4).map { predictions[4 * i + $0] / deltas.weights[$0] }
    var exponents = DoubleLanes.zero
    exponents[0] = min(plain[2], deltas.sizeLimit)
    exponents[1] = min(plain[3], deltas.sizeLimit)
    let ratios = DoubleLanes.exp(exponents)
    let (w, h) = (anchors[i].width, anchors[i].height)
    return (plain[0] * w, plain[1] * h, ratios[0] * w, ratios[1] * h)
  }

  /// The slope of the clipped exponent in a delta: half of it at the limit.
  private func slope(_ i: Int, _ k: Int) -> Double {
    let plain = predictions[4 * i + k] / deltas.weights[k]
    let share = plain < deltas.sizeLimit ? 1 : plain > deltas.sizeLimit ? 0 : 0.5
    return share / deltas.weights[k]
  }

  private func write<Element: LaneElement>(_ slopes: [Double], to head: HeadBuffer<Element>) {
    for (i, row) in rows.enumerated() {
      for k in 0..<4 { head.gradient[4 * row + k] = Element(slopes[4 * i + k]) }
    }
  }
}

extension Box where Number: Scalar {
  /// A plain box as constants.
  init(_ box: Box<Double>) {
    self.init(
      x1: Number(box.x1), y1: Number(box.y1), x2: Number(box.x2), y2: Number(box.y2))
  }
}
