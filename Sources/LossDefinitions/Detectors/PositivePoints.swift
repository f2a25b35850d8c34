/// Distances from a point to the sides of a box.
struct Distances<Number> {
  var l, t, r, b: Number
}

extension Distances: Sendable where Number: Sendable {}

extension Distances where Number: Scalar {
  init(_ row: [Number]) { self.init(l: row[0], t: row[1], r: row[2], b: row[3]) }

  /// Of a plain box, from a plain point.
  init(of box: Box<Double>, from point: FCOSPoints.Point) {
    let (x, y) = (Number(point.x), Number(point.y))
    self.init(
      l: x - Number(box.x1), t: y - Number(box.y1), r: Number(box.x2) - x, b: Number(box.y2) - y)
  }

  /// The box about the point as origin.
  var box: Box<Number> { Box(x1: -l, y1: -t, x2: r, y2: b) }

  /// √(min(l, r) / max(l, r) · min(t, b) / max(t, b)): 1 at the centre, towards 0 at the sides.
  var centerness: Number {
    .sqrt(.min(l, r) / .max(l, r) * (.min(t, b) / .max(t, b)))
  }
}

/// The positive points of a batch, gathered in Double: few rows of many, whose targets no Float holds.
struct PositivePoints {
  private var rows: [Int] = []
  private var units: [Double] = []
  private var predictions: [Distances<Double>] = []
  private var truths: [Distances<Double>] = []
  private var logits: [Double] = []
  private var targets: [Double] = []

  mutating func append<Element: LaneElement>(
    _ distances: HeadBuffer<Element>, _ centers: HeadBuffer<Element>, row: Int, unit: Double,
    _ truth: Distances<Double>
  ) {
    let x = distances.values + 4 * row
    rows.append(row)
    units.append(unit)
    predictions.append(
      Distances(
        l: Double(x[0]) * unit, t: Double(x[1]) * unit, r: Double(x[2]) * unit,
        b: Double(x[3]) * unit))
    truths.append(truth)
    logits.append(Double(centers.values[row]))
    targets.append(truth.centerness)
  }

  /// Σ BCE(z, c) / N, its gradient written to the rows.
  func centerness<Element: LaneElement>(
    over n: Double, to head: HeadBuffer<Element>
  ) -> Double {
    var slopes = logits
    let total = BinaryCrossEntropy().total(
      count: rows.count, width: 1, logits, targets, over: n, gradient: &slopes)
    for (row, slope) in zip(rows, slopes) { head.gradient[row] = Element(slope) }
    return total
  }

  /// Σ w ℓ of the boxes, over N or, with w the centerness, over Σ w; its gradient written to the rows.
  func boxes<L: BoxLoss, Element: LaneElement>(
    _ loss: L, over n: Double?, to head: HeadBuffer<Element>
  ) -> Double {
    let weights = n == nil ? targets : targets.map { _ in 1 }
    var slopes = [Double](repeating: 0, count: 4 * rows.count)
    let total = loss.total(
      count: rows.count, width: 4, corners(predictions), corners(truths), weights: weights,
      over: rows.isEmpty ? 1 : n ?? weights.reduce(0, +), gradient: &slopes)
    for i in rows.indices {
      // x1 = −l and y1 = −t.
      slopes[4 * i].negate()
      slopes[4 * i + 1].negate()
    }
    write(slopes, to: head)
    return total
  }

  private func corners(_ distances: [Distances<Double>]) -> [Double] {
    distances.flatMap { [-$0.l, -$0.t, $0.r, $0.b] }
  }

