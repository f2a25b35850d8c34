extension YOLOv8 {
  // MARK: Optimized

  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    // Calls with known types: what is called is then compiled for them.
    if let heads = heads as? [HeadBuffer<Float>] { return run(heads, truths, decisions) }
    if let heads = heads as? [HeadBuffer<Double>] { return run(heads, truths, decisions) }
    return run(heads, truths, decisions)
  }

  private func run<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    let (boxes, scores) = (heads[0], heads[1])
    var search = AlignedSearch()
    var bins = Scratch<Double>()
    for learner in learners(boxes, scores, truths, decisions) { search.add(learner) }
    let terms = terms(search, &bins, boxes, scores, truths.grid)
    return [terms.box, terms.classes, terms.distribution]
  }

  /// The foreground, with target scores in twice the precision of the maps: a relative error of an
  /// overlap is β times as large in the metric.
  private func learners<Element: LaneElement>(
    _ boxes: HeadBuffer<Element>, _ scores: HeadBuffer<Element>, _ truths: Truths,
    _ decisions: Decisions
  ) -> [AlignedSearch.Learner] {
    func foreground<S: Scalar>(_: S.Type) -> [(Foreground<S>, TaskAligned.Match)] {
      var maps = [boxes, scores].map { Shaped<S>($0.shape, []) }
      for (k, head) in [boxes, scores].enumerated() {
        maps[k].data = (0..<head.count).map { S(Double(head.values[$0])) }
      }
      return Array(
        zip(self.foreground(maps[0], maps[1], truths, decisions), decisions.joined()))
    }
    func learner(_ fg: Foreground<Double>, _ match: TaskAligned.Match) -> AlignedSearch.Learner {
      AlignedSearch.Learner(
        image: fg.image, anchor: fg.anchor, truth: match.truth, label: fg.label,
        isCandidate: match.isCandidate, box: fg.box, weight: fg.weight)
    }
    guard Element.self == Double.self else {
      return foreground(Double.self).map { learner($0, $1) }
    }
    return foreground(DoubleDouble.self).map { fg, match in
      learner(
        Foreground(
          image: fg.image, anchor: fg.anchor, label: fg.label, box: fg.box, weight: fg.weight.hi),
        match)
    }
  }

  /// The terms of a matched batch, and the gradient of their sum, written to both heads.
  func terms<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ bins: inout Scratch<Double>, _ boxes: HeadBuffer<Element>,
    _ scores: HeadBuffer<Element>, _ grid: AnchorGrid
  ) -> Terms {
    let factor = factor(search, images: boxes.shape[0])
    let classes = classTerm(search, scores, factor)
    let (box, distribution) = boxTerms(search, &bins, boxes, grid, factor)
    return Terms(box: box, classes: classes, distribution: distribution)
  }

  /// B / T: what all terms have in common.
  @inline(always)
  func factor(_ search: borrowing AlignedSearch, images: Int) -> Double {
    var total = 0.0
    for i in 0..<search.learnerCount { total += search.learners[i].weight }
    let T = clampsNormalizer ? Swift.max(total, 1) : total
    return (scalesWithBatch ? Double(images) : 1) / T
  }

  // MARK: Classes

  /// Σ BCE(z, t): runs of entries whose target is 0, and between them those of the foreground.
  func classTerm<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ scores: HeadBuffer<Element>, _ factor: Double
  ) -> Double {
    let (images, classes, anchors) = (scores.shape[0], scores.shape[1], scores.shape[2])
    let scale = factor * classGain
    var tree = PairwiseSum()
    var learners = 0..<0
    for row in 0..<images * classes {
      let (image, label) = (row / classes, row % classes)
      if label == 0 { learners = search.learners(of: image, after: learners.upperBound) }
      let weight = classWeights?[label] ?? 1
      let (z, slope) = (scores.values + row * anchors, scores.gradient + row * anchors)
      var start = 0
      for i in learners where search.learners[i].label == label {
        let (anchor, t) = (search.learners[i].anchor, search.learners[i].weight)
        let run = anchor - start
        tree.add(
          weight * softplusSum(z + start, slope + start, run, Element(scale * weight)))
        let logit = Double(z[anchor])
        tree.add(weight * (t * Double.softplus(-logit) + (1 - t) * Double.softplus(logit)))
        // σ(z) − t = (1 − t) σ(z) − t σ(−z).
        let difference = (1 - t) * Double.sigmoid(logit) - t * Double.sigmoid(-logit)
        slope[anchor] = Element(scale * weight * difference)
        start = anchor + 1
      }
      tree.add(
        weight
          * softplusSum(z + start, slope + start, anchors - start, Element(scale * weight)))
    }
    return scale * tree.total
  }

  /// Σ softplus(z), and the slopes σ(z) · factor: entries whose target is 0.
  ///
  /// With e = e^−|z|, Σ softplus(z) = Σ max(z, 0) + ln Π (1 + e): one logarithm for eight numbers. The
  /// product is kept as p, what it exceeds 1 by: p (1 + e) + e is a sum of positive numbers, so that
  /// it is accurate to a few ulps however small the e are.
  private func softplusSum<Element: LaneElement>(
    _ z: UnsafePointer<Element>, _ slope: UnsafeMutablePointer<Element>, _ count: Int,
    _ factor: Element
  ) -> Double {
    typealias V = Element.Vector
    let factors = V(repeating: factor)
    let whole = count / V.count * V.count
    var tree = PairwiseSum()
    var i = 0
    while i < whole {
      let end = Swift.min(whole, i + 8 * V.count)
      var (positive, product) = (V.zero, V.zero)
      while i < end {
        let logit = V(z + i)
        let (e, sigmoid) = V.decayAndSigmoid(logit)
        (sigmoid * factors).store(slope + i)
        positive = positive + V.max(logit, .zero)
        product = product * (V.one + e) + e
        i += V.count
      }
      // On in Double: no further roundings at the size of an ulp.
      let logarithm = V.log1p(product)
      var strands = 0.0
      for k in 0..<V.count { strands += Double(positive[k]) + Double(logarithm[k]) }
      tree.add(strands)
    }
    if whole < count {
      let logit = V(z + whole, count: count - whole)
      let (e, sigmoid) = V.decayAndSigmoid(logit)
      let value = V.max(logit, .zero) + V.log1p(e)
      for k in 0..<count - whole {
        tree.add(Double(value[k]))
        slope[whole + k] = sigmoid[k] * factor
      }
    }
    return tree.total
  }
}
