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

  /// Σ BCE(z, t) = Σ softplus(z) − Σ t z: the dense part, then what the targets change.
  func classTerm<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ scores: HeadBuffer<Element>, _ factor: Double
  ) -> Double {
    let scale = factor * classGain
    let dense = softplusSum(scores, scale)
    return scale * (dense + classCorrections(search, scores, scale))
  }

  // MARK: Classes

  /// Σ softplus(z), weighted by class, and the slopes σ(z) · factor: as if every target were 0.
  func softplusSum<Element: LaneElement>(
    _ scores: HeadBuffer<Element>, _ factor: Double
  ) -> Double {
    let (images, classes, anchors) = (scores.shape[0], scores.shape[1], scores.shape[2])
    guard let classWeights else {
      return softplusSum(
        scores.values, scores.gradient, images * classes * anchors, Element(factor))
    }
    var sum = 0.0
    for row in 0..<images * classes {
      let weight = classWeights[row % classes]
      sum +=
        weight
        * softplusSum(
          scores.values + row * anchors, scores.gradient + row * anchors, anchors,
          Element(factor * weight))
    }
    return sum
  }

  private func softplusSum<Element: LaneElement>(
    _ z: UnsafePointer<Element>, _ slope: UnsafeMutablePointer<Element>, _ count: Int,
    _ factor: Element
  ) -> Double {
    typealias V = Element.Vector
    let whole = count / V.count * V.count
    let factors = V(repeating: factor)
    var tree = PairwiseSum()
    var i = 0
    while i < whole {
      // Few enough additions for their roundings to be far below the bar; then on in Double.
      let end = Swift.min(whole, i + 8 * V.count)
      var sum = V.zero
      while i < end {
        let (value, sigmoid) = V.softplusAndSigmoid(V(z + i))
        (sigmoid * factors).store(slope + i)
        sum = sum + value
        i += V.count
      }
      var strands = 0.0
      for k in 0..<V.count { strands += Double(sum[k]) }
      tree.add(strands)
    }
    if whole < count {
      let (value, sigmoid) = V.softplusAndSigmoid(V(z + whole, count: count - whole))
      for k in 0..<count - whole {
        tree.add(Double(value[k]))
        slope[whole + k] = sigmoid[k] * factor
      }
    }
    return tree.total
  }

  /// What the targets change: Σ BCE(z, t) − softplus(z) at the foreground's labels, and its slopes.
  private func classCorrections<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ scores: HeadBuffer<Element>, _ factor: Double
  ) -> Double {
    var sum = 0.0
    for i in 0..<search.learnerCount {
      let learner = search.learners[i]
      let place = scores.gradientIndex(learner.image, learner.label, learner.anchor)
      let (z, t) = (Double(scores.values[place]), learner.weight)
      let weight = classWeights?[learner.label] ?? 1
      // The bits that the sum has for this entry.
      let vector = Element.Vector(repeating: scores.values[place])
      let added = Double(Element.Vector.softplusAndSigmoid(vector).value[0])
      sum += weight * (t * Double.softplus(-z) + (1 - t) * Double.softplus(z) - added)
      // σ(z) − t = (1 − t) σ(z) − t σ(−z).
      let slope = (1 - t) * Double.sigmoid(z) - t * Double.sigmoid(-z)
      scores.gradient[place] = Element(factor * weight * slope)
    }
    return sum
  }
}

extension HeadBuffer {
  /// The index of an entry of three axes.
  @inline(always) func gradientIndex(_ i: Int, _ j: Int, _ k: Int) -> Int {
    (i * shape[1] + j) * shape[2] + k
  }
}
