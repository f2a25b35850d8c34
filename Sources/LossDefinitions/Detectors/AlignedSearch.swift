/// The task-aligned matching of a batch, image by image, in memory that is kept.
///
/// Overlaps and metrics of all candidates are taken four at a time, and the few best of a truth again
/// by the reference's own functions: what is not among them is smaller by more than both roundings
/// together, or else all candidates of that truth are taken again.
struct AlignedSearch: ~Copyable {
  struct Truth: BitwiseCopyable {
    var box, reach: Box<Double>
    var label: Int
    var takesPart: Bool
    var topMetric = 0.0
    var topOverlap = 0.0
  }

  struct Pick: BitwiseCopyable {
    var anchor, truth: Int
    var overlap, metric: Double
    var isContested = false
    var isCandidate = true
    var isKept = true
  }

  /// An anchor of the foreground, and what it is to learn.
  struct Learner: BitwiseCopyable {
    var image, anchor, truth, label: Int
    var isCandidate: Bool
    var box: Box<Double>
    var weight: Double
  }

  private var truths = Scratch<Truth>()
  private(set) var truthCount = 0
  /// The corners of the boxes in pixels: four planes of a number an anchor.
  private var planes = Scratch<Double>()
  private var pitch = 0
  /// Which blocks of anchors are near a truth.
  private var marks = Scratch<Bool>()
  private var owners = Scratch<Int32>()
  private var picks = Scratch<Pick>()
  private var pickCount = 0
  private var best = Scratch<Pick>()
  private(set) var learners = Scratch<Learner>()
  private(set) var learnerCount = 0

  private static var blockCount: Int { 8 }

  mutating func begin() { learnerCount = 0 }
  mutating func beginImage() { truthCount = 0 }

  /// Where the learners of an image are that begin at an index, in the order of their anchors.
  func learners(of image: Int, after start: Int) -> Range<Int> {
    var end = start
    while end < learnerCount, learners[end].image == image { end += 1 }
    return start..<end
  }

  mutating func add(_ box: Box<Double>, reach: Box<Double>, label: Int, takesPart: Bool) {
    truths.reserve(truthCount + 1)
    truths[truthCount] = Truth(box: box, reach: reach, label: label, takesPart: takesPart)
    truthCount += 1
  }

  mutating func add(_ learner: Learner) {
    learners.reserve(learnerCount + 1)
    learners[learnerCount] = learner
    learnerCount += 1
  }

  // MARK: Boxes

  /// Decodes the boxes of all anchors that a truth may hold.
  ///
  /// - Parameter boxes: an image's channels, a plane each.
  mutating func decode<Element: LaneElement>(
    _ boxes: UnsafePointer<Element>, bins: Int, _ grid: AnchorGrid,
    _ assigner: TaskAligned
  ) {
    let anchors = grid.count
    pitch = anchors + 4
    planes.reserve(4 * pitch)
    let blocks = (anchors + Self.blockCount - 1) / Self.blockCount
    marks.reserve(blocks)
    marks.base.update(repeating: false, count: blocks)
    for i in 0..<grid.levels.count {
      let level = grid.levels[i]
      for g in 0..<truthCount where truths[g].takesPart {
        let cells = assigner.cells(truths[g].reach, level)
        guard !cells.columns.isEmpty else { continue }
        for row in cells.rows {
          let first = level.first + row * level.width
          for block in (first + cells.columns.lowerBound)
            / Self.blockCount...(first + cells.columns.upperBound - 1) / Self.blockCount
          {
            marks[block] = true
          }
        }
      }
    }
    for block in 0..<blocks where marks[block] {
      let first = block * Self.blockCount
      let last = Swift.min(first + Self.blockCount, anchors)
      for side in 0..<4 {
        let source = boxes + side * bins * anchors
        var a = first
        while a < last {
          let live = last - a
          let distance = binDistance(bins) { k in
            DoubleLanes(widening: source + (k * anchors + a), count: live)
          }
          distance.store(planes.base + (side * pitch + a))
          a += 4
        }
      }
      place(first, last, grid)
    }
  }

