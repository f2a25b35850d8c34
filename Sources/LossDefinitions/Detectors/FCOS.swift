/// FCOS: the focal loss of every point with every class, the box loss of the positive points' distances
/// to the sides of their truths, and the cross-entropy of their centerness.
///
///     classification = Σ over all points, all classes, of focal(x, [class is the truth's]) / N
///     localization = Σ over positives of w ℓ(l, t, r, b) / M
///     centerness = Σ over positives of BCE(z, c) / N,   c = √(min(l', r')/max(l', r') · min(t', b')/max(t', b'))
///
/// l, t, r, b ≥ 0 are the predicted distances, in pixels or in strides; primed ones the truth's. ℓ is
/// −ln((I + 1) / (U + 1)) or −ln max(IoU, floor) with w = c and M = Σ c, or the GIoU loss with w = 1 and
/// M = N. N is the number of positives, at least 1, or a running one.
///
/// Heads: "logits" (B, A, C), "distances" (B, A, 4), "centerness" (B, A). Matches, c, N and M are held
/// constant.
///
/// Source: Tian et al. 2019, FCOS, arXiv 1904.01355; FCOS a773f12, torchvision 0.28.0, detectron2
/// 02b5c4e, mmdetection 3.3.0. Chapter: `Spec/Detectors/FCOS.md`.
public struct FCOS: Objective {
  public static let name = "fcos"

  public enum Localization: Sendable, Equatable {
    /// −ln((I + 1) / (U + 1)), areas in square pixels (the authors').
    case logPlusOne
    /// −ln max(IoU, floor) (mmdetection).
    case logarithmic(floor: Double)
    case giou(epsilon: Double)

    /// Whether the boxes are weighted by their centerness.
    var isWeighted: Bool {
      if case .giou = self { return false }
      return true
    }
  }

  public enum Normalizer: Sendable, Equatable {
    /// max(1, positives of the batch), plus ε.
    case positives(epsilon: Double)
    /// μ r + (1 − μ) max(1, positives of the batch), the next step's r (detectron2).
    case running(Double, momentum: Double)
  }

  public var alpha = 0.25
  public var gamma = 2.0
  public var localization = Localization.logPlusOne
  public var normalizer = Normalizer.positives(epsilon: 0)
  /// Whether predicted distances are in strides of their point, instead of pixels.
  public var isInStrides = false
  public var points = FCOSPoints()

  public init() {}

  /// One image: its levels, its truths, and the matches where they are given.
  public struct Image: Sendable, Equatable {
    public var levels: [FCOSPoints.Level]
    public var truths: ImageTruths
    /// Each point's truth, −1 for background; nil: by `points`.
    public var matches: [Int]?

    public init(_ levels: [FCOSPoints.Level], _ truths: ImageTruths, matches: [Int]? = nil) {
      self.levels = levels
      self.truths = truths
      self.matches = matches
    }
  }

  public var heads: [String] { ["logits", "distances", "centerness"] }
  public var terms: [String] { ["classification", "localization", "centerness"] }

