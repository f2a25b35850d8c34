/// The training objective of a region proposal network: which anchors hold an object, and where its
/// box lies seen from the anchor.
///
///     objectness = Σ over sampled anchors of −ln p(label) / N
///     box        = Σ over sampled positives and their four deltas of ℓ(x − t) / M
///
/// Anchors are labelled by `assigner` and sampled by `sampler`, each image alone; p is the probability
/// of "object" for a positive and of "background" for a negative anchor, t the row of `coder` of the
/// positive's truth seen from its anchor, ℓ Smooth L1 or Huber's loss. N and M are counts, or fixed.
///
/// Heads, A anchors: "objectness" (B, A) logits or probabilities of an object, or (B, A, 2) logits of
/// background and object; "deltas" (B, A, 4). Boxes are corners in pixels. Labels, samples, targets and
/// normalizers are constant.
///
/// Source: Ren et al. 2015, Faster R-CNN, arXiv 1506.01497, section 3.1.2; torchvision
/// `RegionProposalNetwork`, detectron2 `RPN`, Matterport `rpn_class_loss` and `rpn_bbox_loss`.
/// Chapter: `Spec/Detectors/RPN.md`.
public struct RPN: Objective {
  public static let name = "rpn"

  public enum Classification: Sendable, Equatable {
    /// One logit an anchor.
    case sigmoid
    /// Two logits an anchor: background, object.
    case softmax
    /// One probability an anchor, clipped to [ε, 1 − ε].
    case probability(epsilon: Double)
  }

  public enum Localization: Sendable, Equatable {
    /// β = 0 is the absolute error.
    case smoothL1(beta: Double)
    case huber(delta: Double)
  }

  public enum Normalizer: Sendable, Equatable {
    /// The anchors sampled in the batch.
    case sampled
    /// The numbers compared: four for each positive of the batch.
    case positiveDeltas
    /// This many for each image, however many are sampled.
    case perImage(Int)
  }

  /// What the heads are held against.
  public enum Supervision: Sendable {
    /// Truths that anchors are assigned to.
    case boxes(anchors: [Box<Double>], images: [Image])
    /// Labels 1, 0, −1 for each image and anchor, sampled already, and (B, A, 4) target deltas.
    case targets(labels: [[Int]], deltas: Tensor)
  }

  /// The truths of one image, whatever their class.
  public struct Image: Sendable, Equatable {
    public var boxes: [Box<Double>]
    /// Regions that hide negatives: see `MaxIoU`.
    public var crowds: [Box<Double>]
    /// The bits that its anchors are sampled by.
    public var seed: UInt64

    public init(_ boxes: [Box<Double>] = [], crowds: [Box<Double>] = [], seed: UInt64 = 0) {
      self.boxes = boxes
      self.crowds = crowds
      self.seed = seed
    }
  }

  public var assigner = MaxIoU()
  public var sampler = BalancedSampling()
  public var coder = BoxDeltas()
  public var classification = Classification.sigmoid
  public var localization = Localization.smoothL1(beta: 1.0 / 9)
  /// N and M; at least 1.
  public var classNormalizer = Normalizer.sampled
  public var boxNormalizer = Normalizer.sampled

  public init() {}

  public var heads: [String] { ["objectness", "deltas"] }
  public var terms: [String] { ["objectness", "box"] }

  // MARK: Decide

  /// For each image and anchor its label after sampling, and the truth that it learns if positive.
  public struct Decisions: Sendable, Equatable {
    public var labels: [[Int]]
    public var owners: [[Int?]]
  }

  public func decide(_ heads: [Tensor], _ truths: Supervision) -> Decisions {
    switch truths {
    case .targets(let labels, _):
      return Decisions(labels: labels, owners: labels.map { $0.map { _ in nil } })
    case .boxes(let anchors, let images):
      var decisions = Decisions(labels: [], owners: [])
      for image in images {
        let matching = assigner.optimized(
          MaxIoU.Problem(anchors: anchors, truths: image.boxes, crowds: image.crowds))
        let sample = sampler.optimized(
          BalancedSampling.Problem(labels: matching.labels, seed: image.seed))
        decisions.labels.append(sample.labels)
        decisions.owners.append(zip(sample.labels, matching.owners).map { $0 == 1 ? $1 : nil })
      }
      return decisions
    }
  }

