extension YOLOX {
  /// The predictions with a truth are few: they are computed in Double.
  ///
  /// dx moves the box by a stride, and dw multiplies its width: with slopes g in the box's centre and
  /// size, those in the raw numbers are s g_x and w g_w.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func foregroundTerms<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> (box: Double, classes: Double, l1: Double) {
    typealias V = Double.Vector
    let n = normalizer(decisions)
    let classCount = (heads.first?.shape[3] ?? 5) - 5
    var pairs = CenteredPairs()
    var (scales, signs): ([CenteredBox<Double>], [CenteredBox<Double>]) = ([], [])
    var (logits, targets): ([Double], [Double]) = ([], [])
    var l1 = 0.0
    for place in decisions.foreground {
      let head = heads[place.level]
      let row = head.values + cell(place, head) * head.shape[3]
      let stride = strides[place.level]
      let truth = truths[place.image].boxes[place.truth]
      let (w, h) = (
        stride * V.exp(V(Double(row[2])))[0], stride * V.exp(V(Double(row[3])))[0]
      )
      pairs.append(
        w: w, h: h, to: truth,
        x: (truth.cx - Double(place.x) * stride) - Double(row[0]) * stride,
        y: (truth.cy - Double(place.y) * stride) - Double(row[1]) * stride)
      scales.append(CenteredBox(cx: stride, cy: stride, w: w, h: h))

      let pair = pairs[pairs.count - 1]
      let overlap = SimOTA.overlap(pair.prediction, pair.target)
      let label = truths[place.image].labels[place.truth]
      for c in 0..<classCount {
        logits.append(Double(row[5 + c]))
        targets.append(c == label ? overlap : 0)
      }
      guard usesL1 else { continue }
      let wanted = [
        truth.cx / stride - Double(place.x), truth.cy / stride - Double(place.y),
        V.log(V(truth.w / stride + sizeEpsilon))[0], V.log(V(truth.h / stride + sizeEpsilon))[0],
      ]
      let off = CenteredBox(wanted.enumerated().map { Double(row[$0]) - $1 })
      l1 += off.numbers.reduce(0) { $0 + $1.magnitude }
      signs.append(off.map { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 })
    }

    let (box, slopes) = pairs.evaluate(boxLoss, normalizer: n / boxWeight)
    var classSlopes = logits
    let classes = BinaryCrossEntropy().total(
      count: logits.count, width: 1, logits, targets, over: n, gradient: &classSlopes)
    for (i, place) in decisions.foreground.enumerated() {
      let head = heads[place.level]
      let gradient = head.gradient + cell(place, head) * head.shape[3]
      let raw = zip(slopes[i].numbers, scales[i].numbers).map { $0 * $1 }
      for k in 0..<4 { gradient[k] = Element(raw[k] + (usesL1 ? signs[i].numbers[k] / n : 0)) }
      for c in 0..<classCount { gradient[5 + c] = Element(classSlopes[i * classCount + c]) }
    }
    return (box, classes, l1 / n)
  }
}
