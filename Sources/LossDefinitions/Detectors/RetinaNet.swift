/// RetinaNet: the sigmoid focal loss of every anchor with every class, and the error of the positive
/// anchors' box deltas.
///
///     classification = Σ over anchors not ignored, all classes, of focal(x, [class is the truth's]) / N
///     localization = Σ over positive anchors of ℓ / N
///
/// ℓ is the sum over the four deltas of |x − t| or Smooth L1, t the deltas of the truth's box seen from
/// the anchor; or an IoU loss of the decoded box and the truth's. `assigner` says which anchors are
/// positive, negative and ignored.
///
/// Heads: "logits" (B, A, C) and "deltas" (B, A, 4). Matches and N are held constant.
///
/// Source: Lin et al. 2017, Focal Loss for Dense Object Detection, arXiv 1708.02002; torchvision
/// 0.28.0, detectron2 02b5c4e, mmdetection 3.3.0. Chapter: `Spec/Detectors/RetinaNet.md`.
public struct RetinaNet: Objective {
  public static let name = "retinanet"

  public enum Localization: Sendable, Equatable {
    case l1
    case smoothL1(beta: Double)
    case giou(epsilon: Double)
    case diou(epsilon: Double)
    case ciou(epsilon: Double)
  }

  /// N, with P the number of positive anchors.
  public enum Normalizer: Sendable, Equatable {
    /// max(1, P) of each image, then the mean over the images (torchvision).
    case eachImage
    /// μ r + (1 − μ) max(1, P of the batch), the next step's r (detectron2).
    case running(Double, momentum: Double)
    /// Σ over the images of max(1, P), plus ε (mmdetection).
    case batch(epsilon: Double)
  }

  public var alpha = 0.25
  public var gamma = 2.0
  public var localization = Localization.l1
  public var normalizer = Normalizer.eachImage
  /// Positive from an IoU of .5 on, negative below .4; each truth's best anchors are positive.
  public var assigner = MaxIoU(positive: 0.5, negative: 0.4)
  /// The weights of the deltas.
  public var deltas = BoxDeltas()

  public init() {}

  public var heads: [String] { ["logits", "deltas"] }
  public var terms: [String] { ["classification", "localization"] }

