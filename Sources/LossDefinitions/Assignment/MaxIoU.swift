/// Labels anchors by their largest overlap with a truth: positive, negative, or ignored.
///
///     u(a) = max over truths of IoU(a, g)        m(g) = max over anchors of IoU(a, g)
///     label(a) = 1 where u ≥ `positiveThreshold`, or where a is a best anchor of a truth
///                0 where `negativeFloor` ≤ u < `negativeThreshold`
///               −1 elsewhere
///
/// A best anchor of g has IoU(a, g) = m(g), to the bit; `lowQuality` says which of them count. A
/// positive anchor learns the truth of its own largest overlap, the first among equals. Boxes are
/// corners in any one unit; no framework here adds 1 to their sides.
///
/// Source: Ren et al. 2015, Faster R-CNN, arXiv 1506.01497, section 3.1.2; torchvision and detectron2
/// `Matcher`, Matterport `build_rpn_targets`, MMDetection `MaxIoUAssigner`.
/// Chapter: `Spec/Assignment/MaxIoU.md`.
public struct MaxIoU: Assignment {
  public static let name = "max_iou"

  public struct Problem: Sendable {
    public var anchors: [Box<Double>]
    public var truths: [Box<Double>]
    /// Regions of uncounted objects: an anchor that touches one is not negative.
    public var crowds: [Box<Double>]

    public init(anchors: [Box<Double>], truths: [Box<Double>], crowds: [Box<Double>] = []) {
      self.anchors = anchors
      self.truths = truths
      self.crowds = crowds
    }
  }

  public struct Matching: Sendable, Equatable {
    /// For each anchor 1 (positive), 0 (negative) or −1 (ignored).
    public var labels: [Int]
    /// For each anchor the truth that it learns; nil for all but positives.
    public var owners: [Int?]
    /// u: each anchor's largest overlap, 0 without truths.
    public var overlaps: [Double]
    /// The first truth of that overlap; nil without truths.
    public var nearest: [Int?]
    /// m: each truth's largest overlap.
    public var maxima: [Double]
  }

  /// The rule by which truths that no anchor overlaps well get anchors nonetheless.
  public struct LowQuality: Sendable, Equatable {
    public enum Anchors: Sendable {
      /// Every anchor whose overlap equals the truth's maximum.
      case everyMaximum
      /// The first of them.
      case firstMaximum
    }

    public var anchors = Anchors.everyMaximum
    /// Whether the anchor goes to that truth, in the order of the truths, each taking it from the one
    /// before; else it keeps the truth of its own largest overlap.
    public var takesAnchors = false
    /// The least maximum with which a truth gets anchors. At 0 a truth that overlaps no anchor has
    /// every anchor apart from it as best anchor.
    public var minimum = 0.0

    public init(
      _ anchors: Anchors = .everyMaximum, takesAnchors: Bool = false, minimum: Double = 0
    ) {
      self.anchors = anchors
      self.takesAnchors = takesAnchors
      self.minimum = minimum
    }
  }

  public var positiveThreshold = 0.7
  public var negativeThreshold = 0.3
  /// Anchors of a smaller largest overlap are ignored.
  public var negativeFloor = 0.0
  public var lowQuality: LowQuality? = LowQuality()
  /// An anchor whose overlap with a crowd reaches this is ignored where it would be negative.
  public var crowdThreshold = 0.001

  public init() {}

  public init(
    positive: Double, negative: Double, lowQuality: LowQuality? = LowQuality()
  ) {
    positiveThreshold = positive
    negativeThreshold = negative
    self.lowQuality = lowQuality
  }

  public func check(_ problem: Problem) throws(InvalidInput) {
    for (i, box) in problem.anchors.enumerated() { try box.check("anchors", index: i) }
    for (i, box) in problem.truths.enumerated() { try box.check("boxes", index: i) }
    for (i, box) in problem.crowds.enumerated() { try box.check("crowds", index: i) }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let table = problem.truths.map { truth in problem.anchors.map { $0.overlap(truth) } }
    let maxima = table.map { $0.max() ?? 0 }
    let nearest = problem.anchors.indices.map { a in firstLargest(table.map { $0[a] }) }
    let overlaps = zip(problem.anchors.indices, nearest).map { a, g in g.map { table[$0][a] } ?? 0 }

    var matching = threshold(problem, overlaps, nearest, maxima)
    if let lowQuality {
      for (g, row) in table.enumerated() where maxima[g] >= lowQuality.minimum {
        let best = row.indices.filter { row[$0] == maxima[g] }
        for a in lowQuality.anchors == .everyMaximum ? best[...] : best.prefix(1) {
          matching.labels[a] = 1
          matching.owners[a] = lowQuality.takesAnchors ? g : nearest[a]
        }
      }
    }
    return matching
  }

  /// The labels that the thresholds alone give.
  private func threshold(
    _ problem: Problem, _ overlaps: [Double], _ nearest: [Int?], _ maxima: [Double]
  ) -> Matching {
    let labels = zip(problem.anchors, overlaps).map { anchor, u in
      if u >= positiveThreshold { return 1 }
      let isLow = negativeFloor <= u && u < negativeThreshold
      return isLow && !problem.crowds.contains { anchor.overlap($0) >= crowdThreshold } ? 0 : -1
    }
    let owners = zip(labels, nearest).map { label, g in label == 1 ? g : nil }
    return Matching(
      labels: labels, owners: owners, overlaps: overlaps, nearest: nearest, maxima: maxima)
  }