  /// Σ c ln((U + 1) / (I + 1)) / Σ c, its gradient written to the rows.
  ///
  /// With w, h the sides of the prediction and W, H of the truth, w − iw = (l − min(l, l')) +
  /// (r − min(r, r')), so that P − I = (w − iw) h + iw (h − ih) and T − I have no negative term, and
  /// ln((U + 1) / (I + 1)) = log1p((U − I) / (I + 1)). A side that bounds the overlap has I' = ih and
  /// U' = h − ih, one beyond it I' = 0 and U' = h.
  func logPlusOne<Element: LaneElement>(to head: HeadBuffer<Element>) -> Double {
    let m = rows.isEmpty ? 1 : targets.reduce(0, +)
    var slopes = [Double](repeating: 0, count: 4 * rows.count)
    var ratios = [Double](repeating: 0, count: rows.count)
    for i in rows.indices {
      let (p, t) = (predictions[i], truths[i])
      let (l, r) = (min(p.l, t.l), min(p.r, t.r))
      let (u, d) = (min(p.t, t.t), min(p.b, t.b))
      let (iw, ih) = (l + r, u + d)
      let (restW, restH) = ((p.l - l) + (p.r - r), (p.t - u) + (p.b - d))
      let (targetRestW, targetRestH) = ((t.l - l) + (t.r - r), (t.t - u) + (t.b - d))
      let (w, h) = (p.l + p.r, p.t + p.b)
      let rest = restW * h + iw * restH
      let targetRest = targetRestW * (t.t + t.b) + iw * targetRestH
      let overlap = iw * ih
      ratios[i] = (rest + targetRest) / (overlap + 1)

      let union = overlap + rest + targetRest
      let factor = targets[i] / m
      func slope(_ x: Double, _ truth: Double, _ side: Double, _ inner: Double, _ beyond: Double)
        -> Double
      {
        let outside = side / (union + 1)
        let inside = beyond / (union + 1) - inner / (overlap + 1)
        return factor * (x < truth ? inside : x > truth ? outside : (inside + outside) / 2)
      }
      slopes[4 * i] = slope(p.l, t.l, h, ih, restH)
      slopes[4 * i + 1] = slope(p.t, t.t, w, iw, restW)
      slopes[4 * i + 2] = slope(p.r, t.r, h, ih, restH)
      slopes[4 * i + 3] = slope(p.b, t.b, w, iw, restW)
    }
    write(slopes, to: head)
    var total = 0.0
    var i = 0
    while i < ratios.count {
      var lanes = DoubleLanes.zero
      let live = min(DoubleLanes.count, ratios.count - i)
      for k in 0..<live { lanes[k] = ratios[i + k] }
      let logarithms = DoubleLanes.log1p(lanes)
      for k in 0..<live { total += targets[i + k] * logarithms[k] }
      i += live
    }
    return total / m
  }

  private func write(_ slopes: [Double], to head: HeadBuffer<some LaneElement>) {
    for (i, row) in rows.enumerated() {
      for k in 0..<4 { head.put(slopes[4 * i + k] * units[i], at: 4 * row + k) }
    }
  }
}

extension HeadBuffer {
  fileprivate func put(_ slope: Double, at index: Int) { gradient[index] = Element(slope) }
}

extension ImageTruths {
  /// What each row's logits are held against in a dense class term: its truth's class, or none.
  func classes(of matches: [Int]) -> [Int] {
    matches.map { $0 < 0 ? DenseFocal.negative : labels[$0] }
  }
}

extension FCOS.Image {
  /// Each point with the stride of its level.
  var places: [(point: FCOSPoints.Point, stride: Double)] {
    levels.flatMap { level in level.points.map { ($0, level.stride) } }
  }

  /// Refuses another number of points, matches with no truth, and matches that do not hold their point.
  func check(image: Int, points count: Int) throws(InvalidInput) {
    let places = places
    guard places.count == count else {
      throw InvalidInput(
        "levels", image: image, given: "\(places.count) points", expected: "\(count)")
    }
    guard let matches else { return }
    guard matches.count == count else {
      throw InvalidInput(
        "matches", image: image, given: "\(matches.count) matches", expected: "\(count)")
    }
    for (i, match) in matches.enumerated() where match != -1 {
      guard truths.boxes.indices.contains(match) else {
        throw InvalidInput(
          "matches", image: image, index: i, given: "truth \(match)",
          expected: "below \(truths.boxes.count), or -1")
      }
      let d = Distances<Double>(of: truths.boxes[match], from: places[i].point)
      guard min(min(d.l, d.r), min(d.t, d.b)) > 0 else {
        throw InvalidInput(
          "matches", image: image, index: i, given: "a point outside truth \(match)",
          expected: "a point inside")
      }
    }
  }
}