  func count(_ normalizer: Normalizer, _ decisions: Decisions) -> Double {
    let labels = decisions.labels.joined()
    let count =
      switch normalizer {
      case .sampled: labels.count { $0 != -1 }
      case .positiveDeltas: 4 * labels.count { $0 == 1 }
      case .perImage(let each): each * decisions.labels.count
      }
    return Double(max(1, count))
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Supervision, _ decisions: Decisions
  ) -> [S] {
    var objectness: S = 0
    var box: S = 0
    for (image, labels) in decisions.labels.enumerated() {
      for (a, label) in labels.enumerated() where label != -1 {
        objectness = objectness + surprise(heads[0], image, a, label)

        guard label == 1 else { continue }
        let target: [S] = target(truths, decisions, image, a)
        for (k, t) in target.enumerated() {
          box = box + error(heads[1][image, a, k], t)
        }
      }
    }
    return [
      objectness / S(count(classNormalizer, decisions)), box / S(count(boxNormalizer, decisions)),
    ]
  }

  /// −ln p(label).
  private func surprise<S: Scalar>(
    _ scores: Shaped<S>, _ image: Int, _ a: Int, _ label: Int
  ) -> S {
    let label = S(Double(label))
    switch classification {
    case .sigmoid:
      return BinaryCrossEntropy().reference(scores[image, a], label)
    case .softmax:
      let row = [scores[image, a, 0], scores[image, a, 1]]
      return SparseSoftmaxCrossEntropy().reference(row, [label])
    case .probability(let epsilon):
      let loss = BinaryCrossEntropyFromProbabilities(epsilon: epsilon, upperEpsilon: epsilon)
      return loss.reference(scores[image, a], label)
    }
  }

  /// The row of deltas that a positive anchor learns.
  func target<S: Scalar>(
    _ truths: Supervision, _ decisions: Decisions, _ image: Int, _ a: Int
  ) -> [S] {
    switch truths {
    case .targets(_, let deltas): return (0..<4).map { S(deltas[image, a, $0]) }
    case .boxes(let anchors, let images):
      guard let owner = decisions.owners[image][a] else { return [] }
      return coder.encode(
        Box(images[image].boxes[owner].corners.map { S($0) }),
        from: Box(anchors[a].corners.map { S($0) }))
    }
  }

  /// ℓ(x − t).
  private func error<S: Scalar>(_ x: S, _ t: S) -> S {
    switch localization {
    case .smoothL1(let beta): SmoothL1(beta: beta).reference(x, t)
    case .huber(let delta): Huber(delta: delta).reference(x, t)
    }
  }

  // MARK: Optimized

