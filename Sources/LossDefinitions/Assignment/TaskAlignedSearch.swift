extension TaskAligned {
  // MARK: Optimized

  /// The same matching from the candidates alone: on a grid those of a truth are a rectangle of
  /// cells on each level.
  public func optimized(_ problem: Problem) -> Matching {
    let truths = problem.truths
    var result = Matching()
    var picks: [(anchor: Int, truth: Int, metric: Double)] = []
    for (g, truth) in truths.boxes.enumerated() {
      var ranking = Ranking(topk)
      if problem.present[g] {
        forEachCandidate(enlarged(truth), problem) { a in
          let u = overlap(truth, problem.boxes[a])
          ranking.add(a, metric(problem.scores[a][truths.labels[g]], u))
        }
      }
      let own = ranking.picks
      result.picks.append(own.map(\.anchor))
      picks += own.map { ($0.anchor, g, $0.value) }
    }
    picks.sort { ($0.anchor, $0.truth) < ($1.anchor, $1.truth) }

    var metrics: [Double] = []
    var first = 0
    while first < picks.count {
      let anchor = picks[first].anchor
      let last = picks[first...].firstIndex { $0.anchor != anchor } ?? picks.endIndex
      if last == first + 1 {
        result.matches.append(Match(anchor: anchor, truth: picks[first].truth))
        metrics.append(picks[first].metric)
      } else {
        let match = owner(of: anchor, problem)
        result.conflicts.append(
          Conflict(anchor: anchor, pickers: picks[first..<last].map(\.truth), owner: match.truth))
        result.matches.append(match)
        metrics.append(
          match.isCandidate
            ? metric(
              problem.scores[anchor][truths.labels[match.truth]],
              overlap(truths.boxes[match.truth], problem.boxes[anchor])) : 0)
      }
      first = last
    }

    if let topk2, topk2 != topk {
      var kept: Set<Int> = []
      for g in truths.boxes.indices {
        var ranking = Ranking(topk2)
        for (match, metric) in zip(result.matches, metrics) where match.truth == g {
          ranking.add(match.anchor, metric)
        }
        kept.formUnion(ranking.picks.map(\.anchor))
      }
      metrics = zip(result.matches, metrics).filter { kept.contains($0.0.anchor) }.map(\.1)
      result.matches.removeAll { !kept.contains($0.anchor) }
    }

    result.weights = targetScores(
      result.matches,
      overlaps: result.matches.map { match in
        match.isCandidate
          ? overlap(truths.boxes[match.truth], problem.boxes[match.anchor]) : 0
      }, metrics: metrics)
    return result
  }

  /// The truth that an anchor overlaps most, the first among equals, among those it is inside of.
  private func owner(of anchor: Int, _ problem: Problem) -> Match {
    var best = (truth: 0, overlap: 0.0, isCandidate: false)
    for (g, truth) in problem.truths.boxes.enumerated() {
      let isInside = problem.present[g] && contains(enlarged(truth), problem.points[anchor])
      let u = isInside ? overlap(truth, problem.boxes[anchor]) : 0
      if g == 0 || best.overlap < u { best = (g, u, isInside) }
    }
    return Match(anchor: anchor, truth: best.truth, isCandidate: best.isCandidate)
  }

  private func forEachCandidate(
    _ reach: Box<Double>, _ problem: Problem, _ body: (Int) -> Void
  ) {
    guard let grid = problem.grid else {
      for a in problem.points.indices where contains(reach, problem.points[a]) { body(a) }
      return
    }
    for level in grid.levels {
      let cells = cells(reach, level)
      for row in cells.rows {
        for column in cells.columns { body(level.first + row * level.width + column) }
      }
    }
  }

  /// The cells of a level whose points are inside a box.
  @inline(always)
  func cells(
    _ box: Box<Double>, _ level: AnchorGrid.Level
  ) -> (rows: Range<Int>, columns: Range<Int>) {
    (
      inside(box.y1, box.y2, level.stride, level.height),
      inside(box.x1, box.x2, level.stride, level.width)
    )
  }

  /// The cells along an axis: an estimate, moved to where the test of `contains` says.
  @inline(always)
  private func inside(_ low: Double, _ high: Double, _ stride: Double, _ count: Int) -> Range<Int> {
    func center(_ i: Int) -> Double { (Double(i) + 0.5) * stride }
    func bounded(_ x: Double) -> Int { Int(Swift.min(Swift.max(x, 0), Double(count))) }
    var first = bounded((low / stride - 0.5).rounded(.down))
    while first < count, !(center(first) - low > margin) { first += 1 }
    while first > 0, center(first - 1) - low > margin { first -= 1 }
    var last = bounded((high / stride + 0.5).rounded(.up))
    while last > 0, !(high - center(last - 1) > margin) { last -= 1 }
    while last < count, high - center(last) > margin { last += 1 }
    return first..<Swift.max(first, last)
  }
}

/// The k largest of a row of values that are 0 but for those added, which come in the order of their
/// indices; among equals the lower index is taken first.
struct Ranking {
  private let k: Int
  private var best: [(anchor: Int, value: Double)] = []
  private var zeros: [Int] = []

  init(_ k: Int) { self.k = k }

  mutating func add(_ anchor: Int, _ value: Double) {
    guard 0 < value else {
      // Any k indices before it are as large.
      if anchor < k { zeros.append(anchor) }
      return
    }
    var place = best.count
    while place > 0, best[place - 1].value < value { place -= 1 }
    guard place < k else { return }
    best.insert((anchor, value), at: place)
    if best.count > k { best.removeLast() }
  }

  /// Those added that are among the k largest, in the order of their indices.
  var picks: [(anchor: Int, value: Double)] {
    let smaller = zeros.filter { zero in
      let before = best.count { zero < $0.anchor }
      return before + zero < k
    }
    return (best + smaller.map { ($0, 0) }).sorted { $0.anchor < $1.anchor }
  }
}