  public func check(_ heads: [Tensor], _ truths: [AnchoredImage]) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    try heads[0].check("logits", shape: [truths.count, nil, nil])
    try heads[1].check("deltas", shape: [truths.count, heads[0].shape[1], 4])
    try heads[0].checkFinite("logits")
    try heads[1].checkFinite("deltas")
    for (i, image) in truths.enumerated() {
      try image.check(image: i, anchors: heads[0].shape[1], classes: heads[0].columns)
    }
  }

  // MARK: Decide

  public struct Decisions: Sendable, Equatable {
    /// For each image and anchor its truth, or `AnchoredImage.background` or `.ignored`.
    public let matches: [[Int]]
    /// N of each image, the batch's size in it where a mean is taken.
    public let normalizers: [Double]
    /// r after this step, where N is a running one.
    public let running: Double?
  }

  public func decide(_ heads: [Tensor], _ truths: [AnchoredImage]) -> Decisions {
    let matches = truths.map { $0.matches(by: assigner) }
    let positives = matches.map { Double($0.count { $0 >= 0 }) }
    let images = Double(truths.count)
    switch normalizer {
    case .eachImage:
      let each = positives.map { max(1, $0) * images }
      return Decisions(matches: matches, normalizers: each, running: nil)
    case .running(let state, let momentum):
      let next = momentum * state + (1 - momentum) * max(1, positives.reduce(0, +))
      return Decisions(
        matches: matches, normalizers: positives.map { _ in next }, running: next)
    case .batch(let epsilon):
      let n = positives.reduce(0) { $0 + max(1, $1) } + epsilon
      return Decisions(matches: matches, normalizers: positives.map { _ in n }, running: nil)
    }
  }

  /// What each anchor's logits are held against.
  private func labels(_ image: AnchoredImage, _ matches: [Int]) -> [Int] {
    matches.map { match in
      if match >= 0 { return image.truths.labels[match] }
      return match == AnchoredImage.background ? DenseFocal.negative : DenseFocal.left
    }
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: [AnchoredImage], _ decisions: Decisions
  ) -> [S] {
    let (logits, deltas) = (heads[0], heads[1])
    let focal = DenseFocal(alpha: alpha, gamma: gamma)
    var classification: S = 0
    var localization: S = 0
    for (i, image) in truths.enumerated() {
      let matches = decisions.matches[i]
      let n = S(decisions.normalizers[i])
      let classes = focal.reference(logits, image: i, labels: labels(image, matches))
      classification = classification + classes / n

      var boxes: S = 0
      for (a, match) in matches.enumerated() where match >= 0 {
        let row = (0..<4).map { deltas[i, a, $0] }
        boxes = boxes + error(row, image.anchors[a], image.truths.boxes[match])
      }
      localization = localization + boxes / n
    }
    return [classification, localization]
  }

  /// ℓ of one positive anchor.
  private func error<S: Scalar>(_ row: [S], _ anchor: Box<Double>, _ truth: Box<Double>) -> S {
    let target = self.deltas.encode(Box<S>(truth), from: Box<S>(anchor))
    func sum(_ loss: (S, S) -> S) -> S { .sum(zip(row, target).map { loss($0, $1) }) }
    let box = { self.deltas.decode(row, from: Box<S>(anchor)) }
    switch localization {
    case .l1: return sum { L1().reference($0, $1) }
    case .smoothL1(let beta): return sum { SmoothL1(beta: beta).reference($0, $1) }
    case .giou(let ε): return GIoU(epsilon: ε).reference(box(), Box<S>(truth))
    case .diou(let ε): return DIoU(epsilon: ε).reference(box(), Box<S>(truth))
    case .ciou(let ε): return ciou(ε).reference(box(), Box<S>(truth))
    }
  }

  /// torchvision's CIoU, whose ε is α's alone.
  private func ciou(_ epsilon: Double) -> CIoU {
    var loss = CIoU(.constant, epsilon: 1e-7)
    loss.aspectEpsilon = epsilon
    return loss
  }

  // MARK: Optimized

  /// The focal kernel over all logits that are not ignored, and the positives' boxes gathered, in
  /// Double: an encoded truth is no Float.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: [AnchoredImage], _ decisions: Decisions
  ) -> [Double] {
    let (logits, deltas) = (heads[0], heads[1])
    let anchors = logits.shape[1]
    let focal = DenseFocal(alpha: alpha, gamma: gamma)
    var targets = [Element](repeating: 0, count: anchors * logits.shape[2])
    var classification = 0.0
    var positives = PositiveBoxes(self.deltas)
    for (i, image) in truths.enumerated() {
      let matches = decisions.matches[i]
      classification += focal.optimized(
        logits, image: i, labels: labels(image, matches), over: decisions.normalizers[i],
        targets: &targets)
      for (a, match) in matches.enumerated() where match >= 0 {
        positives.append(
          deltas, row: i * anchors + a, image.anchors[a], image.truths.boxes[match],
          weight: 1 / decisions.normalizers[i])
      }
    }
    deltas.clearGradient()
    let localization =
      switch localization {
      case .l1: positives.errors(L1(), to: deltas)
      case .smoothL1(let beta): positives.errors(SmoothL1(beta: beta), to: deltas)
      case .giou(let ε): positives.boxes(GIoU(epsilon: ε), to: deltas)
      case .diou(let ε): positives.boxes(DIoU(epsilon: ε), to: deltas)
      case .ciou(let ε): positives.boxes(ciou(ε), to: deltas)
      }
    return [classification, localization]
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.alpha = Double(Float(alpha))
    rounded.gamma = Double(Float(gamma))
    return rounded
  }
}