  /// The sampled rows gathered, one kernel over their scores and one over the differences of the
  /// positives' deltas, and the gradients put back; all other rows are 0.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Supervision, _ decisions: Decisions
  ) -> [Double] {
    let (scores, deltas) = (heads[0], heads[1])
    let anchors = deltas.shape[1]
    var rows: [Int] = []
    var labels: [Int] = []
    var positives: [Int] = []
    var offsets: [Element] = []
    var target = [0.0, 0, 0, 0]
    for (image, column) in decisions.labels.enumerated() {
      for (a, label) in column.enumerated() where label != -1 {
        let row = image * anchors + a
        rows.append(row)
        labels.append(label)
        guard label == 1 else { continue }
        positives.append(row)
        // x − t in more digits than x has: the difference of two close numbers keeps them.
        if Element.self == Double.self {
          let target: [DoubleDouble] = self.target(truths, decisions, image, a)
          for (k, t) in target.enumerated() {
            offsets.append(Element((DoubleDouble(Double(deltas.values[4 * row + k])) - t).hi))
          }
        } else {
          write(&target, truths, decisions, image, a)
          for (k, t) in target.enumerated() {
            offsets.append(Element(Double(deltas.values[4 * row + k]) - t))
          }
        }
      }
    }

    let width = classification == .softmax ? 2 : 1
    var slopes = [Element](repeating: 0, count: width * rows.count)
    let objectness = classify(
      gather(scores.values, rows, width), labels, count(classNormalizer, decisions), &slopes)
    scatter(slopes, rows, width, to: scores)

    slopes = offsets
    let box = localize(offsets, count(boxNormalizer, decisions), &slopes)
    scatter(slopes, positives, 4, to: deltas)
    return [objectness, box]
  }

  /// `target` without an allocation.
  private func write(
    _ row: inout [Double], _ truths: Supervision, _ decisions: Decisions, _ image: Int, _ a: Int
  ) {
    switch truths {
    case .targets(_, let deltas):
      for k in 0..<4 { row[k] = deltas[image, a, k] }
    case .boxes(let anchors, let images):
      guard let owner = decisions.owners[image][a] else { return }
      coder.write(images[image].boxes[owner], from: anchors[a], to: &row)
    }
  }

  @inline(always)
  private func classify<Element: LaneElement>(
    _ scores: [Element], _ labels: [Int], _ n: Double, _ slopes: inout [Element]
  ) -> Double {
    func total<L: ElementLoss>(_ loss: L) -> Double {
      loss.total(
        count: labels.count, width: 1, scores, labels.map { Element($0) }, over: n,
        gradient: &slopes)
    }
    switch classification {
    case .sigmoid: return total(BinaryCrossEntropy())
    case .softmax:
      return SparseSoftmaxCrossEntropy().total(
        count: labels.count, width: 2, scores, nil, classes: labels, over: n, gradient: &slopes)
    case .probability(let epsilon):
      return total(
        BinaryCrossEntropyFromProbabilities(epsilon: epsilon, upperEpsilon: epsilon))
    }
  }

  @inline(always)
  private func localize<Element: LaneElement>(
    _ offsets: [Element], _ m: Double, _ slopes: inout [Element]
  ) -> Double {
    let zeros = [Element](repeating: 0, count: offsets.count)
    switch localization {
    case .smoothL1(let beta):
      return SmoothL1(beta: beta).total(
        count: offsets.count, width: 1, offsets, zeros, over: m, gradient: &slopes)
    case .huber(let delta):
      return Huber(delta: delta).total(
        count: offsets.count, width: 1, offsets, zeros, over: m, gradient: &slopes)
    }
  }

  public var roundedToFloat: Self {
    var rounded = self
    switch classification {
    case .probability(let epsilon):
      rounded.classification = .probability(epsilon: Double(Float(epsilon)))
    case .sigmoid, .softmax: break
    }
    switch localization {
    case .smoothL1(let beta): rounded.localization = .smoothL1(beta: Double(Float(beta)))
    case .huber(let delta): rounded.localization = .huber(delta: Double(Float(delta)))
    }
    return rounded
  }
}

/// The named rows of a head of `width` columns, one after the other.
@inline(always)
func gather<Element: LaneElement>(
  _ head: UnsafePointer<Element>, _ rows: [Int], _ width: Int
) -> [Element] {
  var gathered: [Element] = []
  gathered.reserveCapacity(rows.count * width)
  for row in rows {
    for k in 0..<width { gathered.append(head[width * row + k]) }
  }
  return gathered
}

/// Writes the named rows of a head's gradient, and 0 to all others.
@inline(always)
func scatter<Element: LaneElement>(
  _ slopes: [Element], _ rows: [Int], _ width: Int, to head: HeadBuffer<Element>
) {
  head.clearGradient()
  for (i, row) in rows.enumerated() {
    for k in 0..<width { head.gradient[width * row + k] = slopes[width * i + k] }
  }
}
