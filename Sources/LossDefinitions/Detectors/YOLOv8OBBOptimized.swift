extension YOLOv8OBB {
  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: YOLOv8.Decisions
  ) -> [Double] {
    let (boxes, scores, angles) = (heads[0], heads[1], heads[2])
    let (bins, anchors) = (boxes.shape[1] / 4, scores.shape[2])
    let wide = heads.map { head in
      Tensor(head.shape, (0..<head.count).map { Double(head.values[$0]) })
    }
    let foreground = wideForeground(wide, truths, decisions, Element.self)
    let images = detection.scalesWithBatch ? Double(boxes.shape[0]) : 1
    let T = detection.normalizer(foreground.map(\.plain))

    var targets = [Element](repeating: 0, count: scores.count)
    for fg in foreground.map(\.plain) {
      targets[wide[1].index(fg.image, fg.label, fg.anchor)] = Element(fg.weight)
    }
    let classes = scores.shape[1]
    let weights = detection.classWeights.map { weights in
      (0..<scores.count).map { Element(weights[$0 / anchors % classes]) }
    }
    let classTerm = BinaryCrossEntropy().total(
      count: scores.count, width: 1, scores.values, targets, weights: weights,
      over: T / (images * detection.classGain), gradient: scores.gradient)

    // Boxes about their truths' centres, all at once.
    let shares = foreground.map { images * $0.plain.weight / T }
    var slopes = [Double](repeating: 0, count: 5 * foreground.count)
    let boxTerm = ProbIoU(epsilon: 1e-7, floor: varianceFloor).total(
      count: foreground.count, width: 5, foreground.flatMap(\.prediction.flat),
      foreground.flatMap { [0, 0, $0.cells.w, $0.cells.h, $0.cells.θ] },
      weights: shares.map { $0 * detection.boxGain },
      gradient: &slopes)

    boxes.clearGradient()
    angles.clearGradient()
    var (distributionTerm, angleTerm) = (0.0, 0.0)
    for (i, fg) in foreground.enumerated() {
      let (b, a) = (fg.plain.image, fg.plain.anchor)
      let slope = RotatedBox(Array(slopes[5 * i..<5 * i + 5]))
      let prediction = fg.prediction
      // ∂/∂(r − l)/2 and ∂/∂(d − u)/2 are the centre's slope along the sides; the centre turns about
      // the point.
      let (x, y) = truths.grid.cell(a)
      let along = prediction.components(x: slope.x, y: slope.y)
      let sides = [
        slope.w - along.u / 2, slope.h - along.v / 2, slope.w + along.u / 2,
        slope.h + along.v / 2,
      ]
      let (dx, dy) = (prediction.x + (fg.cells.x - x), prediction.y + (fg.cells.y - y))
      var turn = slope.θ + (dx * slope.y - dy * slope.x)
      if let angleGain {
        let factor = angleGain * shares[i] * Self.elongation(fg.cells)
        let difference = prediction.θ - fg.cells.θ
        let sine = Double.sin(2 * difference)
        angleTerm += factor * sine * sine
        turn += factor * 2 * Double.sin(4 * difference)
      }
      angles.gradient[angles.index(b, 0, a)] = Element(turn)

      let factor = detection.distributionGain * shares[i] / 4
      for (side, wanted) in wantedDistances(fg, truths.grid, bins).enumerated() {
        let place = { boxes.index(b, side * bins + $0, a) }
        let x = detection.logits(wide[0], b, a, side)
        guard bins > 1 else {
          let error = x[0] - wanted.y
          distributionTerm += factor * wanted.scale * error.magnitude
          let sign = error == 0 ? 0 : error < 0 ? -1.0 : 1
          boxes.gradient[place(0)] = Element(sides[side] + factor * wanted.scale * sign)
          continue
        }
        var own = x.map { _ in 0.0 }
        distributionTerm +=
          factor * DistributionFocal().total(count: 1, width: bins, x, [wanted.y], gradient: &own)
        let q = Softmax.negativeLogProbabilities(x).map { Double.exp(-$0) }
        let mean = q.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
        for k in 0..<bins {
          boxes.gradient[place(k)] = Element(
            factor * own[k] + sides[side] * q[k] * (Double(k) - mean))
        }
      }
    }
    let terms = [boxTerm, classTerm, distributionTerm]
    return angleGain == nil ? terms : terms + [angleTerm]
  }

  /// The foreground with target scores and boxes in twice the precision of the maps: a relative error of an
  /// overlap is β times as large in the metric, and slopes of boxes nearly alike depend on their
  /// difference.
  private func wideForeground<Element: LaneElement>(
    _ heads: [Tensor], _ truths: Truths, _ decisions: YOLOv8.Decisions, _: Element.Type
  ) -> [Foreground<Double>] {
    guard Element.self == Double.self else { return foreground(heads, truths, decisions) }
    let wide = heads.map { $0.map { DoubleDouble($0) } }
    return foreground(wide, truths, decisions).map { fg in
      Foreground(
        plain: YOLOv8.Foreground(
          image: fg.plain.image, anchor: fg.plain.anchor, label: fg.plain.label,
          box: fg.plain.box, weight: fg.plain.weight.hi),
        cells: fg.cells,
        prediction: RotatedBox(
          x: fg.prediction.x.hi, y: fg.prediction.y.hi, w: fg.prediction.w.hi,
          h: fg.prediction.h.hi, θ: fg.prediction.θ.hi))
    }
  }
}

extension RotatedBox<Double> {
  var flat: [Double] { [x, y, w, h, θ] }
}
