/// The regions that a second stage learns from: proposals labelled by their overlap with truths, and
/// sampled.
///
///     u(r) = max over truths of IoU(r, g), of g(r) first among equals
///     r is foreground where u ≥ 1/2: it learns the class, the box and the mask of g(r)
///          background where u < 1/2 and r touches no crowd
///
/// Where `appendsTruths` is set the truths are candidates too, after the proposals, so that every truth
/// with an area has a foreground region. Foreground and background are then drawn by `sampler`;
/// nothing is random where its quota is not reached. One image at a time; boxes are corners in any one
/// unit.
///
/// Source: Girshick 2015, Fast R-CNN, arXiv 1504.08083, section 2.3; torchvision 0.28.0
/// `select_training_samples`, detectron2 02b5c4e `label_and_sample_proposals`, Matterport Mask_RCNN 0.2
/// `detection_targets_graph`. Chapter: `Spec/Assignment/ProposalTargets.md`.
public struct ProposalTargets: Assignment {
  public static let name = "proposal_targets"

  /// The order of the rows.
  public enum Order: Sendable {
    /// As the candidates are.
    case candidates
    /// Foreground first, then background, each as the candidates are.
    case foregroundFirst
  }

  public struct Problem: Sendable {
    public var proposals: [Box<Double>]
    /// Boxes, and their classes as the class head counts its columns.
    public var truths: ImageTruths
    /// Regions of uncounted objects: a candidate that touches one is not background.
    public var crowds: [Box<Double>]
    public var seed: UInt64

    public init(
      proposals: [Box<Double>], truths: ImageTruths, crowds: [Box<Double>] = [], seed: UInt64 = 0
    ) {
      self.proposals = proposals
      self.truths = truths
      self.crowds = crowds
      self.seed = seed
    }
  }

  public struct Matching: Sendable, Equatable {
    /// u and g(r) of each candidate.
    public var overlaps: [Double]
    public var nearest: [Int?]
    /// The candidate of each sampled row; nil for padding.
    public var rows: [Int?]
    /// The class of each row; the background's for background and padding.
    public var labels: [Int]
    /// The truth that each row learns; nil for all but foreground.
    public var owners: [Int?]
  }

  public var appendsTruths = true
  /// The class column of the background.
  public var background = 0
  public var matcher = MaxIoU(positive: 0.5, negative: 0.5, lowQuality: nil)
  public var sampler = BalancedSampling(quota: 512, positiveFraction: 0.25)
  public var order = Order.candidates
  /// Rows up to which a sample is padded; nil pads nothing.
  public var paddedRows: Int?

  public init() {}

  public func check(_ problem: Problem) throws(InvalidInput) {
    try matcher.check(
      MaxIoU.Problem(
        anchors: problem.proposals, truths: problem.truths.boxes, crowds: problem.crowds))
    try sampler.check(BalancedSampling.Problem(labels: []))
    let (boxes, labels) = (problem.truths.boxes, problem.truths.labels)
    guard boxes.count == labels.count else {
      throw InvalidInput(
        "labels", given: "\(labels.count) labels", expected: "as many as boxes, \(boxes.count)")
    }
    for (i, label) in labels.enumerated() where label < 0 || label == background {
      throw InvalidInput(
        "labels", index: i, given: "class \(label)",
        expected: "at least 0, not the background's \(background)")
    }
  }

  /// The boxes that rows are drawn from.
  public func candidates(_ problem: Problem) -> [Box<Double>] {
    problem.proposals + (appendsTruths ? problem.truths.boxes : [])
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let candidates = candidates(problem)
    let matching = matcher.reference(
      MaxIoU.Problem(
        anchors: candidates, truths: problem.truths.boxes, crowds: problem.crowds))
    let sample = sampler.reference(
      BalancedSampling.Problem(labels: matching.labels, seed: problem.seed))

    let drawn = candidates.indices.filter { sample.labels[$0] >= 0 }
    let foreground = drawn.filter { sample.labels[$0] == 1 }
    let others = drawn.filter { sample.labels[$0] == 0 }
    let rows = order == .candidates ? drawn : foreground + others
    let owners = rows.map { sample.labels[$0] == 1 ? matching.owners[$0] : nil }
    let labels = owners.map { $0.map { problem.truths.labels[$0] } ?? background }

    let padding = max(0, (paddedRows ?? 0) - rows.count)
    return Matching(
      overlaps: matching.overlaps, nearest: matching.nearest,
      rows: rows + [Int?](repeating: nil, count: padding),
      labels: labels + [Int](repeating: background, count: padding),
      owners: owners + [Int?](repeating: nil, count: padding))
  }