  public func check(_ heads: [Tensor], _ truths: [Image]) throws(InvalidInput) {
    guard heads.count == 3 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "3")
    }
    try heads[0].check("logits", shape: [truths.count, nil, nil])
    let count = heads[0].shape[1]
    try heads[1].check("distances", shape: [truths.count, count, 4])
    try heads[2].check("centerness", shape: [truths.count, count])
    for (head, name) in zip(heads, self.heads) { try head.checkFinite(name) }
    if let at = heads[1].data.firstIndex(where: { $0 < 0 }) {
      throw InvalidInput(
        "distances", image: at / (4 * count), index: at % (4 * count),
        given: "\(heads[1].data[at])",
        expected: "at least 0")
    }
    for (i, image) in truths.enumerated() {
      try image.truths.check(image: i, classes: heads[0].columns)
      try points.check(FCOSPoints.Problem(image.levels, image.truths.boxes))
      try image.check(image: i, points: count)
    }
  }

  // MARK: Decide

  public struct Decisions: Sendable, Equatable {
    /// For each image and point its truth; −1 is background.
    public let matches: [[Int]]
    /// N; after this step, where it is a running one.
    public let normalizer: Double
  }

  public func decide(_ heads: [Tensor], _ truths: [Image]) -> Decisions {
    let matches = truths.map {
      $0.matches ?? points.optimized(FCOSPoints.Problem($0.levels, $0.truths.boxes))
    }
    let positives = Double(max(1, matches.joined().count { $0 >= 0 }))
    let n =
      switch normalizer {
      case .positives(let epsilon): positives + epsilon
      case .running(let state, let momentum): momentum * state + (1 - momentum) * positives
      }
    return Decisions(matches: matches, normalizer: n)
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: [Image], _ decisions: Decisions
  ) -> [S] {
    let focal = DenseFocal(alpha: alpha, gamma: gamma)
    var (classification, localization, centerness): (S, S, S) = (0, 0, 0)
    var weights: S = 0
    for (i, image) in truths.enumerated() {
      let matches = decisions.matches[i]
      classification =
        classification
        + focal.reference(heads[0], image: i, labels: image.truths.classes(of: matches))
      for (a, place) in image.places.enumerated() where matches[a] >= 0 {
        let truth = Distances<S>(of: image.truths.boxes[matches[a]], from: place.point)
        let c = truth.centerness
        let unit = S(isInStrides ? place.stride : 1)
        let prediction = Distances((0..<4).map { heads[1][i, a, $0] * unit })
        let w = self.localization.isWeighted ? c : 1
        localization = localization + w * error(prediction, truth)
        weights = weights + w
        centerness = centerness + BinaryCrossEntropy().reference(heads[2][i, a], c)
      }
    }
    let n = S(decisions.normalizer)
    let m = self.localization.isWeighted ? weights : n
    return [classification / n, .quotient(localization, m), centerness / n]
  }

  /// ℓ: both boxes about their common point.
  private func error<S: Scalar>(_ prediction: Distances<S>, _ truth: Distances<S>) -> S {
    let (p, t) = (prediction.box, truth.box)
    switch localization {
    case .logPlusOne:
      let overlap = p.intersection(t)
      let union = p.width * p.height + t.width * t.height - overlap
      return S.log(union + 1) - .log(overlap + 1)
    case .logarithmic(let floor): return IoU(.logarithmic, floor: floor).reference(p, t)
    case .giou(let ε): return GIoU(epsilon: ε).reference(p, t)
    }
  }

  // MARK: Optimized

  /// The focal kernel over all logits, and the positives gathered, in Double.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: [Image], _ decisions: Decisions
  ) -> [Double] {
    let (logits, distances, centers) = (heads[0], heads[1], heads[2])
    let count = logits.shape[1]
    let n = decisions.normalizer
    let focal = DenseFocal(alpha: alpha, gamma: gamma)
    var targets = [Element](repeating: 0, count: count * logits.shape[2])
    var classification = 0.0
    var positives = PositivePoints()
    for (i, image) in truths.enumerated() {
      let matches = decisions.matches[i]
      classification += focal.optimized(
        logits, image: i, labels: image.truths.classes(of: matches), over: n, targets: &targets)
      var a = 0
      for level in image.levels {
        let unit = isInStrides ? level.stride : 1
        for point in level.points {
          if matches[a] >= 0 {
            positives.append(
              distances, centers, row: i * count + a, unit: unit,
              Distances(of: image.truths.boxes[matches[a]], from: point))
          }
          a += 1
        }
      }
    }
    distances.clearGradient()
    centers.clearGradient()
    let localization =
      switch localization {
      case .logPlusOne: positives.logPlusOne(to: distances)
      case .logarithmic(let floor):
        positives.boxes(IoU(.logarithmic, floor: floor), over: nil, to: distances)
      case .giou(let ε): positives.boxes(GIoU(epsilon: ε), over: n, to: distances)
      }
    return [classification, localization, positives.centerness(over: n, to: centers)]
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.alpha = Double(Float(alpha))
    rounded.gamma = Double(Float(gamma))
    return rounded
  }
}
