/// The training objective of Mask R-CNN: five named terms, and their weighted sum.
///
///     rpn_class_loss, rpn_bbox_loss                    `RPN`, over sampled anchors
///     mrcnn_class_loss, mrcnn_bbox_loss                `FastRCNN`, over sampled regions
///     mrcnn_mask_loss                                  `MaskHead`, over the foreground of these
///     total = Σ gainₖ termₖ
///
/// Anchors are labelled by `rpn`; proposals by `regions`, which also gives each row of the second
/// stage's heads its truth, and so its class, its deltas and its mask. Every head belongs to one term.
/// Assignments, samples, targets and proposals are constant: no gradient flows from the second stage
/// into the first through the proposals.
///
/// Heads: those of the RPN; "class_logits" (R, C + 1), "box_deltas" (R, 4 G) and "masks", R rows of all
/// images, one after the other; masks of all rows, or of the foreground alone.
///
/// Source: He et al. 2017, Mask R-CNN, arXiv 1703.06870; Matterport Mask_RCNN 0.2 for the names.
/// Chapter: `Spec/Detectors/MaskRCNN.md`.
public struct MaskRCNN: Objective {
  public static let name = "mask_rcnn"

  /// Which rows of the second stage the mask head has.
  public enum MaskRows: Sendable {
    case all
    /// Those of a truth, in order.
    case foreground
  }

  public struct Image: Sendable, Equatable {
    public var truths: ImageTruths
    /// One mask a truth, 0 or 1 in height x width pixels.
    public var masks: [Tensor]
    /// What the first stage proposed.
    public var proposals: [Box<Double>]
    public var height, width: Int
    /// The bits that anchors and regions are sampled by.
    public var seed: UInt64

    public init(
      _ truths: ImageTruths, masks: [Tensor], proposals: [Box<Double>], height: Int, width: Int,
      seed: UInt64 = 0
    ) {
      self.truths = truths
      self.masks = masks
      self.proposals = proposals
      self.height = height
      self.width = width
      self.seed = seed
    }
  }

  public struct Truths: Sendable, Equatable {
    public var anchors: [Box<Double>]
    public var images: [Image]
    /// Whether each class column occurs in the data set; nil: all.
    public var active: [Bool]?

    public init(anchors: [Box<Double>], images: [Image], active: [Bool]? = nil) {
      self.anchors = anchors
      self.images = images
      self.active = active
    }
  }

  public var rpn = RPN()
  public var regions = ProposalTargets()
  public var regionCoder = BoxDeltas(weights: [10, 10, 5, 5])
  /// Whether regions are matched, encoded and cut in Matterport's normalised units.
  public var normalizesRegions = false
  public var head = FastRCNN()
  public var mask = MaskHead()
  public var maskRule = MaskTargets.Rule.soft
  public var maskRows = MaskRows.foreground
  /// One gain a term, in their order.
  public var gains = [1.0, 1, 1, 1, 1]

  public init() {}

  public var heads: [String] { rpn.heads + head.heads + mask.heads }
  public var terms: [String] {
    ["rpn_class_loss", "rpn_bbox_loss", "mrcnn_class_loss", "mrcnn_bbox_loss", "mrcnn_mask_loss"]
  }

  // MARK: Decide

  public struct Decisions: Sendable, Equatable {
    public var rpn: RPN.Decisions
    /// The regions sampled in each image.
    public var matchings: [ProposalTargets.Matching]
    /// What the rows of the second stage learn.
    public var regions: FastRCNN.Truths
    public var masks: MaskHead.Truths
    public var head: FastRCNN.Decisions
    public var mask: MaskHead.Decisions
  }

  public func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions {
    let matchings = truths.images.map { regions.optimized(problem($0)) }
    let learnt = regionTruths(truths, matchings)
    let masks = maskTruths(truths, matchings, heads[4].shape)
    return Decisions(
      rpn: rpn.decide(Array(heads[..<2]), supervision(truths)), matchings: matchings,
      regions: learnt, masks: masks, head: head.decide(Array(heads[2..<4]), learnt),
      mask: mask.decide([heads[4]], masks))
  }

  /// What the RPN learns.
  func supervision(_ truths: Truths) -> RPN.Supervision {
    .boxes(
      anchors: truths.anchors,
      images: truths.images.map { RPN.Image($0.truths.boxes, seed: $0.seed) })
  }

  /// What the regions of an image are drawn from.
  func problem(_ image: Image) -> ProposalTargets.Problem {
    func box(_ box: Box<Double>) -> Box<Double> {
      normalizesRegions ? box.normalized(height: image.height, width: image.width) : box
    }
    return ProposalTargets.Problem(
      proposals: image.proposals.map(box),
      truths: ImageTruths(image.truths.boxes.map(box), labels: image.truths.labels),
      seed: image.seed)
  }

