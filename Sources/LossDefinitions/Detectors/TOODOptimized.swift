extension TOOD {
  /// n of each positive of an image, in Double.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func softLabels<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ positives: [Positive], _ owners: [Int]
  ) -> [Double] {
    let classes = heads[0].shape[2]
    let overlaps = positives.map { positive in
      let box = heads[1].values + 4 * positive.row
      return assignment.overlap(
        positive.truth,
        Box(x1: Double(box[0]), y1: Double(box[1]), x2: Double(box[2]), y2: Double(box[3])))
    }
    let metrics = zip(positives, overlaps).map { positive, u in
      assignment.metric(Double(heads[0].values[positive.row * classes + positive.label]), u)
    }
    return assignment.labels(owners, overlaps: overlaps, metrics: metrics)
  }

  /// Σ d² H / N with d = p − n and H the cross-entropy; its slope is d² H' + 2 d H.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func classification<Element: LaneElement>(
    _ scores: HeadBuffer<Element>, _ positives: [Positive], _ labels: [Double], _ n: Double
  ) -> Double {
    let entropy = BinaryCrossEntropyFromProbabilities()
    let places = positives.map { $0.row * scores.shape[2] + $0.label }
    let (count, block, inverse) = (scores.count, 1024, Element(1 / n))
    var targets = [Element](repeating: 0, count: block)
    var (entropies, offsets) = (targets, targets)
    var (total, first, next) = (PairwiseSum(), 0, 0)
    while first < count {
      let size = min(block, count - first)
      let (values, slopes) = (scores.values + first, scores.gradient + first)
      let own = next..<(places[next...].firstIndex { $0 >= first + size } ?? places.count)
      next = own.upperBound
      for i in own { targets[places[i] - first] = Element(labels[i]) }
      _ = entropy.total(
        count: size, width: 1, values, targets, values: &entropies, gradient: slopes)

      for i in 0..<size { offsets[i] = values[i] }
      // A label need not be an Element: its difference to p is rounded, not the label.
      for i in own {
        let at = places[i] - first
        offsets[at] = Element(Double(values[at]) - labels[i])
        targets[at] = 0
      }
      var sum = 0.0
      for i in 0..<size {
        let (d, h) = (offsets[i], entropies[i])
        slopes[i] = d * (d * slopes[i] + 2 * h) * inverse
        sum += Double(d * d * h)
      }
      total.add(sum)
      first += size
    }
    return total.total / n
  }

  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func localization<Element: LaneElement>(
    _ boxes: HeadBuffer<Element>, _ positives: [Positive], _ labels: [Double], _ n: Double
  ) -> Double {
    let predictions = positives.flatMap { positive in
      (0..<4).map { boxes.values[4 * positive.row + $0] }
    }
    let truths = positives.flatMap { $0.truth.corners.map { Element($0) } }
    var slopes = predictions
    let total = GIoU().total(
      count: positives.count, width: 4, predictions, truths, weights: labels.map { Element($0) },
      over: n / boxWeight, gradient: &slopes)
    boxes.clearGradient()
    for (i, positive) in positives.enumerated() {
      for k in 0..<4 { boxes.gradient[4 * positive.row + k] = slopes[4 * i + k] }
    }
    return total
  }
}
