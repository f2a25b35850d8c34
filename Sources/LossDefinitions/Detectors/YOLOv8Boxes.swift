// The terms of the foreground's boxes, four anchors at a time, in Double.
extension YOLOv8 {
  /// Σ w (1 − CIoU) and Σ w meanₛ DFL, scaled, and their slopes in all of the head.
  ///
  /// With q the softmax of a side's logits, d = Σ k qₖ and y between two bins of masses aₖ,
  ///
  ///     DFL = Σ aₖ (lse − xₖ),   ∂DFL/∂xₖ = qₖ − aₖ,   ∂d/∂xₖ = qₖ (k − d),
  ///
  /// and left and top go into the box with the opposite sign.
  func boxTerms<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ bins: inout Scratch<Double>,
    _ boxes: HeadBuffer<Element>, _ grid: AnchorGrid, _ factor: Double
  ) -> (box: Double, distribution: Double) {
    typealias V = DoubleLanes
    // Background anchors have none.
    boxes.gradient.update(repeating: 0, count: boxes.shape[0] * boxes.shape[1] * boxes.shape[2])
    let n = boxes.shape[1] / 4
    bins.reserve(16 * n)
    let ciou = CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7)
    var (boxSum, distributionSum) = (0.0, 0.0)
    var first = 0
    while first < search.learnerCount {
      let live = Swift.min(4, search.learnerCount - first)
      let four = FourLearners(search, first, live, grid)
      gather(search, first, live, bins.base, boxes)

      // Distances; the logits become probabilities.
      var distances = (V.zero, V.zero, V.zero, V.zero)
      var errors = V.zero
      for side in 0..<4 {
        let own = bins.base + 4 * n * side
        let (d, error) =
          n == 1
          ? absolute(V(own), four.distance(side), four.scale(side))
          : distribution(own, n, four.distance(side))
        errors = errors + error
        switch side {
        case 0: distances.0 = d
        case 1: distances.1 = d
        case 2: distances.2 = d
        default: distances.3 = d
        }
      }
      let predicted = Box(
        x1: four.x - distances.0, y1: four.y - distances.1, x2: four.x + distances.2,
        y2: four.y + distances.3)
      let (overlap, slope) = ciou.optimized(predicted, four.target)

      let boxFactor = four.weight * V(factor * boxGain)
      let sideFactor = four.weight * V(factor * distributionGain / 4)
      let quarter = V(0.25)
      let (weightedOverlap, weightedError) = (overlap * four.weight, errors * quarter * four.weight)
      for k in 0..<live {
        boxSum += weightedOverlap[k]
        distributionSum += weightedError[k]
      }
      for side in 0..<4 {
        let own = bins.base + 4 * n * side
        let (d, s) =
          switch side {
          case 0: (distances.0, -slope.x1)
          case 1: (distances.1, -slope.y1)
          case 2: (distances.2, slope.x2)
          default: (distances.3, slope.y2)
          }
        if n == 1 {
          let error = d - four.distance(side)
          (boxFactor * s + sideFactor * four.scale(side) * V.sign(error)).store(own)
        } else {
          slopes(own, n, d, four.distance(side), boxFactor * s, sideFactor)
        }
      }
      scatter(search, first, live, bins.base, boxes)
      first += 4
    }
    return (factor * boxGain * boxSum, factor * distributionGain * distributionSum)
  }

  /// A side's distance and its DFL at y; the logits become probabilities.
  @inline(always)
  private func distribution(
    _ own: UnsafeMutablePointer<Double>, _ n: Int, _ wanted: DoubleLanes
  ) -> (distance: DoubleLanes, loss: DoubleLanes) {
    typealias V = DoubleLanes
    let y = Self.clamped(wanted, n)
    var (top, place) = (V(own), V.zero)
    var number = V.one
    for k in 1..<n {
      let x = V(own + 4 * k)
      let isAbove = top .< x
      top = V.select(isAbove, x, top)
      place = V.select(isAbove, number, place)
      number = number + .one
    }
    // The top's own exponential is 1: the others are summed apart, so that ln(1 + others) is accurate
    // where the distribution is all in one bin.
    var (others, gap, moment) = (V.zero, V.zero, V.zero)
    number = .zero
    for k in 0..<n {
      let x = V(own + 4 * k) - top
      let e = V.exp(x)
      e.store(own + 4 * k)
      others = others + V.select(number .== place, .zero, e)
      moment = moment + number * e
      gap = gap - Self.mass(y, number) * x
      number = number + .one
    }
    let inverse = V.one / (V.one + others)
    for k in 0..<n { (V(own + 4 * k) * inverse).store(own + 4 * k) }
    return (moment * inverse, V.log1p(others) + gap)
  }

  /// The slopes of both terms in a side's logits, in the place of its probabilities.
  @inline(always)
  private func slopes(
    _ own: UnsafeMutablePointer<Double>, _ n: Int, _ d: DoubleLanes, _ wanted: DoubleLanes,
    _ box: DoubleLanes, _ side: DoubleLanes
  ) {
    typealias V = DoubleLanes
    let y = Self.clamped(wanted, n)
    var number = V.zero
    for k in 0..<n {
      let q = V(own + 4 * k)
      (side * (q - Self.mass(y, number)) + box * (q * (number - d))).store(own + 4 * k)
      number = number + .one
    }
  }

  /// The absolute error of a plain distance, over the image's side.
  @inline(always)
  private func absolute(
    _ distance: DoubleLanes, _ wanted: DoubleLanes, _ scale: DoubleLanes
  ) -> (distance: DoubleLanes, loss: DoubleLanes) {
    (distance, DoubleLanes.abs(distance - wanted) * scale)
  }

  @inline(always)
  private static func clamped(_ y: DoubleLanes, _ n: Int) -> DoubleLanes {
    DoubleLanes.clamp(y, .zero, DoubleLanes(Double(n - 1) - 0.01))
  }

  /// Bin k's share of y: the hat max(0, 1 − |y − k|), so written that y − ⌊y⌋ is exact.
  @inline(always)
  private static func mass(_ y: DoubleLanes, _ k: DoubleLanes) -> DoubleLanes {
    DoubleLanes.max(
      .zero, DoubleLanes.select(y .< k, y - (k - .one), .one - (y - k)))
  }

  /// The logits of up to four anchors, bin by bin; further lanes repeat the last anchor.
  @inline(always)
  private func gather<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ first: Int, _ live: Int,
    _ bins: UnsafeMutablePointer<Double>, _ boxes: HeadBuffer<Element>
  ) {
    let (channels, anchors) = (boxes.shape[1], boxes.shape[2])
    for k in 0..<4 {
      let learner = search.learners[first + Swift.min(k, live - 1)]
      var source = boxes.values + (learner.image * channels * anchors + learner.anchor)
      for channel in 0..<channels {
        bins[4 * channel + k] = Double(source.pointee)
        source += anchors
      }
    }
  }

  @inline(always)
  private func scatter<Element: LaneElement>(
    _ search: borrowing AlignedSearch, _ first: Int, _ live: Int,
    _ bins: UnsafeMutablePointer<Double>, _ boxes: HeadBuffer<Element>
  ) {
    let (channels, anchors) = (boxes.shape[1], boxes.shape[2])
    for k in 0..<live {
      let learner = search.learners[first + k]
      var target = boxes.gradient + (learner.image * channels * anchors + learner.anchor)
      for channel in 0..<channels {
        target.pointee = Element(bins[4 * channel + k])
        target += anchors
      }
    }
  }
}