  // MARK: Optimized

  /// Over the drawn indices alone, which come in order.
  public func optimized(_ problem: Problem) -> Matching {
    let matching = matcher.optimized(
      MaxIoU.Problem(
        anchors: candidates(problem), truths: problem.truths.boxes, crowds: problem.crowds))
    let sample = sampler.optimized(
      BalancedSampling.Problem(labels: matching.labels, seed: problem.seed))
    let drawn = sample.positives.count + sample.negatives.count
    let count = max(drawn, paddedRows ?? 0)
    var result = Matching(
      overlaps: matching.overlaps, nearest: matching.nearest,
      rows: [Int?](repeating: nil, count: count),
      labels: [Int](repeating: background, count: count),
      owners: [Int?](repeating: nil, count: count))
    var (p, n) = (0, 0)
    for row in 0..<drawn {
      let isPositive =
        p < sample.positives.count
        && (order == .foregroundFirst || n == sample.negatives.count
          || sample.positives[p] < sample.negatives[n])
      if isPositive {
        let candidate = sample.positives[p]
        result.rows[row] = candidate
        result.owners[row] = matching.owners[candidate]
        result.labels[row] =
          matching.owners[candidate].map { problem.truths.labels[$0] } ?? background
        p += 1
      } else {
        result.rows[row] = sample.negatives[n]
        n += 1
      }
    }
    return result
  }
}

// MARK: - Targets

extension ProposalTargets {
  /// Four deltas a row: the owner's box seen from the row's, zeros where there is no owner.
  public func deltas(_ problem: Problem, _ matching: Matching, by coder: BoxDeltas) -> [Double] {
    let candidates = candidates(problem)
    var rows = [Double](repeating: 0, count: 4 * matching.rows.count)
    rows.withUnsafeMutableBufferPointer { rows in
      for (i, owner) in matching.owners.enumerated() {
        guard let owner, let candidate = matching.rows[i], let base = rows.baseAddress else {
          continue
        }
        coder.write(problem.truths.boxes[owner], from: candidates[candidate], to: base + 4 * i)
      }
    }
    return rows
  }
}

/// The target mask of a region: its owner's mask, cut out and resized.
public struct MaskTargets: Sendable, Equatable {
  public enum Rule: Sendable {
    /// Unaligned RoIAlign, as it is: numbers between 0 and 1 (torchvision).
    case soft
    /// Aligned RoIAlign, 1 from 1/2 on (detectron2).
    case hard
    /// `crop_and_resize`, rounded half to even; regions are normalised (Matterport).
    case crop
    /// The same of a mask that covers its owner's box alone (Matterport's mini-masks).
    case miniCrop
  }

  public var rule: Rule
  public var rows, columns: Int

  public init(_ rule: Rule, rows: Int, columns: Int) {
    self.rule = rule
    self.rows = rows
    self.columns = columns
  }

  /// rows x columns numbers of `mask`, the owner's, in `region`.
  public func callAsFunction(
    _ mask: Tensor, in region: Box<Double>, owner: Box<Double>
  ) -> [Double] {
    switch rule {
    case .soft:
      return RoIAlign(isAligned: false)(mask, region, rows: rows, columns: columns)
    case .hard:
      return RoIAlign(isAligned: true)(mask, region, rows: rows, columns: columns)
        .map { $0 >= 0.5 ? 1 : 0 }
    case .crop:
      return CropAndResize()(mask, region, rows: rows, columns: columns)
        .map { $0.rounded(.toNearestOrEven) }
    case .miniCrop:
      let (w, h) = (owner.width, owner.height)
      let inside = Box(
        x1: (region.x1 - owner.x1) / w, y1: (region.y1 - owner.y1) / h,
        x2: (region.x2 - owner.x1) / w, y2: (region.y2 - owner.y1) / h)
      return CropAndResize()(mask, inside, rows: rows, columns: columns)
        .map { $0.rounded(.toNearestOrEven) }
    }
  }
}