  func regionTruths(
    _ truths: Truths, _ matchings: [ProposalTargets.Matching]
  ) -> FastRCNN.Truths {
    FastRCNN.Truths(
      labels: matchings.flatMap(\.labels),
      deltas: zip(truths.images, matchings).flatMap { image, matching in
        regions.deltas(problem(image), matching, by: regionCoder)
      }, active: truths.active)
  }

  /// Target masks of the size of the head; a head of one channel is every class's.
  func maskTruths(
    _ truths: Truths, _ matchings: [ProposalTargets.Matching], _ shape: [Int]
  ) -> MaskHead.Truths {
    let first = mask.layout == .channelsFirst
    let (rows, columns) = first ? (shape[2], shape[3]) : (shape[1], shape[2])
    let isShared = (first ? shape[1] : shape[3]) == 1
    let targets = MaskTargets(maskRule, rows: rows, columns: columns)
    var channels: [Int?] = []
    var masks: [Double] = []
    for (image, matching) in zip(truths.images, matchings) {
      let problem = problem(image)
      let candidates = regions.candidates(problem)
      for (row, owner) in zip(matching.rows, matching.owners) {
        if let row, let owner {
          channels.append(isShared ? 0 : image.truths.labels[owner])
          masks += targets(
            image.masks[owner], in: candidates[row], owner: problem.truths.boxes[owner])
        } else if maskRows == .all {
          channels.append(nil)
          masks += [Double](repeating: 0, count: rows * columns)
        }
      }
    }
    return MaskHead.Truths(
      channels: channels, masks: Tensor([channels.count, rows, columns], masks))
  }

  // MARK: Reference

  public func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S] {
    let anchors = rpn.reference(Array(heads[..<2]), supervision(truths), decisions.rpn)
    let regions = head.reference(Array(heads[2..<4]), decisions.regions, decisions.head)
    let masks = mask.reference([heads[4]], decisions.masks, decisions.mask)
    return zip(gains, anchors + regions + masks).map { S($0) * $1 }
  }

  // MARK: Optimized

  /// The three parts, each by its kernels; a head's gradient is its term's, times the gain.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double] {
    let terms =
      rpn.optimized(Array(heads[..<2]), supervision(truths), decisions.rpn)
      + head.optimized(Array(heads[2..<4]), decisions.regions, decisions.head)
      + mask.optimized([heads[4]], decisions.masks, decisions.mask)
    for (gain, buffer) in zip(gains, heads) where gain != 1 {
      for k in 0..<buffer.count { buffer.gradient[k] *= Element(gain) }
    }
    return zip(gains, terms).map { $0 * $1 }
  }

  public var roundedToFloat: Self {
    var rounded = self
    rounded.rpn = rpn.roundedToFloat
    rounded.head = head.roundedToFloat
    rounded.mask = mask.roundedToFloat
    rounded.gains = gains.map { Double(Float($0)) }
    return rounded
  }

  // MARK: Check

  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 5 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "5")
    }
    guard gains.count == 5, gains.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw InvalidInput("gains", given: "\(gains)", expected: "five finite numbers of at least 0")
    }
    guard regionCoder.weights.count == 4 else {
      throw InvalidInput(
        "weights", given: "\(regionCoder.weights.count) weights", expected: "4")
    }
    try heads[4].check("masks", shape: [nil, nil, nil, nil])
    try rpn.check(Array(heads[..<2]), supervision(truths))
    for (i, image) in truths.images.enumerated() { try check(image, i) }

    let matchings = truths.images.map { regions.optimized(problem($0)) }
    try head.check(Array(heads[2..<4]), regionTruths(truths, matchings))
    try mask.check([heads[4]], maskTruths(truths, matchings, heads[4].shape))
  }

  private func check(_ image: Image, _ index: Int) throws(InvalidInput) {
    for (r, box) in image.proposals.enumerated() {
      try box.check("proposals", image: index, index: r)
    }
    guard image.masks.count == image.truths.boxes.count else {
      throw InvalidInput(
        "masks", image: index, given: "\(image.masks.count) masks",
        expected: "one a box, \(image.truths.boxes.count)")
    }
    for (g, mask) in image.masks.enumerated() {
      let isWhole = maskRule == .miniCrop || mask.shape == [image.height, image.width]
      let isPlane = mask.shape.count == 2 && mask.data.count == mask.shape.reduce(1, *)
      guard isWhole, isPlane, mask.shape.allSatisfy({ $0 > 0 }),
        mask.data.allSatisfy({ (0...1).contains($0) })
      else {
        throw InvalidInput(
          "masks", image: index, index: g, given: "shape \(mask.shape)",
          expected: "\(image.height) x \(image.width) numbers in [0, 1]")
      }
    }
    guard image.height > 1, image.width > 1 else {
      throw InvalidInput(
        "size", image: index, given: "\(image.height) x \(image.width)", expected: "above 1")
    }
    do { try regions.check(problem(image)) } catch {
      throw InvalidInput(
        error.argument, image: index, index: error.index, given: error.given,
        expected: error.expected)
    }
  }
}