  private func firstLargest(_ column: [Double]) -> Int? {
    var best: Int?
    for (g, u) in column.enumerated() where best.map({ column[$0] < u }) ?? true { best = g }
    return best
  }

  // MARK: Optimized

  /// Truth by truth over vectors of anchors, in two passes and without the table: running largest
  /// overlaps of the anchors and the truths' maxima, then the anchors that attain a maximum. An anchor
  /// can do so only if its own largest overlap is no smaller; all others are skipped.
  public func optimized(_ problem: Problem) -> Matching {
    let anchors = BoxColumns(problem.anchors)
    var overlaps = [Double](repeating: 0, count: anchors.padded)
    var numbers = [Double](repeating: 0, count: anchors.padded)
    let maxima = problem.truths.enumerated().map { g, truth in
      anchors.largest(with: truth, Double(g), &overlaps, &numbers)
    }
    overlaps.removeLast(anchors.padded - anchors.count)
    let nearest = numbers[..<anchors.count].map { problem.truths.isEmpty ? nil : Int($0) }

    var matching = threshold(problem, overlaps, nearest, maxima)
    guard let lowQuality else { return matching }
    for (g, truth) in problem.truths.enumerated() where maxima[g] >= lowQuality.minimum {
      for a in problem.anchors.indices where overlaps[a] >= maxima[g] {
        guard problem.anchors[a].overlap(truth) == maxima[g] else { continue }
        matching.labels[a] = 1
        matching.owners[a] = lowQuality.takesAnchors ? g : nearest[a]
        if lowQuality.anchors == .firstMaximum { break }
      }
    }
    return matching
  }
}

/// Boxes as four columns, filled up with empty boxes to whole vectors.
struct BoxColumns {
  let count: Int
  let padded: Int
  private var x1, y1, x2, y2: [Double]

  init(_ boxes: [Box<Double>]) {
    count = boxes.count
    padded = (count + DoubleLanes.count - 1) / DoubleLanes.count * DoubleLanes.count
    let none = [Double](repeating: 0, count: padded - count)
    x1 = boxes.map(\.x1) + none
    y1 = boxes.map(\.y1) + none
    x2 = boxes.map(\.x2) + none
    y2 = boxes.map(\.y2) + none
  }

  /// The largest overlap with a box; where it exceeds an entry of `overlaps`, it and the box's number
  /// are noted.
  func largest(
    with box: Box<Double>, _ number: Double, _ overlaps: inout [Double],
    _ numbers: inout [Double]
  ) -> Double {
    let lanes = LaneBox(box)
    var largest = DoubleLanes.zero
    overlaps.withUnsafeMutableBufferPointer { overlaps in
      numbers.withUnsafeMutableBufferPointer { numbers in
        guard let best = overlaps.baseAddress, let owner = numbers.baseAddress else { return }
        for a in stride(from: 0, to: padded, by: DoubleLanes.count) {
          let u = vector(at: a, with: lanes)
          largest = .max(largest, u)
          let known = DoubleLanes(best + a)
          let isLarger = known .< u
          DoubleLanes.select(isLarger, u, known).store(best + a)
          DoubleLanes.select(isLarger, DoubleLanes(number), DoubleLanes(owner + a)).store(owner + a)
        }
      }
    }
    return (0..<DoubleLanes.count).map { largest[$0] }.max() ?? 0
  }

  /// The overlaps with a box.
  func overlaps(with box: Box<Double>) -> [Double] {
    let lanes = LaneBox(box)
    var row = [Double](unsafeUninitializedCapacity: padded) { row, filled in
      filled = padded
      guard let row = row.baseAddress else { return }
      for a in stride(from: 0, to: padded, by: DoubleLanes.count) {
        vector(at: a, with: lanes).store(row + a)
      }
    }
    row.removeLast(padded - count)
    return row
  }

  /// One box in every lane.
  private struct LaneBox {
    let left, top, right, bottom, area: DoubleLanes

    init(_ box: Box<Double>) {
      (left, top) = (DoubleLanes(box.x1), DoubleLanes(box.y1))
      (right, bottom) = (DoubleLanes(box.x2), DoubleLanes(box.y2))
      area = DoubleLanes(box.width * box.height)
    }
  }

  /// The operations are those of `Box.overlap`, in their order: the bits are the same.
  @inline(__always)
  private func vector(at a: Int, with box: LaneBox) -> DoubleLanes {
    let zero = DoubleLanes.zero
    let (l, t) = (load(x1, a), load(y1, a))
    let (r, b) = (load(x2, a), load(y2, a))
    let w = DoubleLanes.max(zero, .min(r, box.right) - .max(l, box.left))
    let h = DoubleLanes.max(zero, .min(b, box.bottom) - .max(t, box.top))
    let common = w * h
    let union = (r - l) * (b - t) + box.area - common
    return .select(zero .< union, common / union, zero)
  }

  private func load(_ column: [Double], _ at: Int) -> DoubleLanes {
    column.withUnsafeBufferPointer { DoubleLanes($0.baseAddress! + at) }
  }
}
