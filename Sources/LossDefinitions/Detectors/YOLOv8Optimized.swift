extension YOLOv8 {
  // MARK: Optimized

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    let (boxes, scores) = (heads[0], heads[1])
    let (classes, anchors, bins) = (scores.shape[1], scores.shape[2], boxes.shape[1] / 4)
    let distances = Tensor(boxes.shape, (0..<boxes.count).map { Double(boxes.values[$0]) })
    let logits = Tensor(scores.shape, (0..<scores.count).map { Double(scores.values[$0]) })
    let foreground = wideForeground(distances, logits, truths, decisions, Element.self)
    let images = scalesWithBatch ? Double(boxes.shape[0]) : 1
    let T = normalizer(foreground)

    var targets = [Element](repeating: 0, count: scores.count)
    for fg in foreground {
      targets[logits.index(fg.image, fg.label, fg.anchor)] = Element(fg.weight)
    }
    let weights = classWeights.map { weights in
      (0..<scores.count).map { Element(weights[$0 / anchors % classes]) }
    }
    let classTerm = BinaryCrossEntropy().total(
      count: scores.count, width: 1, scores.values, targets, weights: weights,
      over: T / (images * classGain), gradient: scores.gradient)

    boxes.clearGradient()
    var (overlapTerm, distributionTerm) = (0.0, 0.0)
    let ciou = CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7)
    let (points, strides) = (truths.grid.points, truths.grid.strides)
    let sides = [truths.grid.imageWidth, truths.grid.imageHeight]
    for fg in foreground {
      let stride = strides[fg.anchor]
      let predicted = box(distances, fg.image, fg.anchor, truths.grid)
      let target = fg.box.divided(by: stride)
      var slope = [0.0, 0, 0, 0]
      let overlap = ciou.total(
        count: 1, width: 4, [predicted.x1, predicted.y1, predicted.x2, predicted.y2],
        [target.x1, target.y1, target.x2, target.y2], gradient: &slope)
      let boxFactor = images * boxGain * fg.weight / T
      overlapTerm += boxFactor * overlap

      let wanted = Self.distances(to: fg.box, from: points[fg.anchor], stride)
      let factor = images * distributionGain * fg.weight / T / 4
      for side in 0..<4 {
        let place = { boxes.gradientIndex(fg.image, side * bins + $0, fg.anchor) }
        // Left and top are subtracted from the point.
        let boxSlope = boxFactor * (side < 2 ? -slope[side] : slope[side])
        let x = self.logits(distances, fg.image, fg.anchor, side)
        if bins == 1 {
          let scale = factor * stride / sides[side % 2]
          let error = x[0] - wanted[side]
          distributionTerm += scale * error.magnitude
          let sign = error == 0 ? 0 : error < 0 ? -1.0 : 1
          boxes.gradient[place(0)] = Element(boxSlope + scale * sign)
          continue
        }
        let y = min(max(wanted[side], 0), Double(bins - 1) - 0.01)
        var own = x.map { _ in 0.0 }
        distributionTerm +=
          factor
          * DistributionFocal().total(count: 1, width: bins, x, [y], gradient: &own)
        let q = Softmax.negativeLogProbabilities(x).map { Double.exp(-$0) }
        let d = q.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
        for k in 0..<bins {
          boxes.gradient[place(k)] = Element(
            factor * own[k] + boxSlope * q[k] * (Double(k) - d))
        }
      }
    }
    return [overlapTerm, classTerm, distributionTerm]
  }
}

extension YOLOv8 {
  /// The foreground with target scores in twice the precision of the maps: a relative error of an
  /// overlap is β times as large in the metric.
  private func wideForeground<Element: LaneElement>(
    _ boxes: Tensor, _ scores: Tensor, _ truths: Truths, _ decisions: Decisions, _: Element.Type
  ) -> [Foreground<Double>] {
    guard Element.self == Double.self else { return foreground(boxes, scores, truths, decisions) }
    return foreground(
      boxes.map { DoubleDouble($0) }, scores.map { DoubleDouble($0) }, truths, decisions
    ).map {
      Foreground(
        image: $0.image, anchor: $0.anchor, label: $0.label, box: $0.box, weight: $0.weight.hi)
    }
  }
}

extension HeadBuffer {
  /// The index of an entry of three axes.
  @inline(always) func gradientIndex(_ i: Int, _ j: Int, _ k: Int) -> Int {
    (i * shape[1] + j) * shape[2] + k
  }
}