/// Up to four anchors of the foreground, in cells; further lanes repeat the last of them.
private struct FourLearners {
  typealias V = DoubleLanes
  var x = V.zero
  var y = V.zero
  var target = Box(x1: V.zero, y1: V.zero, x2: V.zero, y2: V.zero)
  var weight = V.zero
  /// A cell over the image's width, and over its height.
  var scaleX = V.zero
  var scaleY = V.zero

  @inline(always)
  init(_ search: borrowing AlignedSearch, _ first: Int, _ live: Int, _ grid: AnchorGrid) {
    for k in 0..<4 {
      let learner = search.learners[first + Swift.min(k, live - 1)]
      let stride = grid.stride(learner.anchor)
      let point = grid.cell(learner.anchor)
      (x[k], y[k], weight[k]) = (point.x, point.y, learner.weight)
      target.x1[k] = learner.box.x1 / stride
      target.y1[k] = learner.box.y1 / stride
      target.x2[k] = learner.box.x2 / stride
      target.y2[k] = learner.box.y2 / stride
      scaleX[k] = stride / grid.imageWidth
      scaleY[k] = stride / grid.imageHeight
    }
  }

  /// How far the truth's side is from the point.
  @inline(always)
  func distance(_ side: Int) -> V {
    switch side {
    case 0: x - target.x1
    case 1: y - target.y1
    case 2: target.x2 - x
    default: target.y2 - y
    }
  }

  @inline(always)
  func scale(_ side: Int) -> V { side % 2 == 0 ? scaleX : scaleY }
}