  /// Distances become corners, in pixels.
  @inline(always)
  private func place(_ first: Int, _ last: Int, _ grid: AnchorGrid) {
    for i in 0..<grid.levels.count {
      let level = grid.levels[i]
      let end = Swift.min(last, level.first + level.height * level.width)
      var a = Swift.max(first, level.first)
      guard a < end else { continue }
      var (row, column) = (a - level.first).quotientAndRemainder(dividingBy: level.width)
      while a < end {
        let (x, y) = (Double(column) + 0.5, Double(row) + 0.5)
        planes[a] = (x - planes[a]) * level.stride
        planes[pitch + a] = (y - planes[pitch + a]) * level.stride
        planes[2 * pitch + a] = (x + planes[2 * pitch + a]) * level.stride
        planes[3 * pitch + a] = (y + planes[3 * pitch + a]) * level.stride
        a += 1
        column += 1
        if column == level.width { (row, column) = (row + 1, 0) }
      }
    }
  }

  @inline(always)
  private func box(_ a: Int) -> Box<Double> {
    Box(
      x1: planes[a], y1: planes[pitch + a], x2: planes[2 * pitch + a], y2: planes[3 * pitch + a])
  }

  @inline(always)
  private func boxes(_ a: Int) -> Box<DoubleLanes> {
    Box(
      x1: DoubleLanes(planes.base + a), y1: DoubleLanes(planes.base + (pitch + a)),
      x2: DoubleLanes(planes.base + (2 * pitch + a)),
      y2: DoubleLanes(planes.base + (3 * pitch + a)))
  }

  // MARK: Picks

  /// Matches an image whose boxes are decoded.
  ///
  /// - Parameter logits: an image's class logits, a plane a class.
  mutating func match<Element: LaneElement>(
    image: Int, _ logits: UnsafePointer<Element>, _ grid: AnchorGrid,
    _ assigner: TaskAligned
  ) {
    pickCount = 0
    best.reserve(assigner.topk + Self.spare + 1)
    for g in 0..<truthCount where truths[g].takesPart {
      pick(g, logits + truths[g].label * grid.count, grid, assigner)
    }
    settle(image: image, logits, grid, assigner)
  }

  /// How many more than k are taken again.
  private static var spare: Int { 6 }

  private mutating func pick<Element: LaneElement>(
    _ g: Int, _ logits: UnsafePointer<Element>, _ grid: AnchorGrid,
    _ assigner: TaskAligned
  ) {
    typealias V = DoubleLanes
    let truth = truths[g]
    let wide = Box<V>(
      x1: V(repeating: truth.box.x1), y1: V(repeating: truth.box.y1),
      x2: V(repeating: truth.box.x2), y2: V(repeating: truth.box.y2))
    let most = assigner.topk + Self.spare
    var count = 0
    // An overlap of about 0, or a score of almost 0, which the lanes may see on the other side.
    var isUnsure = assigner.beta < 1
    var threshold = 0.0
    for i in 0..<grid.levels.count {
      let level = grid.levels[i]
      let cells = assigner.cells(truth.reach, level)
      for row in cells.rows {
        let start = level.first + row * level.width
        let end = start + cells.columns.upperBound
        var a = start + cells.columns.lowerBound
        while a < end {
          let live = Swift.min(4, end - a)
          let u = assigner.signedOverlap(wide, boxes(a))
          let z = V(widening: logits + a, count: live)
          let s = V.one / (V.one + V.exp(-z))
          let m = assigner.roughMetric(s, V.max(u, .zero))
          for k in 0..<live {
            if u[k].magnitude <= TaskAligned.slack || s[k] < 1e-250 { isUnsure = true }
            guard threshold < m[k] else { continue }
            var place = count
            while place > 0, best[place - 1].metric < m[k] {
              best[place] = best[place - 1]
              place -= 1
            }
            best[place] = Pick(anchor: a + k, truth: g, overlap: u[k], metric: m[k])
            if count < most { count += 1 }
            if count == most { threshold = best[most - 1].metric }
          }
          a += 4
        }
      }
    }
    if !take(g, count, isUnsure: isUnsure, logits, grid, assigner) {
      takeAll(g, logits, grid, assigner)
    }
  }

  /// Ranks the best by the reference's functions; false if others might be among them.
  private mutating func take<Element: LaneElement>(
    _ g: Int, _ count: Int, isUnsure: Bool, _ logits: UnsafePointer<Element>,
    _ grid: AnchorGrid, _ assigner: TaskAligned
  ) -> Bool {
    let k = assigner.topk
    let isFull = count == k + Self.spare
    if isUnsure && !isFull { return false }
    let least = count > 0 ? best[count - 1].metric : 0
    for i in 0..<count { best[i] = exact(best[i].anchor, g, logits, assigner) }
    sort(count)
    if isFull {
      // The metric's root sᵅᐟᵝ u is off by at most the overlap's slack, and linear in it.
      let root = Double.pow(least, 1 / assigner.beta) + 2 * TaskAligned.slack
      guard Double.pow(root, assigner.beta) * (1 + 1e-9) < best[k - 1].metric else { return false }
    }
    let first = pickCount
    for i in 0..<Swift.min(k, count) where best[i].metric > 0 { append(best[i]) }
    if pickCount - first < k { takeZeros(g, first, grid, assigner) }
    return true
  }

  /// All candidates of a truth by the reference's functions.
  @inline(never)
  private mutating func takeAll<Element: LaneElement>(
    _ g: Int, _ logits: UnsafePointer<Element>, _ grid: AnchorGrid,
    _ assigner: TaskAligned
  ) {
    let k = assigner.topk
    var count = 0
    for i in 0..<grid.levels.count {
      let level = grid.levels[i]
      let cells = assigner.cells(truths[g].reach, level)
      for row in cells.rows {
        for column in cells.columns {
          let pick = exact(level.first + row * level.width + column, g, logits, assigner)
          guard pick.metric > 0 else { continue }
          var place = count
          while place > 0, best[place - 1].metric < pick.metric {
            best[place] = best[place - 1]
            place -= 1
          }
          best[place] = pick
          if count < k { count += 1 }
        }
      }
    }
    let first = pickCount
    for i in 0..<count { append(best[i]) }
    if count < k { takeZeros(g, first, grid, assigner) }
  }

  /// Candidates of metric 0: of all anchors without a metric those of the lowest indices are picked,
  /// whether they are inside or not.
  @inline(never)
  private mutating func takeZeros(
    _ g: Int, _ first: Int, _ grid: AnchorGrid, _ assigner: TaskAligned
  ) {
    let positives = pickCount - first
    for a in 0..<Swift.min(assigner.topk, grid.count)
    where assigner.contains(truths[g].reach, grid.point(a)) {
      var (isTaken, after) = (false, 0)
      for i in first..<first + positives {
        if picks[i].anchor == a { isTaken = true }
        if picks[i].anchor > a { after += 1 }
      }
      if !isTaken && after + a < assigner.topk {
        append(
          Pick(anchor: a, truth: g, overlap: assigner.overlap(truths[g].box, box(a)), metric: 0))
      }
    }
  }

  @inline(always)
  private func exact<Element: LaneElement>(
    _ a: Int, _ g: Int, _ logits: UnsafePointer<Element>, _ assigner: TaskAligned
  ) -> Pick {
    let u = assigner.overlap(truths[g].box, box(a))
    let m = assigner.metric(Double.sigmoid(Double(logits[a])), u)
    return Pick(anchor: a, truth: g, overlap: u, metric: m)
  }

  /// By metric, the lower anchor first among equals.
  @inline(always)
  private func sort(_ count: Int) {
    for i in 0..<count {
      let pick = best[i]
      var place = i
      while place > 0,
        best[place - 1].metric < pick.metric
          || best[place - 1].metric == pick.metric && pick.anchor < best[place - 1].anchor
      {
        best[place] = best[place - 1]
        place -= 1
      }
      best[place] = pick
    }
  }

  @inline(always)
  private mutating func append(_ pick: Pick) {
    picks.reserve(pickCount + 1)
    picks[pickCount] = pick
    pickCount += 1
  }

  // MARK: Owners

  /// Gives each picked anchor to one truth, and appends the foreground in the order of the anchors.
  private mutating func settle<Element: LaneElement>(
    image: Int, _ logits: UnsafePointer<Element>, _ grid: AnchorGrid,
    _ assigner: TaskAligned
  ) {
    owners.reserve(grid.count)
    owners.base.update(repeating: -1, count: grid.count)
    for i in 0..<pickCount {
      let other = Int(owners[picks[i].anchor])
      if other < 0 {
        owners[picks[i].anchor] = Int32(i)
      } else {
        picks.base[other].isContested = true
      }
    }
    for a in 0..<grid.count {
      let i = Int(owners[a])
      guard i >= 0, picks[i].isContested else { continue }
      let (g, isCandidate) = owner(a, grid.point(a), assigner)
      picks[i] = exact(a, g, logits + truths[g].label * grid.count, assigner)
      picks.base[i].isCandidate = isCandidate
      if !isCandidate { (picks.base[i].overlap, picks.base[i].metric) = (0, 0) }
    }
    if let topk2 = assigner.topk2, topk2 != assigner.topk { thin(topk2, grid.count) }

    for a in 0..<grid.count {
      let i = Int(owners[a])
      guard i >= 0, picks[i].isKept else { continue }
      let (pick, g) = (picks[i], picks[i].truth)
      truths.base[g].topMetric = Swift.max(truths[g].topMetric, pick.metric)
      truths.base[g].topOverlap = Swift.max(truths[g].topOverlap, pick.overlap)
    }
    for a in 0..<grid.count {
      let i = Int(owners[a])
      guard i >= 0, picks[i].isKept else { continue }
      let (pick, truth) = (picks[i], truths[picks[i].truth])
      add(
        Learner(
          image: image, anchor: a, truth: pick.truth, label: truth.label,
          isCandidate: pick.isCandidate, box: truth.box,
          weight: pick.metric * truth.topOverlap / (truth.topMetric + assigner.epsilon)))
    }
  }

  /// The truth that an anchor overlaps most, the first among equals.
  private func owner(
    _ a: Int, _ point: Point, _ assigner: TaskAligned
  ) -> (truth: Int, isCandidate: Bool) {
    var (best, top, isCandidate) = (0, 0.0, false)
    for g in 0..<truthCount {
      let isInside = truths[g].takesPart && assigner.contains(truths[g].reach, point)
      let u = isInside ? assigner.overlap(truths[g].box, box(a)) : 0
      if g == 0 || top < u { (best, top, isCandidate) = (g, u, isInside) }
    }
    return (best, isCandidate)
  }

  /// Keeps the `k` best anchors of each truth.
  private mutating func thin(_ k: Int, _ anchors: Int) {
    for a in 0..<anchors {
      let i = Int(owners[a])
      guard i >= 0 else { continue }
      var (better, positives, before) = (0, 0, 0)
      for b in 0..<anchors {
        let j = Int(owners[b])
        guard j >= 0, picks[j].truth == picks[i].truth else { continue }
        let (m, own) = (picks[j].metric, picks[i].metric)
        if own < m || own == m && b < a { better += 1 }
        if m > 0 { (positives, before) = (positives + 1, before + (b < a ? 1 : 0)) }
      }
      let rank = picks[i].metric > 0 ? better : positives + a - before
      picks.base[i].isKept = rank < k
    }
  }
}
